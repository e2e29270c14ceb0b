"""A flood: many connections that send one request again and again.

    python -m tests.flood PORT CONNECTIONS

The request is a line of standard input, with escapes. This is a process of its own, so
that it takes no time from the clients that are measured. It says when it has begun, and
ends with its standard input, after the last answers. A connection that is refused sends
again after a tenth of the seconds that `Retry-After` asks for: with no pause, two cores
would be busy with this process and with HTTP, and not with searches.
"""

import asyncio
import sys

PATIENCE = 0.1


async def repeat(port: int, request: bytes, end: asyncio.Event) -> None:
    """Send the request, read the answer, and begin again, until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not end.is_set():
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(field(head, b"content-length")))
        await asyncio.sleep(PATIENCE * float(field(head, b"retry-after") or 0))
    writer.close()


def field(head: bytes, name: bytes) -> bytes:
    """The value of a field in an answer's head; nothing if it is not there."""
    return head.lower().partition(b"\r\n%s: " % name)[2].partition(b"\r\n")[0]


async def flood(port: int, connections: int, request: bytes) -> None:
    """Keep the connections busy until standard input ends."""
    end = asyncio.Event()
    senders = [repeat(port, request, end) for _ in range(connections)]
    flooding = asyncio.gather(*senders)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    end.set()
    await flooding


if __name__ == "__main__":
    port, connections = map(int, sys.argv[1:])
    line = sys.stdin.readline().rstrip("\n")
    asyncio.run(
        flood(port, connections, line.encode().decode("unicode_escape").encode())
    )
