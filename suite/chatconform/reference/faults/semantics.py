"""Faults of what an answer says besides its words: thoughts, special tokens, cut characters, order and delivery.

And of errors by their status, and of lists of models.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from functools import reduce

from chatconform.model import Exchange, JsonObject, Origin
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import AFTER_STREAM_ERROR, OF_AN_ANSWER
from chatconform.reference.faults.fault import fault
from chatconform.reference.rewrite import Path

_CONTENT: Path = ("choices", 0, "message", "content")
_DELTA: Path = ("choices", 0, "delta", "content")
_HELD_BACK = 2_500_000
"""Microseconds after which a stream comes that a proxy held back."""


@fault("message.content.think", of="answer", fails=("message.content.thoughts",))
def think(exchange: Exchange) -> Exchange:
    """The text begins with reasoning between think tags."""
    text = rewrite.value_at(rewrite.messages(exchange)[0], _CONTENT)
    return rewrite.member(exchange, 0, _CONTENT, f"<think>\nThree cities.\n</think>\n\n{text}")


@fault("message.content.think_stream", of="stream", fails=("message.content.thoughts",))
def think_stream(exchange: Exchange) -> Exchange:
    """The text of a stream begins with reasoning, and the tag is spread over two deltas."""
    return rewrite.member(rewrite.member(exchange, 1, _DELTA, "<thi"), 2, _DELTA, "nk>Three cities.</think>")


@fault("message.content.think_closed", of="stream", fails=("message.content.thoughts",))
def think_closed(exchange: Exchange) -> Exchange:
    """The text of a stream begins with reasoning that a tag closes, and none opens, as the template holds it."""
    return rewrite.member(rewrite.member(exchange, 1, _DELTA, "Three cities.\n</th"), 2, _DELTA, "ink>\n\nZürich")


@fault("message.content.opener", of="answer", fails=("message.content.markers",))
def opener(exchange: Exchange) -> Exchange:
    """The text begins with the token by which the template begins a turn."""
    return rewrite.member(exchange, 0, _CONTENT, "<|im_start|>assistant\nZürich")


@fault("tools.markup.invoke", of="stream.uncalled", fails=("tools.markup.absent",))
def markup_invoke(exchange: Exchange) -> Exchange:
    """A call stands in content as an element that names the tool to invoke."""
    told = rewrite.member(exchange, 2, _DELTA, "\n<function_calls>\n<invoke ")
    return rewrite.member(told, 3, _DELTA, 'name="weather"></invoke>')


@fault("message.content.marker", of="answer", fails=("message.content.markers",))
def marker(exchange: Exchange) -> Exchange:
    """The text ends with the token by which the template ends a turn."""
    return rewrite.member(exchange, 0, _CONTENT, "Zürich<|im_end|>\n")


@fault("message.content.end_of_sequence", of="stream.n2", fails=("message.content.markers",))
def end_of_sequence(exchange: Exchange) -> Exchange:
    """The text of a choice ends with </s>, and nothing opened such an element."""
    return rewrite.member(exchange, 6, _DELTA, "</s>")


@fault("message.content.replaced", of="answer", fails=("message.content.characters",))
def replaced(exchange: Exchange) -> Exchange:
    """An emoji was cut when its bytes became text."""
    return rewrite.member(exchange, 0, _CONTENT, "Zürich \ufffd\ufffd and Reykjavík")


@fault("message.content.replaced_escaped", of="stream.n2", fails=("message.content.characters",))
def replaced_escaped(exchange: Exchange) -> Exchange:
    """A character that two deltas share was replaced in both, and JSON escapes it."""
    body = rewrite.body_of(exchange).replace("🙂".encode(), b"\\uFFFD")
    return rewrite.with_body(exchange, body)


@fault("message.content.run_on", of="answer", fails=("message.content.markers",))
def run_on(exchange: Exchange) -> Exchange:
    """The text runs on past the end of the turn, into a question that nobody asked."""
    return rewrite.member(exchange, 0, _CONTENT, "Zürich. <|im_end|>\n<|im_start|>user\nAnd more?\nNo.")


@fault("message.content.end_amid", of="stream", fails=("message.content.markers",))
def end_amid(exchange: Exchange) -> Exchange:
    """The token that ends a turn stands right behind a word, and the text of a stream goes on after it."""
    return rewrite.member(exchange, 1, _DELTA, "Zürich<|eot_id|>")


@fault("message.content.instruction", of="answer", fails=("message.content.markers",))
def instruction(exchange: Exchange) -> Exchange:
    """The text ends its sequence and begins an instruction."""
    return rewrite.member(exchange, 0, _CONTENT, "Zürich </s><s>[INST] And more? [/INST] No.")


@fault("message.content.think_glued", of="answer", fails=("message.content.thoughts",))
def think_glued(exchange: Exchange) -> Exchange:
    """A tag that no other opened closes the thoughts, right between two sentences."""
    return rewrite.member(exchange, 0, _CONTENT, "Three cities are asked for.</think>Zürich")


@fault("message.content.channels", of="answer", fails=("message.content.thoughts",))
def channels(exchange: Exchange) -> Exchange:
    """Thoughts and answer stand in one text, with the names of their channels and without the tokens."""
    return rewrite.member(exchange, 0, _CONTENT, "analysisThree cities are asked for.assistantfinalZürich")


@fault("tools.markup.amid", of="stream.uncalled", fails=("tools.markup.absent",))
def markup_amid(exchange: Exchange) -> Exchange:
    """A call stands between tags amid a line, after code that was quoted."""
    told = rewrite.member(exchange, 2, _DELTA, "See:\n```\nx = 1\n```\nOne moment. <tool_call>")
    return rewrite.member(told, 3, _DELTA, '{"name": "weather", "arguments": {}}</tool_call>')


@fault("tools.markup.channel", of="stream.uncalled", fails=("tools.markup.absent",))
def markup_channel(exchange: Exchange) -> Exchange:
    """A call stands in content after the words of the template that address it to a function."""
    return rewrite.member(exchange, 2, _DELTA, 'They ask.assistantcommentary to=functions.weather json{"city":"Oslo"}')


@fault("tools.markup.bare", of="stream.uncalled", fails=("tools.markup.absent",))
def markup_bare(exchange: Exchange) -> Exchange:
    """The text is the JSON of a call, and nothing else."""
    pieces = zip((1, 2, 3), ('{"name": "weather", ', '"parameters": ', '{"city": "Zürich"}}'), strict=True)
    return reduce(lambda told, piece: rewrite.member(told, piece[0], _DELTA, piece[1]), pieces, exchange)


@fault("stream.choices.swapped", of="stream.n2", fails=("stream.choices.order",))
def swapped(exchange: Exchange) -> Exchange:
    """Choice 1 begins before choice 0."""
    first, second, *others = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [second, first, *others])


@fault("stream.content.cumulative", of="stream", fails=("stream.content.incremental",))
def cumulative(exchange: Exchange) -> Exchange:
    """Every delta holds all of the text so far."""
    pieces = ("Zürich, 東京", "Zürich, 東京 and Reykjavík", "Zürich, 東京 and Reykjavík 🙂")
    changed = exchange
    for number, piece in enumerate(pieces, 1):
        changed = rewrite.member(changed, number, _DELTA, piece)
    return changed


@fault("stream.content.cumulative_short", of="stream", fails=("stream.content.incremental",))
def cumulative_short(exchange: Exchange) -> Exchange:
    """Every delta holds all of the text so far, and the text is short."""
    pieces = zip((1, 2, 3), ("Zü", "Züri", "Zürich"), strict=True)
    return reduce(lambda told, piece: rewrite.member(told, piece[0], _DELTA, piece[1]), pieces, exchange)


@fault("stream.content.again", of="stream.long", fails=("stream.content.incremental",))
def again(exchange: Exchange) -> Exchange:
    """The delta with finish_reason holds all of the text once more."""
    text = "".join(f"Zürich {number}, " for number in range(1, 61))
    return rewrite.member(exchange, -1, _DELTA, text)


@fault(
    "stream.content.broken_off",
    of="stream.long",
    fails=("stream.error",),
    unproven={"stream.error": AFTER_STREAM_ERROR},
    other_branch=("choices.finish_reason.nonempty",),
    gone=("sse.delivery.progressive",),
)
def broken_off(exchange: Exchange) -> Exchange:
    """A long stream breaks off with an error."""
    error = b'data: {"error":{"message":"The model broke off.","type":"server_error","param":null,"code":null}}'
    return rewrite.with_events(exchange, [*rewrite.events(exchange)[:22], error])


def _arriving(exchange: Exchange, *times: int) -> Exchange:
    """Return the exchange with its body in as many reads as there are times."""
    response = rewrite.response_of(exchange)
    size, rest = divmod(len(response.body), len(times))
    reads = tuple((time, size + (rest if number == 0 else 0)) for number, time in enumerate(times))
    return replace(exchange, response=replace(response, reads=reads))


@fault(
    "sse.delivery.gzip",
    of="stream.long",
    fails=("sse.delivery.progressive",),
    passes=("http.content_encoding.decodes",),
)
def compressed(exchange: Exchange) -> Exchange:
    """A proxy compresses the stream and flushes nothing before its end."""
    coded = gzip.compress(rewrite.body_of(exchange), mtime=0)
    named = rewrite.with_header(exchange, "Content-Encoding", "gzip")
    return _arriving(rewrite.with_pieces(named, [coded]), _HELD_BACK)


@fault("sse.delivery.burst", of="stream.long", fails=("sse.delivery.progressive",))
def burst(exchange: Exchange) -> Exchange:
    """All events arrive at once, after two and a half seconds."""
    return _arriving(exchange, _HELD_BACK, _HELD_BACK + 1_200, _HELD_BACK + 2_900)


@fault("sse.delivery.unread", of="stream.long", unproven={"no-reads": ("sse.delivery.progressive",)})
def unread(exchange: Exchange) -> Exchange:
    """The recording does not say when its bytes came."""
    return replace(exchange, response=replace(rewrite.response_of(exchange), reads=None))


@fault("sse.delivery.imported", of="stream.long", gone=("sse.delivery.progressive",))
def imported(exchange: Exchange) -> Exchange:
    """Another tool recorded when the bytes came, which says how that tool read them."""
    return replace(_arriving(exchange, _HELD_BACK), origin=Origin.IMPORTED)


@fault("sse.done.held", of="stream.usage", fails=("sse.done.closed",), other_branch=("http.body.complete",))
def held(exchange: Exchange) -> Exchange:
    """The connection stays open after [DONE], until the client gives up."""
    return replace(exchange, end="timeout")


@fault("sse.done.held_in_all", of="stream", fails=("sse.done.closed",), other_branch=("http.body.complete",))
def held_in_all(exchange: Exchange) -> Exchange:
    """The connection stays open after [DONE], for as long as the whole exchange may take."""
    return replace(exchange, end="limit:total_s")


@fault("errors.status.not_json", of="error.malformed", fails=("errors.status.malformed",), outside=OF_AN_ANSWER)
def not_json(exchange: Exchange) -> Exchange:
    """A request that is no JSON gets a 500."""
    return rewrite.with_status(exchange, 500)


@fault(
    "errors.status.no_messages",
    of="error.malformed",
    fails=("errors.status.malformed",),
    outside=OF_AN_ANSWER,
    appears=("choices.count.n", "message.content.thoughts", "message.content.markers", "message.content.characters"),
)
def no_messages(exchange: Exchange) -> Exchange:
    """A request without messages gets a 500."""
    body: JsonObject = {"model": "reference-1"}
    return rewrite.with_status(replace(exchange, request=replace(exchange.request, body=body)), 500)


@fault(
    "errors.status.outage",
    of="error.malformed",
    outside=OF_AN_ANSWER,
    unproven={"network": ("errors.status.malformed",)},
)
def outage(exchange: Exchange) -> Exchange:
    """A request that is no JSON meets a gateway with nothing behind it, which says nothing of the request."""
    return rewrite.with_status(exchange, 503)


@fault("errors.status.retold", of="error.malformed", unproven={"recorder": ("errors.status.malformed",)})
def retold(exchange: Exchange) -> Exchange:
    """Another tool recorded the request, and may have cut it itself."""
    return replace(exchange, origin=Origin.IMPORTED)


@fault("errors.code.out_of_quota", of="error.limit", fails=("errors.code.quota",))
def out_of_quota(exchange: Exchange) -> Exchange:
    """A 429 says that the quota is used up, and to try again in 20 seconds."""
    return rewrite.member(exchange, 0, ("error", "code"), "insufficient_quota")


@fault(
    "errors.code.unread",
    of="error.limit",
    fails=("errors.body.json",),
    unproven={
        "errors.body.json": (
            "errors.error.*",
            "errors.object.*",
            "errors.message.*",
            "errors.type.*",
            "errors.param.*",
            "errors.code.*",
        )
    },
)
def code_unread(exchange: Exchange) -> Exchange:
    """A proxy answers 429 with a page of markup."""
    return rewrite.with_body(exchange, b"<h1>429 Too Many Requests</h1>")


@fault("errors.object.blank", of="error", fails=("errors.object.nonempty",))
def blank(exchange: Exchange) -> Exchange:
    """param and code of an error are empty strings."""
    return rewrite.member(rewrite.member(exchange, 0, ("error", "param"), ""), 0, ("error", "code"), "")


@fault("errors.retry_after.words", of="error.limit", fails=("errors.retry_after.value",))
def retry_words(exchange: Exchange) -> Exchange:
    """Retry-After is a number with its unit."""
    return rewrite.with_header(exchange, "Retry-After", "20s")


@fault("errors.retry_after.unix_time", of="error.limit", fails=("errors.retry_after.value",))
def retry_unix_time(exchange: Exchange) -> Exchange:
    """Retry-After is a Unix time, which reads as fifty years to wait."""
    return rewrite.with_header(exchange, "Retry-After", "1795176020")


@fault("errors.retry_after.unrecorded", of="error.limit", unproven={"recorder": ("errors.retry_after.value",)})
def retry_unrecorded(exchange: Exchange) -> Exchange:
    """An imported recording of a 429 holds no headers."""
    return replace(exchange, origin=Origin.IMPORTED, response=replace(rewrite.response_of(exchange), headers=None))


@fault("models.id.twice", of="models", fails=("models.id.unique",))
def model_twice(exchange: Exchange) -> Exchange:
    """The list names one model twice."""
    return rewrite.member(exchange, 0, ("data", 1, "id"), "reference-1")
