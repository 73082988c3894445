"""What the chunks of a stream come to together."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, check, streams
from chatconform.checks.choices import choices
from chatconform.model import Finding
from chatconform.wire.transcript import Transcript


@check(
    "stream.error",
    level=MUST,
    over=streams,
    needs="sse.event.separated",
    cites=("OpenAI API reference", "SSF-10", "TRM-07", "TRM-08", "TRM-09"),
)
def error(stream: Transcript) -> Iterator[Finding]:
    """The stream carries no error.

    Breaks: the answer broke off under status 200; unless the event is `data: {"error": {...}}`, openai-python,
    LiteLLM and LangChain take the half for the whole.
    Fix: mend what failed upstream; report failures before the first chunk as 4xx or 5xx, later ones as
    `data: {"error": {"message": ..., "type": ..., "param": ..., "code": ...}}`.
    """
    for where in stream.errors:
        yield stream.finding(where, "a chunk")
    for field in stream.stream.unknown_fields if stream.stream else ():
        if field.name == b"error":
            yield stream.spot((field.start, field.end), "a field named error", "a chunk")


@check(
    "stream.role.present",
    level=MUST,
    over=streams,
    examines=choices,
    needs=("stream.error", "json.payload.valid"),
    cites=("OpenAI API reference", "SSS-02"),
)
def role_present(stream: Transcript) -> Iterator[Finding]:
    """Every choice of a stream says its role.

    Breaks: openai-node's helper raises, and LangChain.js loses the tool calls.
    Fix: send "role": "assistant" in the first delta of every choice.
    """
    for choice in stream.facts.choices.values():
        if not choice.roles:
            yield stream.finding(choice.where, "a delta with role assistant", "no role in any delta")


@check(
    "stream.role.once",
    level=SHOULD,
    over=streams,
    examines=choices,
    needs="stream.error",
    cites=("OpenAI API reference", "SSS-01"),
)
def role_once(stream: Transcript) -> Iterator[Finding]:
    """A choice says its role in one delta only.

    Breaks: openai-python's helper joins the deltas' strings: the role becomes "assistantassistant".
    Fix: send role in the first delta of a choice alone.
    """
    for choice in stream.facts.choices.values():
        for seen in choice.roles[1:]:
            yield stream.finding(seen.where, "no role after the first delta")
