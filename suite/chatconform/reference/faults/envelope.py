"""Faults of the members around the choices."""

from __future__ import annotations

from chatconform.model import Exchange, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import AFTER_CHOICES, WITHIN_CHOICE
from chatconform.reference.faults.fault import fault
from chatconform.reference.faults.framing import PLACE
from chatconform.reference.good import CREATED

_USAGE_UNREAD = {"stream.payload.chunk": ("usage.stream.requested",)}
"""An object that is no chunk may be the one with the usage."""
_CHOICES_UNREAD = {"envelope.choices.present": AFTER_CHOICES}


def _everywhere(exchange: Exchange, key: str, value: JsonValue) -> Exchange:
    return rewrite.with_messages(exchange, [{**each, key: value} for each in rewrite.messages(exchange)])


@fault("envelope.chunk.ping", of="stream.usage", fails=("stream.payload.chunk",), unproven=_USAGE_UNREAD)
def ping(exchange: Exchange) -> Exchange:
    """A keep-alive is sent as an event with the data {}."""
    return rewrite.inserted(exchange, PLACE, b"event: ping\ndata: {}")


@fault("envelope.chunk.typed_ping", of="stream.usage", fails=("stream.payload.chunk",), unproven=_USAGE_UNREAD)
def typed_ping(exchange: Exchange) -> Exchange:
    """A keep-alive is sent as an object of the type ping."""
    return rewrite.inserted(exchange, PLACE, b'data: {"type":"ping"}')


@fault("envelope.chunk.billing", of="tooken.stream", fails=("stream.payload.chunk",))
def billing(exchange: Exchange) -> Exchange:
    """An event of its own, which is no chunk, reports the cost."""
    return rewrite.inserted(exchange, 5, b'event: cost\ndata: {"cost":0.25,"currency":"CHF"}')


@fault(
    "envelope.chunk.usage_bare",
    of="stream.usage",
    fails=("envelope.choices.present",),
    unproven=_CHOICES_UNREAD,
)
def usage_without_choices(exchange: Exchange) -> Exchange:
    """The chunk with the usage has no choices member."""
    return rewrite.no_member(exchange, -1, ("choices",))


@fault(
    "envelope.chunk.choices_null",
    of="stream.usage",
    fails=("envelope.choices.type",),
    unproven={"envelope.choices.type": AFTER_CHOICES},
)
def choices_null(exchange: Exchange) -> Exchange:
    """The chunk with the usage has choices: null."""
    return rewrite.member(exchange, -1, ("choices",), None)


@fault(
    "envelope.choices.null",
    of="answer",
    fails=("envelope.choices.type",),
    unproven={"envelope.choices.type": AFTER_CHOICES},
    other_branch=("choices.list.nonempty", *WITHIN_CHOICE),
)
def answer_choices_null(exchange: Exchange) -> Exchange:
    """choices of an answer is null."""
    return _everywhere(exchange, "choices", None)


@fault("envelope.object.answers", of="stream.usage", fails=("envelope.object.value",))
def object_of_an_answer(exchange: Exchange) -> Exchange:
    """Chunks call themselves chat.completion."""
    return _everywhere(exchange, "object", "chat.completion")


@fault("envelope.object.text", of="answer", fails=("envelope.object.value",))
def object_of_text(exchange: Exchange) -> Exchange:
    """An answer calls itself text_completion."""
    return _everywhere(exchange, "object", "text_completion")


@fault("envelope.id.number", of="answer", fails=("envelope.id.type",), other_branch=("envelope.id.nonempty",))
def id_number(exchange: Exchange) -> Exchange:
    """id is a number."""
    return _everywhere(exchange, "id", 7)


@fault(
    "envelope.created.missing",
    of="answer",
    fails=("envelope.created.present",),
    unproven={"nothing-to-examine": ("envelope.created.seconds",)},
    other_branch=("envelope.created.type",),
)
def created_missing(exchange: Exchange) -> Exchange:
    """An answer has no created."""
    return rewrite.no_member(exchange, 0, ("created",))


@fault(
    "envelope.created.missing_documented",
    of="tooken.answer",
    fails=("envelope.created.present",),
    unproven={"nothing-to-examine": ("envelope.created.seconds",)},
    other_branch=("envelope.created.type",),
)
def created_missing_documented(exchange: Exchange) -> Exchange:
    """An answer whose document shows created has none."""
    return rewrite.no_member(exchange, 0, ("created",))


@fault(
    "envelope.created.null",
    of="answer",
    fails=("envelope.created.present",),
    unproven={"nothing-to-examine": ("envelope.created.seconds",)},
)
def created_null(exchange: Exchange) -> Exchange:
    """created of an answer is null."""
    return _everywhere(exchange, "created", None)


@fault("envelope.created.zero", of="stream.usage", fails=("envelope.created.seconds",))
def created_zero(exchange: Exchange) -> Exchange:
    """created is 0 in every chunk."""
    return _everywhere(exchange, "created", 0)


@fault("envelope.created.milliseconds", of="answer", fails=("envelope.created.seconds",))
def created_milliseconds(exchange: Exchange) -> Exchange:
    """created counts milliseconds."""
    return _everywhere(exchange, "created", CREATED * 1000)


@fault("envelope.created.constant", of="answer", fails=("envelope.created.seconds",))
def created_constant(exchange: Exchange) -> Exchange:
    """created is the same second of 2023 in every answer."""
    return _everywhere(exchange, "created", 1_700_000_000)


@fault(
    "envelope.created.float",
    of="answer",
    fails=("envelope.created.type",),
    unproven={"nothing-to-examine": ("envelope.created.seconds",)},
)
def created_float(exchange: Exchange) -> Exchange:
    """created is written with a fraction of zero."""
    return _everywhere(exchange, "created", float(CREATED))


@fault(
    "envelope.created.text",
    of="xmsmartlink.answer",
    fails=("envelope.created.type",),
    unproven={"nothing-to-examine": ("envelope.created.seconds",)},
)
def created_text(exchange: Exchange) -> Exchange:
    """created is a date in ISO 8601."""
    return _everywhere(exchange, "created", "2026-11-20T12:00:00Z")


@fault(
    "envelope.model.null",
    of="answer",
    fails=("envelope.model.type",),
    other_branch=("envelope.model.nonempty",),
)
def model_null(exchange: Exchange) -> Exchange:
    """model of an answer is null."""
    return _everywhere(exchange, "model", None)


@fault(
    "stream.model.missing",
    of="stream.usage",
    fails=("stream.model.present",),
    other_branch=("envelope.model.*",),
)
def chunk_models_missing(exchange: Exchange) -> Exchange:
    """No chunk names its model."""
    chunks = [{key: chunk[key] for key in chunk if key != "model"} for chunk in rewrite.messages(exchange)]
    return rewrite.with_messages(exchange, chunks)


@fault("stream.id.changes", of="stream.usage", fails=("stream.id.constant",))
def id_changes(exchange: Exchange) -> Exchange:
    """Every chunk has an id of its own."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [{**each, "id": f"chatcmpl-{n}"} for n, each in enumerate(chunks)])


@fault("stream.created.changes", of="stream.usage", fails=("stream.created.constant",))
def created_changes(exchange: Exchange) -> Exchange:
    """created is the time of the chunk, not of the answer."""
    return rewrite.member(exchange, -1, ("created",), CREATED + 2)
