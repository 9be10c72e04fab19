"""openpyxl: workbooks, cell by cell, with codes, with names, and with both."""

import io
from typing import Any, Iterator

from openpyxl import load_workbook

from downloads import ASKED, Asked, by_labels, download, expected, file_name
from raw import MARKS, Cell, Cube, Key, World, agree, fail, run

Rows = list[tuple[Any, ...]]


def opened(data: bytes, sheets: list[str]) -> tuple[Any, Rows, Rows, Rows]:
    """The table's sheet, and the rows of the three sheets."""
    book = load_workbook(io.BytesIO(data))
    if book.sheetnames != sheets:
        fail(f"expected the sheets {sheets}, found {book.sheetnames}")
    cover, notes, table = (list(book[name].iter_rows(values_only=True)) for name in sheets)
    return book[sheets[2]], cover, notes, table


def cell(value: Any) -> Cell:
    if isinstance(value, str):
        if value.strip("[]") not in MARKS or not value.startswith("["):
            fail(f"{value!r} is neither a number nor a mark")
        return Cell(None, value[1])
    return Cell(value, None)


def cells(table: Rows, asked: Asked, each: int, at: int) -> Iterator[tuple[tuple[str, ...], Cell]]:
    """The cells with what stands before and above them; of `each` lines a variable has, the one at `at`."""
    stub, heading = len(asked.stub) * each, max(len(asked.heading) * each, 1)
    above = [row[stub:] for row in table[at:heading:each]] if asked.heading else []
    for row in table[heading:]:
        for column, value in enumerate(row[stub:]):
            yield (*row[at:stub:each], *(line[column] for line in above)), cell(value)


def check_dressing(asked: Asked, cube: Cube, sheet: Any, cover: Rows, notes: Rows) -> None:
    """What stands around the numbers."""
    said = " ".join(str(value) for row in cover for value in row if value is not None)
    releases = [release["id"] for release in cube.document["extension"]["releases"]]
    for wanted in [cube.document["label"], cube.document["source"], *releases, f"/tables/{asked.table}/data?"]:
        if wanted not in said:
            fail(f"the cover does not say {wanted!r}: {said}")
    marks = [row[0] for row in notes if row[0]]
    occur = {f"[{value.mark}]" for value in cube.cells.values() if value.mark}
    if set(marks) != occur or not all(row[1] for row in notes):
        fail(f"the notes explain {marks}, but {occur} occur")
    corner = sheet.freeze_panes
    if not corner or sheet[corner].value is None or sheet[corner].number_format not in ("#,##0", "General"):
        fail(f"the panes are frozen at {corner}, where no number begins")


def check(world: World) -> None:
    for asked in ASKED:
        cube = expected(world, asked)
        data, headers = download(world, asked, "xlsx", "UseCodes")
        file_name(headers, f"{asked.table}.xlsx")
        sheet, cover, notes, table = opened(data, ["Cover", "Notes", "Table"])
        agree(f"openpyxl, {asked.table}, codes", cube, cells(table, asked, 1, 0), marks=True)
        check_dressing(asked, cube, sheet, cover, notes)

        _, _, _, table = opened(download(world, asked, "xlsx", "UseCodesAndTexts")[0], ["Cover", "Notes", "Table"])
        agree(f"openpyxl, {asked.table}, codes beside names", cube, cells(table, asked, 2, 0), marks=True)

        indonesian = expected(world, asked, "id")
        _, _, _, table = opened(download(world, asked, "xlsx", language="id")[0], ["Sampul", "Catatan", "Tabel"])
        seen = list(cells(table, asked, 1, 0))
        keys: Iterator[Key] = by_labels(indonesian, iter(key for key, _ in seen))
        agree(f"openpyxl, {asked.table}, names", indonesian, zip(keys, (value for _, value in seen)), marks=True)

        _, _, _, table = opened(download(world, asked, "xlsx", "IncludeTitle")[0], ["Cover", "Notes", "Table"])
        if table[0][0] != cube.document["label"]:
            fail(f"the sheet begins with {table[0][0]!r}, not with the title")


if __name__ == "__main__":
    run(check)
