#!/usr/bin/env python3
"""Polars doing only the counting of `cacah build`: polars_count.py SNAPSHOT REFERENCE_DATE OUT_DIR DEFINITIONS_DIR

As duckdb_count.py: people are grouped once by everything that any cube needs, by the streaming engine, and cubes are made of the groups.
"""
import datetime
import os
import sys
import time

import polars as pl

from register import COLUMNS, CUBES, ages, meanings

snapshot, reference, out, definitions = sys.argv[1:5]
os.makedirs(out, exist_ok=True)
started = time.time()
day = datetime.date.fromisoformat(reference)
if snapshot.endswith(".parquet"):
    people = pl.scan_parquet(snapshot)
else:
    kinds = {"n": pl.Int64, "d": pl.Date, "t": pl.String}
    people = pl.scan_csv(snapshot, schema={name: kinds[kind] for name, kind in COLUMNS}, try_parse_dates=True)
born = pl.col("TGL_LHR")
later = born.dt.month().cast(pl.Int32) * 100 + born.dt.day() > day.month * 100 + day.day
number = lambda name: pl.col(name).cast(pl.Int64)
people = people.select(
    village=number("NO_PROP") * 100_000_000 + number("NO_KAB") * 1_000_000 + number("NO_KEC") * 10_000 + number("NO_KEL"),
    sex_text=pl.col("JENIS_KLMIN").cast(pl.String), age=(day.year - born.dt.year() - later.cast(pl.Int32)).clip(upper_bound=100),
    marital_text=pl.col("STAT_KWN").cast(pl.String), religion_text=pl.col("AGAMA").cast(pl.String), text=pl.col("JENIS_PKRJN").cast(pl.String),
)
base = people.group_by("village", "sex_text", "age", "marital_text", "religion_text", "text").agg(n=pl.len().cast(pl.Int64)).collect(engine="streaming")
codes, occupations = meanings(definitions)
groups = pl.DataFrame(occupations, schema=["text", "code", "grp"], orient="row")
stages = pl.DataFrame(ages(definitions), schema={"age": pl.Int32, "five": pl.String, "stage": pl.String}, orient="row")
base = base.with_columns(district=pl.col("village") // 10_000, regency=pl.col("village") // 1_000_000).join(groups, on="text").join(stages, on="age")
for name, rows in codes.items():
    base = base.join(pl.DataFrame(rows, schema=[f"{name}_text", name], orient="row"), on=f"{name}_text")
total = 0
for name, keys in CUBES.items():
    keys = keys.split(", ")
    cube = base.group_by(keys).agg(count=pl.col("n").sum()).sort(keys)
    cube.write_parquet(f"{out}/{name}.parquet", compression="zstd")
    total = cube["count"].sum() if name == "population" else total
print(f"{total} people, {len(CUBES)} cubes, {time.time() - started:.2f} s")
