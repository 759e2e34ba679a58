"""Commands, steps and failures."""

import subprocess
import sys
import time

STARTED = time.monotonic()


class Failure(Exception):
    """What went wrong, in a sentence for the operator."""


def step(text: str) -> None:
    print(f"\n==> {text} ({time.monotonic() - STARTED:.0f}s)", flush=True)


def run(command, log=None, timeout=3600, **options) -> None:
    """Runs a command. Its output goes to the terminal, or to the file `log`, whose end is shown if it fails."""
    command = [str(part) for part in command]
    if log:
        with open(log, "wb") as file:
            code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, timeout=timeout, **options).returncode
        if code != 0:
            with open(log, errors="replace") as file:
                sys.stdout.writelines(file.readlines()[-40:])
    else:
        code = subprocess.run(command, timeout=timeout, **options).returncode
    if code != 0:
        raise Failure(f"{' '.join(command)} ended with exit code {code}")


def output(command, timeout=600, **options) -> str:
    """What a command prints, without white space around it."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with exit code {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def docker(*arguments, **options) -> str:
    return output(["docker", *arguments], **options)
