"""A flood: many connections that send one request again and again.

    python -m tests.flood PORT CONNECTIONS < request

A process of its own, so that it takes no time from the clients that are measured. It
runs until its standard input ends, and then waits for no answer.
"""

import asyncio
import sys


async def repeat(port: int, request: bytes) -> None:
    """Send the request, read the answer, and begin again."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(content_length(head))
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()


def content_length(head: bytes) -> int:
    """The length of the body that follows an answer's head."""
    return int(head.lower().partition(b"content-length: ")[2].split()[0])


async def flood(port: int, connections: int, request: bytes) -> None:
    """Keep the connections busy until standard input ends."""
    senders = [asyncio.create_task(repeat(port, request)) for _ in range(connections)]
    await asyncio.to_thread(sys.stdin.buffer.read)
    for each in senders:
        each.cancel()


if __name__ == "__main__":
    port, connections = map(int, sys.argv[1:])
    line = sys.stdin.buffer.readline()
    asyncio.run(flood(port, connections, line.decode("unicode_escape").encode()))
