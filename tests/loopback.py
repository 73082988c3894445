"""A server on 127.0.0.1 that says exactly these bytes, and the client's exchange with it, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from chatconform.capture.transport import Limits, Message, Received, Transport

Answer = Callable[["Connection"], Awaitable[None]]
LIMITS = Limits(total_s=20, idle_s=20, body_bytes=8 * 1024 * 1024)
OK = b"HTTP/1.1 200 OK\r\n"


class Connection:
    """One connection of the server, after a request was read from it."""

    def __init__(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request, self._reader, self._writer = request, reader, writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def pause(self, seconds: float = 0.05) -> None:
        """Say nothing for a while, or until the client has closed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reader.read(1), seconds)

    async def hold(self) -> None:
        """Say nothing until the client has closed."""
        await self._reader.read()

    def finish(self) -> None:
        """Close this side alone."""
        self._writer.write_eof()

    def reset(self) -> None:
        """Close so that the client gets a TCP reset."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class Server:
    """Gives each request the next answer, the last one again and again, and closes. `requests` is what came."""

    def __init__(self, *answers: Answer | Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self.url = ""

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                request = await _request(reader)
                self.requests.append(request)
                answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
                connection = Connection(request, reader, writer)
                if callable(answer):
                    await answer(connection)
                else:
                    for piece in answer:
                        await connection.say(piece)
            finally:
                writer.close()
                await writer.wait_closed()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            server.close()
            await _ended({task for task in asyncio.all_tasks() if task.get_coro().__name__ == "_converse"})


async def _ended(tasks: set[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


def exchange(answer: Answer | Sequence[bytes], limits: Limits = LIMITS, headers: object = ()) -> Received:
    """Return what one request gets from a server that answers so."""

    async def run() -> Received:
        async with Server(answer).running() as server, Transport() as transport:
            return await transport.exchange(Message("POST", f"{server.url}/chat/completions", headers, b"{}"), limits)

    return asyncio.run(run())
