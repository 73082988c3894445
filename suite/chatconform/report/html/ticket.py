"""What a reader copies: a curl line without the key, and a text for the vendor's ticket. Plain text, whole."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator

from chatconform.exhibits import DeviationText
from chatconform.model import OPENAI, CheckText, ExchangeSummary, Finding, Origin, OwnDocument, Results
from chatconform.report import board, visible
from chatconform.report.board import Entry, Row

ISSUE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")
"""An issue or pull request on GitHub: owner/repository#number."""
_FINDINGS, _ISSUES = 3, 4
_WRONG_KEY = "a-wrong-key"


def curl(exchange: ExchangeSummary | None) -> str | None:
    """The request as a shell command; None where it is not known whole, or cannot be printed as it is."""
    if exchange is None:
        return None
    method, _, url = exchange.request.partition(" ")
    body = _body(exchange.sent.body)
    if not re.match(r"https?://", url) or (method == "POST" and not body):
        return None
    words = ["curl -sS -N -i" + ("" if method in ("GET", "POST") else f" -X {shlex.quote(method)}"), shlex.quote(url)]
    words += [f"-H {header}" for header in _headers(exchange, has_body=bool(body))]
    words += [f"--data-raw {shlex.quote(body)}"] if body else []
    text = " \\\n  ".join(words)
    return text if visible.escape(text.replace("\n", " ")) == text.replace("\n", " ") else None


def ticket(
    results: Results,
    row: Row,
    entry: Entry,
    exchange: ExchangeSummary | None,
    *,
    again: str | None,
    curl: str | None,
) -> str:
    """A text that says all that a vendor needs, and nothing that the vendor has to look up here."""
    text = board.text_of(results, entry.check)
    failed = board.failing(entry)[0]
    is_printed = exchange is not None and exchange.origin is Origin.DOCUMENT
    endpoint = _line(row.provider.endpoint.base_url or row.provider.id)
    parts = [
        f"{entry.check}: {'an example in your API document' if is_printed else endpoint} does not keep this rule",
        "",
        f"Rule ({entry.rolled.level.value}): {_line(text.under(entry.contract))}",
        *_sources(row, entry, text),
        f"It is broken in {board.extent(entry)}{', printed examples of your document' if is_printed else ''}.",
        "",
        *(_printed(exchange) if is_printed else _request(exchange)),
        *(each for finding in failed.findings[:_FINDINGS] for each in _finding(finding)),
        "",
        f"What breaks: {_line(text.breaks)}",
        f"Clients: {board.impact(text)}",
        f"To mend it: {_line(text.fix)}",
        *_elsewhere(board.known(results, text)),
    ]
    parts += ["", "The request:", curl] if curl and not is_printed else []
    parts += ["", f"Judged by chatconform {_line(str(results.run.get('suite', '')))}" + (f": {again}" if again else "")]
    return "\n".join(parts)


def _headers(exchange: ExchangeSummary, *, has_body: bool) -> Iterator[str]:
    if has_body:
        yield "'Content-Type: application/json'"
    if exchange.sent.key == "wrong":
        yield f"'Authorization: Bearer {_WRONG_KEY}'"
    elif exchange.sent.key == "right" or exchange.origin is not Origin.LIVE:
        yield '"Authorization: Bearer $API_KEY"'


def _body(body: str | None) -> str | None:
    """The body with JSON escapes for what has no shape, where it is JSON; it says the same."""
    if body is None:
        return None
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return body
    return visible.SHAPELESS.sub(lambda match: json.dumps(match[0])[1:-1], body)


def _sources(row: Row, entry: Entry, text: CheckText) -> Iterator[str]:
    source = board.ruled_by(text, entry.contract)
    name = "your document" if entry.contract != OPENAI else "OpenAI's contract"
    yield f"Source: {name}{f', {_line(source)}' if source else ''}"
    if entry.own_document is OwnDocument.PROMISES:
        yield f"Your own document says the same: {_line(text.sources.get(row.document or '', ''))}"
    elif entry.own_document is OwnDocument.ANNOUNCES:
        yield "The example in your own document breaks it in the same way."


def _printed(exchange: ExchangeSummary | None) -> Iterator[str]:
    """Where a document prints an example: nothing was asked of the endpoint."""
    if exchange is not None:
        yield f"Printed in {_line(exchange.source or exchange.file)}. The endpoint itself was not asked."


def _elsewhere(known: Iterable[DeviationText]) -> Iterator[str]:
    """Where others met the same."""
    for each in known:
        issues = [cite for cite in each.cites if ISSUE.fullmatch(cite)]
        if issues:
            yield f"Seen elsewhere: {_line(each.says)} ({_line(', '.join(issues[:_ISSUES]))})"


def _request(exchange: ExchangeSummary | None) -> Iterator[str]:
    if exchange is None:
        return
    when = f", recorded {_line(exchange.sent.recorded_at)}" if exchange.sent.recorded_at else ""
    yield f"Seen in {_line(exchange.id)}: {_line(exchange.request)}{when}"
    yield from (f"  {_line(name)}: {_line(value)}" for name, value in exchange.received.headers)


def _finding(finding: Finding) -> Iterator[str]:
    places = (*board.where(finding), *((f"at {_line(finding.at)}",) if finding.at else ()))
    yield f"- {', '.join(places) or 'in the answer'}"
    yield f"  got {_line(finding.got)}"
    yield f"  wanted {_line(finding.want)}"
    for line in finding.evidence.lines if finding.evidence else ():
        sign = ">" if line.text[1] else " "
        yield f"  {sign} {line.bytes[0]:>8}  {_line(''.join(line.text))}"
    if finding.evidence and finding.bytes == (finding.evidence.size, finding.evidence.size):
        yield f"  > {finding.evidence.size:>8}  (the body ends here)"


def _line(text: str) -> str:
    return visible.line(text, 400)
