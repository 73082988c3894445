"""Faults of JSON itself: texts that are none, and texts that parsers read differently."""

from __future__ import annotations

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import (
    AFTER_CHOICES,
    AFTER_OBJECT,
    AFTER_PAYLOADS,
    AFTER_VALID,
    CONTENT,
    OF_CHUNKS,
    SUMS,
)
from chatconform.reference.faults.fault import fault
from chatconform.reference.faults.framing import PLACE

_DEEP = b"[" * 70 + b"]" * 70
_UNREAD = {"json.payload.valid": AFTER_PAYLOADS}


@fault("json.body.cut", of="answer", fails=("json.body.valid",), unproven={"json.body.valid": AFTER_VALID})
def body_cut(exchange: Exchange) -> Exchange:
    """The JSON of an answer ends early, though the transport ends as it ought to."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange)[:-1])


@fault(
    "json.body.twice",
    of="tooken.answer",
    fails=("json.body.valid",),
    unproven={"json.body.valid": AFTER_VALID},
)
def body_twice(exchange: Exchange) -> Exchange:
    """The answer is written twice, one text after the other."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange) * 2)


@fault(
    "json.body.encoded_twice",
    of="answer",
    fails=("json.body.object",),
    unproven={"json.body.object": AFTER_OBJECT},
)
def encoded_twice(exchange: Exchange) -> Exchange:
    """The answer is a JSON string that holds JSON."""
    return rewrite.with_body(exchange, rewrite.as_json(rewrite.body_of(exchange).decode()))


@fault("json.body.models_array", of="models", fails=("json.body.object",), unproven={"json.body.object": CONTENT})
def models_array(exchange: Exchange) -> Exchange:
    """A list of models is a bare array."""
    return rewrite.with_body(exchange, rewrite.as_json(rewrite.messages(exchange)[0]["data"]))


@fault(
    "json.body.vendor_envelope",
    of="answer",
    fails=("http.answer.completion",),
    unproven={"http.answer.completion": ("http.status.error", *CONTENT)},
)
def vendor_envelope(exchange: Exchange) -> Exchange:
    """The answer stands in the data member of an envelope of its vendor's own."""
    return rewrite.with_messages(exchange, [{"code": 0, "msg": "ok", "data": rewrite.messages(exchange)[0]}])


@fault("json.payload.comment", of="stream.usage", fails=("json.payload.valid",), unproven=_UNREAD)
def comment_as_data(exchange: Exchange) -> Exchange:
    """A keep-alive comment is wrapped as the data of an event."""
    return rewrite.inserted(exchange, PLACE, b"data: : keep-alive")


@fault("json.payload.double_prefix", of="tooken.stream", fails=("json.payload.valid",), unproven=_UNREAD)
def double_prefix(exchange: Exchange) -> Exchange:
    """The data of a chunk begin with `data:` once more."""
    return rewrite.replaced(exchange, PLACE, b"data: " + rewrite.events(exchange)[PLACE])


@fault("json.payload.glued", of="stream.usage", fails=("json.payload.valid",), unproven=_UNREAD)
def glued(exchange: Exchange) -> Exchange:
    """Two chunks are glued together on one line."""
    found = rewrite.events(exchange)
    return rewrite.replaced(exchange, PLACE, found[PLACE] + found[PLACE + 1].removeprefix(b"data: "))


@fault("json.payload.control", of="stream.tools", fails=("json.payload.valid",), unproven=_UNREAD)
def control_character(exchange: Exchange) -> Exchange:
    """A JSON string of a chunk holds a tab as it is."""
    return rewrite.replaced(exchange, PLACE, rewrite.events(exchange)[PLACE].replace(b"chatcmpl-", b"chatcmpl-\t"))


@fault("json.payload.plain_error", of="stream.usage", fails=("json.payload.valid",), unproven=_UNREAD)
def plain_error(exchange: Exchange) -> Exchange:
    """The data of an event are an error's text, in no JSON."""
    return rewrite.inserted(exchange, PLACE, b"data: upstream timed out")


@fault("json.payload.null", of="stream.usage", fails=("json.payload.object",))
def null_payload(exchange: Exchange) -> Exchange:
    """The data of an event are null, as a heartbeat."""
    return rewrite.inserted(exchange, PLACE, b"data: null")


@fault("json.payload.array", of="stream.usage", fails=("json.payload.object",))
def array_payload(exchange: Exchange) -> Exchange:
    """The data of an event are an empty array."""
    return rewrite.inserted(exchange, PLACE, b"data: []")


@fault(
    "json.body.deep", of="answer", unproven={"json.body.valid": AFTER_VALID, "nothing-to-examine": ("json.body.valid",)}
)
def body_deep(exchange: Exchange) -> Exchange:
    """An answer is nested more deeply than this suite reads."""
    return rewrite.with_body(exchange, b'{"deep":' + _DEEP + b"," + rewrite.body_of(exchange)[1:])


@fault(
    "json.payload.deep",
    of="stream.usage",
    unproven={
        "nothing-to-examine": ("json.*", *OF_CHUNKS),
        "json.payload.valid": ("stream.role.present", "usage.stream.requested"),
        "envelope.choices.present": AFTER_CHOICES,
    },
    passes=("stream.error",),
    other_branch=("usage.stream.complete", "usage.stream.once", *SUMS),
)
def payloads_deep(exchange: Exchange) -> Exchange:
    """Every chunk is nested more deeply than this suite reads."""
    blocks = [block.replace(b"{", b'{"deep":' + _DEEP + b",", 1) for block in rewrite.events(exchange)]
    return rewrite.with_events(exchange, blocks)


@fault("json.constants.nan", of="answer", fails=("json.constants.absent",))
def nan(exchange: Exchange) -> Exchange:
    """An extra member of an answer is NaN."""
    return rewrite.with_body(exchange, b'{"score":NaN,' + rewrite.body_of(exchange)[1:])


@fault("json.constants.infinity", of="stream.usage", fails=("json.constants.absent",))
def infinity(exchange: Exchange) -> Exchange:
    """An extra member of a chunk is Infinity."""
    block = rewrite.events(exchange)[PLACE]
    return rewrite.replaced(exchange, PLACE, block.replace(b"{", b'{"score":Infinity,', 1))


@fault("json.keys.twice", of="answer", fails=("json.keys.unique",))
def key_twice(exchange: Exchange) -> Exchange:
    """An answer has the member model twice."""
    return rewrite.with_body(exchange, b'{"model":"other",' + rewrite.body_of(exchange)[1:])


@fault("json.surrogates.half", of="stream.usage", fails=("json.surrogates.paired",))
def half_surrogate(exchange: Exchange) -> Exchange:
    """A character beyond the basic plane is cut in two, and its first half is escaped alone."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange).replace("🙂".encode(), b"\\ud83d"))


@fault("json.bom.sent", of="answer", fails=("json.bom.absent",))
def bom(exchange: Exchange) -> Exchange:
    """A byte order mark stands before the JSON of an answer."""
    return rewrite.with_body(exchange, b"\xef\xbb\xbf" + rewrite.body_of(exchange))
