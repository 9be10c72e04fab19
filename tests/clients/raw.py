"""The interface read by hand, with nothing but the standard library: what every client is compared with.

A script here gets three arguments: the address of a service, the address of a second one over the same releases
that gives few cells an answer, and the folder of the releases. It exits with 1 and one message on the first
disagreement.
"""

import itertools
import json
import math
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple, NoReturn

# Marks of cells that show no number: suppressed, cannot exist, not available.
MARKS = {"c", "z", "x"}

PERIODS = ["2024-S1", "2024-S2"]


class Disagreement(Exception):
    """Two readers see different things."""


class Cell(NamedTuple):
    """A published number, or the mark of a cell that shows none."""

    value: float | None
    mark: str | None


Key = tuple[str, ...]


@dataclass
class Cube:
    """An answer, taken apart."""

    document: dict[str, Any]
    # Names of the variables in the order of the cells, the last varying fastest.
    variables: list[str]
    # For each variable its codes in order, each with its name.
    labels: dict[str, dict[str, str]]
    # Names of the variables for people.
    titles: dict[str, str]
    cells: dict[Key, Cell]

    @property
    def suppressed(self) -> int:
        """How many cells are suppressed."""
        return sum(cell.mark == "c" for cell in self.cells.values())

    @property
    def published(self) -> int:
        """How many cells show a number."""
        return sum(cell.value is not None for cell in self.cells.values())

    def at(self, **codes: str) -> Cell:
        """The cell with these codes; variables of one code may be left out."""
        key = tuple(codes.get(variable) or only(self.labels[variable]) for variable in self.variables)
        return self.cells[key]


@dataclass
class World:
    """What a script is given."""

    # Address of the interface, ending in /api/v2.
    api: str
    # The same releases behind a small limit of cells.
    small: str
    releases: Path


def fail(message: str) -> NoReturn:
    raise Disagreement(message)


def only(items: Mapping[str, str]) -> str:
    if len(items) != 1:
        fail(f"expected one code, found {len(items)}: {list(items)[:5]}")
    return next(iter(items))


def run(check: Callable[[World], None]) -> None:
    """Runs a script's check and turns its outcome into an exit code."""
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS ADDRESS-WITH-SMALL-LIMIT FOLDER-OF-RELEASES")
    api, small, releases = sys.argv[1:]
    try:
        check(World(api.rstrip("/") + "/api/v2", small.rstrip("/") + "/api/v2", Path(releases)))
    except Disagreement as disagreement:
        sys.exit(f"{Path(sys.argv[0]).name}: {disagreement}")


def fetch(address: str, body: Any = None) -> tuple[int, Any]:
    """The status and the JSON of an answer, whatever the status is."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"} if data else {})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        text = refused.read()
        try:
            return refused.code, json.loads(text)
        except ValueError:
            fail(f"{address}: {refused.code} without a JSON document: {text[:200]!r}")


def metadata(api: str, table: str, language: str = "en") -> dict[str, Any]:
    """The metadata document of a table."""
    status, document = fetch(f"{api}/tables/{table}/metadata?lang={language}")
    if status != 200:
        fail(f"metadata of {table}: {status} {document}")
    return document


def selection(chosen: Mapping[str, list[str]], codelists: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A selection as the body of a POST."""
    parts: list[dict[str, Any]] = [{"variableCode": variable, "valueCodes": codes} for variable, codes in chosen.items()]
    for part in parts:
        if codelists and part["variableCode"] in codelists:
            part["codelist"] = codelists[part["variableCode"]]
    return {"selection": parts}


def read(
    api: str, table: str, chosen: Mapping[str, list[str]], codelists: Mapping[str, str] | None = None, language: str = "en"
) -> Cube:
    """The cells of a selection, by the raw interface."""
    address = f"{api}/tables/{table}/data?lang={language}&outputFormat=json-stat2"
    status, document = fetch(address, selection(chosen, codelists))
    if status != 200:
        fail(f"{table}: {status} {document}")
    return decode(document)


def decode(document: dict[str, Any]) -> Cube:
    """Takes a JSON-stat dataset apart and holds it to what the standard and the interface promise."""
    variables = document["id"]
    if set(document["dimension"]) != set(variables) or len(document["size"]) != len(variables):
        fail(f"id {variables} and size {document['size']} do not name the dimensions {sorted(document['dimension'])}")
    labels, titles = {}, {}
    for variable, size in zip(variables, document["size"]):
        dimension = document["dimension"][variable]
        category = dimension["category"]
        index = category["index"]
        if list(index.values()) != list(range(size)):
            fail(f"{variable}: positions are not 0 to {size - 1} in order: {list(index.items())[:5]}")
        if list(category["label"]) != list(index):
            fail(f"{variable}: labels are of other codes than the index")
        labels[variable] = category["label"]
        titles[variable] = dimension["label"]
    if len(set(titles.values())) != len(titles):
        fail(f"two variables share a name: {titles}")
    values, marks = document["value"], document.get("status", {})
    if len(values) != math.prod(document["size"]):
        fail(f"{len(values)} values for {math.prod(document['size'])} cells")
    if any(not 0 <= int(at) < len(values) for at in marks):
        fail("a status belongs to no cell")
    cells = {}
    for at, key in enumerate(itertools.product(*(labels[variable] for variable in variables))):
        cell = Cell(values[at], marks.get(str(at)))
        if (cell.value is None) == (cell.mark is None) or cell.mark not in MARKS | {None}:
            fail(f"{key} has the value {cell.value} and the status {cell.mark}")
        cells[key] = cell
    return Cube(document, variables, labels, titles, cells)


def number(value: Any) -> float | None:
    """A client's number: None, NaN and NA mean that there is none. Counts are whole, what is worked out from them need not be."""
    if value is None or value != value or str(value) == "<NA>":
        return None
    return float(value)


def agree(reader: str, expected: Cube, seen: Iterator[tuple[Key, Any]], marks: bool = False) -> None:
    """Compares what a client sees with the raw answer: the same cells, each once, with the same numbers.

    With `marks` what is seen are cells, and their marks must be the same too.
    """
    left = dict(expected.cells)
    for key, value in seen:
        cell = left.pop(key, None)
        if cell is None:
            fail(f"{reader} sees {key}, which is " + ("seen before" if key in expected.cells else "not in the answer"))
        if marks and value != cell:
            fail(f"{reader} sees {value} at {key}, the answer has {cell}")
        if not marks and number(value) != cell.value:
            fail(f"{reader} sees {value} at {key}, the answer has {cell}")
    if left:
        fail(f"{reader} does not see {len(left)} of {len(expected.cells)} cells, such as {next(iter(left.items()))}")
    print(f"{reader}: {len(expected.cells)} cells agree, {expected.suppressed} of them suppressed")


def tells_something(cube: Cube) -> Cube:
    """A comparison only means something where there are both published and suppressed cells."""
    if not cube.suppressed or cube.published < 100:
        fail(f"{cube.suppressed} suppressed and {cube.published} published cells: too few to compare")
    return cube


def refused(api: str, table: str, chosen: Mapping[str, list[str]]) -> None:
    """A selection of too many cells must be refused as such, or reading it in parts proves nothing."""
    status, problem = fetch(f"{api}/tables/{table}/data", selection(chosen))
    if (status, problem.get("title")) != (400, "Too many cells selected"):
        fail(f"expected {table} to be too large for one answer: {status} {problem.get('title')}")


def tree(document: dict[str, Any], variable: str) -> dict[str, list[str]]:
    """Which codes stand directly below which, checked to be one tree over all codes of the variable."""
    category = document["dimension"][variable]["category"]
    children: dict[str, list[str]] = category.get("child", {})
    below = [code for codes in children.values() for code in codes]
    tops = set(category["index"]) - set(below)
    if len(tops) != 1 or len(below) != len(set(below)) or set(below) | tops != set(category["index"]):
        fail(f"{variable}: category.child is no tree over its {len(category['index'])} codes; tops are {sorted(tops)[:5]}")
    reached = list(tops)
    for code in reached:
        reached.extend(children.get(code, []))
    if len(reached) != len(category["index"]):
        fail(f"{variable}: category.child has a cycle")
    return children


def adds_up(children: Mapping[str, list[str]], count: Callable[[str], int | None]) -> None:
    """Holds every parent whose children are all published to the sum of their counts."""
    compared = 0
    for parent, codes in children.items():
        total, parts = count(parent), [count(code) for code in codes]
        if total is None or None in parts:
            continue
        if total != sum(part for part in parts if part is not None):
            fail(f"{parent} has {total} people, its children {codes} have {parts}")
        compared += 1
    if compared < 10:
        fail(f"only {compared} of {len(children)} parents could be compared with their children")
    print(f"{compared} parents are the sum of their children")
