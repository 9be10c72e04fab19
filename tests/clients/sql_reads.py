"""psycopg and SQLAlchemy over the port for clients of PostgreSQL: the same cells as the raw interface, and nothing but reading."""

import os
from typing import Any, Iterable, Iterator

import psycopg
import sqlalchemy
from psycopg import ClientCursor, errors
from psycopg.rows import tuple_row

from raw import PERIODS, Cell, Cube, Key, World, agree, fail, read, run, tells_something

# Tables with the axes in order: their columns in SQL and their variables in the interface.
TABLES = {
    "marital": [("region", "Region"), ("sex", "Sex"), ("marital", "MaritalStatus")],
    "households": [("region", "Region"), ("household_size", "HouseholdSize")],
    "religion": [("region", "Region"), ("sex", "Sex"), ("religion", "Religion")],
}


def everything(world: World, table: str) -> Cube:
    chosen = {variable: ["*"] for _, variable in TABLES[table]}
    return tells_something(read(world.api, table, chosen | {"ContentsCode": ["top(1)"], "Tid": PERIODS}))


def cells(cube: Cube, table: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Key, Cell]]:
    """Rows of period, codes, value, status as cells of the answer."""
    measure = next(iter(cube.labels["ContentsCode"]))
    names = [variable for _, variable in TABLES[table]]
    for period, *codes, value, status in rows:
        if (value is None) == (status is None):
            fail(f"{table}: {codes} has the value {value} and the status {status}")
        found = dict(zip(names, codes)) | {"ContentsCode": measure, "Tid": period}
        yield tuple(found[variable] for variable in cube.variables), Cell(value, status)


def statement(table: str) -> str:
    columns = ", ".join(column for column, _ in TABLES[table])
    return f"SELECT period, {columns}, value, status FROM {table}"


def refused(connection: psycopg.Connection, text: str, *states: str) -> None:
    try:
        connection.execute(text)
    except psycopg.Error as error:
        if error.sqlstate not in states:
            fail(f"{text!r} was refused with {error.sqlstate}: {error}")
    else:
        fail(f"{text!r} was not refused")


def simple(world: World, address: str) -> None:
    with psycopg.connect(address, autocommit=True, cursor_factory=ClientCursor) as connection:
        for table in TABLES:
            cube = everything(world, table)
            rows = connection.execute(statement(table)).fetchall()
            agree(f"psycopg, simple, {table}", cube, cells(cube, table, rows), marks=True)
        several = connection.execute("SELECT 1; SELECT 2")
        if [several.fetchone(), several.nextset() and several.fetchone()] != [(1,), (2,)]:
            fail("several statements in one text have not several results")
        if connection.execute("SHOW transaction_isolation").fetchone() != ("read committed",):
            fail("SHOW transaction_isolation")


def extended(world: World, address: str) -> None:
    with psycopg.connect(address) as connection:
        for table in TABLES:
            cube = everything(world, table)
            for binary in (False, True):
                rows: list[tuple[Any, ...]] = []
                for period in PERIODS:
                    cursor = connection.cursor(binary=binary, row_factory=tuple_row)
                    rows += cursor.execute(statement(table) + " WHERE period = %s", [period], prepare=True).fetchall()
                agree(f"psycopg, {'binary' if binary else 'text'}, {table}", cube, cells(cube, table, rows), marks=True)
        cube = everything(world, "marital")
        wanted = {value for value in (cell.value for cell in cube.cells.values()) if value is not None and value > 500}
        found = {row[0] for row in connection.execute("SELECT value FROM marital WHERE value > %s", [500]).fetchall()}
        if found != wanted:
            fail(f"a condition on numbers finds {len(found)} values, {len(wanted)} are there")
        injected = "x' OR '1'='1"
        if connection.execute("SELECT * FROM marital WHERE region = %s", [injected]).fetchall():
            fail("a parameter became part of the statement")
        # A transaction in which a statement failed takes no more of them.
        try:
            connection.execute("SELECT nothing FROM marital")
        except errors.UndefinedColumn:
            pass
        refused(connection, "SELECT 1", "25P02")
        connection.rollback()
        for row in connection.cursor().stream("SELECT region, value FROM marital WHERE region_level = 'village' LIMIT 50"):
            if len(row) != 2:
                fail(f"a streamed row is {row}")


def reading_only(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for text in [
            "INSERT INTO marital VALUES (1)",
            "UPDATE marital SET value = 1",
            "DELETE FROM marital",
            "DROP TABLE marital",
            "CREATE TABLE t (a INT)",
            "CREATE TABLE t AS SELECT 1",
            "CREATE VIEW v AS SELECT 1",
            "COPY marital TO '/tmp/stolen.csv'",
            "COPY (SELECT 1) TO '/tmp/stolen.parquet'",
            "TRUNCATE TABLE marital",
        ]:
            refused(connection, text, "25006", "0A000", "42601")
        refused(connection, "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "25006", "0A000", "42601")
        refused(connection, "EXPLAIN ANALYZE SELECT * FROM marital", "25006", "0A000")
        refused(connection, "SELECT * FROM '/etc/passwd'", "42P01", "42601")
        refused(connection, "SELECT pg_read_file('/etc/passwd')", "42883", "42601")
        refused(connection, "SELECT repeat('x', 1000000000)", "42883", "42601")
        refused(connection, "SET datafusion.execution.batch_size = 1", "42704")
        refused(connection, "SET transaction_read_only = off", "25006")
        if connection.execute("SELECT 1").fetchone() != (1,):
            fail("a connection is of no use after errors")


def introspection(address: str) -> None:
    engine = sqlalchemy.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    inspector = sqlalchemy.inspect(engine)
    if inspector.default_schema_name != "cacah" or "cacah" not in inspector.get_schema_names():
        fail(f"SQLAlchemy sees the schemas {inspector.get_schema_names()}, by default {inspector.default_schema_name}")
    tables = set(inspector.get_table_names())
    if not {"population", "population_single_age", "dim_region", *TABLES} <= tables:
        fail(f"SQLAlchemy sees the tables {sorted(tables)}")
    columns = {column["name"]: column["type"] for column in inspector.get_columns("marital")}
    expected = ["period", "region", "region_label", "region_label_en", "region_level", "region_parent", "value", "status"]
    if not set(expected) <= set(columns) or not isinstance(columns["value"], sqlalchemy.BigInteger):
        fail(f"SQLAlchemy sees the columns {columns}")
    if not isinstance(columns["region"], (sqlalchemy.Text, sqlalchemy.String)):
        fail(f"SQLAlchemy takes region for {columns['region']!r}")
    marital = sqlalchemy.table("marital", *(sqlalchemy.column(name, kind) for name, kind in columns.items()))
    reflected = sqlalchemy.Table("marital", sqlalchemy.MetaData(), autoload_with=engine)
    if set(reflected.columns.keys()) != set(columns):
        fail(f"SQLAlchemy reflects the columns {reflected.columns.keys()}")
    asked = (
        sqlalchemy.select(marital.c.region, marital.c.value)
        .where(marital.c.region_level == "regency", marital.c.period == "2024-S1", marital.c.sex == "T", marital.c.marital == "T")
        .order_by(marital.c.value.desc())
        .limit(3)
    )
    with engine.connect() as connection:
        rows = connection.execute(asked).all()
    if len(rows) < 2 or rows != sorted(rows, key=lambda row: -row[1]):
        fail(f"SQLAlchemy reads {rows}")
    # What DBeaver, Metabase and others ask before they show a table.
    with psycopg.connect(address, autocommit=True) as connection:
        for text, least in [
            ("SELECT version()", 1),
            ("SELECT current_schema(), current_database(), session_user", 1),
            ("SHOW search_path", 1),
            ("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = 'cacah'", 1),
            (
                "SELECT c.relname, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = 'cacah' AND c.relkind IN ('r', 'v')",
                12,
            ),
            (
                "SELECT a.attname, t.typname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
                "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE c.relname = 'marital' AND a.attnum > 0 ORDER BY a.attnum",
                15,
            ),
            ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'cacah'", 13),
            (
                "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'cacah' AND table_name = 'marital'",
                15,
            ),
            ("SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid", 1),
        ]:
            found = len(connection.execute(text).fetchall())
            if found < least:
                fail(f"{text!r} finds {found} rows, at least {least} are there")
    print("SQLAlchemy and questions of other programs: answered")


def check(world: World) -> None:
    address = os.environ["CACAH_TEST_SQL"]
    simple(world, address)
    extended(world, address)
    reading_only(address)
    introspection(address)


run(check)
