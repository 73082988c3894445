"""What official clients take for an answer though it is none: each is a must, and the check that sees it is named."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chatconform.judging import judge
from chatconform.model import Exchange, Level, Outcome
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD

STREAM = GOOD["stream"]
CHUNKS = rewrite.events(STREAM)
ANSWER = rewrite.body_of(GOOD["answer"])
ERROR = b'{"error":{"message":"broke off","type":"server_error","param":null,"code":null}}'

SILENT: Mapping[str, tuple[Exchange, str]] = {
    "html": (rewrite.with_body(STREAM, b"<!doctype html><title>Sign in</title>"), "sse.stream.events"),
    "ndjson": (
        rewrite.with_body(STREAM, b"".join(each.removeprefix(b"data: ") + b"\n" for each in CHUNKS[:-1])),
        "sse.stream.events",
    ),
    "json-not-stream": (
        rewrite.with_header(rewrite.with_body(STREAM, ANSWER), "Content-Type", "application/json"),
        "sse.stream.events",
    ),
    "json-as-eventstream": (rewrite.with_body(STREAM, ANSWER), "sse.stream.events"),
    "error-json-200": (rewrite.with_body(STREAM, ERROR), "sse.stream.events"),
    "empty-body": (rewrite.with_body(STREAM, b""), "http.body.present"),
    "only-done": (rewrite.with_events(STREAM, [rewrite.DONE]), "sse.stream.events"),
    "no-done-no-finish": (rewrite.with_events(STREAM, CHUNKS[:-2]), "choices.finish_reason.present"),
    "done-no-finish": (rewrite.with_events(STREAM, [*CHUNKS[:-2], rewrite.DONE]), "choices.finish_reason.present"),
}
"""The nine bodies that openai-python and openai-node return as a stream without a word."""


def broken_off(*blocks: bytes) -> Exchange:
    return rewrite.with_events(STREAM, [*CHUNKS[:3], *blocks])


ERRORS: Mapping[str, tuple[Exchange, str]] = {
    "error-data": (broken_off(b"data: " + ERROR), "stream.error"),
    "error-data-done": (broken_off(b"data: " + ERROR, rewrite.DONE), "stream.error"),
    "error-event": (broken_off(b"event: error\ndata: " + ERROR), "stream.error"),
    "error-event-flat": (broken_off(b'event: error\ndata: {"message":"broke off","code":500}'), "stream.error"),
    "error-vllm": (
        broken_off(b'data: {"object":"error","message":"broke off","type":"x","param":null,"code":500}'),
        "stream.error",
    ),
    "error-field": (broken_off(b'error: {"message":"broke off","code":500}'), "stream.error"),
    "error-string": (broken_off(b'data: {"error":"broke off"}'), "stream.error"),
    "error-plain-text": (broken_off(b"data: Internal Server Error"), "json.payload.valid"),
    "error-first": (rewrite.with_events(STREAM, [b"data: " + ERROR]), "stream.error"),
    "error-in-choice": (
        rewrite.member(STREAM, 3, ("choices", 0, "error"), {"message": "broke off", "code": 502}),
        "stream.error",
    ),
}
"""The shapes in which a stream says that it failed."""


def broken_musts(exchange: Exchange) -> set[str]:
    return {
        verdict.check
        for verdict in judge([exchange])
        if verdict.outcome is Outcome.FAIL and verdict.level is Level.MUST
    }


@pytest.mark.parametrize("name", SILENT)
def test_a_body_that_clients_accept_in_silence_breaks_one_must(name):
    exchange, check = SILENT[name]

    assert broken_musts(exchange) == {check}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_in_a_stream_breaks_one_must(name):
    exchange, check = ERRORS[name]

    assert broken_musts(exchange) == {check}
