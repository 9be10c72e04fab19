"""Compares ranges of `cacah attack` with those of HiGHS over the whole system: attack_highs.py RELEASES RESULTS [RANGES] [SEED]

HiGHS (PyPI: highspy) is asked for the smallest and the largest value of some withheld cells under all rows of the period at once, in real
numbers. Ranges must hold whatever HiGHS reaches; those that are said to be exact must end where it does, rounded inward.
"""

import json
import math
import random
import sys
import time
from collections import Counter
from pathlib import Path

import highspy
import numpy as np
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "clients"))
from attack_check import Period  # noqa: E402

NEAR = 1e-5


def rows(period):
    """The names of all rows: sums of every table, and links wherever both sides are shown."""
    for (revision, id), table in period.tables.items():
        for axis, stride in zip(table.axes, table.strides):
            length = len(axis.nodes)
            parents = [position for position, node in enumerate(axis.nodes) if axis.children[node]]
            for block in range(0, table.cells, length * stride):
                for position in parents:
                    for inner in range(stride):
                        yield ("sum", revision, id, block + position * stride + inner, axis.dimension)
        for link in period.links.get("members", []) if table.unit == "person" else []:
            by = link["size"] + ":" + "+".join(link["shared"])
            for cell in range(table.cells):
                if set(period.where(table, cell)) <= set(link["shared"]):
                    yield ("members-least", revision, id, cell, by)
                    if period.assumptions["outside"] == "none":
                        yield ("members-most", revision, id, cell, by)
        if table.unit == "household":
            for cell in range(table.cells):
                yield ("head", revision, id, cell, "")


class System:
    def __init__(self, period):
        self.period, self.columns = period, {}
        starts, indices, values, lower, upper = [0], [], [], [], []
        for name in rows(period):
            try:
                terms, constant, is_inequality = period.row(*name)
            except AssertionError:
                # Nothing is said there, or it was given up.
                continue
            sums = {}
            for cell, coefficient in terms:
                known = period.count(*cell)
                if isinstance(known, int):
                    constant -= coefficient * known
                else:
                    column = self.columns.setdefault(known, len(self.columns))
                    sums[column] = sums.get(column, 0) + coefficient
            if not sums:
                continue
            indices += sums.keys()
            values += sums.values()
            starts.append(len(indices))
            upper.append(constant)
            lower.append(-math.inf if is_inequality else constant)
        count = len(self.columns)
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = count, len(upper)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.zeros(count), np.zeros(count), np.full(count, math.inf)
        lp.row_lower_, lp.row_upper_ = np.array(lower, float), np.array(upper, float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = np.array(starts), np.array(indices)
        lp.a_matrix_.value_ = np.array(values, float)
        self.highs.passModel(lp)
        print(f"{count} unknown counts, {len(upper)} rows", flush=True)

    def end(self, column, is_high):
        """The smallest or largest value of a count; None if HiGHS gives up."""
        self.highs.changeColCost(column, -1.0 if is_high else 1.0)
        self.highs.run()
        status, value = self.highs.getModelStatus(), self.highs.getInfo().objective_function_value
        self.highs.changeColCost(column, 0.0)
        if status == highspy.HighsModelStatus.kUnbounded:
            return math.inf
        return (-value if is_high else value) if status == highspy.HighsModelStatus.kOptimal else None


def main():
    releases, results = map(Path, sys.argv[1:3])
    wanted, seed = (int(text) for text in (sys.argv[3:] + ["200", "1"][len(sys.argv) - 3 :]))
    tally, wider, begun = Counter(), Counter(), time.time()
    for found in sorted(results.rglob("assumptions.json"))[:1]:
        period = Period(releases, json.loads(found.read_text()))
        ranges = [row for row in pq.read_table(found.parent / "ranges.parquet").to_pylist() if row["method"] != "published"]
        # As many of each method as there are.
        random.Random(seed).shuffle(ranges)
        methods = sorted({row["method"] for row in ranges})
        ranges = [row for method in methods for row in [row for row in ranges if row["method"] == method][: wanted // len(methods)]]
        system = System(period)
        for row in ranges:
            column = system.columns.get(period.count(row["revision"], row["table"], row["row"]))
            low, high = system.end(column, False), system.end(column, True)
            if low is None or high is None:
                tally["undecided by HiGHS"] += 1
                continue
            inward = math.ceil(low - NEAR), math.inf if high == math.inf else math.floor(high + NEAR)
            said = row["low"], math.inf if row["high"] is None else row["high"]
            if row["method"] in ("whole", "program"):
                # Whole numbers may reach less far than others, and no further.
                is_right = inward == said or (row["method"] == "whole" and inward[0] <= said[0] and said[1] <= inward[1])
                tally[row["method"], "same" if inward == said else "narrower in whole numbers" if is_right else "WRONG"] += 1
            else:
                is_right = said[0] <= inward[0] and inward[1] <= said[1]
                tally[row["method"], "same" if inward == said else "wider" if is_right else "WRONG"] += 1
                wider[row["method"]] += (said[1] - said[0]) - (inward[1] - inward[0])
            if not is_right:
                print("WRONG", row, low, high)
    for what, count in sorted(tally.items(), key=str):
        print(count, what)
    print(f"numbers more than HiGHS leaves, in all: {dict(wider)}; {time.time() - begun:.0f} s")
    sys.exit(any("WRONG" in what for what in tally))


if __name__ == "__main__":
    main()
