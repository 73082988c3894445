"""Waivers: known deviations. They act on verdicts, and waived failures stay visible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from chatconform.model import Outcome, Problem, Verdict, Waiver


@dataclass(frozen=True, slots=True)
class Applied:
    """The verdicts in their order, covered failures with their waiver, and what is wrong with the waivers."""

    verdicts: tuple[Verdict, ...]
    problems: tuple[Problem, ...]


def apply(verdicts: Iterable[Verdict], waivers_by_provider: Mapping[str, Sequence[Waiver]], today: date) -> Applied:
    """Give every failure the first of its provider's waivers that covers it and is in force `today` (UTC).

    A failure keeps its outcome. Unproven verdicts and errors are never waived. Two things are problems:
    a waiver whose check was judged and passed wherever the waiver reaches (stale; where an answer lawfully gave no
    occasion it says nothing, and one verdict of any other outcome leaves the waiver alone), and one that was needed
    after its last day (expired).
    """
    before = tuple(verdicts)
    after = tuple(_waived(verdict, waivers_by_provider.get(verdict.provider, ()), today) for verdict in before)
    problems = []
    for provider, waivers in waivers_by_provider.items():
        own = [verdict for verdict in after if verdict.provider == provider]
        for waiver in waivers:
            reached = [verdict for verdict in own if _reaches(waiver, verdict)]
            problems += _problems(waiver, reached, today)
    return Applied(after, tuple(problems))


def _waived(verdict: Verdict, waivers: Sequence[Waiver], today: date) -> Verdict:
    if verdict.outcome is not Outcome.FAIL:
        return verdict
    usable = (w for w in waivers if _reaches(w, verdict) and not _has_expired(w, today))
    return replace(verdict, waiver=next(usable, None))


def _reaches(waiver: Waiver, verdict: Verdict) -> bool:
    return waiver.check == verdict.check and waiver.exchange in (None, verdict.exchange)


def _has_expired(waiver: Waiver, today: date) -> bool:
    return waiver.until < today.isoformat()


def _problems(waiver: Waiver, reached: Sequence[Verdict], today: date) -> list[Problem]:
    place = str(waiver.place)
    judged = [verdict for verdict in reached if verdict.outcome is not Outcome.NOT_APPLICABLE]
    if judged and all(verdict.outcome is Outcome.PASS for verdict in judged):
        return [Problem(place, f"the waiver of {_scope(waiver)} is stale: the check passes", "Remove it.")]
    needed = any(verdict.outcome is Outcome.FAIL and verdict.waiver is None for verdict in reached)
    if needed and _has_expired(waiver, today):
        problem = f"the waiver of {_scope(waiver)} expired after {waiver.until}, and the check still fails"
        return [Problem(place, problem, "Have the deviation mended, or set a later day with a fresh reason.")]
    return []


def _scope(waiver: Waiver) -> str:
    return f"{waiver.check} in {waiver.exchange}" if waiver.exchange else waiver.check
