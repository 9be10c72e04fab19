"""How many requests for cells a client makes."""

from typing import Any

import requests


def count_data_requests(session: requests.Session) -> list[str]:
    """A list that grows by the address of each request for cells from now on."""
    made: list[str] = []
    send = session.send

    def counted(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if request.url and request.url.split("?")[0].endswith("/data"):
            made.append(request.url)
        return send(request, **options)

    session.send = counted
    return made
