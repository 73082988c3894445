"""What must not be written is overwritten: by as many `*`, so that offsets, reads and Content-Length stay true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chatconform.model import Exchange, Headers, JsonObject, JsonValue, Request, Response
from chatconform.recordings import echoes
from chatconform.recordings.echoes import Found
from chatconform.recordings.forms import Forms
from chatconform.wire import media, strict_json

MOST_MARKS = 100
"""How many places of one text or body are listed in `redacted`; of the others only the number is."""

MOST_DECODED = 16 * 1024 * 1024
"""The most bytes that a coded body is searched in; what decodes to more, or to too many lines, is overwritten."""

_CODINGS = frozenset(("gzip", "x-gzip", "deflate"))
"""The content codings that can be undone, and so searched (RFC 9110 section 8.4.1)."""

_ABOUT_CODED = ("content-encoding", "content-length")
_Path = tuple[str | int, ...]


class Secrets:
    """Values that no file, log or report may hold. Nothing shows them, not even `repr`."""

    __slots__ = ("_forms",)

    def __init__(self, values: Iterable[str]) -> None:
        shown = [value for value in values if value]
        self._forms = Forms(shown) if shown else None

    def __repr__(self) -> str:
        return "Secrets(…)"

    def found(self, data: bytes) -> list[Found]:
        """Return where secrets stand, whole in a form or in parts, in the order of the bytes."""
        return _merged([*self.found_whole(data), *self.found_in_parts(data)])

    def found_whole(self, data: bytes) -> list[Found]:
        """Return where secrets stand whole in a form."""
        return [] if self._forms is None else list(echoes.whole(self._forms, data))

    def found_in_parts(self, data: bytes) -> list[Found]:
        """Return the parts of secrets that are split over the events or the members of a body."""
        return [] if self._forms is None else list(echoes.split(self._forms, data))

    def overwritten(self, body: bytes) -> bytes:
        """Return a body with `*` for each byte of each secret; for a number that stands for one, with 42."""
        return _written_over(body, self.found(body))

    def in_text(self, text: str) -> str:
        """Return a text with `*` for each byte of each secret that stands in it whole."""
        data = text.encode("utf-8", "surrogatepass")
        return _written_over(data, self.found_whole(data)).decode("utf-8", "surrogatepass")

    def without(self, exchange: Exchange) -> Exchange:
        """Return the exchange without secrets: in its note, the request and the answer, names of fields included.

        Each place is an entry of `redacted`: the JSON pointer and the half-open byte range. A coded body that holds
        a secret is stored decoded; its entry names the codings that were undone, and keeps the fields and the reads
        that no longer fit. One that cannot be searched whole is overwritten whole; where only its length is in the way
        the exchange ends as `limit:decoded`.
        """
        eraser = _Eraser(self)
        request = eraser.request(exchange.request)
        response = exchange.response and eraser.response(exchange.response)
        note = exchange.note and eraser.text(exchange.note, ("note",))
        marks = (*exchange.redacted, *eraser.marks)
        end = eraser.end or exchange.end
        return replace(exchange, request=request, response=response, note=note, end=end, redacted=marks)


def _merged(found: Iterable[Found]) -> list[Found]:
    """Join ranges that overlap, and leave out those within others."""
    merged: list[Found] = []
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if merged and each.end <= merged[-1].end:
            continue
        if merged and each.start < merged[-1].end:
            start, end = merged[-1].start, max(each.end, merged[-1].end)
            merged[-1] = Found(start, end, b"*" * (end - start))
        else:
            merged.append(each)
    return merged


def _written_over(data: bytes, found: Iterable[Found]) -> bytes:
    kept = bytearray(data)
    for start, end, instead in found:
        kept[start:end] = instead
    return bytes(kept)


class _Eraser:
    """Overwrites the secrets of one exchange, and notes where."""

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self.marks: list[JsonObject] = []
        self.end: str | None = None

    def overwritten(self, body: bytes, path: _Path) -> bytes:
        return self.written_over(body, self.secrets.found(body), path)

    def written_over(self, data: bytes, found: list[Found], path: _Path) -> bytes:
        if not found:
            return data
        at = strict_json.pointer(path)
        self.marks.extend({"at": at, "bytes": [start, end]} for start, end, _ in found[:MOST_MARKS])
        if len(found) > MOST_MARKS:
            self.marks.append({"at": at, "more": len(found) - MOST_MARKS})
        return _written_over(data, found)

    def text(self, text: str, path: _Path) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return self.written_over(data, self.secrets.found_whole(data), path).decode("utf-8", "surrogatepass")

    def value(self, value: JsonValue, path: _Path) -> JsonValue:
        if isinstance(value, str):
            return self.text(value, path)
        if isinstance(value, list):
            return [self.value(member, (*path, number)) for number, member in enumerate(value)]
        if isinstance(value, dict):
            keyed = ((self.text(key, path), member) for key, member in value.items())
            return {key: self.value(member, (*path, key)) for key, member in keyed}
        return value

    def request(self, request: Request) -> Request:
        path = ("request", "body")
        body = request.body
        return replace(
            request,
            url=self.text(request.url, ("request", "url")),
            headers=self.fields(request.headers, ("request", "headers")),
            body=self.overwritten(body, path) if isinstance(body, bytes) else self.value(body, path),
        )

    def fields(self, headers: Headers, path: _Path) -> Headers:
        return tuple(
            (self.field(name, (*path, number, 0)), self.field(value, (*path, number, 1)))
            for number, (name, value) in enumerate(headers)
        )

    def field(self, text: str, path: _Path) -> str:
        data = text.encode("latin-1")
        return self.written_over(data, self.secrets.found_whole(data), path).decode("latin-1")

    def response(self, response: Response) -> Response:
        headers = response.headers
        fields = None if headers is None else self.fields(headers, ("response", "headers"))
        return self.body(replace(response, headers=fields))

    def body(self, response: Response) -> Response:
        """Overwrite what is found in the body as it came, or else in what it decodes to."""
        path = ("response", "body")
        body, names = self.overwritten(response.body, path), codings(response)
        if body == response.body and names:
            return self.coded(response, names, path)
        return replace(response, body=body)

    def coded(self, response: Response, names: tuple[str, ...], path: _Path) -> Response:
        decoded = media.decode(response.body, names, MOST_DECODED)
        if decoded.limit or media.lines(decoded.body) > media.MAX_LINES:
            self.end = "limit:decoded"
            return self.uncoded(self.hidden(response, path), {"at": strict_json.pointer(path)})
        if not self.secrets.found(decoded.body):
            is_searched = set(names) <= _CODINGS or _is_text(response.body)
            return response if is_searched else self.hidden(response, path)
        return self.hidden(response, path) if decoded.fault else self.decoded(response, decoded.body, names, path)

    def hidden(self, response: Response, path: _Path) -> Response:
        """Overwrite a whole body."""
        length = len(response.body)
        self.marks.append({"at": strict_json.pointer(path), "bytes": [0, length]})
        return replace(response, body=b"*" * length)

    def decoded(self, response: Response, body: bytes, names: tuple[str, ...], path: _Path) -> Response:
        """Store a body decoded, and so without its reads."""
        mark: JsonObject = {"at": strict_json.pointer(path), "decoded": list(names)}
        if response.reads:
            mark["reads"] = [list(read) for read in response.reads]
        return replace(self.uncoded(response, mark), body=self.overwritten(body, path), reads=None)

    def uncoded(self, response: Response, mark: JsonObject) -> Response:
        """Move the fields that say how a body came into the mark: they would accuse the answer now."""
        headers = response.headers or ()
        about = [field for field in headers if field[0].lower() in _ABOUT_CODED]
        self.marks.append({**mark, "headers": [list(field) for field in about]} if about else mark)
        return replace(response, headers=tuple(field for field in headers if field not in about))


def codings(response: Response) -> tuple[str, ...]:
    """Return the codings in which a body is searched: those that are declared, else what it may be in all the same."""
    if declared := media.codings(response.headers):
        return declared
    if response.body.startswith(media.GZIP_MAGIC):
        return ("gzip",)
    return () if _is_text(response.body) else ("deflate",)


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
