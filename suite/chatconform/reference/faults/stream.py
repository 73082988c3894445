"""Faults of what the chunks of a stream come to together: errors in the stream, and roles."""

from __future__ import annotations

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import AFTER_CHOICES, AFTER_STREAM_ERROR, CONTENT, OF_CHUNKS, SUMS
from chatconform.reference.faults.fault import Ids, fault
from chatconform.reference.faults.framing import PLACE

_UNREAD = {"stream.error": AFTER_STREAM_ERROR}
_OF_USAGE: Ids = ("usage.*_tokens.*", "usage.*_details.*")
_NO_FINISH: Ids = ("choices.finish_reason.nonempty", *_OF_USAGE)
"""What only the chunks after the error would have shown."""
_ERROR = b'data: {"error":{"message":"The model broke off.","type":"server_error","param":null,"code":null}}'


def _broken_off(exchange: Exchange, *blocks: bytes) -> Exchange:
    """Put the blocks in the place of all that follows the second chunk."""
    return rewrite.with_events(exchange, [*rewrite.events(exchange)[:PLACE], *blocks])


@fault("stream.error.data", of="stream.usage", fails=("stream.error",), unproven=_UNREAD, other_branch=_NO_FINISH)
def error_data(exchange: Exchange) -> Exchange:
    """The answer breaks off with an error object as the data of the last event."""
    return _broken_off(exchange, _ERROR)


@fault(
    "stream.error.data_done",
    of="stream.usage",
    fails=("stream.error",),
    unproven=_UNREAD,
    other_branch=_NO_FINISH,
)
def error_then_done(exchange: Exchange) -> Exchange:
    """The answer breaks off with an error object and [DONE]."""
    return _broken_off(exchange, _ERROR, rewrite.DONE)


@fault(
    "stream.error.event",
    of="tooken.stream",
    fails=("stream.error",),
    unproven=_UNREAD,
    other_branch=_NO_FINISH,
)
def error_event(exchange: Exchange) -> Exchange:
    """The answer breaks off with an error object in an event of the type error."""
    return _broken_off(exchange, b"event: error\n" + _ERROR)


@fault("stream.error.flat", of="stream.usage", fails=("stream.error",), unproven=_UNREAD, other_branch=_NO_FINISH)
def error_flat(exchange: Exchange) -> Exchange:
    """The answer breaks off with an event of the type error whose data have no error member."""
    return _broken_off(exchange, b'event: error\ndata: {"message":"broke off","code":500}')


@fault(
    "stream.error.object",
    of="stream.usage",
    fails=("stream.error",),
    unproven=_UNREAD,
    other_branch=_NO_FINISH,
)
def error_object(exchange: Exchange) -> Exchange:
    """The answer breaks off with a flat object that calls itself error."""
    return _broken_off(exchange, b'data: {"object":"error","message":"broke off","type":"x","code":500}')


@fault("stream.error.code", of="stream.usage", fails=("stream.error",), unproven=_UNREAD, other_branch=_NO_FINISH)
def error_code(exchange: Exchange) -> Exchange:
    """The answer breaks off with a vendor's code and message."""
    return _broken_off(exchange, b'data: {"code":50001,"message":"broke off"}')


@fault(
    "stream.error.string",
    of="stream.usage",
    fails=("stream.error",),
    unproven=_UNREAD,
    other_branch=_NO_FINISH,
)
def error_string(exchange: Exchange) -> Exchange:
    """The answer breaks off with an error member that is a string."""
    return _broken_off(exchange, b'data: {"error":"broke off"}')


@fault(
    "stream.error.field",
    of="stream.usage",
    fails=("stream.error",),
    unproven=_UNREAD,
    other_branch=_NO_FINISH,
)
def error_field(exchange: Exchange) -> Exchange:
    """The answer breaks off with a line whose field is named error."""
    return _broken_off(exchange, b'error: {"message":"broke off"}')


@fault(
    "stream.error.plain_event",
    of="stream.usage",
    fails=("stream.error", "json.payload.valid"),
    unproven=_UNREAD,
    other_branch=_NO_FINISH,
)
def error_text_event(exchange: Exchange) -> Exchange:
    """The answer breaks off with plain text in an event of the type error."""
    return _broken_off(exchange, b"event: error\ndata: broke off")


@fault(
    "stream.error.choice",
    of="stream.usage",
    fails=("stream.error",),
    unproven=_UNREAD,
    other_branch=("choices.finish_reason.nonempty",),
)
def error_in_choice(exchange: Exchange) -> Exchange:
    """The error stands in a choice of the last chunk of the text."""
    return rewrite.member(exchange, 4, ("choices", 0, "error"), {"message": "broke off", "code": 502})


@fault("stream.error.first", of="xmsmartlink.stream", fails=("stream.error",), unproven=_UNREAD)
def error_first(exchange: Exchange) -> Exchange:
    """An error object is the first event of the stream."""
    return rewrite.inserted(exchange, 0, _ERROR)


@fault(
    "stream.error.alone",
    of="stream",
    fails=("stream.error",),
    unproven={
        "nothing-to-examine": CONTENT,
        **_UNREAD,
    },
)
def error_alone(exchange: Exchange) -> Exchange:
    """The stream is an error object and [DONE]."""
    return rewrite.with_events(exchange, [_ERROR, rewrite.DONE])


@fault(
    "stream.payload.wrapped",
    of="stream.usage",
    fails=("stream.payload.chunk",),
    unproven={
        "nothing-to-examine": OF_CHUNKS,
        "envelope.choices.present": AFTER_CHOICES,
        "choices.delta.present": ("stream.role.present",),
        "stream.payload.chunk": ("usage.stream.requested",),
    },
    other_branch=("usage.stream.complete", "usage.stream.once", *SUMS),
    passes=("stream.error",),
)
def wrapped(exchange: Exchange) -> Exchange:
    """Every chunk stands in the data member of an envelope of its vendor's own."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [{"code": 0, "msg": "ok", "data": each} for each in chunks])


@fault(
    "stream.role.missing",
    of="stream.usage",
    fails=("stream.role.present",),
    other_branch=("message.role.*", "stream.role.nonempty", "stream.role.first"),
)
def role_missing(exchange: Exchange) -> Exchange:
    """No delta has a role."""
    return rewrite.no_member(exchange, 0, ("choices", 0, "delta", "role"))


@fault(
    "stream.role.empty",
    of="stream.tools",
    fails=("stream.role.present", "stream.role.nonempty"),
    other_branch=("stream.role.first",),
)
def role_empty(exchange: Exchange) -> Exchange:
    """The role of the first delta is the empty string, and no other delta has one."""
    return rewrite.member(exchange, 0, ("choices", 0, "delta", "role"), "")


@fault("stream.role.late", of="stream.tools", fails=("stream.role.first",))
def role_late(exchange: Exchange) -> Exchange:
    """The role comes with the tool call, after a delta that has no role."""
    nameless = rewrite.no_member(exchange, 0, ("choices", 0, "delta", "role"))
    return rewrite.member(nameless, 1, ("choices", 0, "delta", "role"), "assistant")


@fault("stream.role.repeated", of="stream.usage", fails=("stream.role.once",))
def role_repeated(exchange: Exchange) -> Exchange:
    """Every delta has the role."""
    chunks = rewrite.messages(exchange)
    path = ("choices", 0, "delta", "role")
    return rewrite.with_messages(
        exchange, [*(rewrite.put(each, path, "assistant") for each in chunks[:5]), *chunks[5:]]
    )
