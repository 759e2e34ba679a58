"""Generates the Python client from proto/ and connects it, as any program outside of the repository would."""

import os
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import grpc
import pytest
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[5] / "proto"


def generate(into: str) -> None:
    """Compiles all of proto/: the contract, and the few files of google/ and buf/ that it imports."""
    well_known = files("grpc_tools") / "_proto"
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    options = [f"--proto_path={PROTO}", f"--proto_path={well_known}", f"--python_out={into}", f"--grpc_python_out={into}"]
    if protoc.main(["protoc", *options, *sources]) != 0:
        raise RuntimeError("protoc refused the contract")


# Before the tests are imported, since they import what is generated. `google` has no __init__.py, here or where protobuf is
# installed, so Python takes google.type from here and google.protobuf from there.
GENERATED = tempfile.TemporaryDirectory(prefix="kontor-python-")
generate(GENERATED.name)
sys.path.insert(0, GENERATED.name)


def channel(variable: str) -> grpc.Channel:
    return grpc.insecure_channel(os.environ[variable])


@pytest.fixture(scope="session")
def catalog():
    with channel("KONTOR_CATALOG_ADDR") as connected:
        yield connected


@pytest.fixture(scope="session")
def order():
    with channel("KONTOR_ORDER_ADDR") as connected:
        yield connected
