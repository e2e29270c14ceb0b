"""Entity tags: what a client has seen, and what it demands (RFC 9110, 8.8.3, 13.1).

A task's is its `version`; a list's is made of the user's counter, the purge mark and a
fingerprint of user and query. Proxies that compress rewrite tags: `W/` and their
suffixes are ignored.
"""

import re

from flask import abort, request

TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
SUFFIX = re.compile(r"-(gzip|br|zstd|deflate)$")
HIGHEST_VERSION = 2**63 - 1


def demanded_versions() -> list[int] | None:
    """The versions that `If-Match` allows; None where any will do; 400 for garbage."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    if not _is_list(header):
        abort(400, 'If-Match must be *, or a list of entity tags like "7".')
    return [int(tag) for tag in _tags(header) if _is_version(tag)]


def seen(etag: str) -> bool:
    """Whether `If-None-Match` names this tag."""
    header = request.headers.get("If-None-Match", "")
    return header.strip() == "*" or etag.strip('"') in _tags(header)


def seen_states(fingerprint: str) -> list[str]:
    """The states, as `counter.mark`, of the list tags with this fingerprint."""
    tags = _tags(request.headers.get("If-None-Match", ""))
    pairs = [tag.partition("-") for tag in tags]
    return [state for state, _, mine in pairs if mine == fingerprint]


def of_task(version: int) -> str:
    """A task's tag."""
    return f'"{version}"'


def of_list(state: str, fingerprint: str) -> str:
    """A list's tag."""
    return f'"{state}-{fingerprint}"'


def _tags(header: str) -> list[str]:
    return [SUFFIX.sub("", tag) for tag in TAG.findall(header)]


def _is_list(header: str) -> bool:
    """Whether it is tags with commas between them, and nothing else."""
    around = TAG.sub("\0", header).split("\0")
    blank = all(set(rest) <= set(" \t,") for rest in around)
    return len(around) > 1 and blank and all("," in rest for rest in around[1:-1])


def _is_version(tag: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,18}", tag) is not None and (
        int(tag) <= HIGHEST_VERSION
    )
