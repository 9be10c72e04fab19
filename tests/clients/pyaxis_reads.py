"""pyaxis: PX-files."""

import itertools
import tempfile
from pathlib import Path
from typing import Any

from pyaxis import pyaxis

from downloads import ASKED, Asked, by_labels, download, expected, file_name
from raw import Cell, Cube, World, agree, fail, run

# What pyaxis makes of the signs of a PX-file.
SIGNS = {'"..."': "c", "": "z"}


def cell(value: Any) -> Cell:
    if value != value:
        return Cell(None, "x")
    if value in SIGNS:
        return Cell(None, SIGNS[value])
    return Cell(float(value), None)


def check_keywords(asked: Asked, cube: Cube, keywords: dict[str, Any]) -> None:
    """What the file says besides the numbers."""
    simple = {"AXIS-VERSION": "2013", "CODEPAGE": "utf-8", "MATRIX": asked.table, "LANGUAGE": "en"}
    for keyword, expect in simple.items():
        if keywords[keyword] != [expect]:
            fail(f"{keyword} is {keywords[keyword]}, not {expect}")
    for keyword, variables in [("STUB", asked.stub), ("HEADING", asked.heading)]:
        if keywords.get(keyword, []) != [cube.titles[variable] for variable in variables]:
            fail(f"{keyword} is {keywords.get(keyword)}, asked for {variables}")
    for variable in cube.variables:
        codes = keywords[f"CODES({cube.titles[variable]})"]
        if codes != list(cube.labels[variable]):
            fail(f"the codes of {variable} are {codes[:5]}")
    times = keywords[f"TIMEVAL({cube.titles['Tid']})"]
    if times != [period.replace("-S", "") for period in cube.labels["Tid"]]:
        fail(f"TIMEVAL is {times}")
    # Who shows the signs to people must know what they mean.
    for keyword in ("DATASYMBOL1", "DATASYMBOL2", "DATASYMBOL3", "SOURCE", "UNITS", "CONTENTS", "TITLE", "NOTE"):
        if not "".join(keywords[keyword]):
            fail(f"{keyword} is empty")


def check(world: World) -> None:
    for asked in ASKED:
        cube = expected(world, asked)
        data, headers = download(world, asked, "px")
        file_name(headers, f"{asked.table}.px")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "table.px"
            file.write_bytes(data)
            parsed = pyaxis.parse(str(file), encoding="utf-8")
        check_keywords(asked, cube, parsed["METADATA"])
        frame = parsed["DATA"]
        names = itertools.zip_longest(*(frame[cube.titles[variable]] for variable in cube.variables))
        keys = by_labels(cube, iter(names))
        agree(f"pyaxis, {asked.table}", cube, zip(keys, map(cell, frame["DATA"])), marks=True)


if __name__ == "__main__":
    run(check)
