"""schemathesis: asks what the description of the interface allows and what it forbids, and holds every answer to it.

Two of its checks do not apply. Unknown parameters are ignored on purpose, because clients of PxWebApi send plenty of them; and what
the description calls a text (a code, a period, an expression) may be none that there is, and is refused then.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from raw import World, fail, fetch, run

CHECKS = ["negative_data_rejection", "positive_data_acceptance"]
METHODS = {"get", "post", "put", "delete", "patch"}


def check(world: World) -> None:
    origin = world.api.removesuffix("/api/v2")
    status, document = fetch(f"{origin}/api/openapi.json?lang=en")
    if status != 200 or document["openapi"] != "3.1.0":
        fail(f"the description is {status}, of version {document.get('openapi')}")
    operations = sum(method in METHODS for path in document["paths"].values() for method in path)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if not operation.get("summary") or not operation["responses"]:
                fail(f"{method} {path} says nothing of itself")
    identifiers = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    if len(set(identifiers)) != len(identifiers):
        fail("two operations share an identifier")
    command = [
        Path(sys.executable).parent / "schemathesis",
        "run",
        f"{origin}/api/openapi.json",
        "--phases=examples,coverage,fuzzing",
        "--max-examples=15",
        "--generation-deterministic",
        "--checks=all",
        f"--exclude-checks={','.join(CHECKS)}",
        "--request-timeout=60",
        "--no-color",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=world.releases.parent)
    tested = re.search(r"Tested: (\d+)", done.stdout)
    made = re.search(r"(\d+) generated", done.stdout)
    if done.returncode != 0:
        fail(f"schemathesis:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}")
    # It leaves out the address that it was sent to.
    if not tested or int(tested[1]) < operations - 1 or not made or int(made[1]) < 20 * operations:
        fail(f"of {operations} operations too few were tried:\n{done.stdout[-3000:]}")
    print(json.dumps({"operations": operations, "requests": int(made[1])}))
    print("no answer is an error of the service, and all are as described")


run(check)
