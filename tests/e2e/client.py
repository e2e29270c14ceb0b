"""HTTP as a client in another process speaks it: a socket a request, JSON both ways."""

import json
from contextlib import closing
from dataclasses import dataclass
from functools import partialmethod
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    json: Any


class Client:
    """Sends requests below a URL, with a token if it has one."""

    def __init__(self, url: str, *, token: str = ""):
        self.token = token
        self._address = urlsplit(url)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str = "", body: Any = None) -> Answer:
        """The answer to one request; a body is sent as JSON."""
        sent = None if body is None else json.dumps(body)
        connection = HTTPConnection(self._address.netloc, timeout=10)
        with closing(connection):
            connection.request(method, self._address.path + path, sent, self._headers)
            response = connection.getresponse()
            received = json.loads(response.read() or "null")
            return Answer(response.status, response.headers, received)

    get = partialmethod(send, "GET")
    post = partialmethod(send, "POST")
    put = partialmethod(send, "PUT")
    patch = partialmethod(send, "PATCH")
    delete = partialmethod(send, "DELETE")
