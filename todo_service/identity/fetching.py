"""Fetches a document from a server that may be slow, endless or hostile."""

import ipaddress
from http import HTTPStatus
from http.client import HTTPMessage, HTTPResponse
from typing import IO
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from todo_service.identity import deadlines
from todo_service.settings import urls

HEADERS = {"Accept": "application/json", "User-Agent": "todo-service"}
LIMIT_BYTES = 512 * 1024


def fetch(url: str, *, seconds: float) -> bytes:
    """The body of a 200 answer of at most 512 KiB, within these seconds in all.

    Follows redirects within the origin. Raises `OSError`, `ValueError` or
    `HTTPException` for any other answer.
    """
    with deadlines.handlers(seconds) as handlers:
        opener = request.build_opener(
            request.ProxyHandler({} if _is_loopback(url) else None),
            _SameOrigin(),
            *handlers,
        )
        get = request.Request(url, headers=HEADERS)  # noqa: S310 - http(s) by config
        with _open(opener, get, seconds) as response:
            if response.status != HTTPStatus.OK:
                raise ValueError(f"the answer's status is {response.status}")
            return _body(response)


def _open(
    opener: request.OpenerDirector, get: request.Request, seconds: float
) -> HTTPResponse:
    try:
        return opener.open(get, timeout=seconds)
    except HTTPError as error:
        error.close()  # The error holds the open connection.
        raise


def _body(response: HTTPResponse) -> bytes:
    """Reads piece by piece: `read` ignores its limit if a chunk's size is negative."""
    body = b""
    while piece := response.read1(LIMIT_BYTES):
        body += piece
        if len(body) > LIMIT_BYTES:
            raise ValueError(f"the answer is larger than {LIMIT_BYTES} bytes")
    return body


class _SameOrigin(request.HTTPRedirectHandler):
    """Follows redirects within the origin: another server may not publish the keys."""

    def redirect_request(
        self,
        req: request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> request.Request | None:
        fp.close()  # urllib would read the body of the redirect to its end.
        if urls.origin(newurl) != urls.origin(req.full_url):
            raise URLError("redirected to another origin")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
