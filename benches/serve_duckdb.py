"""DuckDB behind a minimal HTTP server: python serve_duckdb.py PARQUET PORT

GET /?region=CODE answers with the cells of one region, at the total of occupations, as JSON. The file is read into memory first,
because that is faster than reading it for every request.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import duckdb

QUERY = "SELECT Sex, Age, value, status FROM labour WHERE Region = ? AND Occupation = 'T'"

database = duckdb.connect()
database.execute(f"CREATE TABLE labour AS SELECT * FROM read_parquet('{sys.argv[1]}')")
local = threading.local()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not hasattr(local, "cursor"):
            local.cursor = database.cursor()
        region = parse_qs(urlsplit(self.path).query)["region"][0]
        body = json.dumps(local.cursor.execute(QUERY, [region]).fetchall()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # The load has ended.
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
