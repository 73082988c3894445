"""Faults of what HTTP carries: the transport's end, codings, media types, and bodies that are no answer."""

from __future__ import annotations

from dataclasses import replace

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import (
    AFTER_BODY,
    AFTER_CODING,
    AFTER_OBJECT,
    AFTER_VALID,
    CONTENT,
)
from chatconform.reference.faults.fault import fault


def _cut(exchange: Exchange, end: str) -> Exchange:
    body = rewrite.body_of(exchange)
    return replace(rewrite.with_pieces(exchange, [body[: len(body) // 2]]), end=end)


@fault(
    "http.body.truncated",
    of="stream.usage",
    fails=("http.body.complete",),
    unproven={"http.body.complete": AFTER_CODING},
)
def truncated_stream(exchange: Exchange) -> Exchange:
    """The connection closes in the middle of a chunk, before the message's announced end."""
    return _cut(exchange, "truncated")


@fault(
    "http.body.truncated_answer",
    of="answer",
    fails=("http.body.complete",),
    unproven={"http.body.complete": AFTER_CODING},
)
def truncated_answer(exchange: Exchange) -> Exchange:
    """Fewer bytes come than Content-Length announces."""
    return rewrite.with_header(_cut(exchange, "truncated"), "Content-Length", "10000")


@fault(
    "http.body.truncated_models",
    of="models",
    fails=("http.body.complete",),
    unproven={"http.body.complete": AFTER_CODING},
)
def truncated_models(exchange: Exchange) -> Exchange:
    """A list of models breaks off."""
    return _cut(exchange, "truncated")


@fault(
    "http.body.reset",
    of="stream",
    fails=("http.body.complete",),
    unproven={"http.body.complete": AFTER_CODING},
)
def reset(exchange: Exchange) -> Exchange:
    """The connection is reset in the middle of a stream."""
    return _cut(exchange, "reset")


@fault(
    "http.body.timeout",
    of="stream",
    fails=("http.body.complete",),
    unproven={"http.body.complete": AFTER_CODING},
)
def timeout(exchange: Exchange) -> Exchange:
    """Amid the text nothing more comes, and the connection stays open until the suite's own clock ends the exchange."""
    return _cut(exchange, "timeout")


@fault(
    "http.body.malformed",
    of="stream",
    fails=("http.body.complete",),
    unproven={"http.body.complete": AFTER_CODING},
)
def malformed(exchange: Exchange) -> Exchange:
    """The chunked transfer coding is not well-formed, so that HTTP cannot go on reading."""
    return _cut(exchange, "malformed")


@fault(
    "http.body.limit",
    of="stream",
    unproven={"budget": ("http.body.complete",), "http.body.complete": AFTER_CODING},
)
def limit(exchange: Exchange) -> Exchange:
    """The body is larger than the suite's own ceiling, which proves nothing of its end."""
    return replace(exchange, end="limit:body")


@fault(
    "http.content_encoding.false",
    of="answer.gzip",
    fails=("http.content_encoding.decodes",),
    unproven={"http.content_encoding.decodes": AFTER_CODING},
)
def coding_false(exchange: Exchange) -> Exchange:
    """Content-Encoding says gzip, but the body is not coded."""
    return rewrite.with_pieces(exchange, [rewrite.body_of(exchange)])


@fault(
    "http.content_encoding.cut",
    of="answer.gzip",
    fails=("http.content_encoding.decodes",),
    unproven={"http.content_encoding.decodes": AFTER_CODING},
)
def coding_cut(exchange: Exchange) -> Exchange:
    """The gzip member ends before its last block does."""
    return rewrite.with_pieces(exchange, [rewrite.response_of(exchange).body[:-12]])


@fault(
    "http.content_encoding.unknown",
    of="stream",
    fails=("http.content_encoding.decodes",),
    unproven={"http.content_encoding.decodes": AFTER_CODING},
)
def coding_unknown(exchange: Exchange) -> Exchange:
    """A stream is labelled with a content coding that nobody asked for."""
    return rewrite.with_header(exchange, "Content-Encoding", "zstd")


@fault("http.body.empty", of="answer", fails=("http.body.present",), unproven={"http.body.present": AFTER_BODY})
def empty_answer(exchange: Exchange) -> Exchange:
    """A 200 has an empty body."""
    return rewrite.with_body(exchange, b"")


@fault(
    "http.body.empty_stream",
    of="stream.usage",
    fails=("http.body.present",),
    unproven={"http.body.present": AFTER_BODY},
)
def empty_stream(exchange: Exchange) -> Exchange:
    """A stream ends before its first byte."""
    return rewrite.with_body(exchange, b"")


@fault(
    "http.body.empty_tools",
    of="stream.tools",
    fails=("http.body.present",),
    unproven={"http.body.present": AFTER_BODY},
)
def empty_tools(exchange: Exchange) -> Exchange:
    """A stream with tools ends before its first byte."""
    return rewrite.with_body(exchange, b"")


@fault(
    "http.body.empty_logprobs",
    of="answer.logprobs",
    fails=("http.body.present",),
    unproven={"http.body.present": AFTER_BODY},
)
def empty_logprobs(exchange: Exchange) -> Exchange:
    """An answer with log probabilities has an empty body."""
    return rewrite.with_body(exchange, b"")


@fault(
    "http.body.empty_logprobs_stream",
    of="stream.logprobs",
    fails=("http.body.present",),
    unproven={"http.body.present": AFTER_BODY},
)
def empty_logprobs_stream(exchange: Exchange) -> Exchange:
    """A stream with log probabilities ends before its first byte."""
    return rewrite.with_body(exchange, b"")


@fault(
    "http.body.empty_tools_answer",
    of="answer.tools",
    fails=("http.body.present",),
    unproven={"http.body.present": AFTER_BODY},
)
def empty_tools_answer(exchange: Exchange) -> Exchange:
    """An answer with tool calls has an empty body."""
    return rewrite.with_body(exchange, b"")


@fault(
    "http.body.blank",
    of="tooken.answer",
    fails=("http.body.present",),
    unproven={"http.body.present": AFTER_BODY},
)
def blank_answer(exchange: Exchange) -> Exchange:
    """Keep-alive white space is sent, and no answer after it."""
    return rewrite.with_body(exchange, b"\n\n\n")


@fault(
    "http.body.latin1",
    of="stream.usage",
    fails=("http.body.utf8", "json.payload.valid"),
    unproven={
        "json.payload.valid": (
            "choices.finish_reason.present",
            "choices.finish_reason.called",
            "message.content.nonempty",
            "usage.stream.requested",
            "stream.role.present",
        )
    },
)
def latin1_stream(exchange: Exchange) -> Exchange:
    """A character of a chunk is cut, so that two of its bytes are no UTF-8."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange).replace("ü".encode(), b"\xfc"))


@fault(
    "http.body.latin1_answer",
    of="answer",
    fails=("http.body.utf8", "json.body.valid"),
    unproven={"json.body.valid": AFTER_VALID},
)
def latin1_answer(exchange: Exchange) -> Exchange:
    """An answer is written in ISO 8859-1."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange).replace("ü".encode(), b"\xfc"))


@fault("http.media_type.text", of="answer", fails=("http.media_type.json",))
def answer_as_text(exchange: Exchange) -> Exchange:
    """A JSON answer is labelled text/plain."""
    return rewrite.with_header(exchange, "Content-Type", "text/plain")


@fault("http.media_type.json_stream", of="stream.usage", fails=("http.media_type.event_stream",))
def stream_as_json(exchange: Exchange) -> Exchange:
    """A stream is labelled application/json."""
    return rewrite.with_header(exchange, "Content-Type", "application/json")


@fault("http.media_type.text_stream", of="xmsmartlink.stream", fails=("http.media_type.event_stream",))
def stream_as_text(exchange: Exchange) -> Exchange:
    """A stream whose document names its media type is labelled text/plain."""
    return rewrite.with_header(exchange, "Content-Type", "text/plain; charset=utf-8")


@fault("http.media_type.missing", of="stream.usage", fails=("http.media_type.event_stream",))
def no_media_type(exchange: Exchange) -> Exchange:
    """A stream has no Content-Type."""
    return rewrite.with_header(exchange, "Content-Type", None)


@fault("http.charset.latin1", of="stream.usage", fails=("http.charset.utf8",))
def charset_latin1(exchange: Exchange) -> Exchange:
    """A stream is labelled with the charset ISO 8859-1."""
    return rewrite.with_header(exchange, "Content-Type", "text/event-stream; charset=iso-8859-1")


@fault(
    "http.answer.empty_object",
    of="answer.tools",
    fails=("http.answer.completion",),
    unproven={"http.answer.completion": ("http.status.error", *CONTENT)},
)
def empty_object(exchange: Exchange) -> Exchange:
    """The answer is an object without members."""
    return rewrite.with_body(exchange, b"{}")


@fault(
    "http.answer.streamed",
    of="answer",
    fails=("http.answer.single",),
    unproven={"http.answer.single": ("json.body.valid", *AFTER_VALID)},
)
def streamed_unasked(exchange: Exchange) -> Exchange:
    """An event stream answers a request that did not ask for one."""
    text = b"data: " + rewrite.body_of(exchange) + b"\n\ndata: [DONE]\n\n"
    return rewrite.with_header(rewrite.with_body(exchange, text), "Content-Type", "text/event-stream")


@fault(
    "http.answer.streamed_as_json",
    of="answer",
    fails=("http.answer.single",),
    unproven={"http.answer.single": ("json.body.valid", *AFTER_VALID)},
)
def streamed_as_json(exchange: Exchange) -> Exchange:
    """An event stream answers a request that did not ask for one, under the media type of JSON."""
    return rewrite.with_header(streamed_unasked(exchange), "Content-Type", "application/json")


@fault(
    "http.answer.html",
    of="answer.tools",
    fails=("json.body.valid",),
    unproven={"json.body.valid": AFTER_VALID},
)
def html_answer(exchange: Exchange) -> Exchange:
    """A page of markup comes under status 200, as behind a wrong base URL."""
    broken = rewrite.with_body(exchange, b"<!DOCTYPE html>\n<title>Sign in</title>\n")
    return rewrite.with_header(broken, "Content-Type", "text/html")


@fault(
    "http.answer.html_documented",
    of="xmsmartlink.answer",
    fails=("json.body.valid",),
    unproven={"json.body.valid": AFTER_VALID},
)
def html_documented(exchange: Exchange) -> Exchange:
    """A page of markup answers a request that stays inside its document."""
    broken = rewrite.with_body(exchange, b"<!DOCTYPE html>\n<title>Sign in</title>\n")
    return rewrite.with_header(broken, "Content-Type", "text/html")


@fault(
    "http.answer.html_models",
    of="models",
    fails=("json.body.valid",),
    unproven={"json.body.valid": AFTER_VALID},
)
def html_models(exchange: Exchange) -> Exchange:
    """A page of markup stands where the list of models is asked for."""
    broken = rewrite.with_body(exchange, b"<!DOCTYPE html>\n<title>Models</title>\n")
    return rewrite.with_header(broken, "Content-Type", "text/html")


@fault("http.answer.array", of="answer", fails=("json.body.object",), unproven={"json.body.object": AFTER_OBJECT})
def array_answer(exchange: Exchange) -> Exchange:
    """The answer stands within a JSON array."""
    return rewrite.with_body(exchange, b"[" + rewrite.body_of(exchange) + b"]")
