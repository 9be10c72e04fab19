"""Named queries: every number of theirs worked out again from raw answers."""

import csv
import io
import urllib.request
from typing import Any, Callable

import pyarrow.ipc
import pyarrow.parquet

from raw import PERIODS, Cell, Cube, World, fail, fetch, read, run

# A cell, or what is made of cells: a number, or why there is none.
Number = tuple[float | None, str | None]

BEFORE, NOW = PERIODS


def of(cell: Cell) -> Number:
    return cell.value, cell.mark


def worst(*marks: str | None) -> str | None:
    return next((mark for mark in ("x", "c", "z") if mark in marks), None)


def total(*parts: Number) -> Number:
    """A sum; one withheld part withholds it, parts that cannot exist add nothing."""
    marks = {mark for _, mark in parts}
    for mark in ("x", "c"):
        if mark in marks:
            return None, mark
    numbers = [value for value, _ in parts if value is not None]
    return (sum(numbers), None) if numbers else (None, "z")


def percent(part: Number, whole: Number) -> Number:
    mark = worst(part[1], whole[1])
    if mark is None and whole[0] == 0:
        mark = "z"
    return (None, mark) if mark else (100 * part[0] / whole[0], None)


def difference(a: Number, b: Number) -> Number:
    mark = worst(a[1], b[1])
    return (None, mark) if mark else (a[0] - b[0], None)


def ask(world: World, name: str, **given: str) -> dict[str, Any]:
    address = f"{world.api}/queries/{name}/data?" + "&".join(f"{key}={value}" for key, value in given.items())
    status, document = fetch(address)
    if status != 200:
        fail(f"{name}: {status} {document}")
    return document


def compare(name: str, document: dict[str, Any], expected: Callable[[str], dict[str, Number]], keys: list[str] | None, by: str = "region") -> None:
    """Holds every row to what is expected of its code; with `keys` the rows must be exactly these."""
    names = [column["name"] for column in document["columns"]]
    rows = [dict(zip(names, row)) for row in document["rows"]]
    if keys is not None and sorted(row[by] for row in rows) != sorted(keys):
        fail(f"{name}: rows {[row[by] for row in rows]}, expected {keys}")
    compared = withheld = 0
    for row in rows:
        for column, (value, mark) in expected(row[by]).items():
            seen, seen_mark = row[column], row[column + "_status"]
            close = seen is None if value is None else seen is not None and abs(seen - value) <= 0.00501 * (value != int(value))
            if not close or seen_mark != mark:
                fail(f"{name}: {row[by]} has {column} {seen} ({seen_mark}), expected {value} ({mark})")
            compared += 1
            withheld += mark == "c"
    if compared == 0:
        fail(f"{name} gives no rows")
    print(f"{name}: {compared} cells agree, {withheld} of them withheld")


def below(cube: Cube, region: str) -> list[str]:
    return cube.document["dimension"]["Region"]["category"].get("child", {}).get(region, [])


def tax(world: World, regency: str) -> None:
    chosen = {"Region": ["*"], "Sex": ["*"], "Age": ["T", "Y15T64"], "Occupation": ["*"], "ContentsCode": ["top(1)"], "Tid": PERIODS}
    labour = read(world.api, "labour", chosen)

    def at(region: str, age: str, occupation: str, period: str, sex: str = "T") -> Number:
        return of(labour.at(Region=region, Age=age, Occupation=occupation, Tid=period, Sex=sex))

    def ages(region: str) -> dict[str, Number]:
        people, productive, active = (at(region, *cell, NOW) for cell in (("T", "T"), ("Y15T64", "T"), ("Y15T64", "ACTIVE")))
        return {
            "people": people,
            "productive": productive,
            "productive_share": percent(productive, people),
            "active": active,
            "active_share": percent(active, productive),
        }

    compare("tax-productive-age", ask(world, "tax-productive-age", region=regency), ages, below(labour, regency))

    def change(region: str) -> dict[str, Number]:
        productive, before = at(region, "Y15T64", "T", NOW), at(region, "Y15T64", "T", BEFORE)
        active, active_before = at(region, "Y15T64", "ACTIVE", NOW), at(region, "Y15T64", "ACTIVE", BEFORE)
        return {
            "before_productive": before,
            "productive": productive,
            "change": difference(productive, before),
            "growth": percent(difference(productive, before), before),
            "before_active": active_before,
            "active": active,
            "active_growth": percent(difference(active, active_before), active_before),
        }

    compare("tax-change", ask(world, "tax-change", region=regency, period=NOW, before=BEFORE), change, below(labour, regency))

    groups = [code for code in labour.labels["Occupation"] if code not in ("T", "ACTIVE", "INACTIVE")]

    def occupations(code: str) -> dict[str, Number]:
        people = at(regency, "Y15T64", code, NOW)
        return {
            "people": people,
            "share": percent(people, at(regency, "Y15T64", "T", NOW)),
            "men": at(regency, "Y15T64", code, NOW, "L"),
            "women": at(regency, "Y15T64", code, NOW, "P"),
        }

    compare("tax-occupations", ask(world, "tax-occupations", region=regency), occupations, groups, by="occupation")

    population = read(world.api, "population", {"Region": ["*"], "Age": ["T", "Y15T64"], "ContentsCode": ["top(1)"], "Tid": [NOW]})

    def ranked(region: str) -> dict[str, Number]:
        productive = of(population.at(Region=region, Age="Y15T64"))
        return {"productive": productive, "productive_share": percent(productive, of(population.at(Region=region, Age="T")))}

    document = ask(world, "tax-ranking", top="1000")
    compare("tax-ranking", document, ranked, None)
    numbers = [row[3] for row in document["rows"]]
    published = [number for number in numbers if number is not None]
    if published != sorted(published, reverse=True) or None in numbers[: len(published)]:
        fail(f"tax-ranking is in the order {numbers}")
    if [row[0] for row in document["rows"]][: len(published)] != [1 + sum(other > number for other in published) for number in published]:
        fail("tax-ranking has other ranks than its numbers")
    if len(ask(world, "tax-ranking", top="2")["rows"]) != 2:
        fail("tax-ranking gives more rows than asked for")


def bank(world: World) -> None:
    chosen = {"Region": ["*"], "Age": ["*"], "Occupation": ["*"], "MaritalStatus": ["*"], "ContentsCode": ["top(1)"], "Tid": PERIODS}
    market = read(world.api, "market", chosen)
    for age, occupation, marital in [("Y15T64", "ACTIVE", "T"), ("Y30T44", "TRADE", "M"), ("Y45T64", "STATE", "W")]:

        def finder(region: str) -> dict[str, Number]:
            def at(age: str, occupation: str, marital: str, period: str) -> Number:
                return of(market.at(Region=region, Age=age, Occupation=occupation, MaritalStatus=marital, Tid=period))

            now, before = (at(age, occupation, marital, period) for period in (NOW, BEFORE))
            return {
                "people": now,
                "share": percent(now, at("T", "T", "T", NOW)),
                "before": before,
                "growth": percent(difference(now, before), before),
            }

        document = ask(world, "bank-market", age=age, occupation=occupation, marital=marital, top="10000")
        compare(f"bank-market, {occupation}", document, finder, None)


def health(world: World) -> None:
    ages = ["Y0", "Y1", "Y2", "Y3", "Y4", "Y15T29", "Y30T44", "Y45T49", "Y60T64", "Y_GE65"]
    cube = read(world.api, "population-single-age", {"Region": ["*"], "Sex": ["*"], "Age": ages, "ContentsCode": ["top(1)"], "Tid": [NOW]})

    def targets(region: str) -> dict[str, Number]:
        def people(sex: str, *ages: str) -> Number:
            return total(*(of(cube.at(Region=region, Sex=sex, Age=age)) for age in ages))

        return {
            "under_1": people("T", "Y0"),
            "aged_1_to_4": people("T", "Y1", "Y2", "Y3", "Y4"),
            "women_15_to_49": people("P", "Y15T29", "Y30T44", "Y45T49"),
            "aged_60_and_over": people("T", "Y60T64", "Y_GE65"),
        }

    compare("health-targets", ask(world, "health-targets"), targets, None)

    people = read(world.api, "population", {"Region": ["*"], "Sex": ["*"], "Age": ["*"], "ContentsCode": ["top(1)"], "Tid": [NOW]})
    document = ask(world, "health-ages")
    region = document["parameters"]["region"]

    def ages(code: str) -> dict[str, Number]:
        men, women = (of(people.at(Region=region, Sex=sex, Age=code)) for sex in ("L", "P"))
        return {"men": men, "women": women, "sex_ratio": percent(men, women)}

    groups = [code for code in people.labels["Age"] if not people.document["dimension"]["Age"]["category"].get("child", {}).get(code)]
    compare("health-ages", document, ages, groups, by="age")
    if [row[0] for row in document["rows"]] != groups:
        fail(f"health-ages is not from the youngest up: {document['rows']}")


def registry(world: World, regency: str) -> None:
    chosen = {"Region": ["*"], "ContentsCode": ["top(1)"], "Tid": [NOW]}
    population = read(world.api, "population", chosen | {"Sex": ["*"], "Age": ["T"]})
    households = read(world.api, "households", chosen)
    marital = read(world.api, "marital", chosen | {"Sex": ["T"], "MaritalStatus": ["*"]})

    def book(region: str) -> dict[str, Number]:
        men, women = (of(population.at(Region=region, Sex=sex)) for sex in ("L", "P"))
        statuses = {"never_married": "S", "married": "M", "divorced": "D", "widowed": "W"}
        return {
            "people": of(population.at(Region=region, Sex="T")),
            "men": men,
            "women": women,
            "sex_ratio": percent(men, women),
            "households": of(households.at(Region=region)),
        } | {column: of(marital.at(Region=region, MaritalStatus=code)) for column, code in statuses.items()}

    compare("registry-book", ask(world, "registry-book", region=regency), book, below(population, regency))

    both = {"Region": [regency], "ContentsCode": ["top(1)"], "Tid": PERIODS}
    people = read(world.api, "population", both | {"Sex": ["*"], "Age": ["T"]})
    families = read(world.api, "households", both)

    def development(period: str) -> dict[str, Number]:
        everyone, men, women = (of(people.at(Sex=sex, Tid=period)) for sex in ("T", "L", "P"))
        before = of(people.at(Sex="T", Tid=BEFORE)) if period == NOW else (None, "x")
        growth = percent(difference(everyone, before), before)
        return {"people": everyone, "growth": growth, "men": men, "women": women, "households": of(families.at(Tid=period))}

    compare("registry-development", ask(world, "registry-development", region=regency), development, PERIODS, by="period")


def formats(world: World, regency: str) -> None:
    """The same rows in every format."""
    document = ask(world, "tax-productive-age", region=regency, lang="en")
    names = [column["name"] for column in document["columns"]]
    rows = document["rows"]
    address = f"{world.api}/queries/tax-productive-age/data?region={regency}&lang=en&outputFormat="

    def load(name: str) -> bytes:
        with urllib.request.urlopen(address + name, timeout=60) as answer:
            return answer.read()

    lines = list(csv.reader(io.StringIO(load("csv").decode())))
    plain = [["" if value is None else value if isinstance(value, str) else float(value) for value in row] for row in rows]
    seen = [[float(cell) if isinstance(value, float) else cell for cell, value in zip(line, row)] for line, row in zip(lines[1:], plain)]
    if lines[0] != names or seen != plain:
        fail(f"CSV differs: {lines[:2]}")
    for name, table in [
        ("parquet", pyarrow.parquet.read_table(io.BytesIO(load("parquet")))),
        ("arrow", pyarrow.ipc.open_file(load("arrow")).read_all()),
    ]:
        if table.column_names != names or [list(row.values()) for row in table.to_pylist()] != rows:
            fail(f"{name} differs from JSON: {table.slice(0, 1).to_pylist()}")
        if table.schema.metadata[b"query"] != b"tax-productive-age" or not table.schema.field("people").metadata[b"label"]:
            fail(f"{name} does not say what it holds: {table.schema.metadata}")
    print("named queries: all formats agree")


def check(world: World) -> None:
    status, listed = fetch(f"{world.api}/queries?lang=en")
    expected = [
        "bank-market",
        "health-ages",
        "health-targets",
        "registry-book",
        "registry-development",
        "tax-change",
        "tax-occupations",
        "tax-productive-age",
        "tax-ranking",
    ]
    if status != 200 or [query["name"] for query in listed["queries"]] != expected:
        fail(f"queries: {status} {listed}")
    status, described = fetch(f"{world.api}/queries/tax-change")
    regency = next(parameter for parameter in described["parameters"] if parameter["name"] == "region")["default"]
    tax(world, regency)
    bank(world)
    health(world)
    registry(world, regency)
    formats(world, regency)


run(check)
