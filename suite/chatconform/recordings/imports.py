"""What `curl -i` printed, read into an exchange: origin imported, and nothing known of the times."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from chatconform.model import (
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
from chatconform.recordings import store
from chatconform.wire import media, strict_json

_STATUS_LINE = re.compile(rb"HTTP/(\d(?:\.\d)?) +([1-9]\d\d)(?:[ \t][^\r\n]*)?(?:\r?\n|\r?\Z)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)
_BODY = re.compile(rb'\s*(?:[{\["]|<[!?A-Za-z]|(?:data|event|id|retry)?:)')
_SHORTEST_CORE = 8
"""A shorter run of base64 letters is not taken for a part of a secret."""
_RUN_CURL = "run curl with -i and let it write the file: curl -i -o FILE, or curl -N -i -o FILE for a stream"


def parse_curl(
    data: bytes, request: JsonValue, *, identifier: str, provider: str, url: str | None, source: str
) -> Exchange:
    """Return the exchange that `curl -i` printed: its last header, and every byte after it as the body.

    `request` is the JSON of the request's body; None: there was none, and the method is GET. curl has undone
    the chunks and prints trailers after the body, where nothing tells them from it. Field values are read as
    ISO 8859-1 (RFC 9110 section 5.5), folded lines joined by a space (RFC 9112 section 5.2).
    Raises `InputError` at a line of `source` where the header is none or is not whole.
    """
    header = _answer(data, source)
    return Exchange(
        id=identifier,
        provider=provider,
        request=Request(
            method="GET" if request is None else "POST",
            url=url or "",
            # Exchange format 1 reads text as the exact bytes of a body, so a JSON string is written as such.
            body=json.dumps(request).encode() if isinstance(request, str) else request,
        ),
        response=Response(
            status=header.status,
            headers=header.fields,
            body=data[header.end :],
            http_version=header.http_version,
        ),
        origin=Origin.IMPORTED,
        source=source,
    )


def import_file(
    file: Path,
    request_file: Path,
    to: Path,
    *,
    identifier: str | None,
    provider: str | None,
    url: str | None,
    secrets: Collection[str],
) -> Path:
    """Write what `curl -i` printed as `<to>/<id>.json`, and return its path. The id is by default the file's stem.

    Every secret is overwritten: as it is, URL-encoded, JSON-escaped and in base64.
    Raises `InputError` where a file cannot be used, or where another exchange stands at the path.
    """
    identifier = file.stem if identifier is None else identifier
    target = store.path_of(identifier, to)
    exchange = parse_curl(
        _bytes_of(file),
        _request_body(request_file),
        identifier=identifier,
        provider=provider or "",
        url=url,
        source=str(file),
    )
    exchange = _without_secrets(replace(exchange, source=file.name), secrets)
    if not target.exists():
        return store.save(exchange, to)
    if _bytes_of(target) != store.dump(exchange):
        raise InputError(Place(str(target)), "is there already, with another exchange", "remove it or give another id")
    return target


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            Place(str(file)), f"cannot be read: {error.strerror}", "name a file that can be read"
        ) from None


def _request_body(file: Path) -> JsonValue:
    """Read the JSON of a request's body. Raises `InputError` where it is not strict JSON."""
    data = _bytes_of(file)
    document = strict_json.parse(data)
    remedy = "give the JSON that was sent as the request's body"
    if document.fault:
        place = Place(str(file), *strict_json.line_and_column(data, document.fault.offset))
        raise InputError(place, f"is not JSON: {document.fault.problem}", remedy)
    if document.limit:
        raise InputError(Place(str(file)), f"exceeds the limit on {document.limit}", remedy)
    for name in document.constants:
        raise InputError(Place(str(file)), f"is not JSON: {name} is no value of it", remedy)
    for key in document.duplicate_keys:
        raise InputError(Place(str(file)), f"holds the key {json.dumps(key)} twice in an object", remedy)
    return document.value


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of one answer. `end` is the byte after its blank line."""

    http_version: str
    status: int
    fields: Headers
    end: int

    @property
    def may_precede_another(self) -> bool:
        """Whether curl prints another header after this one: it leaves out what such an answer has as a body."""
        if self.status >= 400:
            return self.status in (401, 407)
        return not 200 <= self.status < 300 or not self.announces_content

    @property
    def announces_content(self) -> bool:
        """Whether a body follows, which no answer to a proxy's CONNECT has (RFC 9110 section 9.3.6)."""
        length = media.header(self.fields, "Content-Length")
        others = (media.header(self.fields, name) for name in ("Content-Type", "Transfer-Encoding"))
        return length not in (None, "0") or any(value is not None for value in others)


def _answer(data: bytes, source: str) -> _Header:
    """Return the last header, after those of 1xx answers, of a proxy's CONNECT, of redirects and challenges."""
    header = _header(data, 0, source)
    while header.may_precede_another and _STATUS_LINE.match(data, header.end):
        header = _header(data, header.end, source)
    if header.status < 200:
        problem = f"ends after the interim answer {header.status}"
        raise _refusal(data, header.end - 1, source, problem)
    return header


def _header(data: bytes, start: int, source: str) -> _Header:
    """Read one header. Raises `InputError` where it has no status line, no end, or a line that is no field."""
    status_line = _STATUS_LINE.match(data, start)
    if not status_line:
        raise _refusal(data, start, source, _instead_of_status_line(data))
    fields: list[tuple[str, str]] = []
    at = status_line.end()
    while (end := data.find(b"\n", at)) >= 0:
        line = data[at:end].removesuffix(b"\r")
        if not line:
            return _Header(status_line[1].decode(), int(status_line[2]), tuple(fields), end + 1)
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields.pop()
            fields.append((name, f"{value} {line.strip().decode('latin-1')}".strip()))
        elif field := _FIELD.fullmatch(line):
            fields.append((field[1].decode(), field[2].decode("latin-1")))
        else:
            raise _refusal(data, at, source, "is no header field")
        at = end + 1
    raise _refusal(data, len(data), source, "ends within the header: the blank line after it is missing")


def _instead_of_status_line(data: bytes) -> str:
    if not data.strip():
        return "is empty"
    if _BODY.match(data):
        return "begins with a body where the status line is expected: curl ran without -i"
    return "does not begin with a status line such as HTTP/1.1 200 OK"


def _refusal(data: bytes, offset: int, source: str, problem: str) -> InputError:
    line, _ = strict_json.line_and_column(data, offset)
    return InputError(Place(source, line), problem, _RUN_CURL)


def _without_secrets(exchange: Exchange, secrets: Collection[str]) -> Exchange:
    """Return the exchange with `*` for each byte of each secret, in the answer, the URL and the request's body.

    Each occurrence is an entry of `redacted`: the JSON pointer and the half-open byte range. A coded body that
    holds a secret is stored decoded, and its first entry names the codings that were undone.
    """
    eraser = _Eraser(secrets)
    request = eraser.request(exchange.request)
    response = exchange.response and eraser.response(exchange.response)
    redacted = (*exchange.redacted, *eraser.entries)
    return replace(exchange, request=request, response=response, redacted=redacted)


class _Eraser:
    """Overwrites secrets, and notes where."""

    def __init__(self, secrets: Collection[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self.pattern = re.compile(b"|".join(re.escape(form) for form in longest_first) or b"(?!)")
        self.entries: list[JsonObject] = []

    def overwritten(self, data: bytes, path: tuple[str | int, ...]) -> bytes:
        at = strict_json.pointer(path)
        self.entries.extend({"at": at, "bytes": list(match.span())} for match in self.pattern.finditer(data))
        return self.pattern.sub(lambda match: b"*" * len(match[0]), data)

    def text(self, text: str, path: tuple[str | int, ...]) -> str:
        return self.overwritten(text.encode("utf-8", "surrogatepass"), path).decode("utf-8", "surrogatepass")

    def value(self, value: JsonValue, path: tuple[str | int, ...]) -> JsonValue:
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
        url = self.text(request.url, ("request", "url"))
        if isinstance(request.body, bytes):
            return replace(request, url=url, body=self.overwritten(request.body, path))
        return replace(request, url=url, body=self.value(request.body, path))

    def response(self, response: Response) -> Response:
        headers = tuple(
            (name, self.field(value, ("response", "headers", number, 1)))
            for number, (name, value) in enumerate(response.headers or ())
        )
        return replace(response, headers=headers, body=self.body(response))

    def field(self, value: str, path: tuple[str | int, ...]) -> str:
        return self.overwritten(value.encode("latin-1"), path).decode("latin-1")

    def body(self, response: Response) -> bytes:
        path = ("response", "body")
        names = media.codings(response.headers)
        decoded = media.decode(response.body, names).body
        if names and self.pattern.search(decoded):
            self.entries.append({"at": strict_json.pointer(path), "decoded": list(names)})
            return self.overwritten(decoded, path)
        return self.overwritten(response.body, path)


def _forms(secret: str) -> Iterator[bytes]:
    """Yield the bytes by which a secret may be shown: raw, URL-encoded, JSON-escaped, in base64."""
    data = secret.encode("utf-8", "surrogatepass")
    url_encoded = quote(data, safe="")
    escaped = json.dumps(secret)[1:-1]
    yield data
    for text in (url_encoded, re.sub("%..", lambda hexes: hexes[0].lower(), url_encoded)):
        yield text.encode()
    for text in (escaped, escaped.replace("/", "\\/")):
        yield text.encode()
    for form in (base64.b64encode(data), *_base64_cores(data)):
        yield form
        yield form.translate(bytes.maketrans(b"+/", b"-_"))


def _base64_cores(data: bytes) -> Iterator[bytes]:
    """Yield the letters that a text in base64 has wherever the data begin in it, by the offset modulo 3."""
    for shift in range(3):
        letters = base64.b64encode(bytes(shift) + data)
        core = letters[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
        if len(core) >= _SHORTEST_CORE:
            yield core
