#!/usr/bin/env python3
"""DuckDB doing only the counting of `cacah build`: duckdb_count.py SNAPSHOT REFERENCE_DATE OUT_DIR DEFINITIONS_DIR [WAY]

Reads a snapshot (CSV with declared types, or Parquet), derives region and age, groups occupations and ages, and writes the
same finest cubes as Parquet: no validation, no reject list, no search for duplicates, no quality report, no households.

WAY is `pregrouped` (the default and the fastest way found: people are grouped once by everything that any cube needs,
cubes are made of the groups) or `separate` (the obvious way: people are read into a table, and each cube is one query).
"""
import os
import sys
import time

import duckdb

from register import COLUMNS, CUBES, ages, meanings

snapshot, reference, out, definitions = sys.argv[1:5]
way = sys.argv[5] if len(sys.argv) > 5 else "pregrouped"
os.makedirs(out, exist_ok=True)
started = time.time()
con = duckdb.connect()
con.execute("SET threads=2")
con.execute("SET preserve_insertion_order=false")
codes, occupations = meanings(definitions)
for name, rows in codes.items():
    con.execute(f"CREATE TABLE {name}s (text VARCHAR, {name} VARCHAR)")
    con.executemany(f"INSERT INTO {name}s VALUES (?, ?)", rows)
con.execute("CREATE TABLE occupations (text VARCHAR, code VARCHAR, grp VARCHAR)")
con.executemany("INSERT INTO occupations VALUES (?, ?, ?)", occupations)
con.execute("CREATE TABLE ages (age INTEGER, five VARCHAR, stage VARCHAR)")
con.executemany("INSERT INTO ages VALUES (?, ?, ?)", ages(definitions))

if snapshot.endswith(".parquet"):
    source = f"read_parquet('{snapshot}')"
else:
    kinds = {"n": "BIGINT", "d": "DATE", "t": "VARCHAR"}
    spec = ", ".join(f"'{name}': '{kinds[kind]}'" for name, kind in COLUMNS)
    source = f"read_csv('{snapshot}', header=true, columns={{{spec}}}, auto_detect=false, delim=',', quote='\"', parallel=true)"
born = "CAST(TGL_LHR AS DATE)"
ref = f"DATE '{reference}'"
age = (f"least(100, year({ref}) - year({born}) - CAST((month({born}) * 100 + day({born})) > (month({ref}) * 100 + day({ref})) AS INTEGER))")
grouped, count = ("GROUP BY ALL", "count(*)") if way == "pregrouped" else ("", "1")
con.execute(f"""
    CREATE TEMP TABLE people AS
    SELECT CAST(NO_PROP AS BIGINT) * 100000000 + CAST(NO_KAB AS BIGINT) * 1000000 + CAST(NO_KEC AS BIGINT) * 10000 + CAST(NO_KEL AS BIGINT) AS village,
           JENIS_KLMIN AS sex_text, {age} AS age, STAT_KWN AS marital_text, AGAMA AS religion_text, JENIS_PKRJN AS text, {count} AS n
    FROM {source} {grouped}""")
con.execute("""
    CREATE TEMP TABLE base AS
    SELECT village, village // 10000 AS district, village // 1000000 AS regency, sex, people.age, five, stage, marital, religion, code, grp, n
    FROM people JOIN ages USING (age) JOIN occupations USING (text) JOIN sexs ON sex_text = sexs.text
    JOIN maritals ON marital_text = maritals.text JOIN religions ON religion_text = religions.text""")
for name, keys in CUBES.items():
    con.execute(f"COPY (SELECT {keys}, sum(n)::BIGINT AS count FROM base GROUP BY ALL ORDER BY ALL) TO '{out}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
total = con.execute(f"SELECT sum(count) FROM '{out}/population.parquet'").fetchone()[0]
print(f"{total} people, {len(CUBES)} cubes, {time.time() - started:.2f} s")
