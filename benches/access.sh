#!/usr/bin/env bash
# What accounts and the log of accesses cost: bash benches/access.sh RELEASES REGION [SECONDS] [CONNECTIONS] [ROUNDS]
#
# A small table of one region, asked for again and again: of a service that is open to all, and of one that identifies whoever asks by a key
# and has every access on disk before it answers. In turns, because machines have moods. Three loads: `anew`, as many as can be worked out from
# the release; `5000/s`; `memory`, as many as can be answered with what was worked out before. Beside them stands what the service took of the
# cores. Needs wrk.
set -euo pipefail
releases="$1" region="$2" seconds="${3:-8}" connections="${4:-64}" rounds="${5:-3}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cacah="${CARGO_TARGET_DIR:-$here/../target}/release/cacah"
scratch="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$scratch"' EXIT
path="/api/v2/tables/population/data?valuecodes[Region]=$region&valuecodes[Sex]=*&valuecodes[Age]=T&valuecodes[Tid]=top(1)&valuecodes[ContentsCode]=persons"
# wrk asks again as soon as it is answered; a pause of each connection (in milliseconds) paces it.
echo "function delay() return $connections * 1000 / 5000 end" >"$scratch/paced.lua"
declare -A process address key

# Starts a service under a name.
serve() {
    local name="$1"
    shift
    "$cacah" serve --releases "$releases" --port 0 "$@" >"$scratch/$name" 2>/dev/null &
    process[$name]=$!
    for _ in $(seq 100); do grep -q http: "$scratch/$name" && break; sleep 0.1; done
    address[$name]="$(grep -o 'http://[0-9.:]*' "$scratch/$name" | head -n 1)"
}
for cache in 0 64; do
    account() { "$cacah" access --database "$scratch/$cache.sqlite" --releases "$releases" "$@"; }
    account add-institution BENCH --name Bench --kind cooperation --agreement 1 --from 2020-01-01 --to 2099-01-01 >/dev/null
    account request BENCH --name Bench --employee-number 1 --position Bench --local-id bench >/dev/null
    read -r user password _ < <(account approve '#1')
    serve "open$cache" --cache "$cache" --public '*' --database "$scratch/open$cache.sqlite"
    serve "closed$cache" --cache "$cache" --database "$scratch/$cache.sqlite"
    # The first sign-in chooses a password; only then can there be a key.
    curl -s -o /dev/null --data-urlencode "user=$user" --data-urlencode "password=$password" --data-urlencode "new=a password of mine" \
        --data-urlencode "again=a password of mine" \
        "${address[closed$cache]}/sign-in"
    key[$cache]="$(account add-key "$user" --name bench | head -n 1)"
done

# Seconds of a core that a service has taken.
taken() { awk -v tick="$(getconf CLK_TCK)" '{print ($14 + $15) / tick}' "/proc/${process[$1]}/stat"; }

# Asks a service: load, name, cache, what else wrk is told.
ask() {
    local load="$1" name="$2" cache="$3" before
    shift 3
    before="$(taken "$name")"
    wrk -t1 -c"$connections" -d"${seconds}s" --latency -H "Authorization: Bearer ${key[$cache]}" "$@" "${address[$name]}$path" >"$scratch/said"
    awk -v load="$load" -v name="${name%%[0-9]*}" -v before="$before" -v after="$(taken "$name")" -v seconds="$seconds" '
        $1 ~ /^(50|99)%$/ {latency = latency "  " $1 " " $2} /Requests.sec/ {rate = $2} /Non-2xx/ {refused = "  REFUSED: " $0}
        END {printf "%-7s %-7s %9.0f requests/s%s  %.2f of a core%s\n", load, name, rate, latency, (after - before) / seconds, refused}' "$scratch/said"
}
for _ in $(seq "$rounds"); do
    for kind in open closed; do ask anew "${kind}0" 0; done
    for kind in open closed; do ask 5000/s "${kind}64" 64 -s "$scratch/paced.lua"; done
    for kind in open closed; do ask memory "${kind}64" 64; done
done
for cache in 0 64; do "$cacah" log --database "$scratch/$cache.sqlite" verify; done
