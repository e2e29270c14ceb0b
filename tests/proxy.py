"""A TCP proxy in front of PostgreSQL that counts round trips, or cuts them off."""

import socket
import threading
from contextlib import suppress

from sqlalchemy import URL


class CountingProxy:
    """Listens on a port of 127.0.0.1 and passes everything on to a server.

    A round trip begins where the client speaks after the server has: `trips` counts
    them over all connections.
    """

    def __init__(self, server: URL, port: int | None = None):
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", port or 0))
        self._sockets: list[socket.socket] = []
        self._losing = {"statement": 0, "answer": 0}
        self.trips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url: URL) -> URL:
        """The same database, through this proxy."""
        host, port = self._listener.getsockname()
        return url.set(host=host, port=port).difference_update_query(["host", "port"])

    def lose(self, what: str, times: int = 1) -> None:
        """Cut the connection instead of passing on the next `statement` or `answer`.

        A statement whose answer is lost has run.
        """
        self._losing[what] = times

    def close(self) -> None:
        """Stop listening and cut every connection."""
        for each in [self._listener, *self._sockets]:
            _cut(each)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                self._sockets += [client, server]
                turn = {"client": False, "runs": False}
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pass_on, args=(*ends, turn), daemon=True
                    ).start()

    def _connect(self) -> socket.socket:
        folder = self._server.query.get("host")
        if isinstance(folder, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{folder}/.s.PGSQL.{self._server.port or 5432}")
            return server
        return socket.create_connection(
            (self._server.host or "127.0.0.1", self._server.port or 5432)
        )

    def _pass_on(self, source, target, from_client: bool, turn: dict) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                self.trips += from_client and not turn["client"]
                turn["client"] = from_client
                what = "statement" if from_client else "answer"
                if from_client:
                    turn["runs"] = received.startswith(b"Q")
                if turn["runs"] and self._loses(what):
                    _cut(source)
                    _cut(target)
                    return
                target.sendall(received)
            target.shutdown(socket.SHUT_WR)

    def _loses(self, what: str) -> bool:
        if not self._losing[what]:
            return False
        self._losing[what] -= 1
        return True


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
