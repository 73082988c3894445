"""What a report shows of exchanges, made of their transcripts: a summary of each, and the bytes behind a finding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from chatconform.exhibits import Received, Sent, Timeline
from chatconform.model import MAX_INTEGER, Exchange, ExchangeSummary, Finding, JsonValue, Outcome, Verdict
from chatconform.wire import habits, timing
from chatconform.wire import transcript as transcripts
from chatconform.wire.asked import credential
from chatconform.wire.excerpts import Excerpts
from chatconform.wire.transcript import Kind, Transcript

TIMELINES = 40
"""How many streams of a provider are kept with their timeline."""

BODY = 4_096
"""The longest request body that is kept, in characters."""

SHOWN = 5
"""How many findings of a verdict are kept with the bytes around them."""

_LONGEST_SOURCE = 200

_TELLING = frozenset(
    ["cf-ray", "date", "openai-processing-ms", "request-id", "server", "via", "x-request-id", "x-trace-id"]
)
"""The header fields by which a vendor finds a call again; no cookie, and no account, is among them."""


def with_evidence(
    exchanges: Iterable[Exchange], verdicts: Iterable[Verdict]
) -> tuple[tuple[ExchangeSummary, ...], tuple[Verdict, ...]]:
    """Return what reports show of the exchanges, and the verdicts with the bytes behind their findings."""
    told = dict(enumerate(verdicts))
    failed: dict[tuple[str, str], list[int]] = {}
    for number, verdict in told.items():
        if verdict.outcome is Outcome.FAIL:
            failed.setdefault((verdict.provider, verdict.exchange), []).append(number)
    summaries, streams = [], dict[str, int]()
    for exchange in exchanges:
        transcript = transcripts.read(exchange)
        numbers = failed.get((exchange.provider, exchange.id), [])
        excerpts = Excerpts(transcript) if numbers else None
        for number in numbers:
            assert excerpts is not None
            told[number] = replace(told[number], findings=tuple(_shown(told[number].findings, excerpts)))
        drawn = timing.timeline(transcript) if streams.get(exchange.provider, 0) < TIMELINES else None
        streams[exchange.provider] = streams.get(exchange.provider, 0) + (drawn is not None)
        summaries.append(_summary(transcript, drawn, failed=bool(numbers)))
    return tuple(summaries), tuple(told.values())


def _shown(findings: Iterable[Finding], excerpts: Excerpts) -> Iterator[Finding]:
    """Yield the findings, the first of them with the bytes around their places."""
    for number, finding in enumerate(findings):
        if finding.bytes is None or number >= SHOWN:
            yield finding
        else:
            yield replace(finding, evidence=excerpts.around(finding.bytes))


def _summary(transcript: Transcript, drawn: Timeline | None, *, failed: bool) -> ExchangeSummary:
    exchange, response = transcript.exchange, transcript.exchange.response
    return ExchangeSummary(
        id=exchange.id,
        provider=exchange.provider,
        file=exchange.file,
        sha256=exchange.sha256,
        request=f"{exchange.request.method} {exchange.request.url}".strip(),
        status=response.status if response else None,
        end=exchange.end,
        origin=exchange.origin,
        note=exchange.note,
        timings=timing.timings(transcript),
        habits=habits.habits(transcript),
        sent=Sent(
            scenario=exchange.scenario,
            model=transcript.asked.model or exchange.model,
            recorded_at=exchange.recorded_at,
            key=credential(exchange.request).value,
            body=_body(exchange) if failed else None,
        ),
        received=_received(transcript, drawn),
        source=_source(exchange.source),
    )


def _source(source: JsonValue) -> str | None:
    """Where an exchange was taken from, of at most 200 characters; None where its record does not say it in words."""
    if isinstance(source, dict):
        parts = (source.get("document"), source.get("lines"))
        source = ":".join(part for part in parts if isinstance(part, str))
    return source[:_LONGEST_SOURCE] if isinstance(source, str) and source else None


def _received(transcript: Transcript, drawn: Timeline | None) -> Received:
    if transcript.exchange.response is None:
        return Received()
    usage = transcript.facts.usage
    headers = ((name, value[:200]) for name, value in transcript.headers or () if name.lower() in _TELLING)
    return Received(
        headers=tuple(headers)[: len(_TELLING)],
        size=len(transcript.body),
        prompt_tokens=_sensible(usage.prompt) if "prompt" in usage.known else None,
        completion_tokens=_sensible(usage.completion) if "completion" in usage.known else None,
        timeline=drawn if transcript.kind is Kind.STREAM else None,
    )


def _sensible(count: int) -> int | None:
    """Return a count that a provider gave; None for one that not every reader of JSON has exactly."""
    return count if abs(count) <= MAX_INTEGER else None


def _body(exchange: Exchange) -> str | None:
    """Return the body of a request as text; None where there is none, it is no text, or it is long."""
    body = exchange.request.body
    try:
        text = body.decode() if isinstance(body, bytes) else None if body is None else _json(body)
    except UnicodeDecodeError:
        return None
    return text if text is not None and len(text) <= BODY else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
