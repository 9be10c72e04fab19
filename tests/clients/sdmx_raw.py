"""What clients of SDMX are compared with: names and flags of the raw interface, turned into those of SDMX."""

import re
import urllib.error
import urllib.request
from typing import Any, Iterable, Iterator, Mapping

from raw import PERIODS, Cell, Cube, Key, World, fail, number, read, tells_something

# OBS_STATUS and CONF_STATUS of each mark.
MARKS = {("A", "F"): None, ("Q", "C"): "c", ("M", "F"): "z", ("O", "F"): "x"}

AGENCY = "DUKCAPIL"

# Three tables of different shapes: a selection that names every axis, and the key that means the same.
TABLES: dict[str, tuple[dict[str, list[str]], str]] = {
    "population": ({"Region": ["*"], "Sex": ["*"], "Age": ["T", "Y0T14", "Y15T19", "Y_GE65"]}, "S...T+Y0T14+Y15T19+Y_GE65."),
    "marital": ({"Region": ["*"], "Sex": ["T", "P"], "MaritalStatus": ["*"], "ContentsCode": ["persons"]}, "..T+P..persons"),
    "households": ({"Region": ["*"], "HouseholdSize": ["*"]}, "all"),
}


def service(api: str) -> str:
    """Where SDMX begins."""
    return api.removesuffix("/api/v2") + "/sdmx/2.1"


def flow(table: str) -> str:
    """The dataflow of a table."""
    return table.replace("-", "_").upper()


def dimension(variable: str) -> str:
    """The dimension of a variable."""
    own = {"ContentsCode": "CONTENTS", "Tid": "TIME_PERIOD"}
    return own.get(variable) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", variable).upper()


def cube(world: World, table: str) -> Cube:
    """The raw answer for a table's selection."""
    return tells_something(read(world.api, table, {"ContentsCode": ["*"], **TABLES[table][0], "Tid": PERIODS}))


def cells(expected: Cube, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Key, Cell]]:
    """The cells of rows whose columns are named as components are."""
    columns = [dimension(variable) for variable in expected.variables]
    for row in rows:
        if row["FREQ"] != "S":
            fail(f"the frequency of {row} is not S")
        flags = (row["OBS_STATUS"], row["CONF_STATUS"])
        if flags not in MARKS:
            fail(f"{row} has the flags {flags}")
        value = row["OBS_VALUE"]
        yield tuple(row[column] for column in columns), Cell(number(float(value) if value not in ("", None) else None), MARKS[flags])


def fetch_text(address: str, accept: str = "*/*") -> tuple[int, str, str]:
    """Status, media type and text of an answer, whatever the status is."""
    request = urllib.request.Request(address, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Content-Type"], refused.read().decode()


def text(address: str, accept: str = "*/*") -> str:
    """The text of an answer that must succeed."""
    status, _, body = fetch_text(address, accept)
    if status != 200:
        fail(f"{address}: {status} {body[:500]}")
    return body
