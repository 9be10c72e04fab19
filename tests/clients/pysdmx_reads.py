"""pysdmx: reads SDMX-ML and SDMX-CSV, and holds every SDMX-ML document to the official schemas."""

from typing import Any, Iterator, Mapping

from pysdmx.io import read_sdmx
from pysdmx.io.xml.doc_validation import validate_doc

from raw import World, agree, fail, metadata, run
from sdmx_raw import TABLES, cells, cube, dimension, fetch_text, flow, service, text

ML = "application/vnd.sdmx.{}+xml;version=2.1"
CSV = "application/vnd.sdmx.data+csv;version={}"

RESOURCES = [
    "agencyscheme",
    "dataflow",
    "categoryscheme",
    "categorisation",
    "codelist",
    "conceptscheme",
    "datastructure",
    "contentconstraint",
    "structure",
]


def rows(document: str) -> Iterator[Mapping[str, Any]]:
    """The observations of a document, which must be valid."""
    for data in read_sdmx(document, validate=True).data:
        yield from data.data.to_dict("records")


def structures(world: World) -> None:
    base, valid = service(world.api), 0
    for resource in RESOURCES:
        for detail in ["full", "allstubs", "allcompletestubs", "referencepartial"]:
            validate_doc(text(f"{base}/{resource}/all/all/latest?detail={detail}"))
            valid += 1
    for resource, identifier in [("dataflow", "MARITAL"), ("datastructure", "DSD_LABOUR"), ("codelist", "CL_SEX")]:
        for references in ["none", "parents", "parentsandsiblings", "children", "descendants", "all", "codelist"]:
            for detail in ["full", "referencestubs", "referencepartial"]:
                query = f"references={references}&detail={detail}"
                validate_doc(text(f"{base}/{resource}/DUKCAPIL/{identifier}/latest?{query}"))
                valid += 1
    for query in ["", "/S.34+3471.P..?mode=exact&references=all", "/all/all/REGION?mode=available"]:
        validate_doc(text(f"{base}/availableconstraint/MARITAL{query}"))
        valid += 1
    for resource, identifier, items in [("codelist", "CL_SEX", "L+P"), ("conceptscheme", "CONCEPTS", "SEX"), ("categoryscheme", "SUBJECTS", "all")]:
        document = text(f"{base}/{resource}/DUKCAPIL/{identifier}/1.0/{items}")
        validate_doc(document)
        if items != "all" and document.count("<str:Code ") + document.count("<str:Concept ") != len(items.split("+")):
            fail(f"{resource} has other items than {items}")
        valid += 1
    for wrong in ["codelist/all/CL_SEX/latest/NOBODY", "dataflow/all/NOWHERE", "data/MARITAL/S", "data/MARITAL?startPeriod=soon", "metadataflow", "nowhere/a", "nowhere/a/b/c/d/e"]:
        status, _, body = fetch_text(f"{base}/{wrong}")
        if status < 400:
            fail(f"{wrong} is answered: {body[:200]}")
        validate_doc(body)
        valid += 1
    print(f"{valid} documents are valid")


def named(world: World) -> None:
    """Codes have the names and parents that the interface tells."""
    message = read_sdmx(text(f"{service(world.api)}/dataflow/all/MARITAL/latest?references=all"), validate=True)
    lists = {codelist.id: codelist for codelist in message.get_codelists()}
    document = metadata(world.api, "marital", "en")["dimension"]
    for variable in ["Region", "Sex", "MaritalStatus"]:
        codes = {code.id for code in lists[f"CL_{dimension(variable)}"].items}
        if not set(document[variable]["category"]["index"]) <= codes:
            fail(f"{variable} has other codes than the interface")
    structure = message.get_data_structure_definitions()[0]
    attributes = {attribute.id: attribute.attachment_level for attribute in structure.components.attributes}
    if attributes != {"OBS_STATUS": "O", "CONF_STATUS": "O", "UNIT_MEASURE": "CONTENTS", "DECIMALS": "CONTENTS"}:
        fail(f"the attributes belong to {attributes}")


def data(world: World) -> None:
    base = service(world.api)
    for table, (_, key) in TABLES.items():
        expected = cube(world, table)
        forms = [(ML.format(form), f"&dimensionAtObservation={by}") for form in ["genericdata", "structurespecificdata"] for by in ["TIME_PERIOD", "AllDimensions"]]
        forms += [(CSV.format(version), "") for version in ["1.0.0", "1.0.0;labels=both", "2.0.0", "2.0.0;labels=both"]]
        for accept, more in forms:
            document = text(f"{base}/data/{flow(table)}/{key}?lang=en{more}", accept)
            agree(f"pysdmx, {table}, {accept}{more}", expected, cells(expected, rows(document)), marks=True)


def parts(world: World) -> None:
    """Documents that leave something out are valid too."""
    for form in ["genericdata", "structurespecificdata"]:
        for detail in ["full", "dataonly", "serieskeysonly", "nodata"]:
            for arranged in ["TIME_PERIOD", "AllDimensions"]:
                query = f"detail={detail}&dimensionAtObservation={arranged}&lastNObservations=1"
                validate_doc(text(f"{service(world.api)}/data/RELIGION/S.34+3471...?{query}", ML.format(form)))


def check(world: World) -> None:
    structures(world)
    named(world)
    data(world)
    parts(world)


run(check)
