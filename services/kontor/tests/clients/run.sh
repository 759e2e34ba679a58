#!/bin/sh
# Buys from a running Kontor as strangers would: once with a Python client, once with a Node client, both made from proto/.
# Verifies an access token with a stock library, which finds the keys by itself.
#
#   KONTOR_EDGE_ADDR=127.0.0.1:8080 KONTOR_CATALOG_ADDR=127.0.0.1:7102 KONTOR_ORDER_ADDR=127.0.0.1:7103 \
#   KONTOR_ADMIN_PASSWORD=... services/kontor/tests/clients/run.sh
#
# Wants python3 (3.10 or later) and node (20 or later). What is installed goes into KONTOR_CLIENTS_DIR, or target/clients.
set -eu

: "${KONTOR_EDGE_ADDR:?set it to the host:port of the edge}"
: "${KONTOR_ADMIN_PASSWORD:?set it to the password of the administrator}"
: "${KONTOR_CATALOG_ADDR:?set it to the host:port of the catalog service}"
: "${KONTOR_ORDER_ADDR:?set it to the host:port of the order service}"

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work=${KONTOR_CLIENTS_DIR:-$root/target/clients}
mkdir -p "$work/node"

[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --requirement "$here/python/requirements.txt"
PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/pytest" -p no:cacheprovider "$here/python"

cp "$here/node/package.json" "$here/node/package-lock.json" "$here/node/.npmrc" "$work/node/"
npm ci --prefix "$work/node" --silent
cd "$here/node"
NODE_PATH="$work/node/node_modules" node --test --test-reporter=spec
