"""Exchange format 1: one pretty-printed file an exchange in a folder, or one JSON object a line."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from chatconform.model import (
    MAX_INTEGER,
    Exchange,
    Headers,
    InputError,
    JsonObject,
    JsonValue,
    Origin,
    Place,
    Request,
    Response,
)
from chatconform.recordings import disk, sources
from chatconform.recordings.sources import Unreadable
from chatconform.wire import strict_json

FORMAT = "chatconform.exchange/1"
MAX_FAULTS = 1_000
"""How many lines of a file may hold no exchange: after as many it is no recording, and no more of it is read."""
MAX_NAME = 1_000
"""The most characters of an id, a provider and a scenario: every verdict repeats them."""
MAX_EMPTY = 100_000
"""How many lines of a file may be empty."""
MAX_VALUES = 2_000_000
"""The most JSON values of an exchange: three for each read, and one for each line of the body."""
MAX_PIECES = 100_000
"""A body of more lines is written in one piece: nobody reads it line by line."""
_RESULTS = "chatconform.results/"
_LONG = 1024 * 1024
_LINE_END = b"\r\n"
_WRITTEN_IN_SIX = bytes(set(range(32)) - set(b"\b\t\n\f\r"))

_TOP = frozenset(("format", "id", "provider", "scenario", "sample", "attempt", "origin", "recorded_at", "model",
                  "note", "source", "request", "response", "end", "redacted"))  # fmt: skip
_REQUEST = frozenset(("method", "url", "headers", "body", "body_base64"))
_RESPONSE = frozenset(("http_version", "status", "headers", "headers_after", "body", "body_base64", "reads"))
_LINES = tuple(ending for ending in sources.ENDINGS if ending != ".json")
_FILE_NAME = re.compile(r"(?!\.)[^/\\\x00-\x1f\x7f\ud800-\udfff]+")
_ORIGINS = {origin.value: origin for origin in Origin}
_ENDS = ("complete", "truncated", "reset", "timeout", "malformed")
_ENDS_WITH_DETAIL = ("unreachable", "limit")


def load(paths: str | Path | Iterable[str | Path]) -> Iterator[Exchange]:
    """Yield the exchanges of a folder, an exchange file or a `.jsonl[.gz]` file, or of several.

    Raises `Unreadable` (an `InputError`) at the first file or line that is none; `read` goes on past it.
    """
    for item in read([paths] if isinstance(paths, str | Path) else paths):
        if isinstance(item, Unreadable):
            raise item
        yield item


def read(paths: Iterable[str | Path], stdin: BinaryIO | None = None) -> Iterator[Exchange | Unreadable]:
    """Yield every exchange, and in the place of each one that cannot be read its error."""
    for given in paths:
        if str(given) == "-" and stdin is not None:
            yield from _read_lines(stdin, "-", None)
        else:
            yield from _read_path(Path(given))


def _read_path(path: Path) -> Iterator[Exchange | Unreadable]:
    try:
        if path.is_dir():
            yield from _read_folder(path)
        elif path.name.endswith(_LINES):
            with path.open("rb") as file:
                content, most = sources.unpacked(file)
                yield from _read_lines(content, str(path), most)
        else:
            yield parse_file(sources.whole(path), str(path))
    except Unreadable as error:
        yield error
    except FileNotFoundError:
        yield Unreadable(Place(str(path)), "no such file or folder", "name a recording that exists")
    except EOFError:
        yield Unreadable(Place(str(path)), "ends before its gzip stream does", "copy or record it again")
    except (gzip.BadGzipFile, zlib.error):
        yield Unreadable(Place(str(path)), "holds damaged gzip data", "copy or record it again")
    except OSError as error:
        yield Unreadable(Place(str(path)), f"cannot be read: {error.strerror}", "check the file, then judge again")


def _read_folder(folder: Path) -> Iterator[Exchange | Unreadable]:
    """Read the folder's exchange files, and those of its folders, in the order of their names."""
    files = list(sources.files(folder))
    if not files:
        yield Unreadable(
            Place(str(folder)), "holds no recorded exchange", "name a folder with .json or .jsonl files in it"
        )
    for file in files:
        yield from (file,) if isinstance(file, Unreadable) else _read_path(file)


def _read_lines(file: BinaryIO, name: str, most: int | None) -> Iterator[Exchange | Unreadable]:
    number = faults = empty = 0
    for number, line in sources.lines(file, name, most):
        if isinstance(line, bytes) and not line.strip():
            empty += 1
        else:
            item = parse_line(line, name, number, _digest(line.rstrip(_LINE_END))) if isinstance(line, bytes) else line
            faults += isinstance(item, Unreadable)
            yield item
        if faults == MAX_FAULTS or empty == MAX_EMPTY:
            problem = f"is not read further: {faults + empty} lines hold no exchange"
            yield Unreadable(Place(name, number), problem, "give a file of exchanges, one a line")
            return
    if number == empty:
        yield Unreadable(Place(name), "holds no exchange", "one JSON object a line is expected")


def parse_file(data: bytes, name: str) -> Exchange | Unreadable:
    """Return the exchange that a file of this name holds, or what is wrong with it."""
    try:
        return _parse(data, name, Path(name).name.removesuffix(".json"), 1, _digest(data))
    except Unreadable as error:
        return error


def parse_line(line: bytes, name: str, number: int, sha256: str = "") -> Exchange | Unreadable:
    """Return the exchange that a line of a file holds, or what is wrong with it; `sha256` is kept with it."""
    try:
        return _parse(line.rstrip(_LINE_END), name, f"{name.rpartition('/')[2]}:{number}", number, sha256)
    except Unreadable as error:
        return error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _parse(data: bytes, file: str, fallback_id: str, first_line: int, sha256: str = "") -> Exchange:
    """Return the exchange that a JSON text holds. Raises `Unreadable` with the place in the file."""
    document = strict_json.parse_value(data, MAX_VALUES)
    reader = _Reader(data, file, first_line)
    if document.fault:
        raise reader.error_at(document.fault.offset, f"is not JSON: {document.fault.problem}", "record it again")
    if document.limit:
        raise reader.error((), f"exceeds the limit on {document.limit}", "record it again")
    top = reader.object(document.value, ())
    if top.get("format") != FORMAT:
        is_judged = str(top.get("format")).startswith(_RESULTS)
        remedy = "these are results: `chatconform report` shows them" if is_judged else f'"format" has to be "{FORMAT}"'
        raise reader.error(("format",), f"is not {FORMAT}", remedy)
    return reader.exchange(top, fallback_id, sha256)


class _Reader:
    """Turns parsed JSON into an exchange, and says where in the file it cannot."""

    def __init__(self, data: bytes, file: str, first_line: int) -> None:
        self.data, self.file, self.first_line = data, file, first_line

    def error_at(self, offset: int, problem: str, remedy: str) -> Unreadable:
        line, column = strict_json.line_and_column(self.data, offset)
        return Unreadable(Place(self.file, self.first_line + line - 1, column), problem, remedy)

    def error(self, path: tuple[str | int, ...], problem: str, remedy: str) -> Unreadable:
        span = strict_json.locate(self.data, path)
        name = strict_json.pointer(path) or "the exchange"
        return self.error_at(span[0] if span else 0, f"{name} {problem}", remedy)

    def exchange(self, top: JsonObject, fallback_id: str, sha256: str) -> Exchange:
        for key in ("request", "response"):
            if key not in top:
                raise self.error((key,), "is missing", f'an exchange has a "{key}"; the response may be null')
        request, response = top["request"], top["response"]
        return Exchange(
            id=self.name(top, "id") or fallback_id,
            provider=self.name(top, "provider") or "",
            request=self.request({} if request is None else self.object(request, ("request",))),
            response=None if response is None else self.response(self.object(response, ("response",))),
            scenario=self.name(top, "scenario"),
            sample=self.count(top, ("sample",)),
            attempt=self.count(top, ("attempt",)),
            origin=self.origin(top),
            recorded_at=self.text(top, ("recorded_at",)),
            model=self.text(top, ("model",)),
            note=self.text(top, ("note",)),
            source=top.get("source"),
            end=self.end(top),
            redacted=self.redacted(top),
            extra=_others(top, _TOP),
            file=self.file,
            sha256=sha256,
        )

    def redacted(self, top: JsonObject) -> tuple[JsonValue, ...]:
        redacted = top.get("redacted")
        if redacted is None:
            return ()
        if not isinstance(redacted, list):
            raise self.error(("redacted",), "is not a list", "write [] where nothing was overwritten")
        return tuple(redacted)

    def origin(self, top: JsonObject) -> Origin:
        name = self.text(top, ("origin",))
        if name is None:
            return Origin.IMPORTED
        if name not in _ORIGINS:
            raise self.error(("origin",), f"is {name!r}", "write one of " + ", ".join(Origin))
        return _ORIGINS[name]

    def end(self, top: JsonObject) -> str:
        end = self.text(top, ("end",))
        if end is None:
            return "complete"
        head, colon, detail = end.partition(":")
        if not (end in _ENDS or (head in _ENDS_WITH_DETAIL and colon and detail)):
            expected = ", ".join(_ENDS) + ", unreachable:<why>, limit:<which>"
            raise self.error(("end",), f"is {end!r}", f"write one of {expected}")
        return end

    def request(self, value: JsonObject) -> Request:
        path = ("request",)
        return Request(
            method=(self.text(value, (*path, "method")) or "").upper(),
            url=self.url(value, (*path, "url")),
            headers=self.headers(value, path) or (),
            body=self.request_body(value),
            extra=_others(value, _REQUEST),
        )

    def url(self, value: JsonObject, path: tuple[str, ...]) -> str:
        url = self.text(value, path) or ""
        try:
            urlsplit(url)
        except ValueError as error:
            raise self.error(path, f"is no URL: {error}", "write the URL that was asked") from None
        return url

    def request_body(self, value: JsonObject) -> JsonValue | bytes:
        if value.get("body_base64") is not None:
            return self.coded(value, ("request",))
        body = value.get("body")
        return self.encoded(body, ("request", "body")) if isinstance(body, str) else body

    def response(self, value: JsonObject) -> Response:
        path = ("response",)
        status = value.get("status")
        if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 999:
            raise self.error((*path, "status"), "is no status code", "write the three-digit status code")
        return Response(
            status=status,
            headers=self.headers(value, path),
            body=self.response_body(value),
            http_version=self.text(value, (*path, "http_version")),
            headers_after=self.count(value, (*path, "headers_after")),
            reads=self.reads(value),
            extra=_others(value, _RESPONSE),
        )

    def response_body(self, value: JsonObject) -> bytes:
        if value.get("body_base64") is not None:
            return self.coded(value, ("response",))
        body = value.get("body")
        if body is None:
            return b""
        if isinstance(body, list):
            with suppress(TypeError):
                return self.encoded("".join(body), ("response", "body"))  # type: ignore[arg-type]
        if isinstance(body, str):
            return self.encoded(body, ("response", "body"))
        raise self.error(
            ("response", "body"),
            "is neither text nor a list of text pieces",
            "or use body_base64 for other bytes",
        )

    def encoded(self, text: str, path: tuple[str | int, ...]) -> bytes:
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            raise self.error(path, "holds a lone surrogate, which no bytes stand for", "use body_base64") from None

    def coded(self, value: JsonObject, path: tuple[str, ...]) -> bytes:
        where = (*path, "body_base64")
        text = self.text(value, where) or ""
        if value.get("body") is not None:
            raise self.error(where, "stands beside body", "keep one of the two")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise self.error(where, "is not base64", "record it again") from None

    def headers(self, value: JsonObject, path: tuple[str, ...]) -> Headers | None:
        pairs = value.get("headers")
        if pairs is None:
            return None
        found = []
        for number, pair in enumerate(pairs if isinstance(pairs, list) else [pairs]):
            name, text = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
            if not (isinstance(name, str) and isinstance(text, str)):
                problem = "is no pair of a name and a value"
                raise self.error((*path, "headers", number), problem, 'write ["Name", "value"]')
            found.append((name, text))
        return tuple(found)

    def reads(self, value: JsonObject) -> tuple[tuple[int, int], ...] | None:
        reads = value.get("reads")
        if reads is None:
            return None
        found = []
        for number, read_ in enumerate(reads if isinstance(reads, list) else [reads]):
            time, count = read_ if isinstance(read_, list) and len(read_) == 2 else (None, None)
            if not (
                type(time) is int and type(count) is int and 0 <= time <= MAX_INTEGER and 0 <= count <= MAX_INTEGER
            ):
                raise self.error(("response", "reads", number), "is no pair of counts", "write [microseconds, bytes]")
            found.append((time, count))
        return tuple(found)

    def object(self, value: JsonValue, path: tuple[str | int, ...]) -> JsonObject:
        if not isinstance(value, dict):
            raise self.error(path, "is not an object", "see schemas/chatconform/exchange.schema.json")
        return value

    def text(self, value: JsonObject, path: tuple[str, ...]) -> str | None:
        found = value.get(path[-1])
        if found is not None and not isinstance(found, str):
            raise self.error(path, "is not a string", "write it in quotation marks")
        return found

    def name(self, top: JsonObject, key: str) -> str | None:
        found = self.text(top, (key,))
        if found is not None and len(found) > MAX_NAME:
            raise self.error((key,), f"is longer than {MAX_NAME} characters", "give it a shorter name")
        return found

    def count(self, value: JsonObject, path: tuple[str, ...]) -> int | None:
        found = value.get(path[-1])
        if found is not None and not (type(found) is int and 0 <= found <= MAX_INTEGER):
            raise self.error(path, "is no count", f"write a whole number from 0 to {MAX_INTEGER}")
        return found


def _others(value: JsonObject, known: frozenset[str]) -> JsonObject:
    """Return the keys that this format does not know: they are kept."""
    return {key: member for key, member in value.items() if key not in known} if value.keys() - known else {}


def to_json(exchange: Exchange) -> JsonObject:
    """Return the exchange in format 1, keys in the order of the format's description."""
    fields: JsonObject = {
        "format": FORMAT,
        "id": exchange.id,
        "provider": exchange.provider,
        "scenario": exchange.scenario,
        "sample": exchange.sample,
        "attempt": exchange.attempt,
        "origin": str(exchange.origin),
        "recorded_at": exchange.recorded_at,
        "model": exchange.model,
        "note": exchange.note,
        "source": exchange.source,
    }
    kept = {key: value for key, value in fields.items() if value is not None}
    response = exchange.response
    return {
        **kept,
        "request": _request_to_json(exchange.request),
        "response": None if response is None else _response_to_json(response),
        "end": exchange.end,
        "redacted": list(exchange.redacted),
        **exchange.extra,
    }


def _request_to_json(request: Request) -> JsonObject:
    fields: JsonObject = {"method": request.method, "url": request.url, "headers": _pairs(request.headers)}
    if isinstance(request.body, bytes):
        fields.update(_body_to_json(request.body, split=False))
    else:
        fields["body"] = request.body
    return {**fields, **request.extra}


def _response_to_json(response: Response) -> JsonObject:
    fields: Mapping[str, JsonValue] = {
        "http_version": response.http_version,
        "status": response.status,
        "headers": None if response.headers is None else _pairs(response.headers),
        "headers_after": response.headers_after,
        **_body_to_json(response.body, split=True),
        "reads": None if response.reads is None else [list(pair) for pair in response.reads],
    }
    return {**{key: value for key, value in fields.items() if value is not None}, **response.extra}


def _pairs(headers: Headers) -> list[JsonValue]:
    return [[name, value] for name, value in headers]


def _body_to_json(body: bytes, *, split: bool) -> JsonObject:
    """Return a body as text, in pieces that end at line feeds if `split` and few.

    It is base64 where it is not UTF-8, and where it is long and would be many times longer as text.
    """
    try:
        text = "" if _swells(body) else body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if body and not text:
        return {"body_base64": base64.b64encode(body).decode("ascii")}
    if not split or not 0 < text.count("\n") <= MAX_PIECES:
        return {"body": text}
    pieces = [piece + "\n" for piece in text.split("\n")[:-1]] + [text.rpartition("\n")[2]] * (not text.endswith("\n"))
    return {"body": list[JsonValue](pieces)}


def _swells(body: bytes) -> bool:
    """Whether a body is long and holds many of the characters that JSON writes in six."""
    return len(body) > _LONG and len(body.translate(None, _WRITTEN_IN_SIX)) < len(body) * 15 // 16


def dump(exchange: Exchange) -> bytes:
    """Return the exchange as a file's bytes: pretty-printed, UTF-8, ended by a line feed."""
    text = json.dumps(to_json(exchange), ensure_ascii=False, indent=1) + "\n"
    # What UTF-8 cannot encode is a lone surrogate in a JSON string, and Python's escape of it is JSON's.
    return text.encode("utf-8", "backslashreplace")


def save(exchange: Exchange, folder: Path) -> Path:
    """Write `<folder>/<exchange id>.json` as `add` does, in a folder that is made if need be."""
    target = path_of(exchange.id, folder)
    disk.make(folder)
    return add(exchange, target.parent)


def add(exchange: Exchange, folder: Path) -> Path:
    """Write `<folder>/<exchange id>.json` whole or not at all, for its owner alone (mode 0600), and return its path.

    Raises `InputError` where it cannot be written, as in a folder that is no longer there.
    """
    target = path_of(exchange.id, folder)
    disk.write_private({target: dump(exchange)})
    return target


def path_of(identifier: str, folder: Path) -> Path:
    """Return where an exchange of this id is saved. Raises `InputError` where it cannot be a file's name."""
    if not _FILE_NAME.fullmatch(identifier):
        problem = f"{identifier!r} cannot be a file's name"
        raise InputError(Place(str(folder)), problem, "give the exchange another id")
    return folder / f"{identifier}.json"
