"""Faults of recordings: what was not recorded proves nothing. And of what one document promises."""

from __future__ import annotations

from dataclasses import replace

from chatconform.model import Exchange, Origin
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import (
    AFTER_NUMBERED,
    OF_AN_ERROR,
    OF_THE_REQUEST,
    STREAMED_FUNCTIONS,
    UNASKED_CALLS,
    UNASKED_TEXT,
)
from chatconform.reference.faults.fault import fault

_ERROR = b'{"error":{"message":"Not today.","type":"server_error","param":null,"code":null}}'


@fault(
    "recorder.headers.missing",
    of="stream.usage",
    unproven={"recorder": ("http.media_type.event_stream", "http.charset.utf8")},
)
def headers_missing(exchange: Exchange) -> Exchange:
    """An imported recording of a stream holds no headers."""
    response = replace(rewrite.response_of(exchange), headers=None)
    return replace(exchange, origin=Origin.IMPORTED, response=response)


@fault("recorder.headers.missing_answer", of="answer", unproven={"recorder": ("http.media_type.json",)})
def headers_missing_answer(exchange: Exchange) -> Exchange:
    """A page that prints an answer prints no headers."""
    response = replace(rewrite.response_of(exchange), headers=None)
    return replace(exchange, origin=Origin.DOCUMENT, response=response)


@fault(
    "recorder.headers.missing_documented",
    of="xmsmartlink.stream",
    unproven={"recorder": ("http.media_type.event_stream", "http.charset.utf8")},
)
def headers_missing_documented(exchange: Exchange) -> Exchange:
    """An imported recording of a documented provider's stream holds no headers."""
    response = replace(rewrite.response_of(exchange), headers=None)
    return replace(exchange, origin=Origin.IMPORTED, response=response)


@fault("recorder.coding.undone", of="answer.gzip", unproven={"recorder": ("http.content_encoding.decodes",)})
def coding_undone(exchange: Exchange) -> Exchange:
    """The recorder decoded the body and kept the Content-Encoding field."""
    return replace(rewrite.with_pieces(exchange, [rewrite.body_of(exchange)]), origin=Origin.IMPORTED)


@fault("recorder.ids.masked", of="stream.usage", unproven={"recorder": ("envelope.created.seconds",)})
def ids_masked(exchange: Exchange) -> Exchange:
    """The recorder masked every id and every created."""
    chunks = [{**chunk, "id": "REDACTED", "created": 0} for chunk in rewrite.messages(exchange)]
    return replace(rewrite.with_messages(exchange, chunks), origin=Origin.IMPORTED)


@fault(
    "recorder.request.missing",
    of="answer",
    unproven={
        "no-request": (
            "choices.count.n",
            "choices.finish_reason.tool_calls",
            "usage.cap.precedence",
            "extensions.*",
            "tools.name.nonempty",
            *UNASKED_CALLS,
            *OF_THE_REQUEST,
        )
    },
    appears=(
        "choices.finish_reason.tool_calls",
        "usage.cap.precedence",
        "tools.name.nonempty",
        *UNASKED_CALLS,
        *UNASKED_TEXT,
    ),
)
def request_missing(exchange: Exchange) -> Exchange:
    """The recording of an answer does not hold the request's body."""
    return replace(exchange, request=replace(exchange.request, body=None))


@fault(
    "recorder.request.missing_stream",
    of="stream.usage",
    unproven={
        "no-request": (
            "choices.count.n",
            "choices.finish_reason.tool_calls",
            "usage.cap.precedence",
            "usage.stream.requested",
            "stream.choices.nonempty",
            *UNASKED_CALLS,
            *OF_THE_REQUEST,
            *AFTER_NUMBERED,
            *STREAMED_FUNCTIONS,
        )
    },
    appears=(
        "choices.finish_reason.tool_calls",
        "usage.cap.precedence",
        "stream.choices.nonempty",
        *UNASKED_CALLS,
        *UNASKED_TEXT,
        *AFTER_NUMBERED,
        *STREAMED_FUNCTIONS,
    ),
)
def request_missing_stream(exchange: Exchange) -> Exchange:
    """The recording of a stream does not hold the request's body."""
    return replace(exchange, request=replace(exchange.request, body=None))


@fault(
    "recorder.request.missing_documented",
    of="tooken.answer",
    unproven={
        "no-request": (
            "tooken/*",
            "choices.count.n",
            "choices.finish_reason.tool_calls",
            "usage.cap.precedence",
            "tools.name.nonempty",
            *UNASKED_CALLS,
            *OF_THE_REQUEST,
        )
    },
    appears=(
        "choices.finish_reason.tool_calls",
        "usage.cap.precedence",
        "tools.name.nonempty",
        *UNASKED_CALLS,
        *UNASKED_TEXT,
    ),
)
def request_missing_documented(exchange: Exchange) -> Exchange:
    """Without the request nobody knows whether it stayed inside its document."""
    return replace(exchange, request=replace(exchange.request, body=None))


@fault("recorder.request.outside", of="tooken.answer", outside=("tooken/*",))
def request_outside(exchange: Exchange) -> Exchange:
    """The request has a member that its document does not know, so the document says nothing of the answer."""
    return rewrite.asked(exchange, top_p=0.5)


@fault("extensions.routed_model.other", of="tooken.answer", fails=("extensions.routed_model.echo",))
def routed_elsewhere(exchange: Exchange) -> Exchange:
    """model is not the model that platform.routed_model names."""
    return rewrite.member(exchange, 0, ("platform", "routed_model"), "reference-2")


@fault(
    "extensions.model.alias",
    of="tooken.answer",
    fails=("extensions.model.resolved", "extensions.routed_model.echo"),
)
def alias(exchange: Exchange) -> Exchange:
    """The answer to an alias names the alias."""
    return rewrite.member(exchange, 0, ("model",), "auto")


@fault(
    "extensions.trace_id.refused",
    of="xmsmartlink.answer",
    fails=("extensions.trace_id.accepted",),
    passes=OF_AN_ERROR,
    refused=("*",),
    appears=OF_AN_ERROR,
)
def trace_id_refused(exchange: Exchange) -> Exchange:
    """A request with X-Trace-ID is refused with a typed 400 that speaks of it."""
    return rewrite.with_status(rewrite.with_body(exchange, _ERROR.replace(b"Not today", b"Bad X-Trace-ID")), 400)


@fault(
    "extensions.trace_id.unrelated",
    of="xmsmartlink.answer",
    passes=OF_AN_ERROR,
    refused=("*",),
    appears=OF_AN_ERROR,
)
def trace_id_unrelated(exchange: Exchange) -> Exchange:
    """A request with X-Trace-ID is refused with a typed 404 that is about the model: the header is not at fault."""
    return rewrite.with_status(rewrite.with_body(exchange, _ERROR), 404)
