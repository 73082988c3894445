"""A client of the reference endpoint: requests over a real socket, and what comes back as exchanges or as bytes."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from chatconform import judging
from chatconform.model import Exchange, Origin, Outcome, Request, Response

KEY = "fake-key-of-a-test-0000"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
_TIMEOUT = 20.0
"""Seconds that end a hang, and nothing else."""
_PLAIN = ssl.create_default_context()
"""Made once, and never used: the endpoint speaks plain HTTP."""


def said(text: str, **members: Any) -> dict[str, Any]:
    """Return the body of a request with one message of a user; `members` are set in it."""
    return {"model": "reference-1", "messages": [{"role": "user", "content": text}], **members}


def post(base_url: str, body: Any, key: str | None = KEY, **headers: str) -> Exchange:
    """Send a chat completion and return the exchange; a body of bytes goes out as it is."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    fields = {"Content-Type": "application/json", **named}
    return exchanged("POST", f"{base_url}/chat/completions", key, content, fields)


def get(url: str, key: str | None = KEY, **headers: str) -> Exchange:
    """Send a GET and return the exchange."""
    return exchanged("GET", url, key, b"", {name.replace("_", "-"): value for name, value in headers.items()})


def exchanged(method: str, url: str, key: str | None, content: bytes, headers: Mapping[str, str]) -> Exchange:
    """Send a request and return the exchange, with the body as it came after the transfer coding."""
    authorized = {} if key is None else {"Authorization": f"Bearer {key}"}
    fields = {"Accept-Encoding": "identity", **authorized, **headers}
    with httpx.Client(timeout=_TIMEOUT, trust_env=False, verify=_PLAIN) as client:
        with client.stream(method, url, content=content, headers=fields) as answer:
            pieces = list(answer.iter_raw())
        raw = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw)
    reads = tuple((index * 20_000 + 210_000, len(piece)) for index, piece in enumerate(pieces))
    response = Response(answer.status_code, raw, b"".join(pieces), "1.1", 200_000, reads)
    sent: Any = content or None
    with suppress(ValueError):
        sent = json.loads(content) if content else None
    request = Request(method, url, tuple(headers.items()), sent)
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return Exchange("test", "reference", request, response, origin=Origin.LIVE, recorded_at=now)


def accused(exchange: Exchange, contract: str | None = None) -> list[str]:
    """Return the ids of the rules that an exchange breaks, as `contract/check`."""
    verdicts = judging.judge([exchange], contract)
    return [f"{each.contract}/{each.check}" for each in verdicts if each.outcome in (Outcome.FAIL, Outcome.ERROR)]


def answer_of(exchange: Exchange) -> Any:
    """Return the JSON of an answer in one piece."""
    assert exchange.response is not None
    return json.loads(exchange.response.body)


def message_of(exchange: Exchange) -> Any:
    """Return the message of the first choice."""
    return answer_of(exchange)["choices"][0]["message"]


def chunks_of(exchange: Exchange) -> list[Any]:
    """Return the JSON of the chunks of a stream."""
    assert exchange.response is not None
    blocks = exchange.response.body.decode().split("\n\n")
    return [json.loads(block.removeprefix("data: ")) for block in blocks if block and block != "data: [DONE]"]


def text_of(exchange: Exchange) -> str:
    """Return the text of the first choice of a stream."""
    choices = [chunk["choices"][0] for chunk in chunks_of(exchange) if chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def connected(base_url: str) -> socket.socket:
    """Return a connection to the endpoint."""
    parts = urlsplit(base_url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_TIMEOUT)


def bare(body: Any, *fields: str) -> bytes:
    """Return the bytes of a request for a chat completion."""
    content = json.dumps(body).encode()
    lines = (
        "POST /v1/chat/completions HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *fields,
        "",
        "",
    )
    return "\r\n".join(lines).encode() + content


def received(connection: socket.socket) -> bytes:
    """Return all that comes until the peer closes, or breaks the connection off."""
    found = bytearray()
    try:
        while piece := connection.recv(65_536):
            found += piece
    except ConnectionResetError:
        found += b"<reset>"
    return bytes(found)


def told(base_url: str, request: bytes) -> bytes:
    """Send bytes, end the sending side, and return all that comes back."""
    with connected(base_url) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return received(connection)
