"""Base images made from Debian's packages, for machines that reach no image registry."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from shell import Failure, docker, output, run, step

HERE = Path(__file__).parent
SUITE = "bookworm"
# The label of images made here: what they were made from.
LABEL = "kontor.try.inputs"

# image -> (Debian packages, changes for `docker import`). What such an image starts and expects is what the published image does.
RECIPES = {
    "rust:1.95-slim-bookworm": (
        ["ca-certificates", "gcc", "libc6-dev"],
        [
            "ENV PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "ENV CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true",
        ],
    ),
    "postgres:15": (
        ["postgresql-15"],
        [
            "ENV PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data",
            "VOLUME /var/lib/postgresql/data",
            'ENTRYPOINT ["/usr/local/bin/entrypoint"]',
            'CMD ["postgres"]',
        ],
    ),
    "prom/prometheus": (["prometheus"], ["USER 65534", "VOLUME /prometheus", 'ENTRYPOINT ["/usr/bin/prometheus"]']),
    "nats": (["nats-server", "wget"], ['ENTRYPOINT ["/usr/sbin/nats-server"]']),
}


class Bases:
    """Makes images, each from one debootstrapped root that all of them share."""

    def __init__(self, folder: Path, source: Path):
        self.folder = folder
        self.source = source
        self.made: list[str] = []

    def provide(self, image: str) -> bool:
        """Has `image` in the engine: it is there, or pulled, or made. False if none of these is possible."""
        recipe = RECIPES.get(image) or RECIPES.get(image.partition(":")[0])
        inputs = self._inputs(image, recipe)
        label = ["docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image]
        present = subprocess.run(label, capture_output=True, text=True)
        # A published image has no such label. One made here is of no use for other dependencies than it was made for.
        if present.returncode == 0 and present.stdout.strip() in ("", inputs):
            return True
        step(f"image {image}")
        pulled = subprocess.run(["timeout", "300", "docker", "pull", "--quiet", image], capture_output=True, text=True)
        if pulled.returncode == 0:
            return True
        if not recipe:
            print(f"{image} cannot be pulled: {pulled.stderr.strip()}")
            return False
        packages, changes = recipe
        self._make(image, packages, [*changes, f"LABEL {LABEL}={inputs}"])
        self.made.append(image)
        return True

    def _inputs(self, image: str, recipe) -> str:
        texts = [repr(recipe), Path(__file__).read_text(), (HERE / "postgres-entrypoint").read_text()]
        if image.startswith("rust:"):
            texts += [(self.source / "Cargo.lock").read_text(), output(["rustc", "--version"], cwd=self.source)]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()

    def _make(self, image: str, packages: list[str], changes: list[str]) -> None:
        root = self.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        run(["cp", "--archive", self._debian(), root])
        try:
            self._install(root, packages)
            name = image.partition(":")[0].replace("/", "_")
            if complete := getattr(self, f"_complete_{name}", None):
                complete(root)
            arguments = [argument for change in changes for argument in ("--change", change)]
            tar = subprocess.Popen(["tar", "--create", "--directory", root, "."], stdout=subprocess.PIPE)
            docker("import", *arguments, "-", image, stdin=tar.stdout)
            if tar.wait() != 0:
                raise Failure(f"cannot pack {root}")
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def _debian(self) -> Path:
        root = self.folder / "debian"
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            run(["debootstrap", "--variant=minbase", SUITE, root, mirror()], log=self.folder / "debootstrap.log")
            # Nothing may be started while packages are installed.
            policy = root / "usr/sbin/policy-rc.d"
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
            (root / "complete").touch()
        return root

    def _install(self, root: Path, packages: list[str]) -> None:
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        # Without this, postgresql-15 makes a cluster.
        (root / "etc/postgresql-common").mkdir(exist_ok=True)
        (root / "etc/postgresql-common/createcluster.conf").write_text("create_main_cluster = false\n")
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", *packages]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        run(["chroot", root, *install], env=environment, log=self.folder / "install.log")
        run(["chroot", root, "apt-get", "clean"], env=environment)

    def _complete_rust(self, root: Path) -> None:
        """Copies this machine's toolchain, and the sources of all dependencies: the build has no network."""
        toolchain = Path(output(["rustc", "--print", "sysroot"], cwd=self.source))
        shutil.copytree(toolchain, root / "usr/local/rust", symlinks=True, ignore=shutil.ignore_patterns("doc", "man", "src"))
        home = self.folder / "cargo"
        run(["cargo", "fetch", "--locked", "--quiet"], cwd=self.source, env={**os.environ, "CARGO_HOME": str(home)})
        shutil.rmtree(home / "registry/src", ignore_errors=True)
        shutil.copytree(home / "registry", root / "usr/local/cargo/registry")

    def _complete_postgres(self, root: Path) -> None:
        entrypoint = root / "usr/local/bin/entrypoint"
        shutil.copy(HERE / "postgres-entrypoint", entrypoint)
        entrypoint.chmod(0o755)
        data = root / "var/lib/postgresql/data"
        data.mkdir(parents=True, exist_ok=True)
        run(["chroot", root, "chown", "postgres:postgres", "/var/lib/postgresql/data"])
        # A tmpfs takes the mode of the folder that it is mounted on, and belongs to root.
        (root / "run/postgresql").chmod(0o3777)

    def _complete_prom_prometheus(self, root: Path) -> None:
        (root / "prometheus").mkdir()
        os.chown(root / "prometheus", 65534, 65534)


def mirror() -> str:
    """The mirror that this machine's own packages come from."""
    sites = output(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", f"Codename: {SUITE}"]).split()
    if not sites:
        raise Failure(f"no package source for Debian {SUITE} is configured, and debootstrap needs one")
    return sites[0]
