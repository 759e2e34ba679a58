#!/usr/bin/env python3
"""Checks that every module of a service imports only what its layer may, and every crate only whom it may.

The layers are drawn in ARCHITECTURE.md: grpc (the wire) -> ops (use cases) -> domain (rules) | store (SQL).
Run without arguments from anywhere; exits 1 and names file and line of each breach.
`layers.py --self-test` shows that a breach would be found.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What the files of a layer must not name. `crate::x` and `super::x` stand for modules of the same service.
FORBIDDEN = {
    "domain": ["tonic", "prost", "prost_types", "kontor_proto", "kontor_postgres", "kontor_runtime", "sqlx", "tokio",
               "opentelemetry", "async fn", "crate::metrics", "crate::store", "crate::ops", "crate::grpc", "crate::peers",
               "crate::events", "crate::wire"],
    "store": ["tonic", "prost", "kontor_proto", "kontor_runtime", "opentelemetry", "crate::metrics", "crate::ops",
              "crate::grpc", "crate::peers", "crate::events", "crate::wire"],
    "events": ["tonic", "crate::ops", "crate::grpc", "crate::store", "crate::peers"],
    "wire": ["tonic", "sqlx", "crate::ops", "crate::grpc", "crate::store", "crate::peers"],
    "ops": ["tonic", "crate::grpc", "crate::workers", "sqlx::query", "query_as", "query_scalar"],
    "peers": ["sqlx", "crate::ops", "crate::grpc", "crate::store", "crate::events", "crate::wire"],
    "grpc": ["sqlx", "crate::store", "crate::peers", "crate::events", "crate::workers"],
    "workers": ["tonic", "sqlx::query", "crate::grpc", "crate::store"],
}

# Those that put services together: the launcher, the fault test, and what measures them.
WHOLES = {"kontor", "kontor-bench", "kontor-faults"}

# The services with these layers.
SERVICES = ["auth", "catalog", "order", "sandbox-psp"]

# Whom a crate may depend on, among ours. Tests may use the testkit besides.
CRATES = {
    "kontor-failpoints": set(),
    "kontor-types": set(),
    "kontor-proto": set(),
    "kontor-postgres": {"kontor-types"},
    "kontor-runtime": {"kontor-postgres", "kontor-proto", "kontor-types"},
    "kontor-testkit": {"kontor-postgres", "kontor-proto", "kontor-runtime", "kontor-types"},
    "kontor-edge": {"kontor-proto", "kontor-runtime", "kontor-types"},
    "kontor-sandbox-psp": {"kontor-failpoints", "kontor-proto", "kontor-runtime", "kontor-types"},
}
ANY_SERVICE = {"kontor-failpoints", "kontor-postgres", "kontor-proto", "kontor-runtime", "kontor-types"}


def breaches_in(layer: str, text: str) -> list[tuple[int, str]]:
    """Lines of a file of the layer that name what the layer must not; comments and unit tests do not count."""
    found = []
    text = text.split("#[cfg(test)]\nmod ", 1)[0]
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("//", 1)[0]
        for word in FORBIDDEN[layer]:
            if re.search(rf"(?<![\w:]){re.escape(word)}(?!\w)", code):
                found.append((number, word))
    return found


def layer_files(service: Path):
    for layer in FORBIDDEN:
        single = service / "src" / f"{layer}.rs"
        files = [single] if single.exists() else sorted((service / "src" / layer).rglob("*.rs"))
        yield from ((layer, file) for file in files)


def check_modules() -> list[str]:
    found = []
    for service in SERVICES:
        files = list(layer_files(ROOT / "services" / service))
        present = {layer for layer, _ in files}
        if missing := {"domain", "ops", "grpc"} - present:
            found.append(f"services/{service}: no files of the layers {', '.join(sorted(missing))}")
        for layer, file in files:
            for number, word in breaches_in(layer, file.read_text()):
                found.append(f"{file.relative_to(ROOT)}:{number}: {layer} must not name {word}")
    return found


def check_crates() -> list[str]:
    found = []
    for manifest in sorted([*ROOT.glob("crates/*/Cargo.toml"), *ROOT.glob("services/*/Cargo.toml")]):
        cargo = tomllib.loads(manifest.read_text())
        name = cargo["package"]["name"]
        if name in WHOLES:
            continue
        allowed = CRATES.get(name, ANY_SERVICE)
        used = {dep for dep in cargo.get("dependencies", {}) if dep.startswith("kontor")}
        for dep in sorted(used - allowed):
            found.append(f"{manifest.relative_to(ROOT)}: {name} must not depend on {dep}")
    return found


def self_test() -> None:
    assert breaches_in("domain", "use sqlx::PgConnection;") == [(1, "sqlx")]
    assert breaches_in("grpc", "\nlet x = crate::store::find();") == [(2, "crate::store")]
    assert breaches_in("ops", "sqlx::query(\"SELECT 1\")") != []
    assert breaches_in("ops", "// tonic is not named here\nuse sqlx::PgPool;") == []
    assert breaches_in("domain", "pub async fn load()") == [(1, "async fn")]


def main() -> int:
    if "--self-test" in sys.argv:
        self_test()
        return 0
    found = check_modules() + check_crates()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
