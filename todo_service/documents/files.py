"""Files that are the same for every client: kept in memory, compressed once."""

import gzip
from functools import cached_property
from hashlib import sha256

from flask import Response

from todo_service.web import compression, entity_tags

# A file is compressed once, so this may take longer than an answer's compression.
LEVEL = 9


class File:
    """The bytes of a file, and what clients need to keep a copy."""

    def __init__(self, raw: bytes, kind: str, cache_control: str = "no-cache"):
        self.raw = raw
        self.digest = sha256(raw).hexdigest()[:24]
        self._kind = kind
        self._headers = {"ETag": f'"{self.digest}"', "Cache-Control": cache_control}

    def answer(self) -> Response:
        """The file; 304 if the client has it already."""
        if entity_tags.seen(self._headers["ETag"]):
            return Response(status=304, headers=self._headers)
        if not compression.accepts_gzip():
            return Response(self.raw, mimetype=self._kind, headers=self._headers)
        headers = {**self._headers, "Content-Encoding": "gzip"}
        return Response(self._packed, mimetype=self._kind, headers=headers)

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self.raw, LEVEL, mtime=0)
