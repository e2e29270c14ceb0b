"""The addresses that answers carry: `Location` and `Link`."""

from urllib.parse import quote, urlencode

from flask import request

from todo_service.web import query_strings


def below_here(name: str) -> str:
    """The path of an item of the list that the request was sent to."""
    return f"{_here()}/{name}"


def beside_here(name: str) -> str:
    """The path of an item that stands where the request's own path does."""
    return f"{_here().rpartition('/')[0]}/{name}"


def to_next_page(cursor: str) -> str:
    """The `Link` header's value: the same query, from the cursor on (RFC 8288)."""
    asked = query_strings.pairs()
    kept = [pair for pair in asked if pair[0] not in ("cursor", "offset")]
    return f'<{_here()}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'


def _here() -> str:
    return quote(f"{request.root_path}{request.path.removesuffix('/')}")
