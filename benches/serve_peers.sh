#!/usr/bin/env bash
# Requests per second under load, beside ROAPI and DuckDB: bash benches/serve_peers.sh RELEASES PERIOD PYTHON [SECONDS] [CONNECTIONS]
#
# One question, of every district in turn: the table `labour` of one period, one district by sex and age. Everybody answers from the
# same Parquet file, on the same machine, with the load beside it. PYTHON has duckdb and roapi (`pip install duckdb roapi`).
# Then larger tables, and three million cells as CSV. Needs wrk and curl.
set -euo pipefail
releases="$1" period="$2" python="$3" seconds="${4:-10}" connections="${5:-64}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${CARGO_TARGET_DIR:-$here/../target}"
file="$(realpath "$releases/$period/r1/cells/labour.parquet")"
scratch="$(mktemp -d)"
started=()
trap 'kill "${started[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT

# Waits until something answers.
await() {
    for _ in $(seq 300); do
        curl -s -o /dev/null "$@" && return
        sleep 0.1
    done
    echo "$1 does not answer" >&2
    exit 1
}

# Starts our service with so many MiB for finished answers; leaves its address in `base`.
serve() {
    "$target/release/cacah" serve --public '*' --releases "$releases" --port 0 --cache "$1" --max-cells 4000000 >"$scratch/out" 2>/dev/null &
    started+=($!)
    for _ in $(seq 100); do grep -q http: "$scratch/out" && break; sleep 0.1; done
    base="$(grep -o 'http://[0-9.:]*' "$scratch/out" | head -n 1)"
}

# A wrk script that asks for the lines of a file in turn.
script() {
    {
        echo 'local asked = {'
        sed 's/.*/[==[&]==],/' "$1"
        echo '}'
        echo 'local at = 0'
        echo 'request = function() at = at % #asked + 1 return wrk.format('"$2"') end'
    } >"$1.lua"
}

# Loads an address and prints its line of the result.
load() {
    local name="$1" script="$2" address="$3"
    wrk -t1 -c"$connections" -d2s -s "$script" "$address" >/dev/null
    wrk -t1 -c"$connections" -d"${seconds}s" --latency -s "$script" "$address" >"$scratch/wrk"
    awk -v name="$name" '/50%/ {p50 = $2} /99%/ {p99 = $2} /Requests\/sec/ {rate = $2} /Non-2xx/ {wrong = "  WRONG ANSWERS: " $0}
        END {printf "%-46s %9.0f requests/s   median %8s   p99 %8s%s\n", name, rate, p50, p99, wrong}' "$scratch/wrk"
}

"$python" -c "import duckdb, sys
for row in duckdb.sql(f\"SELECT DISTINCT Region FROM read_parquet('{sys.argv[1]}') WHERE length(Region) = 6 ORDER BY 1\").fetchall(): print(row[0])" \
    "$file" >"$scratch/districts"
echo "$(wc -l <"$scratch/districts") districts, $connections connections, $seconds s each"

data="/api/v2/tables/labour/data?lang=en&valuecodes[Tid]=$period&valuecodes[ContentsCode]=persons&valuecodes[Sex]=*&valuecodes[Age]=*"
mapfile -t others < <(tail -n 4 "$scratch/districts")
while read -r district; do
    echo "$data&valuecodes[Region]=$district" >&3
    echo "$data&valuecodes[Occupation]=*&valuecodes[Region]=$district,${others[0]},${others[1]},${others[2]}" >&4
    echo "SELECT \"Sex\", \"Age\", value, status FROM labour WHERE \"Region\" = '$district' AND \"Occupation\" = 'T'" >&5
    echo "/?region=$district" >&6
done < <(head -n -4 "$scratch/districts") 3>"$scratch/small" 4>"$scratch/large" 5>"$scratch/sql" 6>"$scratch/duck"
script "$scratch/small" '"GET", asked[at]'
script "$scratch/large" '"GET", asked[at]'
script "$scratch/sql" '"POST", "/api/sql", {}, asked[at]'
script "$scratch/duck" '"GET", asked[at]'

for cache in 64 0; do
    serve "$cache"
    await "$base/readyz"
    cells() { curl -sg "$base$(head -n 1 "$1")" | "$python" -c "import json, sys; print(len(json.load(sys.stdin)['value']))"; }
    load "cacah, $(cells "$scratch/small") cells, cache $cache MiB" "$scratch/small.lua" "$base"
    load "cacah, $(cells "$scratch/large") cells, cache $cache MiB" "$scratch/large.lua" "$base"
    kill "${started[-1]}"
done

"$python" "$here/serve_duckdb.py" "$file" 18731 &
started+=($!)
await "http://127.0.0.1:18731/?region=$(head -n 1 "$scratch/districts")"
load "DuckDB behind Python's HTTP server, same cells" "$scratch/duck.lua" http://127.0.0.1:18731
kill "${started[-1]}"

"$(dirname "$python")/roapi" --table "labour=$file" --addr-http 127.0.0.1:18732 >"$scratch/roapi" 2>&1 &
started+=($!)
await -X POST -d "$(head -n 1 "$scratch/sql")" http://127.0.0.1:18732/api/sql
load "ROAPI, same cells" "$scratch/sql.lua" http://127.0.0.1:18732
kill "${started[-1]}"
