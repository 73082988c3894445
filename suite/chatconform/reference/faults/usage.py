"""Faults of the usage object."""

from __future__ import annotations

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import WITHIN_USAGE
from chatconform.reference.faults.fault import Ids, fault

_OF_REPORTS: Ids = ("usage.object.type", "usage.stream.complete", "usage.stream.once", *WITHIN_USAGE)
_REPORT: JsonObject = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}


@fault(
    "usage.object.missing",
    of="answer.details",
    fails=("usage.object.present",),
    other_branch=("usage.object.type", *WITHIN_USAGE),
)
def object_missing(exchange: Exchange) -> Exchange:
    """An answer has no usage."""
    return rewrite.no_member(exchange, 0, ("usage",))


@fault("usage.object.null", of="tooken.answer", fails=("openai/usage.object.present",), other_branch=WITHIN_USAGE)
def object_null(exchange: Exchange) -> Exchange:
    """usage of an answer is null, which its document does not exclude."""
    return rewrite.member(exchange, 0, ("usage",), None)


@fault(
    "usage.stream.ignored",
    of="xmsmartlink.stream",
    fails=("usage.stream.requested",),
    other_branch=_OF_REPORTS,
)
def include_usage_ignored(exchange: Exchange) -> Exchange:
    """include_usage was asked for, and no chunk has the usage."""
    return rewrite.with_messages(exchange, rewrite.messages(exchange)[:-1])


@fault(
    "usage.stream.partial",
    of="stream.usage",
    fails=("usage.stream.complete",),
    other_branch=("usage.total_tokens.*", "usage.total.sum"),
)
def report_partial(exchange: Exchange) -> Exchange:
    """The usage of a stream has no total_tokens."""
    return rewrite.no_member(exchange, -1, ("usage", "total_tokens"))


@fault(
    "usage.stream.other_names",
    of="xmsmartlink.stream",
    fails=("usage.stream.complete",),
    other_branch=("usage.*_tokens.*", "usage.total.sum", "usage.cap.precedence"),
)
def report_of_other_names(exchange: Exchange) -> Exchange:
    """The usage of a stream counts input_tokens and output_tokens."""
    return rewrite.member(exchange, -1, ("usage",), {"input_tokens": 12, "output_tokens": 9})


@fault("usage.stream.cumulative", of="stream.usage", fails=("usage.stream.once",))
def report_cumulative(exchange: Exchange) -> Exchange:
    """Every chunk reports the usage so far."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*({**chunk, "usage": _REPORT} for chunk in chunks[:-1]), chunks[-1]])


@fault("usage.total.wrong", of="answer", fails=("usage.total.sum",))
def total_wrong(exchange: Exchange) -> Exchange:
    """total_tokens is not what prompt_tokens and completion_tokens add up to."""
    return rewrite.member(exchange, 0, ("usage", "total_tokens"), 40)


@fault("usage.total.wrong_stream", of="stream.usage", fails=("usage.total.sum",))
def total_wrong_stream(exchange: Exchange) -> Exchange:
    """total_tokens of a stream is not what prompt_tokens and completion_tokens add up to."""
    return rewrite.member(exchange, -1, ("usage", "total_tokens"), 40)


@fault("usage.reasoning_tokens.more", of="answer.details", fails=("usage.reasoning_tokens.bounded",))
def reasoning_more(exchange: Exchange) -> Exchange:
    """More reasoning_tokens than completion_tokens are reported, and the total leaves them out."""
    return rewrite.member(exchange, 0, ("usage", "completion_tokens_details", "reasoning_tokens"), 90)


@fault("usage.cached_tokens.more", of="answer.details", fails=("usage.cached_tokens.bounded",))
def cached_more(exchange: Exchange) -> Exchange:
    """More cached_tokens than prompt_tokens are reported."""
    return rewrite.member(exchange, 0, ("usage", "prompt_tokens_details", "cached_tokens"), 13)


@fault("usage.prompt_tokens.zero", of="answer", fails=("usage.prompt_tokens.positive",))
def prompt_zero(exchange: Exchange) -> Exchange:
    """A real prompt is counted as 0 tokens."""
    usage: JsonValue = {"prompt_tokens": 0, "completion_tokens": 9, "total_tokens": 9}
    return rewrite.member(exchange, 0, ("usage",), usage)


@fault("usage.cap.older", of="xmsmartlink.answer", fails=("usage.cap.precedence",))
def older_cap(exchange: Exchange) -> Exchange:
    """Both caps are sent, and the answer is as long as the older and larger one allows."""
    usage: JsonValue = {"prompt_tokens": 12, "completion_tokens": 64, "total_tokens": 76}
    return rewrite.member(exchange, 0, ("usage",), usage)


@fault(
    "usage.completion_tokens.float",
    of="answer",
    fails=("usage.completion_tokens.type",),
    other_branch=("usage.completion_tokens.minimum", "usage.total.sum"),
)
def completion_float(exchange: Exchange) -> Exchange:
    """completion_tokens is written with a fraction of zero."""
    return rewrite.member(exchange, 0, ("usage", "completion_tokens"), 9.0)


@fault(
    "usage.prompt_tokens.null",
    of="xmsmartlink.stream",
    fails=("usage.prompt_tokens.type",),
    other_branch=("usage.prompt_tokens.minimum", "usage.prompt_tokens.positive", "usage.total.sum"),
)
def prompt_null(exchange: Exchange) -> Exchange:
    """prompt_tokens of a stream's usage is null."""
    return rewrite.member(exchange, -1, ("usage", "prompt_tokens"), None)
