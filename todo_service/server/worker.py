"""gunicorn's threaded worker, made safe against clients that keep it waiting.

`gthread` gives a thread to whoever sends a byte, and the thread waits for the rest. Its
loop waits up to 2 s for each client that does not hang up. Here the loop collects heads
and never waits, so a thread gets whole heads only. Each wait for a client has an end.
"""

import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.gthread import TConn, ThreadWorker

from todo_service.server import reading, refusals, writing


class Worker(ThreadWorker):
    """A worker process: a loop that waits for clients, and threads that answer them.

    `keepalived_conns` are the connections that send nothing. `pending_conns` have sent
    half a head, or have their last answer and are expected to hang up.
    """

    @classmethod
    def check_config(cls, cfg: Config, log: Any) -> None:
        """Raises `RuntimeError` for TLS: the loop cannot read it without waiting."""
        if cfg.is_ssl:
            raise RuntimeError("TLS has to end at a proxy in front of this service.")

    def accept(self, listener: socket.socket) -> None:
        """Accept a client. If there are too many, the one that waits longest leaves."""
        super().accept(listener)
        waiting = max(self.pending_conns, self.keepalived_conns, key=len)
        if waiting and self.nr_conns > self.max_keepalived:
            waiting[0].timeout = 0

    def enqueue_req(self, conn: TConn) -> None:
        """Give a request to a thread if its head is there; else wait in the loop."""
        if not conn.initialized:
            conn.init()
            conn.parser.unreader = reading.Reader(conn.sock)
        if conn.parser.unreader.collect():
            super().enqueue_req(conn)
        elif conn.parser.unreader.buf.getvalue():
            self._wait_for_head(conn)
        else:
            readable = partial(self.on_client_socket_readable, conn)
            self._wait(conn, self.keepalived_conns, self.cfg.keepalive, readable)

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """Go on waiting for the head within the same deadline, unless it is there."""
        if conn.parser.unreader.collect():
            super().on_pending_socket_readable(conn, client)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer a request. The client has to send its body, and to read, in time."""
        client = conn.sock
        client.settimeout(reading.SEND_SECONDS)
        conn.parser.unreader.allow(reading.BODY_SECONDS)
        conn.sock = writer = writing.Writer(client)
        try:
            keep = super().handle_request(req, conn)
            writer.send_kept()
            return keep
        except TimeoutError:
            raise NoMoreData from None  # gunicorn would log a traceback
        finally:
            conn.sock = client
            conn.parser.unreader.allow(reading.REST_SECONDS)

    def finish_request(self, conn: TConn, fs: Future) -> None:
        """Keep the connection, or wait in the loop until the client hangs up.

        A connection that is closed at once may take its last answer with it.
        """
        if fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client was quicker
            self._close(conn)
        else:
            readable = partial(self.on_leaving_socket_readable, conn)
            self._wait(conn, self.pending_conns, reading.HEAD_SECONDS, readable)

    def on_leaving_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """Close the connection once the client has; drop what it still sends."""
        with suppress(OSError):
            if client.recv(65536):
                return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self._close(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Begin or cease to accept. A worker that stops answers who has connected."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        # Who connects between the last accept and the close is lost. Between the two
        # this thread must not wait for another one's turn.
        sys.setswitchinterval(1e-5)
        while self.sockets:  # A full worker may come here twice: then none is left.
            listener = self.sockets.pop()
            for _ in range(self.cfg.backlog):
                connections = self.nr_conns
                self.accept(listener)
                if self.nr_conns == connections:
                    break
            listener.close()

    def handle_error(
        self, req: Any, client: socket.socket, addr: Any, exc: Any
    ) -> None:
        """Refuse what is no request in the shape of every error, and not in HTML."""
        client.settimeout(reading.SEND_SECONDS)
        refusals.refuse(client, exc)

    def _wait_for_head(self, conn: TConn) -> None:
        readable = partial(self.on_pending_socket_readable, conn)
        self._wait(conn, self.pending_conns, reading.HEAD_SECONDS, readable)

    def _wait(
        self,
        conn: TConn,
        waiting: deque[TConn],
        seconds: float,
        readable: Callable[[socket.socket], None],
    ) -> None:
        """Wait in the loop until the client sends something, these seconds at most."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + seconds
        waiting.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()
