"""What a prompt counts: the same each time, and more where it is longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from chatconform.checks.answered import SOUND, count_of, usage_of
from chatconform.checks.check import SHOULD
from chatconform.checks.comparison import Compared, beside, comparison
from chatconform.checks.recording import CAPS, STREAMED, Recorded, Recording
from chatconform.model import Finding, JsonValue, Reason
from chatconform.wire.fold import Where


def _same_prompt(recording: Recording) -> Iterator[Compared]:
    """Select the requests with one prompt, each beside those before it."""
    for group in recording.alike(*STREAMED, *CAPS):
        for position, subject in enumerate(group[1:], 1):
            yield beside(recording, subject, group[:position])


def _tokens(each: Recorded) -> int:
    return count_of(usage_of(each), "prompt_tokens")


def _counts(each: Recorded) -> set[int]:
    """Return what a prompt may be said to count: some leave out what was cached."""
    return {_tokens(each), _tokens(each) + count_of(usage_of(each), "cached_tokens", "prompt_tokens_details")}


def _served_by(each: Recorded) -> tuple[JsonValue, JsonValue] | None:
    """Return the model and the configuration that answered; None where the answer leaves open which model it was."""
    first = next((value for _, value in each.transcript.objects()), {})
    model = first.get("model")
    is_named = isinstance(model, str) and bool(model) and not model.startswith("auto")
    return (model, first.get("system_fingerprint")) if is_named else None


def _same_tokenizer(compared: Compared) -> Iterator[Recorded]:
    """Yield the others that the same model answered, with a count of the prompt."""
    served = _served_by(compared.subject)
    for other in compared.others:
        if served is not None and _served_by(other) == served and _tokens(other):
            yield other


def _counted(compared: Compared) -> int | Reason:
    comparable = list(_same_tokenizer(compared)) if _tokens(compared.subject) else []
    return len(comparable) or Reason.OTHER_BRANCH


def _finding(each: Recorded, want: str) -> Finding:
    where = Where(each.transcript.facts.usages[-1].where.payload, ("usage", "prompt_tokens"))
    return each.transcript.finding(where, want)


@comparison(
    "pairs.prompt_tokens.same",
    level=SHOULD,
    pairs=_same_prompt,
    examines=_counted,
    needs=SOUND,
    cites=("USG-14", "SSS-06"),
)
def prompt_tokens_same(compared: Compared) -> Iterator[Finding]:
    """One prompt counts the same number of tokens each time, streamed or not.

    Breaks: the bill for the same prompt depends on how its answer is sent.
    Fix: pass on the count of the model that read the prompt, in streams too, and do not estimate it.
    """
    other = next(_same_tokenizer(compared))
    if not _counts(compared.subject) & _counts(other):
        yield _finding(compared.subject, f"{_tokens(other)}, as in {other.id}")


LONGER: Final = 40
"""How many characters a conversation has more than another, all of whose messages it has, to count more tokens."""


def _texts(each: Recorded) -> Counter[str] | None:
    """Return the texts of the messages, and how often each is there; None where they hold more than text."""
    messages = each.body.get("messages")
    contents = [message.get("content") if isinstance(message, dict) else None for message in _list(messages)]
    texts = [content for content in contents if isinstance(content, str)]
    return Counter(texts) if len(texts) == len(contents) else None


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _longer_prompts(recording: Recording) -> Iterator[Compared]:
    """Select the requests beside those of whose messages they have all, and more."""
    for group in recording.alike("messages", *STREAMED, *CAPS):
        known = [(texts, each) for each in group if (texts := _texts(each))]
        for texts, subject in known:
            shorter = tuple(each for others, each in known if others < texts and _length(texts - others) >= LONGER)
            if shorter:
                yield beside(recording, subject, shorter)


def _length(texts: Counter[str]) -> int:
    return sum(len(text) * count for text, count in texts.items())


@comparison(
    "pairs.prompt_tokens.longer",
    level=SHOULD,
    pairs=_longer_prompts,
    examines=_counted,
    needs=SOUND,
    cites="USG-14",
)
def prompt_tokens_longer(compared: Compared) -> Iterator[Finding]:
    """A prompt that has all messages of another and more counts more tokens.

    Breaks: nobody counts: what is billed, and what is left of the context window, is made up.
    Fix: pass on the count of the model that read the prompt.
    """
    other = next(_same_tokenizer(compared))
    if max(_counts(compared.subject)) <= _tokens(other):
        yield _finding(compared.subject, f"more than {_tokens(other)}, which is for the shorter prompt of {other.id}")
