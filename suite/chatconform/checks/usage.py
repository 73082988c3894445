"""Usage: that it is there, where it belongs, and adds up. The counts' types and signs are clauses of the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, Examines, answers, chats, check, streams
from chatconform.model import Finding, JsonValue, Reason
from chatconform.wire.fold import Seen, Where
from chatconform.wire.transcript import Transcript

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_WHOLE = ("http.body.complete", "stream.error", "sse.tail.chunk", "json.payload.valid")
_USAGE = ("http.status.error", "stream.error")


def _count(usage: Seen, *path: str) -> int | None:
    """Return a count of a usage object, None where it is no whole number."""
    value: JsonValue = usage.value
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _last(transcript: Transcript) -> Seen | None:
    return transcript.facts.usages[-1] if transcript.facts.usages else None


def _has(*paths: tuple[str, ...]) -> Examines:
    """Return a function that counts the last usage where it has all the counts, and says why where it has not."""

    def examine(transcript: Transcript) -> int | Reason:
        usage = _last(transcript)
        if usage is None:
            return Reason.OTHER_BRANCH
        return 1 if all(_count(usage, *path) is not None for path in paths) else Reason.OTHER_BRANCH

    return examine


def _at(usage: Seen, *path: str) -> Where:
    return Where(usage.where.payload, (*usage.where.path, *path))


@check(
    "usage.object.present",
    level=SHOULD,
    over=answers,
    needs="http.status.error",
    cites=("OpenAI API reference", "USG-01"),
)
def object_present(answer: Transcript) -> Iterator[Finding]:
    """An answer reports its usage.

    Breaks: every meter and every budget counts zero tokens.
    Fix: send usage with prompt_tokens, completion_tokens and total_tokens.
    """
    if not answer.facts.usages:
        yield answer.finding(Where(0, ("usage",)), "a usage object", "no usage")


@check(
    "usage.stream.requested",
    level=MUST,
    over=streams,
    asks=lambda asked: asked.include_usage,
    needs=(*_WHOLE, "stream.payload.chunk"),
    cites=("OpenAI API reference", "USG-02"),
)
def stream_requested(stream: Transcript) -> Iterator[Finding]:
    """A stream that was asked for its usage reports it before [DONE].

    Breaks: every meter that reads streams counts zero tokens.
    Fix: honour stream_options.include_usage: one chunk with the usage before [DONE].
    """
    if not stream.facts.usages:
        yield stream.spot(
            (len(stream.body), len(stream.body)), "no usage in any chunk", "one usage object before [DONE]"
        )


def _usages(stream: Transcript) -> int | Reason:
    return len(stream.facts.usages) or Reason.OTHER_BRANCH


@check(
    "usage.stream.complete",
    level=MUST,
    over=streams,
    examines=_usages,
    needs="stream.error",
    cites=("OpenAI API reference", "USG-04", "USG-06"),
)
def stream_complete(stream: Transcript) -> Iterator[Finding]:
    """A usage object in a stream has its three counts.

    Breaks: clients add up null, or raise on a missing member.
    Fix: send prompt_tokens, completion_tokens and total_tokens together, or usage: null.
    """
    for usage in stream.facts.usages:
        for name in COUNTS:
            if isinstance(usage.value, dict) and name not in usage.value:
                yield stream.finding(_at(usage, name), name, f"no {name}")


def _reports(stream: Transcript) -> int | Reason:
    """Count the usage objects; whoever asks for continuous_usage_stats, as vLLM calls it, wants one in every chunk."""
    options = stream.asked.body.get("stream_options")
    wants_all = isinstance(options, dict) and options.get("continuous_usage_stats") is True
    return Reason.OTHER_BRANCH if wants_all else _usages(stream)


@check(
    "usage.stream.once",
    level=SHOULD,
    over=streams,
    examines=_reports,
    needs="stream.error",
    cites=("OpenAI API reference", "USG-03"),
)
def stream_once(stream: Transcript) -> Iterator[Finding]:
    """One chunk of a stream reports the usage.

    Breaks: LangChain and pydantic-ai add the reports up, and so count the same tokens several times.
    Fix: send usage: null on every chunk but one.
    """
    for usage in stream.facts.usages[:-1]:
        yield stream.finding(usage.where, "null, as a later chunk reports the usage")


_REASONING = ("completion_tokens_details", "reasoning_tokens")
_CACHED = ("prompt_tokens_details", "cached_tokens")


@check(
    "usage.total.sum",
    level=SHOULD,
    over=chats,
    examines=_has(*((name,) for name in COUNTS)),
    needs=_USAGE,
    cites=("OpenAI API reference", "USG-07"),
)
def total_sum(transcript: Transcript) -> Iterator[Finding]:
    """total_tokens is prompt_tokens plus completion_tokens.

    Breaks: bills that go by the total and bills that go by the parts disagree.
    Fix: add the two counts; reasoning tokens counted on top of them are accepted.
    """
    usage = _last(transcript)
    prompt, completion, total = (_count(usage, name) or 0 for name in COUNTS) if usage else (0, 0, 0)
    if usage and total not in (prompt + completion, prompt + completion + (_count(usage, *_REASONING) or 0)):
        yield transcript.finding(_at(usage, "total_tokens"), f"{prompt} + {completion} = {prompt + completion}")


@check(
    "usage.reasoning_tokens.bounded",
    level=SHOULD,
    over=chats,
    examines=_has(("completion_tokens",), _REASONING),
    needs=_USAGE,
    cites=("OpenAI API reference", "USG-08"),
)
def reasoning_bounded(transcript: Transcript) -> Iterator[Finding]:
    """reasoning_tokens are part of completion_tokens, or are counted on top of them in the total.

    Breaks: output is undercounted by all the tokens that went into reasoning.
    Fix: count reasoning tokens in completion_tokens.
    """
    usage = _last(transcript)
    prompt, completion, total = (_count(usage, name) or 0 for name in COUNTS) if usage else (0, 0, 0)
    reasoning = (_count(usage, *_REASONING) or 0) if usage else 0
    if usage and reasoning > completion and total != prompt + completion + reasoning:
        yield transcript.finding(_at(usage, *_REASONING), f"at most {completion}, the completion_tokens")


@check(
    "usage.cached_tokens.bounded",
    level=SHOULD,
    over=chats,
    examines=_has(("prompt_tokens",), _CACHED),
    needs=_USAGE,
    cites="OpenAI API reference",
)
def cached_bounded(transcript: Transcript) -> Iterator[Finding]:
    """cached_tokens are part of prompt_tokens.

    Breaks: whoever prices cached tokens apart comes to a negative rest.
    Fix: count cached tokens in prompt_tokens.
    """
    usage = _last(transcript)
    prompt, cached = (_count(usage, "prompt_tokens") or 0, _count(usage, *_CACHED) or 0) if usage else (0, 0)
    if usage and cached > prompt:
        yield transcript.finding(_at(usage, *_CACHED), f"at most {prompt}, the prompt_tokens")


@check(
    "usage.prompt_tokens.positive",
    level=SHOULD,
    over=chats,
    examines=_has(("prompt_tokens",)),
    needs=_USAGE,
    cites="USG-09",
)
def prompt_positive(transcript: Transcript) -> Iterator[Finding]:
    """A prompt has at least one token.

    Breaks: context meters show an empty context, and input is not billed.
    Fix: report the tokens of the prompt, from the cache or not.
    """
    usage = _last(transcript)
    if usage and _count(usage, "prompt_tokens") == 0:
        yield transcript.finding(_at(usage, "prompt_tokens"), "at least 1")


@check(
    "usage.cap.precedence",
    level=SHOULD,
    over=chats,
    asks=lambda asked: asked.max_tokens is not None and asked.max_completion_tokens is not None,
    examines=_has(("completion_tokens",)),
    needs=_USAGE,
    cites=("OpenAI API reference", "PRM-03"),
)
def cap_precedence(transcript: Transcript) -> Iterator[Finding]:
    """Where both caps are sent, max_completion_tokens is the one that counts.

    Breaks: answers are longer, and dearer, than the newer of the two caps allows.
    Fix: read max_completion_tokens first, and max_tokens only in its absence.
    """
    usage, cap = _last(transcript), transcript.asked.max_completion_tokens
    if usage and cap is not None and (_count(usage, "completion_tokens") or 0) > cap * transcript.asked.n:
        yield transcript.finding(_at(usage, "completion_tokens"), f"at most {cap * transcript.asked.n}")
