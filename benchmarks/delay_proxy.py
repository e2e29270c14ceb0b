"""A proxy that puts time between a service and its database.

    python -m benchmarks.delay_proxy PORT MILLISECONDS HOST PORT_OF_SERVER

Half of the delay each way. What arrives waits in a queue until its moment has come and
is then passed on: so throughput is not limited. A HOST with a `/` is the folder of a
Unix socket.
"""

import asyncio
import selectors
import sys
from contextlib import closing, suppress

CHUNK_BYTES = 65536
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def serve(port: int, seconds: float, host: str, server_port: int) -> None:
    """Listen on a port of 127.0.0.1 for ever."""

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with closing(writer), suppress(OSError):
            there, back = await connect(host, server_port)
            with closing(back):
                await asyncio.wait(
                    [
                        asyncio.create_task(pass_on((reader, back), seconds / 2)),
                        asyncio.create_task(pass_on((there, writer), seconds / 2)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )

    async with await asyncio.start_server(accept, "127.0.0.1", port) as listener:
        await listener.serve_forever()


async def connect(host: str, port: int) -> Pipe:
    """A connection to the server."""
    if "/" in host:
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


async def pass_on(pipe: Pipe, seconds: float) -> None:
    """Pass on what comes, each part when it is that many seconds old."""
    source, target = pipe
    clock = asyncio.get_running_loop().time
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    reading = asyncio.create_task(receive(source, waiting, seconds))
    with suppress(OSError):
        moment, part = await waiting.get()
        while part:
            await asyncio.sleep(moment - clock())
            target.write(part)
            await target.drain()
            moment, part = await waiting.get()
    reading.cancel()


async def receive(
    source: asyncio.StreamReader, waiting: asyncio.Queue, seconds: float
) -> None:
    """Note for each part that comes when to pass it on. An empty one is the end."""
    clock = asyncio.get_running_loop().time
    with suppress(OSError):
        while part := await source.read(CHUNK_BYTES):
            waiting.put_nowait((clock() + seconds, part))
    waiting.put_nowait((clock() + seconds, b""))


def make_loop() -> asyncio.AbstractEventLoop:
    """A loop whose clock is fine enough: the usual one sleeps whole milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def main() -> None:
    """Serve as the command line says."""
    port, milliseconds, host, server_port = sys.argv[1:]
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(serve(int(port), float(milliseconds) / 1e3, host, int(server_port)))


if __name__ == "__main__":
    main()
