"""pandas, pyarrow and DuckDB: CSV, Parquet and Arrow, with one row a cell."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any, Iterator

import duckdb
import pandas
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from downloads import ASKED, Asked, download, expected, file_name
from raw import Cell, Cube, Key, World, agree, fail, number, run


def rows(columns: dict[str, list[Any]], cube: Cube) -> Iterator[tuple[Key, Cell]]:
    """The cells of columns of codes."""
    marks = (None if mark is None or mark != mark else mark for mark in columns["status"])
    numbers = (None if value is pandas.NA else number(value) for value in columns["value"])
    values = (Cell(value, mark) for value, mark in zip(numbers, marks))
    return zip(zip(*(columns[variable] for variable in cube.variables)), values)


def check_facts(asked: Asked, cube: Cube, facts: dict[bytes, bytes]) -> None:
    """What the file says of itself."""
    extension = cube.document["extension"]
    expect = {
        "table": asked.table,
        "title": cube.document["label"],
        "releases": " ".join(release["id"] for release in extension["releases"]),
    }
    for key, value in expect.items():
        if facts[key.encode()].decode() != value:
            fail(f"the file's {key} is {facts[key.encode()]!r}, not {value!r}")
    query = json.loads(facts[b"query"])
    if {key: query[key] for key in extension["query"]} != extension["query"] or query["releases"] != extension["releases"]:
        fail(f"the file's query is {query}")
    if not facts[b"license"]:
        fail("the file says nothing of its licence")


def table_of(table: pyarrow.Table, asked: Asked, cube: Cube, reader: str) -> None:
    """Compares an Arrow table with the answer, and looks at its types."""
    for name in [*cube.variables, "status"]:
        kind = table.schema.field(name).type
        if not pyarrow.types.is_dictionary(kind) or kind.value_type != pyarrow.string():
            fail(f"{reader}: the column {name} is {kind}, not a dictionary of texts")
    if table.schema.field("value").type != pyarrow.int64():
        fail(f"{reader}: the numbers are {table.schema.field('value').type}")
    agree(f"{reader}, {asked.table}", cube, rows(table.to_pydict(), cube), marks=True)


def check_csv(world: World, asked: Asked, cube: Cube) -> None:
    for options, encoding, separator in [("", "utf-8", ","), ("IncludeBom,SeparatorSemicolon", "utf-8-sig", ";")]:
        data, headers = download(world, asked, "csv", options)
        file_name(headers, f"{asked.table}.csv")
        if data.startswith(b"\xef\xbb\xbf") != ("IncludeBom" in options):
            fail("a byte-order mark stands where it was not asked for, or misses where it was")
        types = {**{variable: str for variable in cube.variables}, "value": "Int64", "status": str}
        frame = pandas.read_csv(io.BytesIO(data), dtype=types, encoding=encoding, sep=separator, keep_default_na=False, na_values={"value": [""]})
        columns = {name: list(frame[name]) for name in frame.columns}
        columns["status"] = [mark or None for mark in columns["status"]]
        agree(f"pandas, CSV of {asked.table}", cube, rows(columns, cube), marks=True)


def check_parquet(world: World, asked: Asked, cube: Cube) -> None:
    data, headers = download(world, asked, "parquet", "UseCodesAndTexts")
    file_name(headers, f"{asked.table}.parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    check_facts(asked, cube, pyarrow.parquet.read_metadata(io.BytesIO(data)).metadata)
    table_of(table, asked, cube, "pyarrow, Parquet")
    for variable in cube.variables:
        pairs = set(zip(table[variable].to_pylist(), table[f"{variable}_label"].to_pylist()))
        if pairs != set(cube.labels[variable].items()):
            fail(f"the names of {variable} are not those of the answer")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.parquet"
        file.write_bytes(data)
        found = duckdb.sql(f"select * from read_parquet('{file}')")
        names = [column[0] for column in found.description]
        columns = dict(zip(names, map(list, zip(*found.fetchall()))))
    agree(f"DuckDB, Parquet of {asked.table}", cube, rows(columns, cube), marks=True)
    frame = pandas.read_parquet(io.BytesIO(data))
    agree(f"pandas, Parquet of {asked.table}", cube, rows({name: list(frame[name]) for name in frame.columns}, cube), marks=True)


def check_arrow(world: World, asked: Asked, cube: Cube) -> None:
    data, headers = download(world, asked, "arrow")
    file_name(headers, f"{asked.table}.arrows")
    table = pyarrow.ipc.open_stream(data).read_all()
    check_facts(asked, cube, table.schema.metadata)
    table_of(table, asked, cube, "pyarrow, Arrow")


def check(world: World) -> None:
    for asked in ASKED:
        cube = expected(world, asked)
        check_csv(world, asked, cube)
        check_parquet(world, asked, cube)
        check_arrow(world, asked, cube)


if __name__ == "__main__":
    run(check)
