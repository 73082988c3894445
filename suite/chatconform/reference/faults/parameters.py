"""Faults of parameters that are accepted and not honoured: the cap, and the stop strings."""

from __future__ import annotations

from dataclasses import replace

from chatconform.model import Exchange, JsonValue, Origin
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import fault
from chatconform.reference.rewrite import Path

_DELTA: Path = ("choices", 0, "delta", "content")
_RUN_ON: JsonValue = {"prompt_tokens": 12, "completion_tokens": 400, "total_tokens": 412}


@fault("parameters.cap.ignored", of="answer.schema", fails=("parameters.cap.kept",))
def cap_ignored(exchange: Exchange) -> Exchange:
    """max_completion_tokens is 64, and the answer has 400 tokens."""
    return rewrite.member(exchange, 0, ("usage",), _RUN_ON)


@fault("parameters.cap.ignored_stream", of="stream.schema", fails=("parameters.cap.kept",))
def cap_ignored_stream(exchange: Exchange) -> Exchange:
    """max_tokens is 64, and the stream reports 400 tokens."""
    return rewrite.member(exchange, -1, ("usage",), _RUN_ON)


@fault("parameters.cap.unclear", of="tooken.answer", other_branch=("parameters.cap.kept",))
def cap_unclear(exchange: Exchange) -> Exchange:
    """More tokens come than the cap allows, but reasoning is among them, and nothing says how much."""
    reasoned = rewrite.member(exchange, 0, ("choices", 0, "message", "reasoning_content"), "Cities, then.")
    return rewrite.member(reasoned, 0, ("usage",), _RUN_ON)


@fault("parameters.stop.kept", of="stream.long", fails=("parameters.stop.absent",))
def stop_kept(exchange: Exchange) -> Exchange:
    """The text ends with the stop string, which two deltas share."""
    return rewrite.member(rewrite.member(exchange, 23, _DELTA, "Zürich #"), 24, _DELTA, "##")


@fault(
    "parameters.stop.placeholder",
    of="stream.long",
    unproven={"placeholder": ("parameters.stop.absent",)},
    gone=("sse.delivery.progressive",),
)
def stop_placeholder(exchange: Exchange) -> Exchange:
    """A page prints the same placeholder for the stop string and for the text."""
    printed = rewrite.asked(rewrite.member(exchange, 1, _DELTA, "<string>"), stop="<string>")
    return replace(printed, origin=Origin.DOCUMENT)


@fault("parameters.stop.passed", of="stream.long", fails=("parameters.stop.absent",))
def stop_passed(exchange: Exchange) -> Exchange:
    """The text runs on past a stop string."""
    return rewrite.member(exchange, 3, _DELTA, "THE END of the first part, ")
