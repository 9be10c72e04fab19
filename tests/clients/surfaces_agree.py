"""Every surface at once: for three tables all of them give the same numbers and the same suppressed cells.

A fourth question is for measures that are worked out from counts, which SQL and the files of the releases do not hold.
"""

import io
import json
import os
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Iterable, Iterator

import duckdb
import pandas
import psycopg
import pyarrow.ipc
import pyarrow.parquet
from lxml import html
from openpyxl import load_workbook
from pyaxis import pyaxis
from pyjstat import pyjstat
from pysdmx.io import read_sdmx

import lxml_reads
import openpyxl_reads
import pyaxis_reads
from downloads import ASKED, Asked, by_labels, download, expected
from frames_read import rows
from raw import PERIODS, Cell, Cube, Key, World, decode, fail, fetch, metadata, number, run, selection
from sdmx_raw import cells as observations
from sdmx_raw import flow, service, text

Seen = Iterable[tuple[Key, Cell]]
Surfaces = Iterator[tuple[str, Seen]]

# The column of each variable in SQL.
COLUMNS = {"Region": "region", "Sex": "sex", "Age": "age", "MaritalStatus": "marital", "Occupation": "occupation", "Religion": "religion"}

MEASURES = Asked(
    "marital",
    {
        "Region": ["*"],
        "Sex": ["*"],
        "MaritalStatus": ["*"],
        "ContentsCode": ["persons", "share-sex", "share-region", "growth", "sex-ratio"],
        "Tid": PERIODS,
    },
    ["MaritalStatus"],
    ["Region", "Sex", "ContentsCode", "Tid"],
)

SDMX = [
    "application/vnd.sdmx.genericdata+xml;version=2.1",
    "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
    "application/vnd.sdmx.data+csv;version=1.0.0",
    "application/vnd.sdmx.data+csv;version=2.0.0",
]


def axes(world: World, asked: Asked) -> list[str]:
    """The variables of a table that are neither measure nor time, in its own order."""
    return [variable for variable in metadata(world.api, asked.table)["id"] if variable not in ("ContentsCode", "Tid")]


def codes(world: World, asked: Asked, cube: Cube) -> dict[str, list[str]]:
    """The codes of every axis; what was not asked for is at its total."""
    return {axis: list(cube.labels[axis]) if axis in cube.labels else ["T"] for axis in axes(world, asked)}


def keyed(cube: Cube, names: Iterable[str], found: Iterable[tuple[Any, ...]]) -> Seen:
    """Rows of codes, value and mark, as cells of the answer."""
    names = list(names)
    for *row, value, mark in found:
        by_name = dict(zip(names, row)) | {"ContentsCode": "persons"}
        yield tuple(by_name[variable] for variable in cube.variables), Cell(number(value), mark)


def saved(world: World, asked: Asked) -> Cube:
    """The same query by its name alone."""
    body = {**selection(asked.chosen), "placement": {"heading": asked.heading, "stub": asked.stub}}
    status, document = fetch(f"{world.api}/savedqueries", {"tableId": asked.table, "language": "en", "selection": body})
    if status != 201:
        fail(f"saving a query of {asked.table}: {status} {document}")
    return decode(fetch(f"{world.api}/savedqueries/{document['id']}/data")[1])


def by_address(world: World, asked: Asked) -> Cube:
    """The same query written into an address."""
    chosen = "".join(f"&valuecodes[{variable}]={','.join(f'[{code}]' if '(' in code else code for code in some)}" for variable, some in asked.chosen.items())
    places = f"&heading={','.join(asked.heading)}&stub={','.join(asked.stub)}"
    address = f"{world.api}/tables/{asked.table}/data?lang=en&outputFormat=json-stat2{chosen}{places}"
    with urllib.request.urlopen(address, timeout=120) as answer:
        return decode(json.load(answer))


def jsonstat(data: bytes, cube: Cube) -> Seen:
    """pyjstat knows no statuses: what has no value must be what the answer withholds."""
    frame = pyjstat.Dataset.read(data.decode()).write("dataframe", naming="id")
    keys = zip(*(frame[variable] for variable in cube.variables))
    for key, value in zip(keys, map(number, frame["value"])):
        yield key, Cell(value, cube.cells[key].mark if value is None else None)


def px(data: bytes, cube: Cube) -> Seen:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.px"
        file.write_bytes(data)
        frame = pyaxis.parse(str(file), encoding="utf-8")["DATA"]
    keys = by_labels(cube, zip(*(frame[cube.titles[variable]] for variable in cube.variables)))
    return zip(keys, map(pyaxis_reads.cell, frame["DATA"]))


def frames(world: World, asked: Asked, cube: Cube) -> Surfaces:
    types = {**{variable: str for variable in cube.variables}, "value": "Float64", "status": str}
    frame = pandas.read_csv(io.BytesIO(download(world, asked, "csv")[0]), dtype=types, keep_default_na=False, na_values={"value": [""]})
    columns = {name: list(frame[name]) for name in frame.columns}
    columns["status"] = [mark or None for mark in columns["status"]]
    yield "CSV", rows(columns, cube)
    table = pyarrow.parquet.read_table(io.BytesIO(download(world, asked, "parquet")[0]))
    yield "Parquet", rows(table.to_pydict(), cube)
    table = pyarrow.ipc.open_stream(download(world, asked, "arrow")[0]).read_all()
    yield "Arrow", rows(table.to_pydict(), cube)


def documents(world: World, asked: Asked, cube: Cube) -> Surfaces:
    sheet = load_workbook(io.BytesIO(download(world, asked, "xlsx", "UseCodes")[0]))["Table"]
    yield "XLSX", openpyxl_reads.cells(list(sheet.iter_rows(values_only=True)), asked, 1, 0)
    yield "PX", px(download(world, asked, "px")[0], cube)
    page = html.document_fromstring(download(world, asked, "html", "UseCodes")[0])
    yield "HTML", lxml_reads.cells(page.xpath("//table")[0], asked, "en")


def sdmx(world: World, asked: Asked, cube: Cube) -> Surfaces:
    chosen = codes(world, asked, cube)
    key = ".".join(["S", *("+".join(chosen[axis]) for axis in chosen), "+".join(cube.labels["ContentsCode"])])
    periods = list(cube.labels["Tid"])
    address = f"{service(world.api)}/data/{flow(asked.table)}/{key}?startPeriod={periods[0]}&endPeriod={periods[-1]}"
    for accept in SDMX:
        found = (row for data in read_sdmx(text(address, accept)).data for row in data.data.to_dict("records"))
        yield accept, observations(cube, found)


def sql(world: World, asked: Asked, cube: Cube) -> Surfaces:
    chosen = codes(world, asked, cube)
    columns = ", ".join(COLUMNS[axis] for axis in chosen)
    # A condition only where not everything is wanted.
    dimensions = metadata(world.api, asked.table)["dimension"]
    some = {axis: codes for axis, codes in chosen.items() if len(codes) < len(dimensions[axis]["category"]["index"])}
    conditions = "".join(f" AND {COLUMNS[axis]} = ANY(%s)" for axis in some)
    statement = f"SELECT {columns}, period, value, status FROM {asked.table.replace('-', '_')} WHERE period = ANY(%s){conditions}"
    with psycopg.connect(os.environ["CACAH_TEST_SQL"], autocommit=True) as connection:
        found = connection.execute(statement, [list(cube.labels["Tid"]), *some.values()]).fetchall()
    yield "SQL", keyed(cube, [*chosen, "Tid"], found)


def released(world: World, asked: Asked, cube: Cube) -> Surfaces:
    """The files of the releases themselves."""
    chosen = codes(world, asked, cube)
    found = []
    for period in cube.labels["Tid"]:
        file = world.releases / period / "r1" / "cells" / f"{asked.table}.parquet"
        columns = ", ".join(f'"{axis}"' for axis in chosen)
        conditions = " and ".join(f'list_contains(?, "{axis}")' for axis in chosen)
        query = f"select {columns}, '{period}', value, status from read_parquet('{file}') where {conditions}"
        found += duckdb.execute(query, list(chosen.values())).fetchall()
    yield "files of the releases", keyed(cube, [*chosen, "Tid"], found)


def surfaces(world: World, asked: Asked, cube: Cube) -> Surfaces:
    yield "JSON-stat read by pyjstat", jsonstat(download(world, asked, "json-stat2")[0], cube)
    yield "GET", by_address(world, asked).cells.items()
    yield "saved query", saved(world, asked).cells.items()
    yield from frames(world, asked, cube)
    yield from documents(world, asked, cube)
    yield from sdmx(world, asked, cube)
    if asked is not MEASURES:
        yield from sql(world, asked, cube)
        yield from released(world, asked, cube)


def check(world: World) -> None:
    for asked in [*ASKED, MEASURES]:
        cube = expected(world, asked)
        names = []
        for name, seen in surfaces(world, asked, cube):
            found = list(seen)
            cells = dict(found)
            if len(cells) != len(found) or cells.keys() != cube.cells.keys():
                fail(f"{asked.table}: {name} has {len(found)} cells, the answer {len(cube.cells)}")
            other = next((key for key, cell in cells.items() if cell != cube.cells[key]), None)
            if other:
                fail(f"{asked.table}: {name} has {cells[other]} at {other}, the answer {cube.cells[other]}")
            names.append(name)
        if len(names) != (13 if asked is MEASURES else 15):
            fail(f"only {len(names)} surfaces were compared: {names}")
        print(f"{asked.table}: {len(cube.cells)} cells agree on {len(names)} surfaces, {cube.suppressed} of them suppressed")


run(check)
