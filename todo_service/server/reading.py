"""How the bytes of one client are read: a head without waiting, a body in time."""

import os
import time

from gunicorn.http.errors import LimitRequestHeaders, NoMoreData
from gunicorn.http.unreader import SocketUnreader

# A head has this long from its first byte to its last.
HEAD_SECONDS = 5
# A body has this long. The largest one then needs 7 kB a second.
BODY_SECONDS = 20
# The rest of a body that nobody read has this long, or the connection ends.
REST_SECONDS = 0.3
# An answer has this long.
SEND_SECONDS = 30

# More than the largest head that gunicorn.conf.py allows: a request line and fields. A
# larger one is refused unread: gunicorn would copy it anew for every 8 KiB that come.
HEAD_BYTES = 80 * 1024
# gunicorn refuses lines without CR. They end a head so that it does so at once.
EMPTY_LINES = (b"\n\r\n", b"\n\n")


class Reader(SocketUnreader):
    """What a connection brings. The loop collects a head; a thread reads a body."""

    deadline = 0.0
    too_large = False

    def collect(self) -> bool:
        """Take what has arrived, and do not wait. True if a thread can go on.

        It can if the head is whole or too large, or if nothing more will come.
        """
        self.sock.setblocking(False)
        try:
            received = self.sock.recv(self.mxchunk)
        except BlockingIOError:
            received = None
        except OSError:
            received = b""
        self.allow(HEAD_SECONDS)
        self.buf.seek(0, os.SEEK_END)
        self.buf.write(received or b"")
        held = self.buf.getvalue()
        whole = any(line in held for line in EMPTY_LINES)
        self.too_large = len(held) > HEAD_BYTES and not whole
        return whole or self.too_large or received == b""

    def allow(self, seconds: float) -> None:
        """Let a thread wait this long from now on, all its reads together."""
        self.deadline = time.monotonic() + seconds

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What comes next. Raises `NoMoreData` once the deadline has passed.

        Raises `LimitRequestHeaders` if what has come is too large for a head.
        """
        if self.too_large:
            raise LimitRequestHeaders("the head is too large")
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise NoMoreData
        self.sock.settimeout(left)
        try:
            return super().chunk(size_hint)
        except TimeoutError:
            raise NoMoreData from None
        finally:
            self.sock.settimeout(SEND_SECONDS)
