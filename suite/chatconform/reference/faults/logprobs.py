"""Faults of log probabilities: missing, of the older shape, too many, or of other words."""

from __future__ import annotations

from chatconform.model import Exchange, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Ids, fault
from chatconform.reference.rewrite import Path

_LOGPROBS: Path = ("choices", 0, "logprobs")
_TOKENS: Ids = (
    "logprobs.item.*", "logprobs.token.*", "logprobs.logprob.*", "logprobs.byte*", "logprobs.top_*",
    "logprobs.content.joined",
)  # fmt: skip
_MEMBERS: Ids = ("logprobs.content.type", "logprobs.refusal.type")


@fault(
    "logprobs.content.ignored",
    of="answer.logprobs",
    fails=("logprobs.content.present",),
    other_branch=(*_MEMBERS, *_TOKENS),
)
def ignored(exchange: Exchange) -> Exchange:
    """logprobs were asked for, and logprobs is null."""
    return rewrite.member(exchange, 0, _LOGPROBS, None)


@fault(
    "logprobs.content.legacy",
    of="answer.logprobs",
    fails=("logprobs.content.present",),
    other_branch=(*_MEMBERS, *_TOKENS),
)
def legacy(exchange: Exchange) -> Exchange:
    """logprobs have the shape of the older completions API."""
    value: JsonValue = {"tokens": ["Zü", "rich"], "token_logprobs": [-0.25, -0.25], "text_offset": [0, 2]}
    return rewrite.member(exchange, 0, _LOGPROBS, value)


@fault(
    "logprobs.content.ignored_stream",
    of="stream.logprobs",
    fails=("logprobs.content.present",),
    other_branch=("logprobs.object.type", *_MEMBERS, *_TOKENS),
)
def ignored_stream(exchange: Exchange) -> Exchange:
    """logprobs were asked for, and no chunk has them."""
    chunks = rewrite.messages(exchange)
    bare = [rewrite.without(chunk, _LOGPROBS) if number < 4 else chunk for number, chunk in enumerate(chunks)]
    return rewrite.with_messages(exchange, bare)


@fault("logprobs.top_logprobs.more", of="answer.logprobs", fails=("logprobs.top_logprobs.count",))
def more(exchange: Exchange) -> Exchange:
    """Two top_logprobs were asked for, and one token has three."""
    path: Path = (*_LOGPROBS, "content", 1, "top_logprobs")
    ranked = rewrite.value_at(rewrite.messages(exchange)[0], path)
    assert isinstance(ranked, list)
    return rewrite.member(exchange, 0, path, [*ranked, ranked[-1]])


@fault("logprobs.content.gap", of="answer.logprobs", fails=("logprobs.content.joined",))
def gap(exchange: Exchange) -> Exchange:
    """One token of the text has no entry."""
    return rewrite.no_member(exchange, 0, (*_LOGPROBS, "content", 1))


@fault("logprobs.content.other_bytes", of="stream.logprobs", fails=("logprobs.content.joined",))
def other_bytes(exchange: Exchange) -> Exchange:
    """The bytes of a token are those of another text."""
    path: Path = (*_LOGPROBS, "content", 0, "bytes")
    return rewrite.member(exchange, 2, path, list[JsonValue](b"Genf"))
