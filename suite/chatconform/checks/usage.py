"""Usage: that it is there, where it belongs, and adds up. The counts' types and signs are clauses of the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, Examines, answers, chats, check, streams
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Seen, Where
from chatconform.wire.transcript import Transcript
from chatconform.wire.usage import PLACES

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_WHOLE = ("http.body.complete", "stream.error", "sse.tail.chunk", "json.payload.valid")
_USAGE = ("http.status.error", "stream.error")


def _has(*counts: str) -> Examines:
    """Return a function that counts the last usage where it has all the counts, and says why where it has not."""
    wanted = frozenset(counts)

    def examine(transcript: Transcript) -> int | Reason:
        return 1 if wanted <= transcript.facts.usage.known else Reason.OTHER_BRANCH

    return examine


def _at(usage: Seen, *path: str) -> Where:
    return Where(usage.where.payload, (*usage.where.path, *path))


def _at_last(transcript: Transcript, count: str) -> Where:
    return _at(transcript.facts.usages[-1], *PLACES[count])


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


@check(
    "usage.total.sum",
    level=SHOULD,
    over=chats,
    examines=_has("prompt", "completion", "total"),
    needs=_USAGE,
    cites=("OpenAI API reference", "USG-07"),
)
def total_sum(transcript: Transcript) -> Iterator[Finding]:
    """total_tokens is prompt_tokens plus completion_tokens.

    Breaks: bills that go by the total and bills that go by the parts disagree.
    Fix: add the two counts; reasoning tokens counted on top of them are accepted.
    """
    usage = transcript.facts.usage
    both = usage.prompt + usage.completion
    if usage.total not in (both, both + usage.reasoning):
        yield transcript.finding(_at_last(transcript, "total"), f"{usage.prompt} + {usage.completion} = {both}")


@check(
    "usage.reasoning_tokens.bounded",
    level=SHOULD,
    over=chats,
    examines=_has("completion", "reasoning"),
    needs=_USAGE,
    cites=("OpenAI API reference", "USG-08"),
)
def reasoning_bounded(transcript: Transcript) -> Iterator[Finding]:
    """reasoning_tokens are part of completion_tokens, or are counted on top of them in the total.

    Breaks: output is undercounted by all the tokens that went into reasoning.
    Fix: count reasoning tokens in completion_tokens.
    """
    usage = transcript.facts.usage
    is_on_top = usage.total == usage.prompt + usage.completion + usage.reasoning
    if usage.reasoning > usage.completion and not is_on_top:
        where = _at_last(transcript, "reasoning")
        yield transcript.finding(where, f"at most {usage.completion}, the completion_tokens")


@check(
    "usage.cached_tokens.bounded",
    level=SHOULD,
    over=chats,
    examines=_has("prompt", "cached"),
    needs=_USAGE,
    cites="OpenAI API reference",
)
def cached_bounded(transcript: Transcript) -> Iterator[Finding]:
    """cached_tokens are part of prompt_tokens.

    Breaks: whoever prices cached tokens apart comes to a negative rest.
    Fix: count cached tokens in prompt_tokens.
    """
    usage = transcript.facts.usage
    if usage.cached > usage.prompt:
        yield transcript.finding(_at_last(transcript, "cached"), f"at most {usage.prompt}, the prompt_tokens")


@check(
    "usage.prompt_tokens.positive",
    level=SHOULD,
    over=chats,
    examines=_has("prompt"),
    needs=_USAGE,
    cites="USG-09",
)
def prompt_positive(transcript: Transcript) -> Iterator[Finding]:
    """A prompt has at least one token.

    Breaks: context meters show an empty context, and input is not billed.
    Fix: report the tokens of the prompt, from the cache or not.
    """
    usage = transcript.facts.usage
    if usage.prompt == 0:
        yield transcript.finding(_at_last(transcript, "prompt"), "at least 1")


@check(
    "usage.cap.precedence",
    level=SHOULD,
    over=chats,
    asks=lambda asked: asked.max_tokens is not None and asked.max_completion_tokens is not None,
    examines=_has("completion"),
    needs=_USAGE,
    cites=("OpenAI API reference", "PRM-03"),
)
def cap_precedence(transcript: Transcript) -> Iterator[Finding]:
    """Where both caps are sent, max_completion_tokens is the one that counts.

    Breaks: answers are longer, and dearer, than the newer of the two caps allows.
    Fix: read max_completion_tokens first, and max_tokens only in its absence.
    """
    usage, cap = transcript.facts.usage, transcript.asked.max_completion_tokens
    if cap is not None and usage.completion > cap * transcript.asked.n:
        yield transcript.finding(_at_last(transcript, "completion"), f"at most {cap * transcript.asked.n}")
