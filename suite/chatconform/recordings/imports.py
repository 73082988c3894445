"""What `curl -i` printed, read into an exchange: origin imported, and nothing known of the times."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from chatconform.model import (
    Exchange,
    Headers,
    InputError,
    JsonValue,
    Origin,
    Place,
    Request,
    Response,
)
from chatconform.recordings import sources, store
from chatconform.recordings.redact import Secrets
from chatconform.wire import media, strict_json

MAX_BYTES = 16 * 1024 * 1024
"""The most bytes of what curl printed, and of a request's body."""
MAX_HEADERS = 256 * 1024
"""The most bytes before the body: curl itself takes no more than some 300,000."""

_STATUS_LINE = re.compile(rb"HTTP/(\d(?:\.\d)?) +([1-9]\d\d)(?:[ \t][^\r\n]*)?(?:\r?\n|\r?\Z)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)
_BODY = re.compile(rb'\s*(?:[{\["]|<[!?A-Za-z]|(?:data|event|id|retry)?:)')
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

    Every secret is overwritten, as `redact.Secrets` says. Links are followed; pipes and devices are not opened.
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
    exchange = Secrets(secrets).without(replace(exchange, source=file.name))
    if not target.exists():
        return store.save(exchange, to)
    if sources.whole(target) != store.dump(exchange):
        raise InputError(Place(str(target)), "is there already, with another exchange", "remove it or give another id")
    return target


def _bytes_of(file: Path) -> bytes:
    remedy = "name a file that can be read"
    try:
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise InputError(Place(str(file)), "is no regular file", "let curl write a file with -o, and name that")
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(Place(str(file)), f"cannot be read: {error.strerror}", remedy) from None
    if len(data) > MAX_BYTES:
        raise InputError(Place(str(file)), f"is longer than {MAX_BYTES} bytes", "import a shorter answer")
    return data


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
    while (end := data.find(b"\n", at, MAX_HEADERS)) >= 0:
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
    if len(data) > MAX_HEADERS:
        raise _refusal(data, at, source, f"has no end of the header within {MAX_HEADERS} bytes")
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
