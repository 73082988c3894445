"""Answers to the same request under a smaller and a larger cap: whether the cap cuts, and whether that is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chatconform.checks.answered import (
    FINISHED,
    SOUND,
    count_of,
    finish_of,
    finishing,
    only_choice,
    text_of,
    usage_of,
)
from chatconform.checks.check import MUST, SHOULD
from chatconform.checks.comparison import Compared, beside, comparison
from chatconform.checks.recording import CAPS, STREAMED, Recorded, Recording
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Where

LENGTH_OF_A_TOKEN: Final = 3
"""Characters: a text that has so many for each token that it may have, and breaks off, was surely cut."""
WORDS_OF_A_TOKEN: Final = 2
"""Words: no tokenizer puts more of them into one token over a whole text."""


def _smaller_caps(recording: Recording) -> Iterator[Compared]:
    """Select the requests with one cap, each beside the same with a larger one or none."""
    for group in recording.alike(*STREAMED, *CAPS):
        for subject in group:
            cap = subject.asked.cap
            if cap is None or cap <= 0 or all(name in subject.body for name in CAPS):
                continue
            larger = tuple(each for each in group if each.asked.cap is None or each.asked.cap > cap)
            if larger:
                yield beside(recording, subject, larger)


def _going_on(compared: Compared) -> Iterator[Recorded]:
    """Yield the others whose text goes on where the subject's ends."""
    text = text_of(compared.subject)
    for other in compared.others:
        if text and len(text_of(other)) > len(text) and text_of(other).startswith(text):
            yield other


def _told(each: Recorded) -> int:
    return count_of(usage_of(each), "completion_tokens")


_ENDINGS = tuple(".!?…。！？:;)]}\"'`»”")


def _is_full(each: Recorded) -> bool:
    """Whether an answer has as many tokens as it may; where none are counted, whether it is long and breaks off."""
    cap, told = each.asked.cap or 0, _told(each)
    if told:
        return told >= cap
    text = text_of(each).rstrip()
    return len(text) >= LENGTH_OF_A_TOKEN * cap and not text.endswith(_ENDINGS)


def _cut(compared: Compared) -> int | Reason:
    """Count the longer answers that show that a text was cut."""
    going_on = sum(1 for _ in _going_on(compared)) if _is_full(compared.subject) else 0
    return going_on or Reason.OTHER_BRANCH


@comparison(
    "pairs.finish_reason.cut",
    level=MUST,
    pairs=_smaller_caps,
    examines=_cut,
    needs=FINISHED,
    cites=("OpenAI API reference", "FIN-06"),
)
def finish_reason_cut(compared: Compared) -> Iterator[Finding]:
    """A text that the cap cut, as the same request with a larger cap shows, does not finish with stop.

    Breaks: nobody notices that half of the answer is missing.
    Fix: send finish_reason length wherever the cap ended the text.
    """
    subject = compared.subject
    if finish_of(subject) == "stop":
        want = f"length, as the text goes on in {next(_going_on(compared)).id}"
        yield subject.transcript.finding(finishing(subject), want)


def _least_tokens(text: str) -> int:
    """Return how many tokens a text has at least."""
    return len(text.split()) // WORDS_OF_A_TOKEN


@comparison(
    "pairs.cap.kept",
    level=MUST,
    pairs=_smaller_caps,
    examines=lambda compared: len(compared.others) if text_of(compared.subject) else Reason.OTHER_BRANCH,
    needs=(*SOUND, "parameters.cap.kept"),
    cites=("OpenAI API reference", "PRM-01"),
)
def cap_kept(compared: Compared) -> Iterator[Finding]:
    """A smaller cap cuts the text, whatever the usage says.

    Breaks: answers run on, and the count that would show it is wrong or not there.
    Fix: pass the cap on to the model under the name that it knows, and count what it sends.
    """
    subject, text = compared.subject, text_of(compared.subject)
    choice = only_choice(subject)
    whole = [other for other in compared.others if text_of(other) and text.startswith(text_of(other))]
    if choice and whole and _least_tokens(text) > (subject.asked.cap or 0) + 1:
        want = f"at most {subject.asked.cap} tokens"
        yield subject.transcript.finding(choice.where, want, f"{len(text.split())} words, the whole of {whole[0].id}")


def _larger_caps(recording: Recording) -> Iterator[Compared]:
    """Select the requests with one cap, or none, each beside the same with a smaller one."""
    for group in recording.alike(*STREAMED, *CAPS):
        capped = [each for each in group if each.asked.cap is not None and not all(name in each.body for name in CAPS)]
        for subject in group:
            smaller = tuple(each for each in capped if _is_below(each.asked.cap, subject.asked.cap))
            if smaller:
                yield beside(recording, subject, smaller)


def _is_below(cap: int | None, other: int | None) -> bool:
    return cap is not None and cap > 0 and (other is None or cap < other)


def _outgrown(compared: Compared) -> Iterator[Recorded]:
    """Yield the others with a count that the subject's text, by its words alone, has to exceed."""
    least = _least_tokens(text_of(compared.subject))
    for other in compared.others:
        if 0 < _told(other) <= (other.asked.cap or 0) < least:
            yield other


def _counted(compared: Compared) -> int | Reason:
    return (sum(1 for _ in _outgrown(compared)) if _told(compared.subject) else 0) or Reason.OTHER_BRANCH


@comparison(
    "pairs.completion_tokens.longer",
    level=SHOULD,
    pairs=_larger_caps,
    examines=_counted,
    needs=SOUND,
    cites="USG-14",
)
def completion_tokens_longer(compared: Compared) -> Iterator[Finding]:
    """A text with more words than another answer may have tokens counts more tokens than that one.

    Breaks: nobody counts: what is billed is made up.
    Fix: pass on the count of the model that wrote the text.
    """
    subject, other = compared.subject, next(_outgrown(compared))
    if _told(subject) <= _told(other):
        where = Where(subject.transcript.facts.usages[-1].where.payload, ("usage", "completion_tokens"))
        words = len(text_of(subject).split())
        want = f"a count for {words} words, above the {_told(other)} of {other.id}"
        yield subject.transcript.finding(where, want)
