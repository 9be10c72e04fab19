#!/usr/bin/env bash
# Ingest and count against DuckDB doing only the counting, in one run: bash benches/count.sh SNAPSHOT PERIOD REGIONS PYTHON [RUNS]
#
# SNAPSHOT is a CSV or Parquet file of the shipped register, REGIONS its region reference, PYTHON an interpreter with
# duckdb. Runs alternate with DuckDB's fastest way found, so that what else the machine does
# meets both; its obvious way follows (see count_duckdb.py). The medians and their ratios are printed.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
snapshot="$1" period="$2" regions="$3" python="$4" runs="${5:-5}"
target="${CARGO_TARGET_DIR:-$here/../target}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
case "$period" in *-S1) day="${period%-S1}-06-30" ;; *) day="${period%-S2}-12-31" ;; esac

duckdb() {
    rm -rf "$scratch/duckdb"
    /usr/bin/time -f "duckdb-$1 %e %U %S %M" -a -o "$scratch/times" \
        "$python" "$here/count_duckdb.py" "$snapshot" "$day" "$scratch/duckdb" "$here/../queries" "$1" >"$scratch/duckdb.page"
}

for run in $(seq "$runs"); do
    rm -rf "$scratch/warehouse"
    /usr/bin/time -f "cacah %e %U %S %M" -a -o "$scratch/times" \
        "$target/release/cacah" build "$snapshot" --period "$period" --regions "$regions" --warehouse "$scratch/warehouse" >"$scratch/page"
    duckdb pregrouped
done
# By themselves, because they leave two gigabytes of memory behind, which the run after them would have to map anew.
for run in $(seq "$runs"); do
    duckdb separate
done
head -n 1 "$scratch/page"
cat "$scratch/duckdb.page"
"$python" - "$scratch/times" <<'PYTHON'
import statistics, sys
rows = [line.split() for line in open(sys.argv[1]) if not line.startswith("Command")]
median = lambda name, column: statistics.median(float(row[column]) for row in rows if row[0] == name)
print(f"{'':20}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}{'cacah is faster by':>20}")
for name in ("cacah", "duckdb-pregrouped", "duckdb-separate"):
    cpu = statistics.median(float(row[2]) + float(row[3]) for row in rows if row[0] == name)
    print(f"{name:20}{median(name, 1):9.2f}{cpu:9.2f}{median(name, 4) / 1024:10.0f}{median(name, 1) / median('cacah', 1):20.1f}")
PYTHON
