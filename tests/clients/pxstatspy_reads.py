"""pxstatspy, Statistics Sweden's client of PxWebApi v2: GET requests that it splits itself, into pandas frames."""

from typing import Any, Iterator

from pandas import DataFrame
from pxstatspy import OutputFormatParam, PxAPI, PxAPIConfig

from counting import count_data_requests
from raw import PERIODS, Cube, Key, World, adds_up, agree, fail, read, refused, run, tells_something, tree


def client(api: str, language: str = "en") -> PxAPI:
    # A configuration that it cannot read makes it fall back to limits of its own, without a word.
    found = PxAPI(PxAPIConfig(base_url=api, language=language))
    if found.max_data_cells == found._default_max_data_cells:
        fail("pxstatspy did not take over the limit of cells")
    return found


def rows(frame: DataFrame, cube: Cube, texts: bool = False) -> Iterator[tuple[Key, Any]]:
    """The cells of a frame. Regions come as codes in any case, the rest as codes or as texts, contents as columns."""
    contents = cube.labels["ContentsCode"]
    codes = {variable: {label: code for code, label in labels.items()} for variable, labels in cube.labels.items()}
    for row in frame.to_dict("records"):
        for code, label in contents.items():
            key = []
            for variable in cube.variables:
                if variable == "Region":
                    if row["region"] != cube.labels["Region"][row["region_code"]]:
                        fail(f"pxstatspy calls {row['region_code']} {row['region']}")
                    key.append(row["region_code"])
                elif variable == "ContentsCode":
                    key.append(code)
                else:
                    seen = row[cube.titles[variable]]
                    key.append(codes[variable][seen] if texts else seen)
            yield tuple(key), row[label if texts else code]


def suppressed(world: World) -> None:
    chosen = {"Region": ["*"], "Sex": ["*"], "Occupation": ["*"], "ContentsCode": ["*"], "Tid": PERIODS}
    cube = tells_something(read(world.api, "occupation-sex", chosen))
    frame = client(world.api).get_data_as_dataframe("occupation-sex", chosen, OutputFormatParam.USE_CODES)
    agree("pxstatspy, codes", cube, rows(frame, cube))
    chosen = {**chosen, "Region": ["34*"], "Tid": ["2024-S1"]}
    for language in ("en", "id"):
        cube = tells_something(read(world.api, "occupation-sex", chosen, language=language))
        frame = client(world.api, language).get_data_as_dataframe("occupation-sex", chosen)
        agree(f"pxstatspy, texts in {language}", cube, rows(frame, cube, texts=True))


def default_selection(world: World) -> None:
    seen = client(world.api).get_table_data_post("market", {"selection": []})
    listed = client(world.api).find_tables(query="market", display=False)
    if [table["id"] for table in listed["tables"]] != ["market"]:
        fail(f"pxstatspy finds {[table['id'] for table in listed['tables']]} when it looks for 'market'")
    if seen["id"] != [*seen["extension"]["px"]["stub"], *seen["extension"]["px"]["heading"]]:
        fail("the default selection is not ordered by stub and heading")


def in_parts(world: World) -> None:
    chosen = {"Region": ["*"], "Sex": ["*"], "Religion": ["*"], "ContentsCode": ["persons"], "Tid": ["*"]}
    refused(world.small, "religion", chosen)
    cube = tells_something(read(world.api, "religion", chosen))
    api = client(world.small)
    requests = count_data_requests(api.session)
    frame = api.get_data_as_dataframe("religion", chosen, OutputFormatParam.USE_CODES)
    if len(requests) < 2:
        fail(f"pxstatspy made {len(requests)} requests where it should have split the selection")
    agree(f"pxstatspy, {len(requests)} parts", cube, rows(frame, cube))


def hierarchy(world: World) -> None:
    api = client(world.api)
    children = tree(api.get_table_metadata("population", output_format="json-stat2"), "Region")
    parent = next(code for code in children if len(children[code]) > 5 and any(child in children for child in children[code]))
    chosen = {"Region": [parent, *children[parent]], "Age": ["*"], "ContentsCode": ["persons"], "Tid": ["2024-S2"]}
    cube = read(world.api, "population", chosen)
    frame = api.get_data_as_dataframe("population", chosen, OutputFormatParam.USE_CODES)
    agree("pxstatspy, a parent and its children", cube, rows(frame, cube))
    chosen = {"Region": ["*"], "ContentsCode": ["persons"], "Tid": ["2024-S2"]}
    frame = api.get_data_as_dataframe("population", chosen, OutputFormatParam.USE_CODES)
    counts = dict(zip(frame["region_code"], frame["persons"]))
    adds_up(children, lambda code: None if counts[code] != counts[code] else int(counts[code]))


def check(world: World) -> None:
    suppressed(world)
    default_selection(world)
    in_parts(world)
    hierarchy(world)


run(check)
