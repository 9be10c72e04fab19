"""pyjstat: a JSON-stat reader that knows nothing of PxWebApi, and jsonstat-validator, which only judges documents."""

from typing import Any, Iterator
from urllib.parse import urlencode

from jsonstat_validator import JSONStatValidationError, validate_jsonstat
from pandas import DataFrame
from pyjstat.pyjstat import Dataset

from raw import PERIODS, Cell, Cube, Key, World, adds_up, agree, fail, fetch, metadata, number, read, refused, run, tells_something, tree


def address(api: str, table: str, chosen: dict[str, list[str]]) -> str:
    parameters = {f"valueCodes[{variable}]": ",".join(codes) for variable, codes in chosen.items()}
    return f"{api}/tables/{table}/data?" + urlencode({"lang": "en", "outputFormat": "json-stat2", **parameters})


def rows(frame: DataFrame, cube: Cube) -> Iterator[tuple[Key, Any]]:
    """The cells of a frame of codes."""
    return zip(zip(*(frame[variable] for variable in cube.variables)), frame["value"])


def suppressed(world: World) -> None:
    chosen = {"Region": ["*"], "Sex": ["*"], "Occupation": ["*"], "ContentsCode": ["persons"], "Tid": PERIODS}
    cube = tells_something(read(world.api, "occupation-sex", chosen))
    dataset = Dataset.read(address(world.api, "occupation-sex", chosen))
    # It has no word for statuses, but carries them, by position.
    marks = dataset["status"]
    seen = rows(dataset.write("dataframe", naming="id"), cube)
    agree("pyjstat, codes", cube, ((key, Cell(number(value), marks.get(str(at)))) for at, (key, value) in enumerate(seen)), marks=True)
    frame = dataset.write("dataframe")
    if list(frame.columns) != [*(cube.titles[variable] for variable in cube.variables), "value"]:
        fail(f"pyjstat names the columns {list(frame.columns)}")
    if [number(value) for value in frame["value"]] != [cell.value for cell in cube.cells.values()]:
        fail("pyjstat reads other numbers when it shows texts")


def in_parts(world: World) -> None:
    # It cannot split a selection, so a person asks for one part after another, as people with such a reader do.
    chosen = {"Region": ["*"], "Sex": ["*"], "Religion": ["*"], "ContentsCode": ["persons"], "Tid": ["*"]}
    refused(world.small, "religion", chosen)
    cube = tells_something(read(world.api, "religion", chosen))
    regions, seen, parts = list(cube.labels["Region"]), [], 0
    for start in range(0, len(regions), 50):
        part = {**chosen, "Region": regions[start : start + 50]}
        frame = Dataset.read(address(world.small, "religion", part)).write("dataframe", naming="id")
        seen.extend(rows(frame, cube))
        parts += 1
    agree(f"pyjstat, {parts} parts", cube, iter(seen))


def hierarchy(world: World) -> None:
    chosen = {"Region": ["*"], "ContentsCode": ["persons"], "Tid": ["2024-S2"]}
    cube = read(world.api, "population", chosen)
    dataset = Dataset.read(address(world.api, "population", chosen))
    children = tree(dataset, "Region")
    if children != tree(metadata(world.api, "population"), "Region"):
        fail("an answer over all regions shows another tree than the metadata")

    def count(code: str) -> int | None:
        return dataset.get_value([{"Region": code}, {"ContentsCode": "persons"}, {"Tid": "2024-S2"}])

    for code in cube.labels["Region"]:
        if count(code) != cube.at(Region=code).value:
            fail(f"pyjstat sees {count(code)} people in {code}, the answer has {cube.at(Region=code)}")
    adds_up(children, count)


def documents_are_valid(world: World) -> None:
    listed = fetch(f"{world.api}/tables?lang=en")[1]["tables"]
    for table in (found["id"] for found in listed):
        for language in ("id", "en"):
            for kind in ("metadata", "data"):
                status, document = fetch(f"{world.api}/tables/{table}/{kind}?lang={language}")
                if status != 200:
                    fail(f"{kind} of {table}: {status} {document}")
                try:
                    validate_jsonstat(document)
                except JSONStatValidationError as error:
                    fail(f"jsonstat-validator on the {kind} of {table}: {error}")
    print(f"jsonstat-validator: {len(listed)} tables are valid JSON-stat in both languages")


def check(world: World) -> None:
    suppressed(world)
    in_parts(world)
    hierarchy(world)
    documents_are_valid(world)


run(check)
