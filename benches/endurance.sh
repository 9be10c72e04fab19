#!/usr/bin/env bash
# Mixed load for as long as one likes: bash benches/endurance.sh [SECONDS] [PERSONS]
#
# A service with accounts, the log of accesses and a port for SQL answers tables, exports, charts, pages, statements and sign-ins, beside 500
# clients who send or read a byte now and then and two who send hostile statements. In the middle another semester is published and taken
# up, later a damaged release is laid beside it, and at last the new semester is withdrawn. Ends well if no answer was an error, memory stayed
# flat, the new semester was served and then no more, and the log is what was written. An hour is SECONDS = 3600. Needs python3; psycopg comes from PyPI into a cache folder.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
seconds="${1:-3600}" persons="${2:-500000}"
export CACAH="${CARGO_TARGET_DIR:-$here/../target}/release/cacah"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
venv="${XDG_CACHE_HOME:-$HOME/.cache}/cacah/endurance"
if [ ! -e "$venv/ready" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "psycopg[binary]==3.3.9"
    touch "$venv/ready"
fi
cd "$scratch"
"$CACAH" keys make >/dev/null
for period in 2024-S1 2024-S2; do
    "$CACAH" sample --period "$period" --persons "$persons" --out "$period.parquet"
    "$CACAH" build "$period.parquet" --period "$period" >"$period.txt"
done
"$CACAH" release 2024-S1 >released.txt
"$venv/bin/python" "$here/endurance.py" "$seconds"
"$CACAH" log --database access.sqlite verify
