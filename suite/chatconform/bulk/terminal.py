"""Counts as text: for each provider what is concluded, what fails or could not be proven, and where to look.

Nothing that a provider sent is printed but through `visible.line`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from chatconform.bulk.conclusion import Conclusion
from chatconform.bulk.counts import CheckCount, CheckKey, Counts, Example, ProviderCount
from chatconform.model import OPENAI, Level, Outcome, ProviderResult
from chatconform.report.board import plural
from chatconform.report.visible import line

_FAILED = {Level.MUST: "FAIL", Level.SHOULD: "WARN", Level.MAY: "INFO"}
_LEVELS = tuple(Level)
_PROBLEMS: Final = 10
_CHECKS: Final = 5
_BY_ITSELF = (
    "Each exchange was judged by itself: what exchanges of one run show beside each other is not counted. "
    "`chatconform judge` without --counts compares them."
)


def lines(conclusion: Conclusion) -> Iterator[str]:
    """Yield the lines of the report."""
    counts = conclusion.counts
    yield _headline(counts)
    for result in conclusion.providers:
        provider = counts.providers[result.id]
        yield ""
        yield from _provider(result, provider, {key for name, key in conclusion.waived if name == result.id})
    if conclusion.problems:
        yield ""
        yield from _problems(conclusion)
    yield ""
    yield _BY_ITSELF
    if conclusion.interrupted:
        yield "Interrupted: this is what was counted so far, and not all of the input."


def _headline(counts: Counts) -> str:
    left_out = {
        "empty": counts.empty,
        "attempts before the last": counts.superseded,
        "not asked for": counts.others,
        "not read": counts.unread,
    }
    parts = [f"{number:,} {what}" for what, number in left_out.items() if number]
    return ", ".join([f"{counts.lines:,} lines: {counts.exchanges:,} exchanges judged", *parts])


def _provider(result: ProviderResult, provider: ProviderCount, waived: set[CheckKey]) -> Iterator[str]:
    yield f"{line(result.id, 60)}  {line(result.sentence, 400)}"
    yield f"  {provider.exchanges:,} exchanges: {result.source}"
    passed, unproven = 0, []
    for key in sorted(provider.checks, key=_order):
        count = provider.checks[key]
        if count.outcomes.keys() & {Outcome.FAIL, Outcome.ERROR}:
            yield from _failed(key, count, is_waived=key in waived)
        elif Outcome.PASS in count.outcomes:
            passed += 1
        elif Outcome.UNPROVEN in count.outcomes:
            unproven.append((key, count))
    if unproven:
        yield from _unproven(unproven)
    yield f"  {plural(passed, 'other check')} passed wherever there was something to examine"


def _order(key: CheckKey) -> tuple[int, bool, str, str, str]:
    return (_LEVELS.index(key.level), key.contract == OPENAI, key.contract, key.check, key.exchange)


def _failed(key: CheckKey, count: CheckCount, *, is_waived: bool) -> Iterator[str]:
    failed = "waived" if is_waived else _FAILED[key.level]
    mark = "ERROR" if Outcome.ERROR in count.outcomes else failed
    name = f"{key.check} in {line(key.exchange, 60)}" if key.exchange else key.check
    numbers = ", ".join(f"{count.outcomes[each]:,} {each.value}" for each in Outcome if each in count.outcomes)
    yield f"  {mark:6} {key.contract:12} {name:36} {numbers}{_reasons(count)}"
    for outcome in (Outcome.ERROR, Outcome.FAIL):
        yield from (f"         {_example(each)}" for each in count.examples.get(outcome, ()))


def _unproven(found: Sequence[tuple[CheckKey, CheckCount]]) -> Iterator[str]:
    """Name the checks that no exchange proves, and one exchange that does not prove the first of them."""
    names = ", ".join(key.check for key, _ in found[:_CHECKS])
    more = f" and {len(found) - _CHECKS} more" if len(found) > _CHECKS else ""
    yield f"  {plural(len(found), 'check')} unproven in every exchange that asked: {names}{more}"
    example = found[0][1].examples.get(Outcome.UNPROVEN, ())
    yield from (f"         {found[0][0].check}: {_example(each)}" for each in example[:1])


def _reasons(count: CheckCount) -> str:
    named: Mapping[str, int] = {reason.value: number for reason, number in count.reasons.items()}
    return f" ({', '.join(f'{name} {named[name]:,}' for name in sorted(named))})" if named else ""


def _example(example: Example) -> str:
    where = f"{line(str(example.place), 200)} ({line(example.exchange, 80)})"
    if example.finding is not None:
        return f"{where}: got {line(example.finding.got, 120)}, wanted {line(example.finding.want, 120)}"
    why: Iterable[str] = filter(None, (example.reason and example.reason.value, example.because))
    return f"{where}: {line(', '.join(why), 160)}"


def _problems(conclusion: Conclusion) -> Iterator[str]:
    yield (
        f"{conclusion.counts.unread:,} lines and files could not be read." if conclusion.counts.unread else "Problems:"
    )
    for each in conclusion.problems[:_PROBLEMS]:
        yield f"  {line(each.place, 200)}: {line(each.problem, 300)}"
    others = len(conclusion.problems) - _PROBLEMS
    if others > 0:
        yield f"  and {others} more of the first, which --json names"
