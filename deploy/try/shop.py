"""Buys in the shop with the commands of README.md."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from shell import Failure

EDGE = "http://127.0.0.1:8080"
README = Path(__file__).parents[2] / "README.md"


def commands(heading: str) -> str:
    """The first block of shell commands below a heading of README.md."""
    found = re.search(rf"^#+ {re.escape(heading)}$.*?^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    if not found:
        raise Failure(f"README.md has no block of shell commands below “{heading}”")
    return found.group(1)


def shell(script: str, *variables: str) -> dict[str, str]:
    """Runs commands in bash, and returns the variables that they set."""
    script += "".join(f'\nprintf "\\n@%s=%s" {name} "${name}"' for name in variables)
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=120)
    values = dict(re.findall(r"^@(\w+)=(.*)$", done.stdout, re.MULTILINE))
    missing = [name for name in variables if not values.get(name)]
    if missing:
        raise Failure(f"the commands of README.md did not set {', '.join(missing)}; they printed:\n{done.stdout}{done.stderr}")
    return values | {"printed": done.stdout}


def get(path: str, token: str = "") -> dict:
    request = urllib.request.Request(f"{EDGE}/{path}", headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def wait_ready(seconds: int = 90) -> None:
    """Waits until the edge says that a purchase could be made."""
    error = ""
    for _ in range(seconds * 2):
        try:
            with urllib.request.urlopen(f"{EDGE}/readyz", timeout=5):
                return
        except urllib.error.HTTPError as refused:
            error = refused.read().decode(errors="replace")
        except OSError as broken:
            error = str(broken)
        time.sleep(0.5)
    raise Failure(f"the shop is not ready after {seconds} s: {error}")


def expect_state(order: str, *states: str, seconds: int = 30) -> None:
    state = ""
    for _ in range(seconds * 2):
        state = get(f"v1/{order}").get("state", "")
        if state in states:
            return
        time.sleep(0.5)
    raise Failure(f"{order} is {state or 'without state'} after {seconds} s, and not {' or '.join(states)}")


def buy() -> dict[str, str]:
    """The five calls of a purchase."""
    bought = shell(commands("A purchase in five calls"), "K", "VARIANT", "ORDER")
    expect_state(bought["ORDER"], "COMPLETED")
    return bought


def after_the_purchase(bought: dict[str, str], password: str) -> None:
    """A refund and a cancellation, by the administrator."""
    script, replaced = re.subn(r"^PASSWORD=(?:.*\\\n)*.*$", f"PASSWORD='{password}'", commands("After the purchase"), flags=re.MULTILINE)
    if replaced != 1:
        raise Failure("the commands below “After the purchase” in README.md do not set PASSWORD once")
    before = "".join(f"{name}='{bought[name]}'\n" for name in ("K", "VARIANT", "ORDER"))
    done = shell(before + script, "ADMIN", "WAITING")
    refunds = get(f"v1/{bought['ORDER']}").get("refunds", [])
    if not refunds:
        raise Failure(f"{bought['ORDER']} has no refund; the commands printed:\n{done['printed']}")
    expect_state(done["WAITING"], "CANCELLED", "COMPLETED")


def account() -> None:
    """A sign-up with the code of the mail that /dev/mailbox shows."""
    done = shell(f"K={EDGE}\n" + commands("Accounts"), "CODE", "TOKEN")
    email = get("v1/users/me", done["TOKEN"]).get("email")
    if email != "ada@example.org":
        raise Failure(f"the account that signed up has the address {email}")
