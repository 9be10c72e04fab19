"""pxwebpy: POST requests, several at once where a selection is too large for one; no statuses."""

from typing import Any, Iterable, Iterator

from pxweb import PxApi

from counting import count_data_requests
from raw import PERIODS, Cube, Key, World, adds_up, agree, fail, fetch, number, read, refused, run, tells_something, tree


def rows(table: Iterable[dict[str, Any]], cube: Cube) -> Iterator[tuple[Key, Any]]:
    """The cells of a table of codes, whose columns bear the names of the variables."""
    for row in table:
        yield tuple(row[cube.titles[variable]] for variable in cube.variables), row["value"]


def suppressed(world: World, api: PxApi) -> None:
    chosen = {"Region": ["*"], "Age": ["*"], "Occupation": ["*"], "MaritalStatus": ["T", "M"], "ContentsCode": ["*"], "Tid": PERIODS}
    cube = tells_something(read(world.api, "market", chosen))
    agree("pxwebpy, codes", cube, rows(api.get_table_data("market", chosen, show="code"), cube))
    # Without instructions it shows what the interface recommends: codes with the names of places, names alone elsewhere.
    chosen = {"Region": ["34*"], "Occupation": ["*"], "ContentsCode": ["persons"], "Tid": ["2024-S1"]}
    cube = tells_something(read(world.api, "market", chosen))
    codes = {variable: {label: code for code, label in labels.items()} for variable, labels in cube.labels.items()}
    codes["Region"] = {f"{code}: {label}": code for code, label in cube.labels["Region"].items()}
    # A single code need not be a list for it.
    seen = api.get_table_data("market", {**chosen, "ContentsCode": "persons", "Tid": "2024-S1"})
    back = ({cube.titles[v]: codes[v][row[cube.titles[v]]] for v in cube.variables} | {"value": row["value"]} for row in seen)
    agree("pxwebpy, texts", cube, rows(back, cube))


def whole_table(world: World, api: PxApi) -> None:
    variables = ["Region", "Sex", "MaritalStatus", "ContentsCode", "Tid"]
    cube = tells_something(read(world.api, "marital", {variable: ["*"] for variable in variables}))
    agree("pxwebpy, a whole table", cube, rows(api.get_table_data_all("marital", show="code"), cube))


def code_list(world: World, api: PxApi) -> None:
    lists = [found["id"] for found in api.get_table_variables("population-single-age")["Age"]["codelists"]]
    aggregation = next((found for found in lists if found.startswith("agg_")), None) or fail(f"no aggregation of ages among {lists}")
    chosen = {"Region": ["*"], "Age": ["*"], "ContentsCode": ["persons"], "Tid": ["2024-S2"]}
    cube = tells_something(read(world.api, "population-single-age", chosen, {"Age": aggregation}))
    seen = api.get_table_data("population-single-age", chosen, {"Age": aggregation}, show="code")
    agree(f"pxwebpy, {aggregation}", cube, rows(seen, cube))


def catalogue(world: World, api: PxApi) -> None:
    status, document = fetch(f"{world.api}/tables")
    if status != 200 or api.number_of_tables != document["page"]["totalElements"]:
        fail(f"pxwebpy counts {api.number_of_tables} tables, the interface {document}")
    seen = sorted(table["id"] for table in api.all_tables())
    if len(seen) != api.number_of_tables or len(set(seen)) != len(seen):
        fail(f"pxwebpy lists {seen} of {api.number_of_tables} tables")
    reached = {table["id"] for path in api.get_paths() for table in api.tables_on_path(path["id"])}
    if reached != set(seen):
        fail(f"paths lead to {sorted(reached)} of the tables {seen}")


def in_parts(world: World) -> None:
    chosen = {"Region": ["*"], "Sex": ["*"], "Religion": ["*"], "ContentsCode": ["*"], "Tid": ["*"]}
    refused(world.small, "religion", chosen)
    cube = tells_something(read(world.api, "religion", chosen))
    api = PxApi(world.small, language="en")
    requests = count_data_requests(api._client.session)
    seen = api.get_table_data("religion", chosen, show="code")
    if len(requests) < 2:
        fail(f"pxwebpy made {len(requests)} requests where it should have split the selection")
    agree(f"pxwebpy, {len(requests)} parts", cube, rows(seen, cube))


def hierarchy(world: World, api: PxApi) -> None:
    children = tree(api.get_table_metadata("population"), "Region")
    chosen = {"Region": ["*"], "ContentsCode": ["persons"], "Tid": ["2024-S1"]}
    title = read(world.api, "population", chosen).titles["Region"]
    counts = {row[title]: number(row["value"]) for row in api.get_table_data("population", chosen, show="code")}
    adds_up(children, counts.__getitem__)
    parent = next(code for code in children if code in {child for codes in children.values() for child in codes})
    chosen = {"Region": [parent, *children[parent]], "Sex": ["*"], "Age": ["*"], "ContentsCode": ["persons"], "Tid": ["*"]}
    cube = read(world.api, "population", chosen)
    agree("pxwebpy, a parent and its children", cube, rows(api.get_table_data("population", chosen, show="code"), cube))


def check(world: World) -> None:
    api = PxApi(world.api, language="en")
    catalogue(world, api)
    suppressed(world, api)
    whole_table(world, api)
    code_list(world, api)
    in_parts(world)
    hierarchy(world, api)


run(check)
