"""Starts docker-compose.yml, buys in it, and takes it down."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import shop
from images import USER
from shell import Failure, docker, output, run, step

PROJECT = "kontor-try"
METRICS = [r"kontor_build_info\{.*\} 1", r"kontor_service_ready(\{.*\})? 1", r"(rpc_server_call|http_server_request)_duration_seconds_count"]
SERVICES = ["auth", "catalog", "order", "edge", "sandbox-psp"]
JOBS = ["migrate", "sample"]
# Whose images may be missing: whatever runs without them is tried.
OPTIONAL = {"collector": [], "prometheus": ["observability"], "tempo": ["observability"], "grafana": ["observability"], "nats": ["events"]}
PORTS = [8080, 7101, 7102, 7103]
HEALTHY_SECONDS = 180
IDLE_MIB = 150


class Compose:
    """The compose file as a project of its own, with fresh secrets. Its containers and volumes are removed at the end."""

    def __init__(self, source: Path, folder: Path, tag: str, provide):
        self.source, self.folder, self.tag, self.provide = source, folder, tag, provide
        self.program = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
        self.optional: list[str] = []

    def __enter__(self) -> "Compose":
        self.settings = tempfile.TemporaryDirectory(prefix="kontor-")
        self.env = Path(self.settings.name, "env")
        return self

    def __exit__(self, kind, failure, _) -> None:
        if failure and self.env.exists():
            self._show_logs()
        step("taking everything down")
        if self.env.exists():
            subprocess.run(self._command("down", "--volumes", "--remove-orphans", "--timeout", "30"), capture_output=True, timeout=300)
        self.settings.cleanup()

    def try_all(self) -> None:
        step("refuses to start without secrets")
        self._refuses_without_secrets()
        for port in PORTS:
            if is_taken(port):
                raise Failure(f"port {port} on 127.0.0.1 is in use, and the shop needs it")
        self.env.touch(mode=0o600)
        self.env.write_text(docker("run", "--rm", f"kontor/kontor:{self.tag}", "make-env") + "\n")
        self.optional = [service for service in OPTIONAL if self.provide(self._image(service))]

        step(f"starting the shop ({output([*self.program, 'version', '--short'])})")
        self.up()
        self._wait_healthy()
        self._check_containers()
        self._check_idle_memory()

        step("buying, with the commands of README.md")
        shop.wait_ready()
        bought = shop.buy()
        password = self._compose("run", "--rm", "-T", "kontor", "admin-password").splitlines()[-1]
        step("after the purchase")
        shop.after_the_purchase(bought, password)
        step("signing up")
        shop.account()
        self._check_grpc()

        step("metrics")
        self._check_metrics()
        for service in ["postgres", *SERVICES]:
            step(f"restarting {service}, and buying again")
            self._compose("restart", "--timeout", "30", service)
            self._wait_healthy()
            shop.wait_ready()
            shop.buy()
        step("killing order, and buying again")
        self._kill("order")
        shop.wait_ready()
        shop.buy()
        step("starting what runs, once more")
        self.up()
        self._wait_healthy()
        step("stopping")
        self._check_stop()
        absent = [service for service in OPTIONAL if service not in self.optional]
        if absent:
            print(f"\nNot tried, as their images can neither be pulled nor made here: {', '.join(absent)}.")

    def up(self) -> None:
        self._run("up", "--detach", "postgres", *JOBS, *SERVICES, *self.optional, timeout=600)

    def _refuses_without_secrets(self) -> None:
        empty = Path(self.settings.name, "empty")
        empty.touch()
        command = [*self.program, "--env-file", str(empty), "config"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("KONTOR_", "POSTGRES_", "GRAFANA_"))}
        done = subprocess.run(command, cwd=self.source, env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode == 0 or "_PASSWORD is not set" not in done.stderr + done.stdout:
            raise Failure(f"the compose file does not say which secret is missing: {done.stderr or done.stdout}")

    def _wait_healthy(self) -> None:
        """Waits until each container is healthy, and each job has ended well."""
        waiting = {}
        deadline = time.monotonic() + HEALTHY_SECONDS
        while time.monotonic() < deadline:
            waiting = {}
            for service in ["postgres", *JOBS, *SERVICES, *self.optional]:
                state = self._state(service)
                if service in JOBS:
                    if state["Status"] == "exited" and state["ExitCode"] != 0:
                        raise Failure(f"{service} ended with exit code {state['ExitCode']}")
                    good = state["Status"] == "exited"
                else:
                    good = state["Status"] == "running" and state.get("Health", {}).get("Status", "healthy") == "healthy"
                if not good:
                    waiting[service] = state.get("Health", {}).get("Status") or state["Status"]
            if not waiting:
                return
            time.sleep(1)
        raise Failure(f"after {HEALTHY_SECONDS} s there are containers that are not healthy: {waiting}")

    def _check_containers(self) -> None:
        for service in SERVICES:
            described = self._inspect(service)
            host = described["HostConfig"]
            problems = []
            if not host["ReadonlyRootfs"]:
                problems.append("its root file system can be written to")
            if host["CapDrop"] != ["ALL"] or host["CapAdd"]:
                problems.append("it has capabilities")
            if not any("no-new-privileges" in option for option in host["SecurityOpt"] or []):
                problems.append("it can gain privileges")
            if not host["Memory"] or not host["NanoCpus"]:
                problems.append("it has no limits")
            if described["Config"]["User"] != USER:
                problems.append(f"its user is {described['Config']['User'] or 'root'}")
            published = [port for ports in (host["PortBindings"] or {}).values() for port in ports or []]
            if any(port["HostIp"] != "127.0.0.1" for port in published):
                problems.append("it has a port that is not published on 127.0.0.1 only")
            if problems:
                raise Failure(f"{service}: {'; '.join(problems)}")

    def _check_idle_memory(self) -> None:
        ids = {self._id(service): service for service in SERVICES}
        lines = docker("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemUsage}}", *ids).splitlines()
        used = {ids[line.split()[0]]: mebibytes(line.split()[1]) for line in lines}
        total = sum(used.values())
        print("memory, idle:", ", ".join(f"{service} {size:.1f}" for service, size in used.items()), f"- together {total:.1f} MiB")
        if total > IDLE_MIB:
            raise Failure(f"the idle services take {total:.1f} MiB together, which is more than {IDLE_MIB}")

    def _check_grpc(self) -> None:
        """A health check over gRPC at each published port: an empty message behind its five bytes of framing."""
        for port in PORTS[1:]:
            command = ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--header", "content-type: application/grpc"]
            command += ["--data-binary", "@-", "--output", "/dev/null", "--write-out", "%{http_code} %{content_type}"]
            answer = output([*command, f"http://127.0.0.1:{port}/grpc.health.v1.Health/Check"], input="\0" * 5)
            if answer != "200 application/grpc":
                raise Failure(f"port {port} does not speak gRPC: {answer}")

    def _check_metrics(self) -> None:
        for service in SERVICES:
            address = next(iter(self._inspect(service)["NetworkSettings"]["Networks"].values()))["IPAddress"]
            with urllib.request.urlopen(f"http://{address}:9464/metrics", timeout=10) as answer:
                text = answer.read().decode()
            absent = [pattern for pattern in METRICS if not re.search(f"^{pattern}", text, re.MULTILINE)]
            if absent:
                raise Failure(f"{service} has no metric {' and none '.join(absent)}:\n{text[:2000]}")
        if "prometheus" in self.optional:
            self._check_prometheus()

    def _check_prometheus(self) -> None:
        up: set[str] = set()
        for _ in range(45):
            with urllib.request.urlopen("http://127.0.0.1:9090/api/v1/query?query=up==1", timeout=10) as answer:
                up = {series["metric"]["job"] for series in json.load(answer)["data"]["result"]}
            if set(SERVICES) <= up:
                return
            time.sleep(1)
        raise Failure(f"Prometheus does not reach {', '.join(set(SERVICES) - up)}")

    def _kill(self, service: str) -> None:
        """Kills the process itself, since a container that is killed by a command is not started again."""
        before = self._inspect(service)
        os.kill(before["State"]["Pid"], signal.SIGKILL)
        for _ in range(60):
            after = self._inspect(service)
            if after["RestartCount"] > before["RestartCount"] and after["State"].get("Health", {}).get("Status") == "healthy":
                return
            time.sleep(1)
        raise Failure(f"{service} was killed, and is not back after a minute")

    def _check_stop(self) -> None:
        self._compose("stop", "--timeout", "60", *SERVICES)
        for service in SERVICES:
            if code := self._state(service)["ExitCode"]:
                raise Failure(f"{service} was stopped, and ended with exit code {code}")

    def _show_logs(self) -> None:
        for service in [*JOBS, "postgres", *SERVICES, *self.optional]:
            try:
                state = self._state(service)
            except Failure:
                continue
            bad = state["Status"] != "running" or state.get("Health", {}).get("Status") == "unhealthy"
            if bad and not (service in JOBS and state["ExitCode"] == 0 and state["Status"] == "exited"):
                print(f"\n--- {service}: {state['Status']}, exit code {state['ExitCode']}")
                for check in state.get("Health", {}).get("Log", [])[-1:]:
                    print(f"health: {check['Output'].strip()}")
                subprocess.run(["docker", "logs", "--tail", "40", self._id(service)], timeout=60, stderr=subprocess.STDOUT)

    def _image(self, service: str) -> str:
        """The image of a service that is not built here."""
        text = (self.source / "docker-compose.yml").read_text()
        return re.search(rf"^  {service}:\n(?:    .*\n)*?    image: (\S+)$", text, re.MULTILINE).group(1)

    def _id(self, service: str) -> str:
        found = self._compose("ps", "-a", "-q", service)
        if not found:
            raise Failure(f"{service} has no container")
        return found.splitlines()[0]

    def _inspect(self, service: str) -> dict:
        return json.loads(docker("inspect", self._id(service)))[0]

    def _state(self, service: str) -> dict:
        return self._inspect(service)["State"]

    def _command(self, *arguments: str) -> list[str]:
        profiles = sorted({profile for service in self.optional for profile in OPTIONAL[service]})
        options = [option for profile in profiles for option in ("--profile", profile)]
        return [*self.program, "--env-file", str(self.env), "--project-name", PROJECT, *options, *arguments]

    def _compose(self, *arguments: str) -> str:
        return output(self._command(*arguments), cwd=self.source)

    def _run(self, *arguments: str, timeout: int) -> None:
        run(self._command(*arguments), cwd=self.source, log=self.folder / "compose.log", timeout=timeout)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def mebibytes(text: str) -> float:
    """What `docker stats` prints, such as `12.5MiB`."""
    number, unit = re.fullmatch(r"([\d.]+)\s*([A-Za-z]+)", text.strip()).groups()
    return float(number) * {"B": 1 / 2**20, "KiB": 1 / 2**10, "MiB": 1, "GiB": 2**10}[unit]
