#!/usr/bin/env python3
"""ClickHouse (chdb) doing only the counting of `cacah build`: clickhouse_count.py SNAPSHOT REFERENCE_DATE OUT_DIR DEFINITIONS_DIR

As duckdb_count.py: people are grouped once by everything that any cube needs, and cubes are made of the groups.
"""
import os
import sys
import time

from chdb.session import Session

from register import COLUMNS, CUBES, ages, meanings

snapshot, reference, out, definitions = sys.argv[1:5]
os.makedirs(out, exist_ok=True)
started = time.time()
session = Session()
ask = lambda sql: session.query(sql, "CSV").bytes().decode().strip()
ask("SET max_threads = 2")
values = lambda rows: ", ".join(str(tuple(row)) for row in rows)
codes, occupations = meanings(definitions)
for name, rows in codes.items():
    ask(f"CREATE TABLE {name}s ({name}_text String, {name} String) ENGINE = Memory")
    ask(f"INSERT INTO {name}s VALUES {values(rows)}")
ask("CREATE TABLE occupations (text String, code String, grp String) ENGINE = Memory")
ask(f"INSERT INTO occupations VALUES {values(occupations)}")
ask("CREATE TABLE ages (age Int32, five String, stage String) ENGINE = Memory")
ask(f"INSERT INTO ages VALUES {values(ages(definitions))}")
if snapshot.endswith(".parquet"):
    source = f"file('{snapshot}', Parquet)"
else:
    kinds = {"n": "Int64", "d": "Date32", "t": "String"}
    source = f"file('{snapshot}', CSVWithNames, '{', '.join(f'{name} {kinds[kind]}' for name, kind in COLUMNS)}')"
year, month, day = (int(part) for part in reference.split("-"))
age = f"toInt32(least(100, {year} - toYear(born) - (toMonth(born) * 100 + toDayOfMonth(born) > {month * 100 + day})))"
ask(f"""
    CREATE TABLE people ENGINE = Memory AS
    SELECT toInt64(NO_PROP) * 100000000 + toInt64(NO_KAB) * 1000000 + toInt64(NO_KEC) * 10000 + toInt64(NO_KEL) AS village,
           assumeNotNull(JENIS_KLMIN) AS sex_text, {age} AS age, assumeNotNull(STAT_KWN) AS marital_text,
           assumeNotNull(AGAMA) AS religion_text, assumeNotNull(JENIS_PKRJN) AS text, count() AS n
    FROM (SELECT *, assumeNotNull(TGL_LHR) AS born FROM {source}) GROUP BY village, sex_text, age, marital_text, religion_text, text""")
ask("""
    CREATE TABLE base ENGINE = Memory AS
    SELECT village, intDiv(village, 10000) AS district, intDiv(village, 1000000) AS regency, sex, age, five, stage, marital, religion, code, grp, n
    FROM people JOIN ages USING (age) JOIN occupations USING (text) JOIN sexs USING (sex_text) JOIN maritals USING (marital_text)
    JOIN religions USING (religion_text)""")
for name, keys in CUBES.items():
    ask(f"""
        INSERT INTO FUNCTION file('{out}/{name}.parquet', Parquet) SETTINGS output_format_parquet_compression_method = 'zstd'
        SELECT {keys}, sum(n) AS count FROM base GROUP BY {keys} ORDER BY {keys}""")
total = ask(f"SELECT sum(count) FROM file('{out}/population.parquet', Parquet)")
print(f"{total} people, {len(CUBES)} cubes, {time.time() - started:.2f} s")
