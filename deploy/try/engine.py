"""The container engine: the one that runs on this machine, or one of our own."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from shell import Failure, step

START_SECONDS = 60
STOP_SECONDS = 120


class Engine:
    """A context in which `docker` works. An engine that it had to start keeps its images below `folder`, and is stopped at the end."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.daemon: subprocess.Popen | None = None
        self.runtime = ""

    def __enter__(self) -> "Engine":
        if answers():
            step("using the container engine of this machine")
            return self
        step("starting a container engine")
        # Here, and not below `folder`, since the path of a socket has at most 107 bytes.
        self.runtime = tempfile.mkdtemp(prefix="kontor-")
        self.folder.mkdir(parents=True, exist_ok=True)
        host = f"unix://{self.runtime}/docker.sock"
        command = ["dockerd", "--host", host, "--data-root", self.folder, "--exec-root", f"{self.runtime}/exec", "--pidfile", f"{self.runtime}/pid"]
        with open(f"{self.runtime}/log", "wb") as log:
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        os.environ["DOCKER_HOST"] = host
        for _ in range(START_SECONDS * 2):
            if answers():
                return self
            if self.daemon.poll() is not None:
                break
            time.sleep(0.5)
        log = Path(self.runtime, "log").read_text(errors="replace").splitlines()
        self.__exit__()
        raise Failure("dockerd does not start:\n" + "\n".join(log[-20:]))

    def __exit__(self, *_) -> None:
        if not self.daemon:
            return
        # The daemon stops its containers and its containerd.
        self.daemon.terminate()
        try:
            self.daemon.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
        shutil.rmtree(self.runtime, ignore_errors=True)


def answers() -> bool:
    return shutil.which("docker") is not None and subprocess.run(["docker", "version"], capture_output=True, timeout=30).returncode == 0
