"""What hostile endpoints do, as data: a name, what is sent in one sentence, and how."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from loopback import OK, Connection

MIB = 1024 * 1024
ANSWER, STREAM, TOOLS = (rewrite.body_of(GOOD[name]) for name in ("answer", "stream", "answer.tools"))
JSON, EVENTS = (b"Content-Type: application/json\r\n", b"Content-Type: text/event-stream\r\n")
CHUNKED = b"Transfer-Encoding: chunked\r\n"
Answer = Callable[[Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Hostile:
    """One behaviour; `make` builds its answer. `unasked` answers before it has read the request."""

    name: str
    sends: str
    make: Callable[[], Answer] = field(repr=False, compare=False)
    scenarios: tuple[str, ...] = ("basic", "stream")
    unasked: bool = False


def wants_stream(connection: Connection) -> bool:
    return b'"stream":true' in connection.request


def said(*pieces: bytes) -> Answer:
    """Say these bytes and close."""

    async def answer(connection: Connection) -> None:
        for piece in pieces:
            await connection.say(piece)

    return answer


def whole(body: bytes, fields: bytes = b"", status: bytes = OK) -> bytes:
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (status, fields or JSON, len(body), body)


def good(connection: Connection) -> bytes:
    """Return the bytes of a good answer to what was asked."""
    return whole(STREAM, EVENTS) if wants_stream(connection) else whole(ANSWER)


def bodies(answer: bytes, stream: bytes | None = None, fields: bytes = b"") -> Answer:
    """Send one body to both requests, or another one to the request for a stream, each with its media type."""

    async def say(connection: Connection) -> None:
        streamed = wants_stream(connection)
        body = stream if streamed and stream is not None else answer
        await connection.say(whole(body, (EVENTS if streamed else JSON) + fields))

    return say


def opened(fields: bytes = b"") -> Answer:

    async def answer(connection: Connection) -> None:
        await connection.say(OK + (EVENTS if wants_stream(connection) else JSON) + fields + b"\r\n")

    return answer


def endless(opening: bytes, piece: bytes) -> Answer:
    """Say the opening, and then a piece for ever."""
    block = piece * max(1, 65536 // len(piece))

    async def answer(connection: Connection) -> None:
        await connection.say(opening)
        while True:
            await connection.say(block)

    return answer


def dripping(before: bytes, drop: bytes) -> Answer:
    """Say a little, four times a second, for ever."""

    async def answer(connection: Connection) -> None:
        await connection.say(before)
        while True:
            await connection.say(drop)
            await connection.pause(0.25)

    return answer


def held(before: bytes) -> Answer:
    """Say this, and nothing more while the client waits."""

    async def answer(connection: Connection) -> None:
        await connection.say(before)
        await connection.hold()

    return answer


def half_closed(before: bytes) -> Answer:
    """Say this, and close one's own side only."""

    async def answer(connection: Connection) -> None:
        await connection.say(before)
        connection.finish()
        await connection.hold()

    return answer


def reset_after(before: bytes) -> Answer:

    async def answer(connection: Connection) -> None:
        await connection.say(before)
        await connection.pause()
        connection.reset()

    return answer


def later(answer: Answer) -> Answer:
    """Be good once, and hostile from the second request on."""
    asked: list[Connection] = []

    async def say(connection: Connection) -> None:
        asked.append(connection)
        if len(asked) == 1:
            await connection.say(good(connection))
        else:
            await answer(connection)

    return say


def cut_ever_later(step: int) -> Answer:
    """Cut each answer some bytes later than the one before."""
    at = iter(range(0, 10**9, step))

    async def answer(connection: Connection) -> None:
        wanted = good(connection)
        await connection.say(wanted[: next(at) % len(wanted)])

    return answer


async def _to_itself(connection: Connection) -> None:
    path = connection.request.split(b" ", 2)[1]
    await connection.say(b"HTTP/1.1 307 Again\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % path)


async def _to_another_host(connection: Connection) -> None:
    """Lead to this very socket by another name, so that what follows would be seen."""
    host = next(line for line in connection.request.split(b"\r\n") if line.lower().startswith(b"host:"))
    port = host.rpartition(b":")[2]
    await connection.say(
        b"HTTP/1.1 308 Elsewhere\r\nLocation: http://localhost:%b/elsewhere\r\nContent-Length: 0\r\n\r\n" % port
    )


def chunk(body: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(body), extension, body)


def told(content: object = "Zürich", **members: object) -> bytes:
    """Return a good answer with another text, or other members."""
    answer = json.loads(ANSWER)
    answer["choices"][0]["message"]["content"] = content
    return json.dumps({**answer, **members}, ensure_ascii=False).encode("utf-8", "surrogatepass")


def calling(arguments: str, times: int = 1) -> bytes:
    """Return a good answer that calls a tool so often, each time with these arguments."""
    answer = json.loads(TOOLS)
    call = answer["choices"][0]["message"]["tool_calls"][0]
    function = {**call["function"], "arguments": arguments}
    answer["choices"][0]["message"]["tool_calls"] = [{**call, "function": function}] * times
    return json.dumps(answer).encode()


CHUNK = json.loads(STREAM.split(b"\n\n")[0].removeprefix(b"data: "))


def chunks(times: int, make: Callable[[int], dict]) -> bytes:
    """Return a stream of so many chunks: a good one with members of its own."""
    made = (json.dumps({**CHUNK, **make(number)}, separators=(",", ":")).encode() for number in range(times))
    return b"".join(b"data: %b\n\n" % each for each in made) + b"data: [DONE]\n\n"


def delta(**members: object) -> dict:
    return {"choices": [{"index": 0, "delta": members, "finish_reason": None}]}


def answered(answer: bytes) -> bytes:
    """Return a stream of one event with this JSON."""
    return b"data: %b\n\ndata: [DONE]\n\n" % answer


def both(body: bytes) -> Answer:
    """Send a JSON text as the answer, and as the one event of a stream."""
    return bodies(body, answered(body))


def bomb(mib: int) -> bytes:
    """Return gzip members that come to so many MiB of zeros."""
    return gzip.compress(bytes(16 * MIB), 9, mtime=0) * (mib // 16)


def nested_codings(times: int) -> bytes:
    body = ANSWER
    for _ in range(times):
        body = gzip.compress(body, 1, mtime=0)
    return body


def error(status: bytes, *fields: bytes, code: bytes = b"rate_limit_exceeded") -> bytes:
    body = b'{"error":{"message":"No.","type":"%b","param":null,"code":"%b"}}' % (code, code)
    return whole(body, JSON + b"".join(line + b"\r\n" for line in fields), b"HTTP/1.1 %b\r\n" % status)


def models(row: bytes, times: int) -> bytes:
    return b'{"object":"list","data":[' + b",".join([row] * times) + b"]}"


def _rows() -> Iterator[Hostile]:
    yield from _time()
    yield from _size()
    yield from _codings()
    yield from _json()
    yield from _framing()
    yield from _http()
    yield from _status()
    yield from _many()
    yield from _expressions()
    yield from _by_an_adversary()


def _time() -> Iterator[Hostile]:
    some = STREAM[:200]
    yield Hostile("silence", "Nothing, though the connection was accepted and the request read.", lambda: held(b""))
    yield Hostile("silence.header", "A status line, a field, and then nothing.", lambda: held(OK + EVENTS))
    yield Hostile("silence.body", "A header, and then nothing.", lambda: held(OK + JSON + b"Content-Length: 9\r\n\r\n"))
    yield Hostile(
        "silence.stream", "The beginning of a stream, and then nothing.", lambda: held(OK + EVENTS + b"\r\n" + some)
    )
    yield Hostile(
        "silence.done",
        "A whole stream, and then nothing: the connection stays open.",
        lambda: held(OK + EVENTS + b"\r\n" + STREAM),
        scenarios=("stream",),
    )
    yield Hostile(
        "drip.header", "A byte of a header field four times a second.", lambda: dripping(OK + b"X-Drip: ", b"x")
    )
    yield Hostile(
        "drip.status", "A byte of the status line four times a second.", lambda: dripping(b"HTTP/1.1 200 ", b"x")
    )
    yield Hostile(
        "drip.body", "A byte of white space four times a second.", lambda: dripping(OK + JSON + b"\r\n", b" ")
    )
    yield Hostile(
        "drip.comments",
        "A comment of a stream four times a second.",
        lambda: dripping(OK + EVENTS + b"\r\n", b": on\n\n"),
    )
    yield Hostile("close", "Nothing: the connection is closed at once.", lambda: said())
    yield Hostile(
        "close.unasked", "Nothing: the connection is closed before the request was read.", lambda: said(), unasked=True
    )
    yield Hostile("reset", "A reset in place of an answer.", lambda: reset_after(b""))
    yield Hostile("reset.unasked", "A reset before the request was read.", lambda: reset_after(b""), unasked=True)
    yield Hostile("reset.status", "Half a status line, and a reset.", lambda: reset_after(b"HTTP/1.1 20"))
    yield Hostile("reset.header", "Half a header, and a reset.", lambda: reset_after(OK + b"Content-Ty"))
    yield Hostile("reset.body", "Half a body, and a reset.", lambda: reset_after(whole(ANSWER)[:-40]))
    yield Hostile("reset.stream", "Half a stream, and a reset.", lambda: reset_after(OK + EVENTS + b"\r\n" + some))
    yield Hostile(
        "half_close",
        "The end of the server's side in place of an answer, and no end of the connection.",
        lambda: half_closed(b""),
    )
    yield Hostile(
        "half_close.header", "Half a header, and the end of the server's side.", lambda: half_closed(OK + b"Content-Ty")
    )
    yield Hostile(
        "half_close.body", "Half a body, and the end of the server's side.", lambda: half_closed(whole(ANSWER)[:-40])
    )
    yield Hostile(
        "half_close.stream",
        "Half a stream, and the end of the server's side.",
        lambda: half_closed(OK + EVENTS + b"\r\n" + some),
    )
    yield Hostile(
        "cut",
        "Each answer of a whole run cut 23 bytes later than the one before, from the first byte of the status line on.",
        lambda: cut_ever_later(23),
        scenarios=(),
    )


def _size() -> Iterator[Hostile]:
    stream, answer = (OK + EVENTS + b"\r\n", OK + JSON + b"\r\n")
    yield Hostile(
        "endless.stream",
        "A stream of chunks without an end.",
        lambda: endless(stream, STREAM.split(b"\n\n")[1] + b"\n\n"),
    )
    yield Hostile("endless.events", "Empty events without an end.", lambda: endless(stream, b"data:\n\n"))
    yield Hostile("endless.blank_lines", "Blank lines without an end.", lambda: endless(stream, b"\n"))
    yield Hostile(
        "endless.comments",
        "Comments without an end, two bytes each with the line feed.",
        lambda: endless(stream, b":\n"),
    )
    yield Hostile("endless.fields", "Unknown fields without an end.", lambda: endless(stream, b"x\n"))
    yield Hostile(
        "endless.names", "Unknown fields without an end, of ever the same name.", lambda: endless(stream, b"name:v\n")
    )
    yield Hostile("endless.retry", "Reconnection times without an end.", lambda: endless(stream, b"retry:1\n"))
    yield Hostile("endless.ids", "Ids without an end.", lambda: endless(stream, b"id:1\n"))
    yield Hostile("endless.data_lines", "One event with data lines without an end.", lambda: endless(stream, b"data\n"))
    yield Hostile(
        "endless.cr", "Data lines that end with CR alone, without an end.", lambda: endless(stream, b"data\r")
    )
    yield Hostile("endless.line", "One data line without an end.", lambda: endless(stream + b"data: ", b"x"))
    yield Hostile("endless.json", "A JSON array of zeros without an end.", lambda: endless(answer + b'{"id":[0', b",0"))
    yield Hostile("endless.white_space", "White space without an end.", lambda: endless(answer, b" "))
    yield Hostile(
        "endless.utf8", "Bytes that are no UTF-8, without an end.", lambda: endless(stream + b"data: ", b"\xff")
    )
    yield Hostile(
        "endless.chunks",
        "Chunks of one byte each, without an end.",
        lambda: endless(OK + EVENTS + CHUNKED + b"\r\n", b"1\r\n:\r\n"),
    )
    yield Hostile("endless.header", "Header fields without an end.", lambda: endless(OK, b"X-Field: value\r\n"))
    yield Hostile("endless.field", "One header field without an end.", lambda: endless(OK + b"X-Field: ", b"x"))
    yield Hostile("endless.status", "A status line without an end.", lambda: endless(b"HTTP/1.1 200 ", b"x"))
    yield Hostile(
        "endless.interim",
        "Interim answers (103) without an end.",
        lambda: endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    )
    yield Hostile(
        "endless.continue",
        "Interim answers (100) without an end.",
        lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    )
    yield Hostile(
        "endless.extension",
        "A chunk extension without an end.",
        lambda: endless(OK + EVENTS + CHUNKED + b"\r\n5;x=", b"y"),
    )
    yield Hostile(
        "endless.trailers",
        "Trailer fields without an end.",
        lambda: endless(OK + JSON + CHUNKED + b"\r\n0\r\n", b"X-Trailer: value\r\n"),
    )
    yield Hostile("string.giant", "A string of 50 MB.", lambda: bodies(told("x" * 50000000)))
    yield Hostile("string.large", "A string of 7 MB.", lambda: both(told("\\" * 3500000)))
    yield Hostile("events.million", "A million events of one byte.", lambda: bodies(ANSWER, b"data:1\n\n" * 10**6))
    yield Hostile(
        "cookies", "Set-Cookie two thousand times.", lambda: bodies(ANSWER, STREAM, b"Set-Cookie: a=b\r\n" * 2000)
    )


def _codings() -> Iterator[Hostile]:
    coded = b"Content-Encoding: %b\r\n"
    raw = zlib.compress(bytes(64 * MIB), 9)
    yield Hostile(
        "gzip.bomb",
        "A gzip bomb of 7 GiB, though identity was asked for.",
        lambda: bodies(bomb(7168), fields=coded % b"gzip"),
    )
    yield Hostile("gzip.bomb.undeclared", "A gzip bomb of 1 GiB that is not declared.", lambda: bodies(bomb(1024)))
    yield Hostile(
        "gzip.bomb.stream",
        "A gzip bomb of 1 GiB of empty lines, as a stream.",
        lambda: bodies(gzip.compress(b"\n" * 16 * MIB, 9, mtime=0) * 64, fields=coded % b"gzip"),
    )
    yield Hostile(
        "gzip.bomb.twice",
        "A gzip bomb within another one.",
        lambda: bodies(gzip.compress(bomb(1024)), fields=coded % b"gzip, gzip"),
    )
    yield Hostile(
        "gzip.comments",
        "60 MB of comments in gzip, two bytes each.",
        lambda: bodies(gzip.compress(b":\n" * 30000000, 9, mtime=0), fields=coded % b"gzip"),
    )
    yield Hostile(
        "gzip.events",
        "A million events in gzip.",
        lambda: bodies(gzip.compress(b"data:1\n\n" * 10**6, 9, mtime=0), fields=coded % b"gzip"),
    )
    yield Hostile(
        "gzip.values",
        "20 million JSON values in gzip.",
        lambda: bodies(gzip.compress(b'{"id":[' + b"[]," * 20000000 + b"0]}", 1, mtime=0), fields=coded % b"gzip"),
    )
    yield Hostile("deflate.bomb", "A deflate bomb of 64 MiB.", lambda: bodies(raw, fields=coded % b"deflate"))
    yield Hostile(
        "coding.garbage",
        "Garbage that is declared to be gzip.",
        lambda: bodies(b"\x1f\x8b" + b"garbage" * 99, fields=coded % b"gzip"),
    )
    yield Hostile(
        "coding.text",
        "A good answer that is declared to be gzip and is not.",
        lambda: bodies(ANSWER, STREAM, coded % b"gzip"),
    )
    yield Hostile(
        "coding.unknown",
        "A good answer in a coding that nobody knows.",
        lambda: bodies(ANSWER, STREAM, coded % b"x-unknown"),
    )
    yield Hostile(
        "coding.many",
        "An answer that is declared to be coded 9,000 times.",
        lambda: bodies(nested_codings(20), fields=coded % (b"gzip," * 9000)),
    )
    yield Hostile(
        "coding.cut",
        "A gzip body that ends in its middle.",
        lambda: bodies(gzip.compress(ANSWER)[:-12], fields=coded % b"gzip"),
    )


def _json() -> Iterator[Hostile]:
    deep = b"[" * 100000 + b"]" * 100000
    yield Hostile("json.deep", "JSON that is nested 100,000 deep.", lambda: both(b'{"a":' + deep + b"}"))
    yield Hostile(
        "json.deep.open", "100,000 opening braces with names, and no closing ones.", lambda: both(b'{"a":' * 100000)
    )
    yield Hostile(
        "json.keys", "100,000 times the same name in one object.", lambda: both(b"{" + b'"a":1,' * 100000 + b'"a":1}')
    )
    yield Hostile(
        "json.pairs",
        "100,000 names in one object, each twice.",
        lambda: both(b"{" + b",".join(b'"%d":1,"%d":2' % (n, n) for n in range(100000)) + b"}"),
    )
    yield Hostile(
        "json.names",
        "500,000 different names in one object.",
        lambda: both(b"{" + b",".join(b'"%d":1' % n for n in range(500000)) + b"}"),
    )
    yield Hostile(
        "json.number",
        "A number of a million digits.",
        lambda: both(told(created=0).replace(b'"created": 0', b'"created": ' + b"9" * 10**6)),
    )
    yield Hostile(
        "json.exponent",
        "Numbers with an exponent beyond every float.",
        lambda: both(told(created=0).replace(b'"created": 0', b'"created": -1e999999')),
    )
    yield Hostile(
        "json.nan",
        "NaN and Infinity as counts.",
        lambda: both(
            told(usage=0).replace(
                b'"usage": 0',
                b'"usage": {"prompt_tokens": NaN, "completion_tokens": Infinity, "total_tokens": -Infinity}',
            )
        ),
    )
    yield Hostile(
        "json.surrogates",
        "Lone surrogates as escapes, in names and in texts.",
        lambda: both(told().replace(b'"id"', b'"\\ud800": "\\udfff", "id"').replace("Zürich".encode(), b"\\ud83d")),
    )
    yield Hostile("json.surrogates.raw", "A lone surrogate in three bytes.", lambda: both(told("\ud800")))
    yield Hostile("json.nul", "NUL within strings and between them.", lambda: both(told().replace(b", ", b",\x00")))
    yield Hostile(
        "json.utf8", "Bytes that are no UTF-8.", lambda: both(told().replace("ü".encode(), b"\xff\xfe\xc0\x80"))
    )
    yield Hostile(
        "json.utf16",
        "UTF-16, with its byte order mark.",
        lambda: bodies(told().decode().encode("utf-16"), STREAM.decode().encode("utf-16")),
    )
    yield Hostile(
        "json.values", "A list of 2.7 million empty lists.", lambda: both(b'{"id":[' + b"[]," * 2700000 + b"0]}")
    )
    yield Hostile(
        "json.objects", "A list of 800,000 objects.", lambda: both(b'{"id":[' + b'{"a":{}},' * 800000 + b"0]}")
    )
    yield Hostile(
        "json.values.chunks",
        "2.7 million empty lists, over 40 chunks.",
        lambda: bodies(ANSWER, chunks(40, lambda n: {"x": [[]] * 65000})),
    )
    yield Hostile(
        "json.strings", "A list of 2.7 million strings.", lambda: both(b'{"id":[' + b'"",' * 2700000 + b"0]}")
    )
    yield Hostile(
        "json.quotes",
        "A million escaped quotation marks, and no end of the string.",
        lambda: both(b'{"a":"' + b'\\"' * 10**6),
    )
    yield Hostile(
        "json.brackets", "Strings of brackets beside one another.", lambda: both(b"[" + b'"[[[[{{{{",' * 500000 + b"0]")
    )


def _framing() -> Iterator[Hostile]:
    yield Hostile(
        "sse.fields.choices",
        "200,000 lines of an unknown field that hold choices, between 20,000 events.",
        lambda: bodies(ANSWER, (b'x:{"choices":1}\n' * 10 + b"data:1\n\n") * 20000),
    )
    yield Hostile("sse.blocks", "40,000 blocks of only an id.", lambda: bodies(ANSWER, b"id:1\n\n" * 40000 + STREAM))
    yield Hostile(
        "sse.block.names",
        "One block of a million unknown fields.",
        lambda: bodies(ANSWER, b"x%\n" * 10**6 + b"id:1\n\n" + STREAM),
    )
    yield Hostile(
        "sse.blank_after_id",
        "40,000 blank lines after an id.",
        lambda: bodies(ANSWER, b"id:1\ndata:1\n\n" + b"\n" * 40000 + STREAM),
    )
    yield Hostile("sse.done", "[DONE] 40,000 times.", lambda: bodies(ANSWER, STREAM + b"data: [DONE]\n\n" * 40000))
    yield Hostile(
        "sse.done.almost",
        "Sentinels with white space of a megabyte around them.",
        lambda: bodies(ANSWER, b"data: " + b" " * 10**6 + b"[DONE" + b"\t" * 10**6 + b"x\n\n"),
    )
    yield Hostile(
        "sse.events.named",
        "40,000 events, each of a type of its own.",
        lambda: bodies(ANSWER, b"".join(b"event:%d\ndata:{}\n\n" % n for n in range(40000))),
    )
    yield Hostile(
        "sse.lines",
        "An event of 40,000 lines that each hold a chunk.",
        lambda: bodies(ANSWER, b'data:{"choices":[]}\n' * 40000 + b"\n"),
    )
    yield Hostile(
        "sse.comments.data",
        "100,000 comments that would be data.",
        lambda: bodies(ANSWER, b': data:{"choices":1}\n' * 100000 + STREAM),
    )
    yield Hostile(
        "sse.nul", "NUL in ids, types and data.", lambda: bodies(ANSWER, b"id:\x00\nevent:\x00\ndata:\x00\n\n" * 1000)
    )


def _http() -> Iterator[Hostile]:
    length = b"Content-Length: %b\r\n"
    twice = b"%d\r\nContent-Length: %d" % (len(ANSWER), len(ANSWER))
    yield Hostile(
        "length.long",
        "A Content-Length of one byte more than comes.",
        lambda: said(OK + JSON + length % b"%d" % (len(ANSWER) + 1) + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "length.short",
        "A Content-Length of ten bytes less than comes.",
        lambda: said(OK + JSON + length % b"%d" % (len(ANSWER) - 10) + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "length.negative", "A negative Content-Length.", lambda: said(OK + JSON + length % b"-1" + b"\r\n" + ANSWER)
    )
    yield Hostile(
        "length.huge", "A Content-Length of 10^30.", lambda: said(OK + JSON + length % b"1%030d" % 0 + b"\r\n" + ANSWER)
    )
    yield Hostile(
        "length.word",
        "A Content-Length that is no number.",
        lambda: said(OK + JSON + length % b"many" + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "length.doubled",
        "Content-Length twice, both times right.",
        lambda: said(OK + JSON + length % twice + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "length.conflict",
        "Content-Length twice, with different numbers.",
        lambda: said(OK + JSON + length % b"7\r\nContent-Length: 9" + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "length.chunked",
        "Content-Length beside a chunked body.",
        lambda: said(OK + JSON + CHUNKED + length % b"5" + b"\r\n" + chunk(ANSWER) + b"0\r\n\r\n"),
    )
    yield Hostile(
        "chunked.word", "A chunk size that is no number.", lambda: said(OK + JSON + CHUNKED + b"\r\nxyz\r\n" + ANSWER)
    )
    yield Hostile(
        "chunked.negative", "A negative chunk size.", lambda: said(OK + JSON + CHUNKED + b"\r\n-5\r\n" + ANSWER)
    )
    yield Hostile(
        "chunked.huge",
        "A chunk size of 16^40.",
        lambda: said(OK + JSON + CHUNKED + b"\r\n1" + b"0" * 40 + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "chunked.large",
        "A chunk size of 2^60, and then the end.",
        lambda: said(OK + JSON + CHUNKED + b"\r\n1000000000000000\r\n" + ANSWER),
    )
    yield Hostile(
        "chunked.short",
        "A chunk that is longer than its size.",
        lambda: said(OK + JSON + CHUNKED + b"\r\n5\r\n" + ANSWER + b"\r\n0\r\n\r\n"),
    )
    yield Hostile(
        "chunked.unended",
        "A chunked body without its last chunk.",
        lambda: said(OK + JSON + CHUNKED + b"\r\n" + chunk(ANSWER)),
    )
    yield Hostile(
        "chunked.extension",
        "A chunk extension.",
        lambda: said(OK + JSON + CHUNKED + b"\r\n" + chunk(ANSWER, b';a="b"') + b"0\r\n\r\n"),
    )
    yield Hostile(
        "chunked.trailers",
        "Trailer fields that set another length and another type.",
        lambda: said(
            OK + JSON + CHUNKED + b"\r\n" + chunk(ANSWER) + b"0\r\nContent-Length: 1\r\nContent-Type: text/html\r\n\r\n"
        ),
    )
    yield Hostile(
        "chunked.twice",
        "A body that is declared chunked twice.",
        lambda: said(OK + JSON + CHUNKED * 2 + b"\r\n" + chunk(ANSWER) + b"0\r\n\r\n"),
    )
    yield Hostile(
        "chunked.gzip",
        "A transfer coding of gzip.",
        lambda: said(
            OK + JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk(gzip.compress(ANSWER)) + b"0\r\n\r\n"
        ),
    )
    yield Hostile("http.0.9", "HTTP/0.9: a body without any header.", lambda: said(ANSWER))
    yield Hostile(
        "http.1.0",
        "HTTP/1.0, and the end of the connection as the end of the body.",
        lambda: said(b"HTTP/1.0 200 OK\r\n" + JSON + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "http.2",
        "The first frame of HTTP/2.",
        lambda: said(
            b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00d\x00\x04\x00\x10\x00\x00\x00\x06\x00\x00@\x00"
        ),
    )
    yield Hostile("http.9.9", "HTTP/9.9.", lambda: said(b"HTTP/9.9 200 OK\r\n\r\n"))
    yield Hostile("http.other", "The greeting of another protocol.", lambda: said(b"SSH-2.0-OpenSSH_9.9\r\n"))
    yield Hostile("http.binary", "A megabyte of bytes of every value.", lambda: said(bytes(range(256)) * 4096))
    yield Hostile("http.second", "A second response in the same segment.", lambda: said(whole(ANSWER) * 2))
    yield Hostile(
        "http.pipelined",
        "A second response without any length between, after 204.",
        lambda: said(b"HTTP/1.1 204 None\r\n\r\n" + whole(ANSWER)),
    )
    yield Hostile(
        "header.nul",
        "NUL in the name of a header field.",
        lambda: said(OK + b"X-\x00: y\r\n" + JSON + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "header.nul.value",
        "NUL in the value of a header field.",
        lambda: said(OK + b"X-Y: \x00\r\n" + JSON + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "header.folded",
        "Header fields that are folded over several lines.",
        lambda: said(OK + b"X-Y: a\r\n b\r\n\tc\r\n" + JSON + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "header.bare_cr",
        "CR alone within a header field.",
        lambda: said(OK + b"X-Y: a\rX-Z: b\r\n" + JSON + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "header.space",
        "White space before the colon of a field.",
        lambda: said(OK + b"X-Y : a\r\n" + JSON + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "header.colon", "A header line without a colon.", lambda: said(OK + b"nothing\r\n" + JSON + b"\r\n" + ANSWER)
    )
    yield Hostile(
        "header.latin1",
        "Bytes above 127 in a field, escapes of terminals among them.",
        lambda: said(OK + b"X-Y: \xff\xfe\x9b31m\r\n" + JSON + b"\r\n" + ANSWER),
    )
    yield Hostile(
        "header.media_type",
        "A Content-Type with 10,000 parameters.",
        lambda: said(OK + b"Content-Type: application/json" + b";a=b" * 10000 + b"\r\n\r\n" + ANSWER),
    )
    yield Hostile(
        "header.lf",
        "A header whose lines end with LF alone.",
        lambda: said((OK + JSON + b"\r\n").replace(b"\r", b"") + ANSWER),
    )
    yield Hostile(
        "second.bomb",
        "A good answer to the first request, and a gzip bomb from the second on.",
        lambda: later(bodies(bomb(1024), fields=b"Content-Encoding: gzip\r\n")),
    )
    yield Hostile(
        "second.silence", "A good answer to the first request, and then nothing any more.", lambda: later(held(b""))
    )
    yield Hostile(
        "second.endless",
        "A good answer to the first request, and a stream without an end from the second on.",
        lambda: later(endless(OK + EVENTS + b"\r\n", b":\n")),
    )


def _status() -> Iterator[Hostile]:
    for status in (b"204 No Content", b"304 Not Modified", b"205 Reset Content"):
        yield Hostile(
            f"status.{status[:3].decode()}",
            f"Status {status[:3].decode()} with a body.",
            lambda status=status: said(whole(ANSWER, JSON, b"HTTP/1.1 %b\r\n" % status)),
        )
    yield Hostile(
        "status.101",
        "Status 101, as if another protocol had been asked for.",
        lambda: said(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + STREAM),
    )
    yield Hostile("status.100", "Status 100, and the end.", lambda: said(b"HTTP/1.1 100 Continue\r\n\r\n"))
    for status in (b"000", b"999", b"99", b"2000", b"-20", b"abc"):
        yield Hostile(
            f"status.{status.decode()}",
            f"The status {status.decode()}.",
            lambda status=status: said(b"HTTP/1.1 %b What\r\n" % status + JSON + b"\r\n" + ANSWER),
        )
    yield Hostile("redirect.loop", "A redirection to the same place.", lambda: _to_itself)
    yield Hostile("redirect.host", "A redirection to another host.", lambda: _to_another_host)
    yield Hostile(
        "redirect.script",
        "A redirection to a script.",
        lambda: said(b"HTTP/1.1 302 Found\r\nLocation: javascript:alert(1)\r\nContent-Length: 0\r\n\r\n"),
    )
    yield Hostile(
        "redirect.broken",
        "A redirection to what is no URL.",
        lambda: said(b"HTTP/1.1 302 Found\r\nLocation: http://[::1\xff\r\nContent-Length: 0\r\n\r\n"),
    )
    for name, value in (
        ("huge", b"9" * 400),
        ("negative", b"-5"),
        ("nan", b"NaN"),
        ("infinite", b"1e999"),
        ("9999", b"Fri, 31 Dec 9999 23:59:59 -2359"),
        ("date", b"Fri, 99 Foo -0001 99:99:99 +9999"),
        ("long", b"1" * 60000),
    ):
        yield Hostile(
            f"retry_after.{name}",
            f"429 for ever, with a Retry-After that is {name}.",
            lambda value=value: said(error(b"429 Many", b"Retry-After: " + value)),
        )
    yield Hostile("status.503", "503 for ever.", lambda: said(error(b"503 Down", code=b"overloaded")))
    yield Hostile("status.401", "401 for ever, with the whole request in its message.", lambda: _echoing)


async def _echoing(connection: Connection) -> None:
    body = json.dumps(
        {"error": {"message": connection.request.decode("latin-1"), "type": "x", "param": None, "code": "x"}}
    )
    await connection.say(whole(body.encode(), JSON, b"HTTP/1.1 401 Who\r\n"))


def _many() -> Iterator[Hostile]:
    choice = json.loads(ANSWER)["choices"][0]
    call = {"index": 10**9, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    token = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    yield Hostile(
        "models.million",
        "A list of a million models that are no objects.",
        lambda: said(whole(models(b"0", 10**6))),
        scenarios=("models",),
    )
    yield Hostile(
        "models.empty",
        "A list of 900,000 models without any member.",
        lambda: said(whole(models(b"{}", 900000))),
        scenarios=("models",),
    )
    yield Hostile(
        "models.same",
        "A list of 90,000 models, all the same.",
        lambda: said(whole(models(b'{"id":"a","object":"model","created":1,"owned_by":"b"}', 90000))),
        scenarios=("models",),
    )
    yield Hostile(
        "choices.many", "20,000 choices with ever the same index.", lambda: both(told(choices=[choice] * 20000))
    )
    yield Hostile(
        "choices.index",
        "Choices with indexes of 10^9 and of 400 digits.",
        lambda: both(told(choices=[{**choice, "index": 10**9}, {**choice, "index": 10**400}, {**choice, "index": -1}])),
    )
    yield Hostile("choices.null", "A million choices that are null.", lambda: both(told(choices=[None] * 10**6)))
    yield Hostile(
        "calls.many",
        "40,000 tool calls with the same id.",
        lambda: bodies(calling("{}", 40000), chunks(20000, lambda n: delta(tool_calls=[{**call, "index": n}]))),
        scenarios=("tools.required", "tools.stream"),
    )
    yield Hostile(
        "calls.deep",
        "Tool arguments that are nested 100,000 deep.",
        lambda: bodies(
            calling('{"a":' * 100000 + "1" + "}" * 100000),
            chunks(
                1,
                lambda n: delta(tool_calls=[{**call, "function": {"name": "weather", "arguments": '{"a":' * 100000}}]),
            ),
        ),
        scenarios=("tools.required", "tools.stream"),
    )
    yield Hostile(
        "calls.index",
        "Tool calls whose index is 10^9, and ever more.",
        lambda: bodies(calling("{}"), chunks(20000, lambda n: delta(tool_calls=[{**call, "index": 10**9 + n}]))),
        scenarios=("tools.required", "tools.stream"),
    )
    yield Hostile(
        "calls.pieces",
        "Tool arguments in 30,000 pieces that each repeat the one before.",
        lambda: bodies(
            calling("{}" * 30000),
            chunks(2000, lambda n: delta(tool_calls=[{**call, "index": 0, "function": {"arguments": "x" * n}}])),
        ),
        scenarios=("tools.required", "tools.stream"),
    )
    yield Hostile(
        "calls.objects",
        "Tool arguments of 200,000 objects, one after another.",
        lambda: bodies(
            calling("{}" * 200000),
            chunks(20000, lambda n: delta(tool_calls=[{**call, "index": 0, "function": {"arguments": "{}" * 5}}])),
        ),
        scenarios=("tools.required", "tools.stream"),
    )
    yield Hostile(
        "calls.names",
        "A tool call that says a name in each of 20,000 deltas.",
        lambda: bodies(
            calling("{}"),
            chunks(
                20000,
                lambda n: delta(
                    tool_calls=[{**call, "index": 0, "id": f"call_{n}", "function": {"name": f"f{n}", "arguments": ""}}]
                ),
            ),
        ),
        scenarios=("tools.required", "tools.stream"),
    )
    yield Hostile(
        "stream.ids",
        "20,000 chunks, each with an id and a time of its own.",
        lambda: bodies(ANSWER, chunks(20000, lambda n: {"id": f"{n}", "created": n, **delta(content="x")})),
    )
    yield Hostile(
        "stream.usages",
        "20,000 chunks, each with a usage.",
        lambda: bodies(ANSWER, chunks(20000, lambda n: {"usage": usage, **delta(content=str(n))})),
    )
    yield Hostile(
        "stream.finishes",
        "20,000 chunks, each with a finish_reason of its own.",
        lambda: bodies(
            ANSWER,
            chunks(20000, lambda n: {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": f"{n}"}]}),
        ),
    )
    yield Hostile(
        "stream.choices",
        "20,000 chunks, each of another choice.",
        lambda: bodies(
            ANSWER,
            chunks(20000, lambda n: {"choices": [{"index": n, "delta": {"content": "x"}, "finish_reason": None}]}),
        ),
    )
    yield Hostile(
        "stream.roles",
        "20,000 chunks, each with a role.",
        lambda: bodies(ANSWER, chunks(20000, lambda n: delta(role="assistant", content="x"))),
    )
    yield Hostile(
        "stream.members",
        "20,000 chunks, each with a member of its own.",
        lambda: bodies(ANSWER, chunks(20000, lambda n: {f"x{n}": n, **delta(content="x")})),
    )
    yield Hostile(
        "stream.errors",
        "20,000 chunks that each hold an error.",
        lambda: bodies(ANSWER, chunks(20000, lambda n: {"error": {"message": str(n)}})),
    )
    yield Hostile(
        "stream.strangers", "40,000 events that are no chunks.", lambda: bodies(ANSWER, b'data: {"a":1}\n\n' * 40000)
    )
    yield Hostile("stream.broken", "40,000 events that are no JSON.", lambda: bodies(ANSWER, b"data: {\n\n" * 40000))
    yield Hostile(
        "logprobs.many",
        "Log probabilities of 40,000 tokens.",
        lambda: both(told(choices=[{**choice, "logprobs": {"content": [token] * 40000}}])),
        scenarios=("logprobs", "logprobs.stream"),
    )
    yield Hostile(
        "usage.huge",
        "Token counts of 4,000 digits.",
        lambda: both(told(usage={"prompt_tokens": 10**4000, "completion_tokens": -(10**4000), "total_tokens": 0})),
    )
    yield Hostile(
        "content.nested",
        "A text of JSON that is nested 100,000 deep, where JSON was asked for.",
        lambda: both(told("[" * 100000)),
        scenarios=("json.object", "json.schema"),
    )
    yield Hostile(
        "content.lists",
        "A text of a list of 60,000 lists, where a schema was sent.",
        lambda: both(told('{"rivers": [' + "[]," * 60000 + "0]}")),
        scenarios=("json.object", "json.schema"),
    )


EXPRESSIONS: Sequence[tuple[str, str]] = (
    ("channel", "analysisx" * 100000),
    ("channels", "analysis" + "assistantfina" * 80000),
    ("thoughts", "<think>" * 150000),
    ("thoughts.ends", "</think>" * 130000),
    ("thoughts.lines", "\n</think> " * 100000),
    ("tokens", "<|im_end|>" * 100000),
    ("tokens.amid", "<|im_end|> ; " * 80000),
    ("calls.fenced", "```\n" + "<tool_call>weather " * 50000),
    ("tokens.quoted", '"<|im_end|> ' * 80000),
    ("tokens.spaced", "<|im_end|>" + " " * 10**6),
    ("tokens.lines", "</s>\n" * 200000),
    ("tokens.spaces", ("</s>" + " " * 1000) * 1000),
    ("fences", "```" * 350000),
    ("fences.words", "```a\n" * 200000),
    ("calls", "<tool_call>" * 90000),
    ("calls.json", '{"name": "weather", "arguments": ' * 30000),
    ("calls.braces", "{" * 10**6),
    ("calls.objects", '{"name":"weather","arguments":{}}' * 30000),
    ("calls.lines", "\n".join(["weather({"] * 100000)),
    ("calls.named", "weather" * 140000),
    ("quotes", '"' * 10**6),
    ("backslashes", "\\" * 500000),
    ("replacement", "�" * 300000),
    ("white_space", " \n\t" * 300000),
    ("brackets", "[TOOL_CALLS]" * 80000),
    ("functions", "<function=weather>" * 55000),
)
"Texts that would take an expression, or a search for one mark after another, time that grows with their square."


def telling(text: str) -> Answer:
    """Answer with this text, in one piece or in a stream of two chunks."""
    texts = (text, "")
    choices = [
        {"index": 0, "delta": {"content": texts[n]}, "finish_reason": "stop" if n else None} for n in range(len(texts))
    ]
    return bodies(told(text), chunks(2, lambda n: {"choices": [choices[n]]}))


def _expressions() -> Iterator[Hostile]:
    for name, text in EXPRESSIONS:
        yield Hostile(
            f"text.{name}",
            f"A text of {len(text):,} characters: {json.dumps(text[:24])} and so on.",
            lambda text=text: telling(text),
            scenarios=("tools.auto", "json.object", "stream"),
        )
    yield Hostile(
        "header.parameters",
        "A Content-Type of white space and semicolons.",
        lambda: said(OK + b"Content-Type: application/json" + b"; " * 30000 + b"\r\n\r\n" + ANSWER),
    )
    yield Hostile(
        "header.quoted",
        "A Content-Type with a quotation mark that nothing closes.",
        lambda: said(OK + b'Content-Type: application/json;a="' + b'\\"' * 30000 + b"\r\n\r\n" + ANSWER),
    )
    yield Hostile(
        "header.spaces",
        "A Content-Type of white space.",
        lambda: said(OK + b"Content-Type: a" + b" " * 60000 + b"/json\r\n\r\n" + ANSWER),
    )


def ever_another() -> Answer:
    """Answer well, then crash, then say what is no answer, then break off, and so on."""
    asked: list[Connection] = []

    async def say(connection: Connection) -> None:
        asked.append(connection)
        answers = (
            good(connection), error(b"500 Down", code=b"server_error"), b"garbage\r\n\r\n",
            OK + EVENTS + b"\r\n" + STREAM[:100],
        )  # fmt: skip
        await connection.say(answers[len(asked) % len(answers) - 1])

    return say


def _by_an_adversary() -> Iterator[Hostile]:
    """What a second hostile server, made by somebody who had not seen this one, found or came close to."""
    coded = b"Content-Encoding: gzip\r\n"
    named = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 7000000 + b"\0" + gzip.compress(ANSWER, mtime=0)[10:]
    command = b"::error::x ##[error]y ##vso[task.complete]z"
    yield Hostile(
        "flood", "Every answer of a whole run is 8 MB long.", lambda: bodies(told("x" * 8 * 10**6)), scenarios=()
    )
    yield Hostile(
        "flood.packed",
        "Every answer of a whole run is 16 MB long when it is unpacked.",
        lambda: bodies(gzip.compress(told("x" * 16 * 10**6), mtime=0), fields=coded),
        scenarios=(),
    )
    yield Hostile("flood.nul", "8 MB of NULs.", lambda: bodies(bytes(8 * 10**6)))
    yield Hostile(
        "commands",
        "Commands to a CI system in the status line, the names and values of fields, ids, models, texts and events.",
        lambda: bodies(
            told(command.decode(), id=command.decode(), model=command.decode()),
            b"event: %b\nid: %b\n%b\n" % (command, command, command) + STREAM,
            b"X: %b\r\nServer: %b\r\n" % (command, command),
        ),
    )
    yield Hostile(
        "commands.status", "A command to a CI system in place of a status line.", lambda: said(command + b"\r\n\r\n")
    )
    yield Hostile("another", "Something else each time.", ever_another, scenarios=())
    yield Hostile(
        "interim.body",
        "An interim answer with a body, and then a good answer.",
        lambda: said(b"HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\nhello" + whole(ANSWER)),
    )
    yield Hostile("http.1.10", "HTTP/1.10.", lambda: said(whole(ANSWER, status=b"HTTP/1.10 200 OK\r\n")))
    yield Hostile(
        "http.blank", "20,000 empty lines before the status line.", lambda: said(b"\r\n" * 20000 + whole(ANSWER))
    )
    yield Hostile(
        "chunked.extensions",
        "2,000 chunks of one byte, each with an extension of 4,000.",
        lambda: said(
            OK + JSON + CHUNKED + b"\r\n", chunk(b" ", b";" + b"x" * 4000) * 2000, chunk(ANSWER), b"0\r\n\r\n"
        ),
    )
    yield Hostile(
        "gzip.members",
        "A gzip body of 100,000 members that hold nothing.",
        lambda: bodies(gzip.compress(ANSWER, mtime=0) + gzip.compress(b"", mtime=0) * 100000, fields=coded),
    )
    yield Hostile("gzip.name", "A gzip body with a name of 7 MB.", lambda: bodies(named, fields=coded))
    yield Hostile(
        "json.escapes",
        "A text of a million escapes.",
        lambda: both(told().replace("Zürich".encode(), b"\\u0041" * 10**6)),
    )
    yield Hostile("json.key", "A name of a million characters.", lambda: both(told(**{"k" * 10**6: 1})))
    yield Hostile(
        "sse.name",
        "An event whose type is 6 MB long.",
        lambda: bodies(ANSWER, b"event: " + b"n" * 6000000 + b"\n" + STREAM),
    )


HOSTILE = {hostile.name: hostile for hostile in _rows()}
"Every behaviour by its name."
