"""Entity tags: what a client has seen, what it demands (RFC 9110, 8.8.3, 13.1).

The tag of one item is its `version`. The tag of a list is made of the list's state and
of a fingerprint of the user and the query. Proxies that compress rewrite tags: `W/` and
their suffixes are ignored.
"""

import re
from itertools import islice

from flask import abort, request

TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
SUFFIX = re.compile(r"[-:](gzip|br|zstd|deflate)$")
VERSION = re.compile(r"[1-9][0-9]{0,18}")
HIGHEST_VERSION = 2**63 - 1
TAGS_AT_MOST = 20


def demanded_versions() -> list[int] | None:
    """The versions that `If-Match` allows; None where any version will do.

    400 if the header is neither `*` nor a list of at most 20 tags. A tag that is no
    version matches nothing.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    if not _is_list(header):
        abort(400, 'If-Match must be *, or a list of at most 20 entity tags like "7".')
    return [int(tag) for tag in _tags(header) if _is_version(tag)]


def require_absence() -> None:
    """400 unless `If-None-Match` is `*`: create what is not there (RFC 9110, 13.1.2).

    `If-Match` beside it is a 400 too: it asks for what is there.
    """
    header = request.headers.get("If-None-Match", "")
    if header.strip() != "*" or "If-Match" in request.headers:
        abort(400, "If-None-Match must be * here, without If-Match.")


def seen(etag: str) -> bool:
    """True if `If-None-Match` names this tag."""
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    return header.strip() == "*" or etag.strip('"') in _tags(header)


def seen_states(fingerprint: str) -> list[str]:
    """The states in those tags of `If-None-Match` that have this fingerprint."""
    tags = _tags(request.headers.get("If-None-Match", ""))
    pairs = [tag.partition("-") for tag in tags]
    return [state for state, _, mine in pairs if mine == fingerprint]


def of_version(version: int) -> str:
    """The tag of one item."""
    return f'"{version}"'


def of_list(state: str, fingerprint: str) -> str:
    """The tag of a list."""
    return f'"{state}-{fingerprint}"'


def _tags(header: str) -> list[str]:
    """The first 20 tags in a header, without what proxies add."""
    found = islice(TAG.finditer(header), TAGS_AT_MOST)
    return [SUFFIX.sub("", tag[1]) for tag in found]


def _is_list(header: str) -> bool:
    """True if the header is tags with commas between them, and nothing else."""
    around = TAG.sub("\0", header).split("\0")
    blank = all(set(rest) <= set(" \t,") for rest in around)
    separated = all("," in rest for rest in around[1:-1])
    return 1 < len(around) <= TAGS_AT_MOST + 1 and blank and separated


def _is_version(tag: str) -> bool:
    return VERSION.fullmatch(tag) is not None and int(tag) <= HIGHEST_VERSION
