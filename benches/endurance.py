"""The load of endurance.sh, which calls this in a folder where two semesters are counted and the first is released: endurance.py SECONDS

Ordinary clients beside 500 who send or read a byte now and then and two who ask for more than there is, while a semester is published, a damaged
one is laid beside it and taken away again, and the new one is withdrawn.
"""
import atexit
import collections
import http.client
import os
import random
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import psycopg

seconds = float(sys.argv[1])
cacah = os.environ["CACAH"]
PASSWORD = "a password of mine"
WORKERS = 8


def run(*args):
    return subprocess.run([cacah, *args], check=True, capture_output=True, text=True).stdout


def access(*args):
    return run("access", "--database", "access.sqlite", "--releases", "warehouse/releases", *args)


access("add-institution", "BENCH", "--name", "Bench", "--kind", "cooperation", "--agreement", "1", "--from", "2020-01-01", "--to", "2099-01-01")
access("request", "BENCH", "--name", "Bench", "--employee-number", "1", "--position", "Bench", "--local-id", "bench")
user, first, *_ = access("approve", "#1").split()
command = [cacah, "serve", "--releases", "warehouse/releases", "--database", "access.sqlite", "--port", "0", "--sql", "127.0.0.1:0", "--refresh", "2",
           "--trust", "warehouse/confidential/keys/release.pub"]
service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
atexit.register(service.kill)
host = sql = None
while not (host and sql):
    line = service.stdout.readline()
    if not line:
        sys.exit("the service has ended before it began")
    host = host or (re.search(r"http://([0-9.:]+)", line) or [None, None])[1]
    sql = sql or (re.search(r"psql .* -p (\d+)", line) or [None, None])[1]
threading.Thread(target=service.stdout.read, daemon=True).start()


class Client:
    """One connection that is kept, with a key or a session."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(host, timeout=60)

    def ask(self, method, path, headers=(), body=None):
        self.connection.request(method, path, body, dict(headers))
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()


def form(**fields):
    return urllib.parse.urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}


body, headers = form(user=user, password=first, new=PASSWORD, again=PASSWORD)
Client().ask("POST", "/sign-in", headers, body)
key = access("add-key", user, "--name", "bench").splitlines()[0]
bearer = {"Authorization": f"Bearer {key}"}
metadata = Client().ask("GET", "/api/v2/tables/population/metadata?outputFormat=json-stat2", bearer)[2].decode()
regions = re.findall(r'"(\d{4,10})":\d', metadata)
assert len(regions) > 100, metadata[:300]
chance = random.Random(7)


def table(form="json-stat2", region=None):
    name, more = chance.choice([
        ("population", "&valuecodes[Sex]=*&valuecodes[Age]=*"), ("marital", "&valuecodes[Sex]=*&valuecodes[MaritalStatus]=*"),
        ("occupation", "&valuecodes[Sex]=*&valuecodes[Occupation]=*"), ("religion", "&valuecodes[Religion]=*")])
    region = region or chance.choice(regions)
    return f"/api/v2/tables/{name}/data?valuecodes[Region]={region}{more}&valuecodes[Tid]=*&valuecodes[ContentsCode]=persons&outputFormat={form}"


def a_table(client, _):
    return client.ask("GET", table(), bearer)


def an_export(client, _):
    return client.ask("GET", table(chance.choice(["xlsx", "csv", "parquet", "px", "html"]), chance.choice(["34*", "51*"])), bearer)


def a_chart(client, _):
    ending, region = chance.choice(["svg", "png", "pdf"]), chance.choice(regions)
    return client.ask("GET", f"/charts/pyramid.{ending}?table=population&valuecodes[Region]={region}", bearer)


def a_page(client, _):
    paths = ["/", "/tables", "/dashboards", "/dashboards/health-planning", "/queries", f"/regions/{chance.choice(regions)}", "/tables/population"]
    return client.ask("GET", chance.choice(paths), {**bearer, "Accept": "text/html"})


def a_sign_in(client, _):
    body, headers = form(user=user, password=PASSWORD)
    status, head, content = client.ask("POST", "/sign-in", headers, body)
    cookie = (head.get("Set-Cookie") or "").split(";")[0]
    if status != 303 or not cookie:
        return status, head, content
    return client.ask("GET", "/account", {"Cookie": cookie, "Accept": "text/html"})


def a_statement(_, connection):
    text = "SELECT region, sum(value) FROM population WHERE region = %s GROUP BY region LIMIT 5"
    rows = connection.execute(text, (chance.choice(regions),)).fetchall()
    return (200 if rows else 500), {}, b""


KINDS = [(a_table, 60), (an_export, 5), (a_chart, 10), (a_page, 15), (a_statement, 9), (a_sign_in, 1)]
lock = threading.Lock()
times = collections.defaultdict(list)
faults = []
began = time.monotonic()
ends = began + seconds


def work():
    client = Client()
    connection = psycopg.connect(f"host=127.0.0.1 port={sql} user={user} password={key} dbname=cacah", autocommit=True)
    kinds, weights = zip(*KINDS)
    while time.monotonic() < ends:
        kind = chance.choices(kinds, weights)[0]
        # Sign-ins of one address are limited, on purpose.
        if kind is a_sign_in and chance.random() > 0.2:
            continue
        start = time.monotonic()
        try:
            status, _, content = kind(client, connection)
        except Exception as error:  # whatever it is, somebody would have seen it
            status, content = repr(error), b""
            client = Client()
        taken = time.monotonic() - start
        with lock:
            times[kind.__name__].append(taken)
            if status != 200 and not (kind is a_sign_in and status == 429):
                faults.append((kind.__name__, status, content[:200]))


def slow():
    """Half of them never finish their heads, the others do not take their answers; whoever is closed comes again."""
    where = (host.split(":")[0], int(host.split(":")[1]))
    long = f"GET /api/v2/tables/population/data?valuecodes[Region]=*&valuecodes[Sex]=*&valuecodes[Age]=*&valuecodes[Tid]=*&outputFormat=csv&x={{}} HTTP/1.1\r\nhost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
    open_ones = {}
    while time.monotonic() < ends:
        while len(open_ones) < 500:
            connection = socket.create_connection(where)
            reads = len(open_ones) % 2
            connection.sendall(long.format(chance.random()).encode() if reads else b"GET / HTTP/1.1\r\nx: ")
            connection.setblocking(False)
            open_ones[connection] = reads
        for connection, reads in list(open_ones.items()):
            try:
                if reads:
                    gone = bool(select.select([connection], [], [], 0)[0]) and not connection.recv(1)
                else:
                    connection.send(b"x")
                    gone = False
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                connection.close()
                del open_ones[connection]
        time.sleep(0.5)


HOSTILE = [
    "SELECT repeat(region_label, 100000000) FROM population",
    "SELECT array_to_string(make_array(t,t,t,t,t,t,t,t,t,t), '') FROM (SELECT array_to_string(make_array(t,t,t,t,t,t,t,t,t,t), '') AS t FROM (SELECT region_label AS t FROM population) a) b",
    "SELECT string_agg(a.region_label || b.region_label, ',') FROM population a, population b",
    "SELECT count(*) FROM population a, population b, population c",
    "WITH a AS (SELECT region AS t FROM population), b AS (SELECT x.t || y.t AS t FROM a x, a y), c AS (SELECT x.t || y.t AS t FROM b x, b y) SELECT count(DISTINCT t) FROM c",
    "SELECT unnest(array_repeat(region_label, 100000)) FROM population",
    "SELECT sum(value) OVER (PARTITION BY region), lag(region_label) OVER (ORDER BY value) FROM population ORDER BY 1",
    "SELECT lpad(region_label, 1000000) FROM population",
]


def hostile():
    connection = psycopg.connect(f"host=127.0.0.1 port={sql} user={user} password={key} dbname=cacah", autocommit=True)
    while time.monotonic() < ends:
        try:
            connection.execute(chance.choice(HOSTILE)).fetchone()
        except psycopg.Error:
            pass
        if connection.closed:
            connection = psycopg.connect(f"host=127.0.0.1 port={sql} user={user} password={key} dbname=cacah", autocommit=True)


def resident():
    with open(f"/proc/{service.pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024


workers = [threading.Thread(target=work) for _ in range(WORKERS)]
for worker in workers:
    worker.start()
for beside in [slow, hostile, hostile]:
    threading.Thread(target=beside, daemon=True).start()
memory, published, taken_up, damaged, withdrawn, gone = [], None, None, None, None, None
DAMAGED = "warehouse/releases/2024-S2/r2"
while any(worker.is_alive() for worker in workers):
    now = time.monotonic() - began
    memory.append((now, resident()))
    if published is None and now > seconds / 2:
        published = run("release", "2024-S2")
    if published and taken_up is None and b"2024-S2" in Client().ask("GET", "/readyz")[2]:
        taken_up = time.monotonic() - began - seconds / 2
    if damaged is None and now > seconds * 0.6:
        shutil.copytree("warehouse/releases/2024-S2/r1", DAMAGED)
        with open(f"{DAMAGED}/cells/population.parquet", "r+b") as file:
            file.seek(1000)
            file.write(b"damaged")
        damaged = True
    if damaged and now > seconds * 0.7:
        shutil.rmtree(DAMAGED, ignore_errors=True)
    if withdrawn is None and now > seconds * 0.8:
        withdrawn = run("withdraw", "2024-S2", "--reason", "a try")
    if withdrawn and gone is None and b"2024-S2" not in Client().ask("GET", "/readyz")[2]:
        gone = time.monotonic() - began - seconds * 0.8
    time.sleep(min(1, seconds / 60))
service.terminate()
service.wait()

print(f"{'':12}{'requests':>10}{'median ms':>11}{'p99 ms':>9}{'most ms':>9}")
for kind, _ in KINDS:
    taken = sorted(times[kind.__name__]) or [0]
    at = lambda share: taken[min(len(taken) - 1, int(len(taken) * share))] * 1000
    print(f"{kind.__name__:12}{len(taken):10}{at(0.5):11.1f}{at(0.99):9.1f}{taken[-1] * 1000:9.1f}")
print(f"{sum(map(len, times.values())) / seconds:.0f} requests/s for {seconds:.0f} s, {len(faults)} faults")
# Two halves, because there is twice as much to serve in the second one; each without its beginning.
flat = True
for name, begin, end in (("before", 0.2, 0.5), ("after", 0.65, 0.8)):
    part = [size for now, size in memory if begin * seconds <= now < end * seconds]
    early, late = max(part[: len(part) // 2]), max(part[len(part) // 2:])
    flat &= late < early * 1.1 + 16
    print(f"memory {name} the publication: at most {early:.0f} MiB, then {late:.0f} MiB")
print("the new semester was served", f"{taken_up:.1f} s after its publication began" if taken_up else "NEVER")
print("what was withdrawn was served no more", f"{gone:.1f} s after its withdrawal began" if gone else "NEVER")
for fault in faults[:10]:
    print("FAULT:", *fault)
sys.exit(0 if flat and taken_up and gone and not faults else 1)
