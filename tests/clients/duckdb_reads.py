"""DuckDB reads the Parquet of the releases, which must say the same as the interface, cell by cell."""

import math
from collections import Counter

import duckdb
import pandas

from raw import PERIODS, Cube, World, fail, metadata, read, run, tells_something

TABLES = ["marital-age", "households", "occupation-detail"]


def frame(cube: Cube, axes: list[str]) -> pandas.DataFrame:
    """The raw answer as a frame that DuckDB can join."""
    columns = {axis: [key[cube.variables.index(axis)] for key in cube.cells] for axis in axes}
    columns["value"] = pandas.array([cell.value for cell in cube.cells.values()], dtype="UInt32")
    columns["status"] = [cell.mark for cell in cube.cells.values()]
    return pandas.DataFrame(columns)


def compare(world: World, table: str, period: str) -> None:
    file = world.releases / period / "r1" / "cells" / f"{table}.parquet"
    document = metadata(world.api, table)
    axes = [variable for variable in document["id"] if variable not in ("ContentsCode", "Tid")]
    cube = tells_something(read(world.api, table, {**{axis: ["*"] for axis in axes}, "ContentsCode": ["top(1)"], "Tid": [period]}))
    connection = duckdb.connect()
    connection.register("answer", frame(cube, axes))
    connection.read_parquet(str(file)).create_view("released")

    columns = [(name, kind) for name, kind, *_ in connection.execute("describe released").fetchall()]
    if columns != [*((axis, "VARCHAR") for axis in axes), ("value", "UINTEGER"), ("status", "VARCHAR")]:
        fail(f"{file} has the columns {columns}")
    marks = dict(connection.execute("select status, count(*) from released group by status").fetchall())
    if marks != Counter(cell.mark for cell in cube.cells.values()):
        fail(f"{table} {period}: {marks} are the statuses in the Parquet file, not those of the interface")
    rows = sum(marks.values())
    if rows != math.prod(len(cube.labels[axis]) for axis in axes):
        fail(f"{file} has {rows} rows; it should have one for each combination of {axes}")
    names = ", ".join(f'"{axis}"' for axis in axes)
    other = connection.execute(
        f"""
        select {names}, answer.value, answer.status, released.value, released.status, answer.here, released.here
        from (select *, true as here from answer) answer full join (select *, true as here from released) released using ({names})
        where answer.here is distinct from released.here or answer.value is distinct from released.value
           or answer.status is distinct from released.status
        """
    ).fetchall()
    if other:
        fail(f"{table} {period}: {len(other)} cells differ between the interface and the Parquet file, such as {other[0]}")
    if table == "marital-age" and "z" not in marks:
        fail("no cell of marital-age is marked as impossible, though nobody is widowed before the age of five")
    print(f"DuckDB, {table} {period}: {rows} cells agree, {cube.suppressed} of them suppressed")


def check(world: World) -> None:
    for table in TABLES:
        for period in PERIODS:
            compare(world, table, period)


run(check)
