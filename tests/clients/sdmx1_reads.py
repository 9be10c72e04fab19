"""sdmx1: an SDMX client that asks by keys, with and without the data structure, and turns answers into frames."""

from typing import Any, Iterator, Mapping

import requests
import sdmx
from pandas import DataFrame

from raw import PERIODS, World, agree, fail, run
from sdmx_raw import AGENCY, TABLES, cells, cube, dimension, flow, service


def client(api: str, name: str) -> sdmx.Client:
    sdmx.add_source({"id": name, "url": service(api), "name": "Population register"}, override=True)
    return sdmx.Client(name)


def rows(message: Any) -> Iterator[Mapping[str, Any]]:
    """The observations of a message, one mapping each."""
    for data in message.data:
        frame: DataFrame = sdmx.to_pandas(data, attributes="osg")
        frame = frame.reset_index().rename(columns={"value": "OBS_VALUE"})
        yield from frame.to_dict("records")


def without_structure(world: World, reader: sdmx.Client) -> None:
    for table, (_, key) in TABLES.items():
        expected = cube(world, table)
        for arranged in ["TIME_PERIOD", "AllDimensions"]:
            message = reader.data(flow(table), key=key, params={"dimensionAtObservation": arranged})
            agree(f"sdmx1, {table} by {arranged}", expected, cells(expected, rows(message)), marks=True)


def with_structure(world: World, reader: sdmx.Client) -> None:
    for table, (chosen, key) in TABLES.items():
        structure = reader.dataflow(flow(table)).structure[f"DSD_{flow(table)}"]
        components = [component.id for component in structure.dimensions.components]
        expected = cube(world, table)
        if components != ["FREQ", *(dimension(variable) for variable in expected.variables)]:
            fail(f"{table} has the dimensions {components}")
        by_key = reader.data(flow(table), key=key, dsd=structure)
        agree(f"sdmx1, {table} with its structure", expected, cells(expected, rows(by_key)), marks=True)
        codes = {dimension(variable): "+".join(values) for variable, values in chosen.items() if values != ["*"]}
        by_codes = reader.data(flow(table), key={"FREQ": "S", **codes})
        agree(f"sdmx1, {table} by codes", expected, cells(expected, rows(by_codes)), marks=True)


def periods(world: World, reader: sdmx.Client) -> None:
    for parameters in [{"startPeriod": "2024-S2"}, {"startPeriod": "2024-07"}, {"lastNObservations": 1}]:
        seen = {row["TIME_PERIOD"] for row in rows(reader.data("RELIGION", key="S.ID.T..", params=parameters))}
        if seen != {PERIODS[1]}:
            fail(f"{parameters} shows the periods {seen}")


def catalogue(reader: sdmx.Client) -> None:
    flows = reader.dataflow().dataflow
    missing = [table for table in TABLES if flow(table) not in flows]
    if missing:
        fail(f"sdmx1 sees no {missing} among {list(flows)}")
    message = reader.dataflow("MARITAL")
    kinds = {
        "codelist": "CL_MARITAL_STATUS",
        "concept_scheme": "CONCEPTS",
        "structure": "DSD_MARITAL",
        "constraint": "CC_MARITAL",
        "category_scheme": "SUBJECTS",
    }
    for kind, identifier in kinds.items():
        if identifier not in getattr(message, kind):
            fail(f"a dataflow with all references has no {kind} {identifier}, but {list(getattr(message, kind))}")
    regions = reader.codelist("CL_REGION").codelist["CL_REGION"]
    if regions["3471"].parent is not regions["34"] or set(regions["3471"].name.localizations) != {"id", "en"}:
        fail(f"3471 stands below {regions['3471'].parent} and is called {regions['3471'].name!r}")
    keys = reader.series_keys("HOUSEHOLDS")
    if not keys:
        fail("sdmx1 sees no series")


def availability(reader: sdmx.Client) -> None:
    reader.source.supports["availableconstraint"] = True
    message = reader.availableconstraint("MARITAL", key="S.34+3471.P..")
    region = next(iter(message.constraint.values())).data_content_region[0]
    values = {str(member.values_for.id): member for member in region.member.values()}
    seen = {str(value.value) for value in values["REGION"].values}
    if seen != {"34", "3471"}:
        fail(f"sdmx1 is told that there is {seen}")


def refused(world: World) -> None:
    small = client(world.small, "SMALL")
    for key, status in {"all": 413, "S.99...": 404, "S.ID": 400}.items():
        try:
            small.data("RELIGION", key=key)
        except requests.HTTPError as error:
            if error.response.status_code != status or "ErrorMessage" not in error.response.text:
                fail(f"{key} is refused by {error.response.status_code}: {error.response.text[:200]}")
        else:
            fail(f"{key} is answered, which should be refused by {status}")


def check(world: World) -> None:
    reader = client(world.api, AGENCY)
    catalogue(reader)
    without_structure(world, reader)
    with_structure(world, reader)
    periods(world, reader)
    availability(reader)
    refused(world)


run(check)
