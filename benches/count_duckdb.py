#!/usr/bin/env python3
"""The peer of `cacah build`: DuckDB doing only the counting.

Reads a snapshot (CSV with declared types, or Parquet), derives region and age, groups occupations and ages as the
shipped definitions do, and writes the same finest cubes as Parquet: no validation, no reject list, no search for
duplicates, no quality report, no households (which need a join of people and their heads).

    python count_duckdb.py SNAPSHOT REFERENCE_DATE OUT_DIR DEFINITIONS_DIR [WAY]

WAY is `pregrouped` (the default and the fastest way found: people are grouped once by everything that any cube needs,
cubes are made of the groups) or `separate` (the obvious way: people are read into a table, and each cube is one query).
"""
import csv
import os
import sys
import time
import tomllib

import duckdb

snapshot, reference, out, definitions = sys.argv[1:5]
way = sys.argv[5] if len(sys.argv) > 5 else "pregrouped"
os.makedirs(out, exist_ok=True)
started = time.time()
con = duckdb.connect()
con.execute("SET threads=2")
con.execute("SET preserve_insertion_order=false")

COLUMNS = {
    "NIK": "BIGINT", "NO_KK": "BIGINT", "NAMA_LGKP": "VARCHAR", "TMPT_LHR": "VARCHAR", "TGL_LHR": "DATE",
    "JENIS_KLMIN": "VARCHAR", "AGAMA": "VARCHAR", "STAT_KWN": "VARCHAR", "STAT_HBKEL": "VARCHAR", "JENIS_PKRJN": "VARCHAR",
    "ALAMAT": "VARCHAR", "NO_RT": "SMALLINT", "NO_RW": "SMALLINT", "DUSUN": "VARCHAR", "NO_PROP": "SMALLINT",
    "NO_KAB": "SMALLINT", "NO_KEC": "SMALLINT", "NO_KEL": "SMALLINT", "KODE_POS": "INTEGER",
}


def ancestors(dimension, level, key):
    """For each text that means a finest node: the text and the node's ancestor on a level."""
    with open(os.path.join(definitions, "dimensions", f"{dimension}.csv"), newline="", encoding="utf-8") as f:
        rows = {row["code"]: row for row in csv.DictReader(f)}
    with open(os.path.join(definitions, "dimensions", f"{dimension}.toml"), "rb") as f:
        order = {level["id"]: at for at, level in enumerate(tomllib.load(f)["level"])}
    depth = {code: order[row["level"]] for code, row in rows.items()}
    parents = {row["parent"] for row in rows.values()}
    result = []
    for code, row in rows.items():
        if code in parents:
            continue
        up = code
        while depth[up] > order[level]:
            up = rows[up]["parent"]
        for name in [row[key], *(row.get("texts") or "").split("|")]:
            if name:
                result.append((name.upper(), up))
    return result


con.execute("CREATE TABLE occupation (name VARCHAR, grp VARCHAR)")
con.executemany("INSERT INTO occupation VALUES (?, ?)", ancestors("occupation", "group", "id"))
five = {int(k): v for k, v in ancestors("age", "five-year", "from")}
stage = {int(k): v for k, v in ancestors("age", "stage", "from")}
con.execute("CREATE TABLE ages (age INTEGER, five VARCHAR, stage VARCHAR)")
con.executemany("INSERT INTO ages VALUES (?, ?, ?)", [(a, five[a], stage[a]) for a in sorted(five)])

if snapshot.endswith(".parquet"):
    source = f"read_parquet('{snapshot}')"
else:
    spec = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    source = f"read_csv('{snapshot}', header=true, columns={{{spec}}}, auto_detect=false, delim=',', quote='\"', parallel=true)"
born = "CAST(TGL_LHR AS DATE)"
ref = f"DATE '{reference}'"
age = (f"least(100, year({ref}) - year({born}) - CAST((month({born}) * 100 + day({born})) > (month({ref}) * 100 + day({ref})) AS INTEGER))")
grouped, count = ("GROUP BY ALL", "count(*)") if way == "pregrouped" else ("", "1")
con.execute(f"""
    CREATE TEMP TABLE people AS
    SELECT CAST(NO_PROP AS BIGINT) * 100000000 + CAST(NO_KAB AS BIGINT) * 1000000 + CAST(NO_KEC AS BIGINT) * 10000 + CAST(NO_KEL AS BIGINT) AS village,
           JENIS_KLMIN AS sex, {age} AS age, STAT_KWN AS marital, AGAMA AS religion, JENIS_PKRJN AS code, {count} AS n
    FROM {source} {grouped}""")
con.execute("""
    CREATE TEMP TABLE base AS
    SELECT village, village // 10000 AS district, village // 1000000 AS regency, sex, people.age, five, stage, marital, religion, code, grp, n
    FROM people JOIN ages USING (age) JOIN occupation ON code = name""")
CUBES = {
    "population": "village, sex, five", "population-single-age": "district, sex, age", "marital": "village, sex, marital",
    "marital-age": "district, sex, five, marital", "occupation": "village, sex, grp", "occupation-detail": "district, code",
    "occupation-sex": "regency, sex, code",
    "labour": "district, sex, five, grp", "market": "district, stage, grp, marital", "religion": "village, sex, religion",
}
for name, keys in CUBES.items():
    con.execute(f"COPY (SELECT {keys}, sum(n) AS count FROM base GROUP BY ALL ORDER BY ALL) TO '{out}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
total = con.execute(f"SELECT sum(count) FROM '{out}/population.parquet'").fetchone()[0]
print(f"{total} people, {len(CUBES)} cubes, {time.time() - started:.2f} s")
