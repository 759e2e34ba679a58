"""Builds the images, and looks at them."""

import json
import re
import subprocess
from pathlib import Path

from shell import Failure, docker, output, run, step

TARGETS = ["kontor", "auth", "catalog", "order", "edge", "sandbox-psp"]
SIZE_MAX_MB = 40
USER = "65532:65532"
LABELS = ["title", "version", "revision", "source", "licenses"]
SHELLS = {"sh", "bash", "dash", "ash", "busybox"}


def build(source: Path, tag: str, log: Path) -> None:
    version = re.search(r'^version = "(.*)"', (source / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    try:
        commit = output(["git", "rev-parse", "HEAD"], cwd=source)
    except (Failure, FileNotFoundError):
        commit = "unknown"
    for target in TARGETS:
        step(f"building kontor/{target}")
        arguments = ["--file", "deploy/Dockerfile", "--target", target, "--tag", f"kontor/{target}:{tag}"]
        arguments += ["--build-arg", f"VERSION={version}", "--build-arg", f"COMMIT={commit}"]
        run(["docker", "build", *arguments, "."], cwd=source, log=log / f"build-{target}.log")


def check(tag: str) -> None:
    for target in TARGETS:
        image = f"kontor/{target}:{tag}"
        described = json.loads(docker("image", "inspect", image))[0]
        config, size = described["Config"], described["Size"] / 1e6
        print(f"{image}: {size:.1f} MB")
        problems = []
        if size >= SIZE_MAX_MB:
            problems.append(f"{size:.1f} MB is not under {SIZE_MAX_MB} MB")
        if config["User"] != USER:
            problems.append(f"its user is {config['User'] or 'root'}")
        if target != "kontor" and config.get("Healthcheck", {}).get("Test", []) != ["CMD", f"/kontor-{target}", "health"]:
            problems.append("its HEALTHCHECK is not the program's own")
        labels = config.get("Labels") or {}
        problems += [f"it has no label {label}" for label in LABELS if not labels.get(f"org.opencontainers.image.{label}")]
        if shells := SHELLS & {Path(name).name for name in files(image)}:
            problems.append(f"it has a shell: {', '.join(shells)}")
        if problems:
            raise Failure(f"{image}: {'; '.join(problems)}")
        # It starts: no file of the C library is missing.
        docker("run", "--rm", "--read-only", "--network=none", "--cap-drop=ALL", image, "--help")


def files(image: str) -> list[str]:
    container = docker("create", image)
    try:
        export = subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE)
        names = output(["tar", "--list"], stdin=export.stdout).splitlines()
        export.wait()
        return names
    finally:
        docker("rm", container)
