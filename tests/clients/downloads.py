"""Tables as files: what is asked for, in which placement, and the bytes that come."""

import json
import urllib.error
import urllib.request
from typing import Iterator, NamedTuple

from raw import PERIODS, Cube, Key, World, decode, fail, selection, tells_something


class Asked(NamedTuple):
    """A selection with its placement."""

    table: str
    chosen: dict[str, list[str]]
    heading: list[str]
    stub: list[str]


# Two variables in the heading; everything in the stub; a table that knows impossible cells.
ASKED = [
    Asked(
        "occupation-sex",
        {"Region": ["*"], "Sex": ["*"], "Occupation": ["*"], "ContentsCode": ["persons"], "Tid": PERIODS},
        ["Tid", "Sex"],
        ["Region", "Occupation", "ContentsCode"],
    ),
    Asked(
        "religion",
        {"Region": ["*"], "Religion": ["*"], "ContentsCode": ["persons"], "Tid": PERIODS},
        [],
        ["ContentsCode", "Tid", "Region", "Religion"],
    ),
    Asked(
        "marital-age",
        {"Region": ["top(9)"], "Sex": ["*"], "Age": ["*"], "MaritalStatus": ["*"], "ContentsCode": ["persons"], "Tid": ["2024-S2"]},
        ["MaritalStatus"],
        ["Region", "Sex", "Age", "ContentsCode", "Tid"],
    ),
]


def download(world: World, asked: Asked, format: str, options: str = "", language: str = "en") -> tuple[bytes, dict[str, str]]:
    """The bytes of a selection in a format, and the headers they came with."""
    address = f"{world.api}/tables/{asked.table}/data?lang={language}&outputFormat={format}&outputFormatParams={options}"
    body = {**selection(asked.chosen), "placement": {"heading": asked.heading, "stub": asked.stub}}
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read(), {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as refused:
        fail(f"{address}: {refused.code} {refused.read()[:500]!r}")


def expected(world: World, asked: Asked, language: str = "en") -> Cube:
    """What the raw interface says of the same selection."""
    cube = tells_something(decode(json.loads(download(world, asked, "json-stat2", language=language)[0])))
    if cube.variables != [*asked.stub, *asked.heading]:
        fail(f"{asked.table} has the variables {cube.variables}, not in the order asked for")
    return cube


def file_name(headers: dict[str, str], expect: str) -> None:
    """Holds an answer to its file name."""
    if headers.get("content-disposition") != f'inline; filename="{expect}"':
        fail(f"expected the file name {expect}, found {headers.get('content-disposition')}")


def by_labels(cube: Cube, keys: Iterator[tuple[str, ...]]) -> Iterator[Key]:
    """Codes for keys of names. Places may share names, so names are held against the cells' own by position."""
    for key, expect in zip(keys, cube.cells, strict=True):
        names = tuple(cube.labels[variable][code] for variable, code in zip(cube.variables, expect))
        if key != names:
            fail(f"found {key} where {names} should stand")
        yield expect
