#!/usr/bin/env bash
# Latency of table requests from outside: bash benches/serve.sh RELEASES [SECONDS] [CONNECTIONS] [CACHE_MIB]
#
# Asks for every district of the releases in turn, each by all nodes of sex, age and occupation group (the counts of table `labour`).
# Without a cache of finished answers (the default here) every request reads its cells. Needs wrk and curl.
set -euo pipefail
releases="$1" seconds="${2:-10}" connections="${3:-8}" cache="${4:-0}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${CARGO_TARGET_DIR:-$here/../target}"
scratch="$(mktemp -d)"
"$target/release/cacah" serve --public '*' --releases "$releases" --port 0 --cache "$cache" >"$scratch/out" 2>"$scratch/err" &
server=$!
trap 'kill $server; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do grep -q http: "$scratch/out" && break; sleep 0.1; done
base="$(grep -o 'http://[0-9.:]*' "$scratch/out" | head -n 1)"
curl -s "$base/api/v2/tables/labour/data?lang=en&outputFormat=csv&codelist[Region]=vs_region_district&valuecodes[Region]=*&valuecodes[Tid]=top(1)&valuecodes[ContentsCode]=*" -g |
    cut -d, -f1 | grep -v Region | sort -u >"$scratch/districts"
{
    echo 'local paths = {'
    sed 's|.*|"/api/v2/tables/labour/data?lang=en\&valuecodes[Region]=&\&valuecodes[Sex]=*\&valuecodes[Age]=*\&valuecodes[Occupation]=*\&valuecodes[Tid]=*\&valuecodes[ContentsCode]=persons",|' "$scratch/districts"
    echo '}
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end'
} >"$scratch/requests.lua"
echo "$(wc -l <"$scratch/districts") districts"
wrk -t1 -c"$connections" -d"${seconds}s" --latency -s "$scratch/requests.lua" "$base"
awk '/VmRSS/ {print "resident:", $2 / 1024, "MiB"}' /proc/$server/status
