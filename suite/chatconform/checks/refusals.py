"""Requests that a lawful endpoint answers: each refusal is held against an answer to nearly the same request.

What a document does not have may be refused in so many words. Where there is no document, OpenAI's reference says
what may be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from chatconform.checks.check import MAY, SHOULD
from chatconform.checks.comparison import Compared, Pairs, beside, comparison
from chatconform.checks.recording import (
    CAPS,
    STREAMED,
    Recorded,
    Recording,
    Standing,
    digest,
    grouped,
    says_error,
    says_unsupported,
)
from chatconform.model import Finding, JsonValue, Reason

ANSWERED_OR_REFUSED: Final = (Standing.ACCEPTED, Standing.REFUSED)


def _refusable(compared: Compared) -> int | Reason:
    """Count the answers beside a request; that a document does not have what is asked, a typed error may say."""
    if compared.subject.standing is Standing.REFUSED and compared.undocumented and _is_typed(compared.subject):
        return Reason.REFUSED_TYPED
    return len(compared.others)


def _supported(compared: Compared) -> int | Reason:
    """Count the answers beside a request; that it is not supported, a typed error may say too."""
    subject = compared.subject
    says_so = _is_typed(subject) and says_unsupported(subject.transcript)
    refused = subject.standing is Standing.REFUSED
    return Reason.REFUSED_TYPED if refused and says_so else _refusable(compared)


def _is_typed(each: Recorded) -> bool:
    return says_error(each.transcript)


def _refusal(compared: Compared) -> Iterator[Finding]:
    """Yield the refusal of a request, where it is refused."""
    subject = compared.subject
    if subject.standing is Standing.REFUSED:
        body = subject.transcript.body
        got = f"status {subject.transcript.status}"
        yield subject.transcript.spot((0, len(body)), got, f"an answer, as {compared.other.id} has one")


def _differing_messages(change: Callable[[JsonValue], JsonValue]) -> Pairs:
    """Select the requests that a change of their messages makes equal to others, beside these."""

    def pairs(recording: Recording) -> Iterator[Compared]:
        rows = [each for each in recording.questions if isinstance(each.body.get("messages"), list)]
        changed = {each.id: digest(change(each.body["messages"])) for each in rows}
        for group in grouped(rows, lambda each: (each.key("messages", *STREAMED, *CAPS), changed[each.id])):
            plain = tuple(each for each in group if each.members["messages"] == changed[each.id])
            for subject in group:
                if plain and subject not in plain:
                    yield beside(recording, subject, plain)

    return pairs


def _in_messages(change: Callable[[dict[str, JsonValue]], dict[str, JsonValue]]) -> Callable[[JsonValue], JsonValue]:
    """Return what changes every message of a list."""

    def changed(messages: JsonValue) -> JsonValue:
        listed = messages if isinstance(messages, list) else []
        return [change(message) if isinstance(message, dict) else message for message in listed]

    return changed


def _as_system(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def _as_string(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    parts = message.get("content")
    texts = [_text(part) for part in parts] if isinstance(parts, list) else [None]
    joined = "".join(text for text in texts if text is not None)
    return message if None in texts else {**message, "content": joined}


def _text(part: JsonValue) -> str | None:
    is_text = isinstance(part, dict) and part.get("type") == "text"
    text = part.get("text") if isinstance(part, dict) and is_text else None
    return text if isinstance(text, str) else None


def _without_reasoning(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in message.items() if name != "reasoning_content"}


@comparison(
    "parameters.developer.accepted",
    level=SHOULD,
    pairs=_differing_messages(_in_messages(_as_system)),
    examines=_refusable,
    on=ANSWERED_OR_REFUSED,
    cites=("OpenAI API reference", "PRM-05"),
)
def developer_accepted(compared: Compared) -> Iterator[Finding]:
    """A message of the role developer is not refused where the same of the role system is answered.

    Breaks: agents that send their instructions as developer get a 400 at the first message.
    Fix: map developer to the role that the model's template has for instructions.
    """
    yield from _refusal(compared)


@comparison(
    "parameters.parts.accepted",
    level=SHOULD,
    pairs=_differing_messages(_in_messages(_as_string)),
    examines=_refusable,
    on=ANSWERED_OR_REFUSED,
    cites=("OpenAI API reference", "PRM-11"),
)
def parts_accepted(compared: Compared) -> Iterator[Finding]:
    """Content as a list of text parts is not refused where the same text as a string is answered.

    Breaks: clients that always send parts get a 400.
    Fix: join the text parts before they reach a template that knows strings alone.
    """
    yield from _refusal(compared)


@comparison(
    "parameters.reasoning.accepted",
    level=MAY,
    pairs=_differing_messages(_in_messages(_without_reasoning)),
    examines=_refusable,
    on=ANSWERED_OR_REFUSED,
    cites="EXT-04",
)
def reasoning_accepted(compared: Compared) -> Iterator[Finding]:
    """A conversation that sends the last answer's reasoning_content back is not refused for that.

    Breaks: clients that send a message back as they got it fail at the second turn.
    Fix: ignore reasoning_content in messages, where the model has no use for it.
    """
    yield from _refusal(compared)


def _has_results(each: Recorded) -> bool:
    messages = each.body.get("messages")
    listed = messages if isinstance(messages, list) else []
    return any(isinstance(message, dict) and message.get("role") == "tool" for message in listed)


def _second_turns(recording: Recording) -> Iterator[Compared]:
    """Select the requests that send the results of tools back, beside first turns with the same tools."""
    for group in recording.alike("messages", *STREAMED, *CAPS):
        first = tuple(each for each in group if each.asked.has_tools and not _has_results(each))
        for subject in group:
            if first and _has_results(subject):
                yield beside(recording, subject, first)


@comparison(
    "parameters.tool_result.accepted",
    level=SHOULD,
    pairs=_second_turns,
    examines=_refusable,
    on=ANSWERED_OR_REFUSED,
    cites=("OpenAI API reference", "TOL-20"),
)
def tool_result_accepted(compared: Compared) -> Iterator[Finding]:
    """The turn that sends the results of tool calls back is not refused where the first turn is answered.

    Breaks: agents end at their second turn.
    Fix: take messages of the role tool, and the assistant's tool_calls before them, as they were sent.
    """
    yield from _refusal(compared)


def _logprobs_alone(recording: Recording) -> Iterator[Compared]:
    """Select the requests for log probabilities without top_logprobs, beside those with it."""
    for group in recording.alike("top_logprobs", *STREAMED, *CAPS):
        full = tuple(each for each in group if each.asked.logprobs and "top_logprobs" in each.body)
        for subject in group:
            if full and subject.asked.logprobs and "top_logprobs" not in subject.body:
                yield beside(recording, subject, full)


@comparison(
    "parameters.logprobs.alone",
    level=SHOULD,
    pairs=_logprobs_alone,
    examines=_refusable,
    on=(*ANSWERED_OR_REFUSED, Standing.CRASHED),
    cites=("OpenAI API reference", "PRM-10"),
)
def logprobs_alone(compared: Compared) -> Iterator[Finding]:
    """logprobs is not refused without top_logprobs where both together are answered.

    Breaks: a request for the probabilities of the chosen tokens alone fails.
    Fix: take top_logprobs for 0 where it is absent.
    """
    subject = compared.subject
    if subject.standing is not Standing.ACCEPTED:
        got = f"status {subject.transcript.status}"
        yield subject.transcript.spot((0, len(subject.transcript.body)), got, f"an answer, as in {compared.other.id}")


_TEXT_FORMAT: JsonValue = {"type": "text"}


def _without(recording: Recording, subject: Recorded) -> Iterator[Compared]:
    """Yield a request beside those that lack one of its members and are the same in all others, by member."""
    for member, others in recording.differing(subject):
        lacking = tuple(each for each in others if member not in each.body)
        if member in subject.body and lacking:
            yield beside(recording, subject, lacking, member)


def _text_formats(recording: Recording) -> Iterator[Compared]:
    """Select the requests for text beside the same without a format; where they are answered, without more."""
    for subject in recording.questions:
        if subject.body.get("response_format") != _TEXT_FORMAT:
            continue
        yield from (each for each in _without(recording, subject) if each.member == "response_format")
        less = tuple(each for each in recording.questions if each.members.items() < subject.members.items())
        plain = tuple(each for each in less if "response_format" not in each.body)
        if plain and subject.standing is Standing.ACCEPTED:
            yield beside(recording, subject, plain, "response_format")


@comparison(
    "parameters.text_format.accepted",
    level=SHOULD,
    pairs=_text_formats,
    examines=_supported,
    on=ANSWERED_OR_REFUSED,
    cites=("OpenAI API reference", "STO-04"),
)
def text_format_accepted(compared: Compared) -> Iterator[Finding]:
    """response_format of the type text, which is what holds without it, is not refused, unless as unsupported.

    Breaks: clients that always send the default get a 400.
    Fix: take {"type": "text"} for no response_format at all, or say in the error that it is not supported.
    """
    yield from _refusal(compared)


def _newer_caps(recording: Recording) -> Iterator[Compared]:
    """Select the requests with max_completion_tokens beside the same with max_tokens in its place."""
    for group in recording.alike(*CAPS):
        older = tuple(each for each in group if "max_completion_tokens" not in each.body and "max_tokens" in each.body)
        for subject in group:
            if older and "max_completion_tokens" in subject.body and "max_tokens" not in subject.body:
                yield beside(recording, subject, older, "max_completion_tokens")


@comparison(
    "parameters.max_completion_tokens.accepted",
    level=SHOULD,
    pairs=_newer_caps,
    examines=_supported,
    on=ANSWERED_OR_REFUSED,
    cites=("OpenAI API reference", "PRM-02"),
)
def max_completion_tokens_accepted(compared: Compared) -> Iterator[Finding]:
    """max_completion_tokens is not refused where max_tokens is answered, unless as unsupported.

    Breaks: clients that send the newer name of the cap get a 400 for every request.
    Fix: take max_completion_tokens for what max_tokens was, or say in the error that it is not supported.
    """
    yield from _refusal(compared)


def _standard(recording: Recording, *, serial: bool) -> Iterator[Compared]:
    """Yield the requests with one standard parameter more than others, where that was nowhere answered if refused."""
    answered = {name for each in recording.chats if each.standing is Standing.ACCEPTED for name in each.body}
    for subject in recording.questions:
        apart = recording.bounds.outside(subject.body) | recording.bounds.at_ends(subject.body) | _told_apart(subject)
        known = recording.bounds.standard - apart
        for compared in _without(recording, subject):
            taken = subject.standing is Standing.ACCEPTED or compared.member not in answered
            if compared.member in known and taken and (compared.member == "parallel_tool_calls") is serial:
                yield compared


def _told_apart(subject: Recorded) -> frozenset[str]:
    """Return the members that other comparisons speak of: the default format, and a second cap."""
    of_format = {"response_format"} if subject.body.get("response_format") == _TEXT_FORMAT else set()
    return frozenset({*of_format, *CAPS, "top_logprobs"})


@comparison(
    "parameters.standard.accepted",
    level=SHOULD,
    pairs=lambda recording: _standard(recording, serial=False),
    examines=_supported,
    on=ANSWERED_OR_REFUSED,
    cites=("OpenAI API reference", "PRM-04"),
)
def standard_accepted(compared: Compared) -> Iterator[Finding]:
    """A parameter of OpenAI's reference is not refused where the request without it is answered, unless as unsupported.

    Breaks: clients that always send it (n, user, a penalty, stream_options) get a 400 or 422 for every request.
    Fix: ignore what has no meaning for the model, or say in the error that it is not supported.
    """
    yield from _refusal(compared)


@comparison(
    "parameters.parallel_tool_calls.accepted",
    level=MAY,
    pairs=lambda recording: _standard(recording, serial=True),
    examines=_supported,
    on=ANSWERED_OR_REFUSED,
    cites=("OpenAI API reference", "PRM-12"),
)
def parallel_tool_calls_accepted(compared: Compared) -> Iterator[Finding]:
    """parallel_tool_calls is not refused where the request without it is answered, unless as unsupported.

    Breaks: clients that send it with every list of tools get a 400.
    Fix: call one tool at a time, or say in the error that it is not supported.
    """
    yield from _refusal(compared)
