"""Checks the proofs that `cacah attack` writes, from released files alone and in whole numbers: attack_check.py RELEASES RESULTS

Written from the description of the format, not from the program: what a row says is worked out here from code lists, tables and links.

A line proves one end of the range of one count. Its rows, times their multipliers and added up, say that some counts times coefficients are
a number at most (inequalities may only be multiplied by what is not negative). Every other count is replaced by the best end of its range that
an earlier line proves, or by 0; what is left is divided by the coefficient of the count in question and rounded inward.

Every withheld cell has one row in the ranges, Parquet or text, each with what the lines prove and with the lines that do so.
"""

import csv
import hashlib
import json
import sys
from functools import cache
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq

# Joint tables with more cells are left out: see `register::joint_tables`.
MOST_JOINT_CELLS = 1 << 21


class Axis:
    """A dimension as a table sees it: its nodes down to a level, in the order of the code list."""

    def __init__(self, dimension, level):
        nodes = dimension["nodes"]
        self.dimension = dimension["id"]
        self.nodes = [at for at, node in enumerate(nodes) if node["level"] <= level]
        self.position = {node: at for at, node in enumerate(self.nodes)}
        self.children = {node: [] for node in self.nodes}
        for node in self.nodes:
            if nodes[node]["parent"] is not None:
                self.children[nodes[node]["parent"]].append(node)


class Table:
    def __init__(self, definition, dimensions):
        self.unit = definition["unit"]
        self.axes = []
        for axis in definition["axes"]:
            dimension = dimensions[axis["dimension"]]
            levels = [level["id"] for level in dimension["levels"]]
            self.axes.append(Axis(dimension, levels.index(axis["level"])))
        self.strides, self.cells = [], 1
        for axis in reversed(self.axes):
            self.strides.insert(0, self.cells)
            self.cells *= len(axis.nodes)
        self.values = None

    def nodes(self, cell):
        """The node of each axis at a cell."""
        return [axis.nodes[cell // stride % len(axis.nodes)] for axis, stride in zip(self.axes, self.strides)]

    def find(self, where):
        """The cell at these nodes by dimension, all others at their total (node 0); None if the table does not show it."""
        left = {dimension: node for dimension, node in where.items() if node != 0}
        cell = 0
        for axis, stride in zip(self.axes, self.strides):
            position = axis.position.get(left.pop(axis.dimension, 0))
            if position is None:
                return None
            cell += position * stride
        return None if left else cell


def joint_tables(manifest, dimensions):
    """For each unit the table that crosses all dimensions of its tables as finely as any of them does, unless one of them does so."""
    for unit in ("person", "household"):
        tables = [table for table in manifest["tables"] if table["unit"] == unit]
        finest = {}
        for axis in (axis for table in tables for axis in table["axes"]):
            levels = [level["id"] for level in dimensions[axis["dimension"]]["levels"]]
            finest[axis["dimension"]] = max(finest.get(axis["dimension"], 0), levels.index(axis["level"]))
        axes = [{"dimension": id, "level": dimensions[id]["levels"][level]["id"]} for id, level in finest.items()]
        is_said = any(all(axis in table["axes"] for axis in axes) for table in tables)
        if tables and not is_said:
            table = Table({"unit": unit, "axes": axes}, dimensions)
            if table.cells <= MOST_JOINT_CELLS:
                yield f"joint.{unit}", table


class Period:
    """Everything that is published of some revisions of a period."""

    def __init__(self, releases, assumptions):
        self.assumptions = assumptions
        self.tables, self.dimensions, self.links = {}, {}, {}
        for revision in assumptions["revisions"]:
            folder = releases / assumptions["period"] / f"r{revision}"
            text = (folder / "manifest.json").read_bytes()
            assert hashlib.sha256(text).hexdigest() == assumptions["manifests"][f"r{revision}"], f"another r{revision} was attacked"
            manifest = json.loads(text)
            for id, file in manifest["codelists"].items():
                self.dimensions[id] = json.loads((folder / file).read_text())
            self.links = manifest.get("links") or self.links
            for definition in manifest["tables"]:
                table = Table(definition, self.dimensions)
                columns = pq.read_table(folder / definition["file"], columns=["value", "status"])
                values, statuses = columns["value"].to_pylist(), columns["status"].to_pylist()
                assert len(values) == table.cells, definition["id"]
                table.values = [0 if status == "z" else value for value, status in zip(values, statuses)]
                self.tables[revision, definition["id"]] = table
            for id, table in joint_tables(manifest, self.dimensions):
                self.tables[revision, id] = table
        self.geo = next((id for id, dimension in self.dimensions.items() if dimension["role"] == "geo"), None)
        self.unchanged = {}
        for pair in assumptions["unchanged"]:
            codes = {node["code"]: at for at, node in enumerate(self.dimensions[self.geo]["nodes"])} if self.geo else {"": 0}
            self.unchanged[tuple(pair["revisions"])] = {codes[code] for code in pair["regions"]}
        self.given_up = {tuple(row[key] for key in ("kind", "revision", "table", "row", "by")) for row in assumptions["contradicted"]}
        self.check_unchanged()

    def check_unchanged(self):
        """No published count may differ where nothing is taken to have changed."""
        for (first, second), regions in self.unchanged.items():
            for (revision, id), table in self.tables.items():
                other = self.tables.get((second, id))
                if revision != first or table.values is None or other is None:
                    continue
                for cell, value in enumerate(table.values):
                    where = self.where(table, cell)
                    at = other.find(where)
                    if value is not None and at is not None and other.values[at] is not None and where.get(self.geo, 0) in regions:
                        assert value == other.values[at], f"{id} {cell} has changed"

    @staticmethod
    def where(table, cell):
        return {axis.dimension: node for axis, node in zip(table.axes, table.nodes(cell)) if node != 0}

    @cache
    def count(self, revision, id, cell):
        """What is known of a cell: a count, or a name that all cells with the same count share."""
        table = self.tables[revision, id]
        assert 0 <= cell < table.cells
        where = self.where(table, cell)
        region = where.get(self.geo, 0)
        # Revisions that have the same counts in the region, one after the other.
        same, left = [revision], [other for other in self.assumptions["revisions"] if other != revision]
        for one in same:
            joined = [other for other in left if region in self.unchanged.get((min(one, other), max(one, other)), ())]
            same += joined
            left = [other for other in left if other not in joined]
        values = set()
        for (other, _), shown in self.tables.items():
            if other in same and shown.unit == table.unit and shown.values is not None:
                at = shown.find(where)
                if at is not None and shown.values[at] is not None:
                    values.add(shown.values[at])
        assert len(values) <= 1, f"{id} {cell} has several counts"
        return values.pop() if values else (table.unit, min(same), tuple(sorted(where.items())))

    def of(self, revision, unit):
        """Tables of a revision and unit, the published ones first."""
        return [(id, table) for (other, id), table in self.tables.items() if other == revision and table.unit == unit]

    def leaves(self, id):
        """The finest nodes of a dimension, in order."""
        nodes = self.dimensions[id]["nodes"]
        above = {node["parent"] for node in nodes}
        return [at for at in range(len(nodes)) if at not in above]

    @cache
    def leaves_below(self, id, node):
        """Numbers of the finest nodes at or below a node."""
        nodes = self.dimensions[id]["nodes"]
        below = set()
        for number, leaf in enumerate(self.leaves(id)):
            at = leaf
            while at is not None and at != node:
                at = nodes[at]["parent"]
            if at is not None:
                below.add(number)
        return below

    @cache
    def row(self, kind, revision, id, cell, by):
        """A row as (terms, constant, whether it is an inequality); terms are ((revision, table, cell), coefficient)."""
        table = self.tables[revision, id]
        if kind == "sum":
            axis, stride = next((axis, stride) for axis, stride in zip(table.axes, table.strides) if axis.dimension == by)
            node = axis.nodes[cell // stride % len(axis.nodes)]
            first = cell - axis.position[node] * stride
            below = [((revision, id, first + axis.position[child] * stride), -1) for child in axis.children[node]]
            assert below
            return [((revision, id, cell), 1), *below], 0, False
        assert (kind, revision, id, cell, by) not in self.given_up
        if kind == "head":
            return self.head(revision, id, cell), 0, True
        link = next(link for link in self.links["members"] if by == link["size"] + ":" + "+".join(link["shared"]))
        where = self.where(table, cell)
        assert table.unit == "person" and set(where) <= set(link["shared"])
        households = None
        for other, shown in self.of(revision, "household"):
            cells = [shown.find({**where, link["size"]: leaf}) for leaf in self.leaves(link["size"])]
            if None not in cells:
                households = [(revision, other, at) for at in cells]
                break
        assert households
        people = (revision, id, cell)
        if kind == "members-least":
            return [(people, -1)] + [(at, members["least"]) for at, members in zip(households, link["members"])], 0, True
        assert kind == "members-most" and self.assumptions["outside"] == "none"
        terms = [(people, 1)]
        for at, members in zip(households, link["members"]):
            if members["most"] is None:
                assert self.count(*at) == 0
            else:
                terms.append((at, -members["most"]))
        return terms, 0, True

    def head(self, revision, id, cell):
        """Households are no more than the people where their heads are, in the table of people that needs the fewest cells."""
        table = self.tables[revision, id]
        wanted = {}
        for axis, node in zip(table.axes, table.nodes(cell)):
            pair = next((pair for pair in self.links["heads"] if pair["head"] == axis.dimension and pair["person"] not in wanted), None)
            if pair is None:
                assert node == 0
                continue
            heads = self.leaves_below(pair["head"], node)
            # The same dimension twice has no classes: each leaf is its own.
            classes = pair.get("classes") or range(len(self.leaves(pair["person"])))
            wanted[pair["person"]] = {leaf for leaf, of_head in enumerate(classes) if of_head in heads}
        best = None
        for other, shown in self.of(revision, "person"):
            covers = []
            for dimension, leaves in wanted.items():
                axis = next((axis for axis in shown.axes if axis.dimension == dimension), None)
                if axis is None:
                    covers.append([0] if leaves == set(range(len(self.leaves(dimension)))) else None)
                else:
                    covers.append(self.cover(axis, 0, leaves))
            if None in covers or [] in covers:
                continue
            cells = [shown.find(dict(zip(wanted, nodes))) for nodes in product(*covers)]
            if best is None or len(cells) < len(best):
                best = [((revision, other, at), -1) for at in cells]
        assert best
        return [((revision, id, cell), 1), *best]

    def cover(self, axis, node, leaves):
        """The coarsest nodes at or below one that make up exactly some leaves; None if there are none."""
        below = self.leaves_below(axis.dimension, node)
        if not below & leaves:
            return []
        if below <= leaves:
            return [node]
        parts = [self.cover(axis, child, leaves) for child in axis.children[node]]
        return None if None in parts or not parts else [node for part in parts for node in part]


class Checker:
    def __init__(self, period):
        self.period = period
        self.ranges, self.supposed = {}, []

    def line(self, step, cell, end, value, rows):
        count = self.period.count(*cell)
        assert not isinstance(count, int), "the count is published"
        if step == "suppose":
            self.supposed.append({"what": (count, end, value), "before": dict(self.ranges), "is_refuted": False})
        elif step == "conclude":
            scope = self.supposed.pop()
            self.ranges = scope["before"]
            opposite = (count, "low", scope["what"][2] + 1) if scope["what"][1] == "high" else (count, "high", scope["what"][2] - 1)
            assert scope["is_refuted"] and opposite == (count, end, value), "nothing is refuted"
        else:
            assert step == "bound"
            proven = self.combine(count, end, rows)
            assert proven >= value if end == "low" else proven <= value, f"the rows prove {proven}, not {value}"
        low, high = self.ranges.get(count, (0, None))
        low, high = (max(low, value), high) if end == "low" else (low, value if high is None else min(high, value))
        self.ranges[count] = low, high
        if high is not None and high < low:
            assert self.supposed, "nothing is left of the range"
            self.supposed[-1]["is_refuted"] = True

    def combine(self, count, end, rows):
        coefficients, rest = {}, 0
        for name, times in rows:
            terms, constant, is_inequality = self.period.row(*name)
            assert times >= 0 or not is_inequality, "an inequality is turned round"
            rest += constant * times
            for cell, coefficient in terms:
                known = self.period.count(*cell)
                if isinstance(known, int):
                    rest -= coefficient * times * known
                else:
                    coefficients[known] = coefficients.get(known, 0) + coefficient * times
        own = coefficients.pop(count, 0)
        for other, coefficient in coefficients.items():
            low, high = self.ranges.get(other, (0, None))
            assert coefficient >= 0 or high is not None, "a count has no limit"
            rest -= coefficient * (low if coefficient > 0 else high or 0)
        assert own > 0 if end == "high" else own < 0, "the rows say nothing about it"
        return rest // own if end == "high" else -(rest // -own)


def check(releases, results):
    period = Period(releases, json.loads((results / "assumptions.json").read_text()))
    checker = Checker(period)
    lines = {}
    for row in pq.read_table(results / "derivation.parquet").to_pylist():
        head = (row["step"], (row["revision"], row["table"], row["row"]), row["end"], row["value"])
        known = lines.setdefault(row["line"], (head, []))
        assert known[0] == head
        if row["kind"] is not None:
            known[1].append(((row["kind"], row["of_revision"], row["of_table"], row["of_row"], row["by"]), row["times"]))
    assert list(lines) == list(range(len(lines)))
    # What each line proves for good: the count, the end and its value.
    proven = {}
    for number, (head, rows) in lines.items():
        try:
            checker.line(*head, rows)
        except AssertionError as wrong:
            raise SystemExit(f"line {number} {head}: {wrong}") from wrong
        if not checker.supposed:
            proven[number] = period.count(*head[1]), head[2], head[3]
    assert not checker.supposed
    withheld = {
        (revision, id, cell)
        for (revision, id), table in period.tables.items()
        if table.values is not None
        for cell, value in enumerate(table.values)
        if value is None
    }
    files = [results / name for name in ("ranges.parquet", "ranges.csv") if (results / name).exists()]
    assert files, f"{results}: no ranges"
    ranges = [{cell: check_row(period, checker, proven, row) for cell, row in rows_of(file)} for file in files]
    assert all(found == ranges[0] for found in ranges), "ranges differ by their form"
    assert set(ranges[0]) == withheld, "other cells than those withheld"
    determined = dict(rows_of(results / "determined.csv"))
    assert determined == {cell: row for cell, row in ranges[0].items() if row["low"] == row["high"]}, "determined.csv"
    narrower = sum((row["low"], row["high"]) != (0, None) for row in ranges[0].values())
    return len(lines), narrower


def rows_of(path):
    """The rows of a file of ranges, Parquet or text, each with its cell."""
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            for column in ("revision", "row", "low", "high", "low_line", "high_line"):
                row[column] = int(row[column]) if row[column] else None
    else:
        rows = pq.read_table(path).to_pylist()
    known = set()
    for row in rows:
        cell = (row["revision"], row["table"], row["row"])
        assert cell not in known, f"{path}: {cell} stands there twice"
        known.add(cell)
        yield cell, row


def check_row(period, checker, proven, row):
    """Compares a row of ranges with what is proven; gives it back."""
    cell = (row["revision"], row["table"], row["row"])
    count = period.count(*cell)
    is_published = isinstance(count, int)
    low, high = (count, count) if is_published else checker.ranges.get(count, (0, None))
    assert (low, high) == (row["low"], row["high"]), f"{cell}: {low} to {high} is proven, {row['low']} to {row['high']} is said"
    assert (row["method"] == "published") == is_published, f"{cell}: {row['method']}"
    for end, trivial in (("low", 0), ("high", None)):
        line = row[f"{end}_line"]
        if is_published or row[end] == trivial:
            assert line is None, f"{cell}: its {end} end needs no line"
        else:
            assert proven.get(line) == (count, end, row[end]), f"{cell}: line {line} does not prove its {end} end"
    table = period.tables[cell[:2]]
    codes = [period.dimensions[axis.dimension]["nodes"][node]["code"] for axis, node in zip(table.axes, table.nodes(row["row"]))]
    assert "/".join(codes) == row["cell"]
    return row


def main():
    releases, results = map(Path, sys.argv[1:])
    lines = ranges = 0
    for found in sorted(results.rglob("assumptions.json")):
        of_period = check(releases, found.parent)
        lines, ranges = lines + of_period[0], ranges + of_period[1]
    print(f"{lines} lines prove {ranges} ranges, proofs agree")


if __name__ == "__main__":
    main()
