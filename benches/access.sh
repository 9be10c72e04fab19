#!/usr/bin/env bash
# What accounts and the log of accesses cost: bash benches/access.sh RELEASES REGION [SECONDS] [CONNECTIONS] [ROUNDS]
#
# The same small table of one region, asked for again and again: of a service that is open to all, and of one that identifies whoever asks by a
# key and has every access on disk before it answers. In turns, because machines have moods. Needs wrk.
set -euo pipefail
releases="$1" region="$2" seconds="${3:-8}" connections="${4:-64}" rounds="${5:-3}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cacah="${CARGO_TARGET_DIR:-$here/../target}/release/cacah"
scratch="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$scratch"' EXIT
path="/api/v2/tables/population/data?valuecodes[Region]=$region&valuecodes[Sex]=*&valuecodes[Age]=T&valuecodes[Tid]=top(1)&valuecodes[ContentsCode]=persons"

account() { "$cacah" access --database "$scratch/access.sqlite" --releases "$releases" "$@"; }
account add-institution BENCH --name Bench --kind cooperation --agreement 1 --from 2020-01-01 --to 2099-01-01 >/dev/null
account request BENCH --name Bench --employee-number 1 --position Bench --local-id bench >/dev/null
read -r user password _ < <(account approve '#1')

# Starts a service; prints its address.
serve() {
    local name="$1"
    shift
    "$cacah" serve --releases "$releases" --port 0 "$@" >"$scratch/$name" 2>/dev/null &
    for _ in $(seq 100); do grep -q http: "$scratch/$name" && break; sleep 0.1; done
    grep -o 'http://[0-9.:]*' "$scratch/$name" | head -n 1
}
serve open --public '*' --database "$scratch/none.sqlite" >"$scratch/open.address"
serve closed --database "$scratch/access.sqlite" >"$scratch/closed.address"
open="$(cat "$scratch/open.address")" closed="$(cat "$scratch/closed.address")"
# The first sign-in chooses a password; only then can there be a key.
curl -s -o /dev/null --data-urlencode "user=$user" --data-urlencode "password=$password" --data-urlencode "new=a password of mine" "$closed/sign-in"
key="$(account add-key "$user" --name bench | head -n 1)"

for _ in $(seq "$rounds"); do
    for kind in open closed; do
        [ "$kind" = open ] && base="$open" || base="$closed"
        printf '%-8s' "$kind"
        wrk -t1 -c"$connections" -d"${seconds}s" --latency -H "Authorization: Bearer $key" "$base$path" | awk '/50%|99%/ {printf "%s %s  ", $1, $2} /Requests.sec/ {print $2 " requests/s"} /Non-2xx/ {print "REFUSED: " $0}'
    done
done
account keys >/dev/null
"$cacah" log --database "$scratch/access.sqlite" verify
