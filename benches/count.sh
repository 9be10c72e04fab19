#!/usr/bin/env bash
# Ingest and count against DuckDB doing only the counting, in one run: bash benches/count.sh SNAPSHOT PERIOD REGIONS PYTHON [RUNS]
#
# SNAPSHOT is a CSV or Parquet file of the shipped register, REGIONS its region reference, PYTHON an interpreter with
# duckdb. Runs alternate, so that what else the machine does meets both; the medians and their ratio are printed.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
snapshot="$1" period="$2" regions="$3" python="$4" runs="${5:-5}"
target="${CARGO_TARGET_DIR:-$here/../target}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
case "$period" in *-S1) day="${period%-S1}-06-30" ;; *) day="${period%-S2}-12-31" ;; esac

for run in $(seq "$runs"); do
    rm -rf "$scratch/warehouse" "$scratch/duckdb"
    /usr/bin/time -f "cacah %e %U %S %M" -a -o "$scratch/times" \
        "$target/release/cacah" build "$snapshot" --period "$period" --regions "$regions" --warehouse "$scratch/warehouse" >"$scratch/page"
    /usr/bin/time -f "duckdb %e %U %S %M" -a -o "$scratch/times" \
        "$python" "$here/count_duckdb.py" "$snapshot" "$day" "$scratch/duckdb" "$here/../queries" >"$scratch/duckdb.page"
done
head -n 1 "$scratch/page"
cat "$scratch/duckdb.page"
"$python" - "$scratch/times" <<'PYTHON'
import statistics, sys
rows = [line.split() for line in open(sys.argv[1]) if not line.startswith("Command")]
median = lambda name, column: statistics.median(float(row[column]) for row in rows if row[0] == name)
print(f"{'':8}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}")
for name in ("cacah", "duckdb"):
    cpu = statistics.median(float(row[2]) + float(row[3]) for row in rows if row[0] == name)
    print(f"{name:8}{median(name, 1):9.2f}{cpu:9.2f}{median(name, 4) / 1024:10.0f}")
print(f"cacah is {median('duckdb', 1) / median('cacah', 1):.1f} times as fast")
PYTHON
