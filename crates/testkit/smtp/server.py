"""A mail server for tests. It writes a line of JSON for each connection, each mail that it took and each that it did not take.

    server.py PORT FOLDER [--starttls] [--login] [--answer RCPT|DATA ANSWER]...

The answers are given one after the other, each once, and then it takes everything. In an answer, {body} quotes the mail; the
answer LOST takes the mail, and is cut off before it is told. Certificates lie in FOLDER: ca.pem is the authority, which has signed
what the server shows as "localhost".
"""

import argparse
import asyncio
import json
import ssl

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"shop", b"p:a ss"


def say(**what):
    print(json.dumps(what), flush=True)


class Taker:
    def __init__(self, answers):
        self.answers = [tuple(answer) for answer in answers]

    def answer(self, at):
        if self.answers and self.answers[0][0] == at:
            return self.answers.pop(0)[1]
        return None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self.answer("RCPT"):
            say(answered=answer)
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        text = envelope.content.decode()
        answer = self.answer("DATA")
        if answer and answer != "LOST":
            say(answered=answer)
            return answer.replace("{body}", " ".join(text.split()[-80:]))
        say(sender=envelope.mail_from, recipients=envelope.rcpt_tos, message=text, encrypted=session.ssl is not None,
            authenticated=session.authenticated)
        if answer:
            server.transport.abort()
        return "250 2.0.0 taken"


class Server(SMTP):
    def connection_made(self, transport):
        say(connected=True)
        super().connection_made(transport)


class Starter(Controller):
    def factory(self):
        return Server(self.handler, **self.SMTP_kwargs)


def log_in(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD), handled=False)


def certified(folder):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(f"{folder}/ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder")
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--login", action="store_true")
    parser.add_argument("--answer", nargs=2, action="append", default=[])
    args = parser.parse_args()
    settings = {"enable_SMTPUTF8": False}
    if args.starttls:
        settings |= {"tls_context": certified(args.folder)}
    if args.login:
        settings |= {"authenticator": log_in, "auth_required": True, "auth_require_tls": args.starttls}
    Starter(Taker(args.answer), hostname="127.0.0.1", port=args.port, **settings).start()
    say(listening=True)
    asyncio.new_event_loop().run_forever()


if __name__ == "__main__":
    main()
