"""lxml: the table of a page, by its heads, in both languages; pandas reads the same page."""

import io
from typing import Any, Iterator

import pandas
from lxml import html

from downloads import ASKED, Asked, by_labels, download, expected, file_name
from raw import MARKS, Cell, Cube, World, agree, fail, run

# Between groups of three digits, and before the decimals.
SIGNS = {"en": (",", "."), "id": (".", ",")}


def cell(element: Any, language: str) -> Cell:
    text = element.text_content()
    if text.startswith("["):
        if text.strip("[]") not in MARKS or not element.get("title"):
            fail(f"{text!r} is no mark that is explained")
        return Cell(None, text[1])
    group, point = SIGNS[language]
    number = text.replace(group, "").replace(point, ".")
    decimals = len(number.partition(".")[2])
    if f"{float(number):,.{decimals}f}".translate(str.maketrans({",": group, ".": point})) != text:
        fail(f"{text!r} is not how {language} writes {number}")
    return Cell(float(number), None)


def cells(table: Any, asked: Asked, language: str) -> Iterator[tuple[tuple[str, ...], Cell]]:
    """The cells with their heads: those of the row, then those of the column."""
    above: list[list[str]] = []
    for line, row in enumerate(table.xpath("./thead/tr")):
        heads = row.xpath("./th")[len(asked.stub) if line == 0 else 0 :]
        for head in heads:
            span = int(head.get("colspan", "1"))
            if head.get("scope") != ("col" if span == 1 else "colgroup"):
                fail(f"the head {head.text_content()!r} over {span} columns has the scope {head.get('scope')}")
        above.append([head.text_content() for head in heads for _ in range(int(head.get("colspan", "1")))])
    for row in table.xpath("./tbody/tr"):
        before = [head.text_content() for head in row.xpath("./th[@scope='row']")]
        found = row.xpath("./td")
        if len(before) != len(asked.stub) or any(len(line) != len(found) for line in above):
            fail(f"a row has {len(before)} heads and {len(found)} numbers")
        for column, element in enumerate(found):
            heads = [line[column] for line in above] if asked.heading else []
            yield (*before, *heads), cell(element, language)


def check_page(cube: Cube, page: Any, language: str) -> Any:
    """What stands around the numbers; gives the one table."""
    tables = page.xpath("//table")
    if len(tables) != 1 or page.get("lang") != language:
        fail(f"{len(tables)} tables in the language {page.get('lang')}")
    if tables[0].xpath("string(./caption)") != cube.document["label"]:
        fail(f"the caption is {tables[0].xpath('string(./caption)')!r}")
    notes = page.xpath("string(//ul)")
    for mark in {value.mark for value in cube.cells.values() if value.mark}:
        if f"[{mark}]" not in notes:
            fail(f"[{mark}] occurs and is not explained: {notes}")
    return tables[0]


def check(world: World) -> None:
    for asked in ASKED:
        for language in ("en", "id"):
            cube = expected(world, asked, language)
            data, headers = download(world, asked, "html", "UseCodes", language)
            file_name(headers, f"{asked.table}.html")
            table = check_page(cube, html.document_fromstring(data), language)
            agree(f"lxml, {asked.table}, codes", cube, cells(table, asked, language), marks=True)

            data, _ = download(world, asked, "html", language=language)
            seen = list(cells(html.document_fromstring(data).xpath("//table")[0], asked, language))
            keys = by_labels(cube, iter(key for key, _ in seen))
            agree(f"lxml, {asked.table}, names", cube, zip(keys, (value for _, value in seen)), marks=True)
        (frame,) = pandas.read_html(io.BytesIO(download(world, asked, "html", "UseCodes")[0]), flavor="lxml", encoding="utf-8")
        cube = expected(world, asked)
        if frame.size != len(cube.cells) + len(frame) * len(asked.stub):
            fail(f"pandas finds {frame.size} cells in the page of {asked.table}")


if __name__ == "__main__":
    run(check)
