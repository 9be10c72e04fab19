#!/usr/bin/env bash
# A count by a cluster on this machine against the same count by one process: bash benches/cluster.sh [WORKERS] [THREADS] [PERSONS]
#
# Scheduler and workers are processes on loopback; what they exchange lies in a folder that all of them share. The results must be
# the same to the last byte. Needs `cargo build --release --features cluster`, and GNU time.
#
#   CACAH_REGIONS  region reference [the shipped one]      CACAH_SCRATCH  folder for what is made [a temporary one]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cacah="${CARGO_TARGET_DIR:-$here/../target}/release/cacah"
workers="${1:-2}" threads="${2:-1}" persons="${3:-25000000}"
scratch="$(mktemp -d -p "${CACAH_SCRATCH:-${TMPDIR:-/tmp}}")"
started=()
cleanup() {
    [ ${#started[@]} = 0 ] || kill -9 "${started[@]}" 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT
regions=()
[ -z "${CACAH_REGIONS:-}" ] || regions=(--regions "$(realpath "$CACAH_REGIONS")")
"$cacah" sample --period 2024-S2 --persons "$persons" "${regions[@]}" --out "$scratch/snapshot/" | head -n 1

count() {
    local name="$1"
    shift
    /usr/bin/time -f "$name: %e s, %U s and %S s of CPU, %M KiB at most in this process" \
        "$cacah" build "$scratch/snapshot" --period 2024-S2 "${regions[@]}" --warehouse "$scratch/$name" "$@" >"$scratch/$name.txt" 2>"$scratch/$name.time"
    head -n 1 "$scratch/$name.txt"
    tail -n 1 "$scratch/$name.time"
}

port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
"$cacah" scheduler --listen "127.0.0.1:$port" >"$scratch/scheduler.log" 2>&1 &
started+=($!)
sleep 1
for ((number = 0; number < workers; number++)); do
    "$cacah" worker --scheduler "127.0.0.1:$port" --threads "$threads" --scratch "$scratch" >"$scratch/worker-$number.log" 2>&1 &
    started+=($!)
done
sleep 2
for turn in 1 2; do
    count alone
    count cluster --engine "ballista://127.0.0.1:$port"
done
for process in "${started[@]:1}"; do
    awk -v number="$process" '/VmHWM/ { print "worker " number ": " $2 " KiB at most" }' "/proc/$process/status"
done
diff -r "$scratch/alone/confidential" "$scratch/cluster/confidential" && echo "the same bytes"
