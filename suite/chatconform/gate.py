"""The gate: what is concluded of a provider, and with which code a run ends. Decided here alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple, TypeAlias

from chatconform.diff import NOBODYS, scenario_of
from chatconform.model import (
    OPENAI,
    Change,
    Conclusion,
    Level,
    Origin,
    Outcome,
    ProviderResult,
    Results,
    Tally,
    Verdict,
)
from chatconform.rollup import CheckKey, Gated, Rolled, roll_up

Counts: TypeAlias = Mapping[str, Mapping[Level, Tally]]
"""By contract and level; every contract that was judged has all three levels."""

_NAMED = 3


class FailOn(StrEnum):
    """From which deviation on a run ends with exit code 1."""

    MUST = "must"
    SHOULD = "should"
    REGRESSION = "regression"
    NEVER = "never"


class ExitCode(IntEnum):
    """How a run ends."""

    CONFORMS = 0
    DEVIATES = 1
    USAGE = 2
    INCONCLUSIVE = 3
    BUG = 4
    INTERRUPTED = 130


class Concluded(NamedTuple):
    """What is said of one provider: the word, the sentence that begins with it, the counts it is made of."""

    conclusion: Conclusion
    sentence: str
    counts: Counts


def conclude(
    verdicts: Iterable[Verdict],
    document_only: bool,  # noqa: FBT001  the fact, not a mode
    *,
    is_part: bool = False,
    contracts: Iterable[str] = (),
) -> Concluded:
    """Conclude on one provider, from its rolled-up verdicts and nothing else.

    `contracts` are further ones that it was judged by: verdicts that are not applicable are not read from a file.

    void: an error · deviates: a must fails and is not waived · inconclusive: a must is unproven, no must was
    verified, nothing but refusals came, or what there is can convict and never acquit: `document_only` (every
    exchange is a printed example) or `is_part` (the run was cut short) · conforms with waivers: there is a check
    whose every failure is waived · conforms.
    """
    rolled = roll_up(verdicts)
    counts = _counts(rolled, contracts)
    conclusion = _conclusion(counts, can_acquit=not (document_only or is_part) and _is_answered(rolled))
    parts = [_contract_part(contract, counts[contract], rolled) for contract in sorted(counts, key=_own_first)]
    if not parts:
        parts = ["nothing was judged"]
    elif not _is_answered(rolled):
        parts.append("no request was answered")
    if any(each.outcome is Outcome.ERROR for each in rolled.values()):
        parts.append("the suite itself failed, so that nothing here holds")
    if document_only:
        parts.append("judged on examples that a document prints, which can convict and never acquit")
    if is_part:
        parts.append("the run was interrupted, and what it did not ask for is not known")
    return Concluded(conclusion, f"{conclusion}: {'; '.join(parts)}", counts)


def exit_code(results: Results, fail_on: FailOn) -> ExitCode:
    """The code that a finished run ends with; the report says the same.

    An error anywhere is a bug, before all else; then come the problems (inputs that cannot be used, waivers
    that are stale or expired), and `regression` without a baseline, which are usage; then `fail_on` decides.
    """
    if any(verdict.outcome is Outcome.ERROR for verdict in results.verdicts) or any(
        provider.conclusion is Conclusion.VOID for provider in results.providers
    ):
        return ExitCode.BUG
    if results.problems:
        return ExitCode.USAGE
    if fail_on is FailOn.NEVER:
        return ExitCode.CONFORMS
    if fail_on is FailOn.REGRESSION:
        return _against_baseline(results)
    return _against_contracts(results, fail_on)


def decide(results: Results, fail_on: FailOn) -> Gated:
    """The code that a run ends with, interrupted or not, and the checks because of which that is 1."""
    interrupted = results.run.get("interrupted") is True
    code = ExitCode.INTERRUPTED if interrupted else exit_code(results, fail_on)
    return Gated(fail_on.value, code.value, _failing_checks(results, fail_on))


def contradiction(results: Results, version: str) -> tuple[str, str] | None:
    """Where results say something else of a provider than its verdicts do (a JSON pointer), and what; None: nowhere.

    What is not applicable is not listed among the verdicts that were read from a file: its counts are not compared.
    Sentences are, where no other version of the suite than this one wrote them, in other words perhaps.
    """
    is_ours = results.run.get("suite", version) == version
    verdicts: dict[str, list[Verdict]] = {}
    for verdict in results.verdicts:
        verdicts.setdefault(verdict.provider, []).append(verdict)
    for index, provider in enumerate(results.providers):
        origins = {exchange.origin for exchange in results.exchanges if exchange.provider == provider.id}
        is_printed = origins == {Origin.DOCUMENT}
        concluded = conclude(
            verdicts.get(provider.id, ()), is_printed, is_part=provider.is_part, contracts=provider.counts
        )
        for where, said, made in _compared(provider, concluded):
            if said != made and (is_ours or where != "sentence"):
                return f"/providers/{index}/{where}", f"{said}, and its verdicts make it {made}"
    return None


def _compared(provider: ProviderResult, concluded: Concluded) -> Iterator[tuple[str, object, object]]:
    """Yield what results say of a provider beside what its verdicts make of it, and where."""
    for contract in sorted({*provider.counts, *concluded.counts}):
        for level in Level:
            said, made = (
                counts.get(contract, {}).get(level, Tally()) for counts in (provider.counts, concluded.counts)
            )
            for name in ("passed", "failed", "waived", "unproven", "error"):
                yield f"counts/{contract}/{level}/{name}", getattr(said, name), getattr(made, name)
    yield "conclusion", provider.conclusion.value, concluded.conclusion.value
    yield "sentence", provider.sentence, concluded.sentence


def _failing_checks(results: Results, fail_on: FailOn) -> frozenset[CheckKey]:
    if fail_on is FailOn.REGRESSION:
        return frozenset(_key(change)[:3] for change in _regressions(results))
    levels = {FailOn.MUST: (Level.MUST,), FailOn.SHOULD: (Level.MUST, Level.SHOULD)}.get(fail_on, ())
    return frozenset(
        key
        for key, each in roll_up(results.verdicts).items()
        if each.outcome is Outcome.FAIL and not each.waived and each.level in levels
    )


def _against_contracts(results: Results, fail_on: FailOn) -> ExitCode:
    conclusions = {provider.conclusion for provider in results.providers}
    should_fails = any(_failing(provider, Level.SHOULD) for provider in results.providers)
    if Conclusion.DEVIATES in conclusions or (fail_on is FailOn.SHOULD and should_fails):
        return ExitCode.DEVIATES
    if Conclusion.INCONCLUSIVE in conclusions or not conclusions:
        return ExitCode.INCONCLUSIVE
    return ExitCode.CONFORMS


def _against_baseline(results: Results) -> ExitCode:
    if results.baseline is None:
        return ExitCode.USAGE
    if any(_regressions(results)):
        return ExitCode.DEVIATES
    is_lost = any(_newly_unproven(change) or _left_out(results, change) for change in results.changes)
    return ExitCode.INCONCLUSIVE if is_lost or not _is_heard(results) else ExitCode.CONFORMS


def _is_heard(results: Results) -> bool:
    """Whether of every provider something was decided besides error answers: of silence nothing can get worse."""
    rolled = roll_up(results.verdicts)
    by_provider: dict[str, dict[CheckKey, Rolled]] = {provider.id: {} for provider in results.providers}
    for key, each in rolled.items():
        by_provider.setdefault(key[0], {})[key] = each
    return bool(by_provider) and all(map(_is_answered, by_provider.values()))


def _left_out(results: Results, change: Change) -> bool:
    """Whether a must is gone because what it was judged on was not asked for this time."""
    is_gone = change.after is None and change.before in (Outcome.PASS, Outcome.FAIL) and change.level is Level.MUST
    told = results.run.get("left_out")
    names = told.get(change.provider) if isinstance(told, dict) and is_gone else None
    return isinstance(names, dict) and not {change.exchange, scenario_of(change.exchange)}.isdisjoint(names)


def _regressions(results: Results) -> Iterator[Change]:
    """Yield what broke, or appeared and fails, and is not waived."""
    waived = {verdict.key for verdict in results.verdicts if verdict.waiver is not None}
    return (change for change in results.changes if _regressed(change) and _key(change) not in waived)


def _regressed(change: Change) -> bool:
    """Whether a must or a should broke, or appeared and fails: what ends in fail is one of the two."""
    return change.after is Outcome.FAIL and change.level in (Level.MUST, Level.SHOULD) and _may_regress(change)


def _newly_unproven(change: Change) -> bool:
    is_lost = change.after is Outcome.UNPROVEN and change.before in (Outcome.PASS, Outcome.FAIL)
    return is_lost and change.level is Level.MUST and _may_regress(change)


def _may_regress(change: Change) -> bool:
    """Whether a change may be a regression: what the suite did, or chance, is named in reports and is none."""
    return change.by not in NOBODYS


def _key(change: Change) -> tuple[str, str, str, str]:
    return (change.provider, change.contract, change.check, change.exchange)


def _failing(provider: ProviderResult, level: Level) -> bool:
    return any(levels[level].failed > 0 for levels in provider.counts.values() if level in levels)


def _counts(rolled: Mapping[CheckKey, Rolled], others: Iterable[str]) -> Counts:
    contracts = sorted({*(contract for _, contract, _ in rolled), *others})
    return {contract: {level: _tally(_at(rolled, contract, level)) for level in Level} for contract in contracts}


def _at(rolled: Mapping[CheckKey, Rolled], contract: str, level: Level) -> Iterator[Rolled]:
    return (each for key, each in rolled.items() if key[1] == contract and each.level is level)


def _tally(checks: Iterable[Rolled]) -> Tally:
    number = Counter("waived" if each.waived else each.outcome.value for each in checks)
    return Tally(
        passed=number["pass"],
        failed=number["fail"],
        waived=number["waived"],
        unproven=number["unproven"],
        not_applicable=number["not-applicable"],
        error=number["error"],
    )


def _is_answered(rolled: Mapping[CheckKey, Rolled]) -> bool:
    """Whether a check was decided that looks at anything but error answers: a lone refusal proves nothing."""
    return any(
        each.outcome in (Outcome.PASS, Outcome.FAIL) and not check.startswith("errors.")
        for (_, _, check), each in rolled.items()
    )


def _conclusion(counts: Counts, *, can_acquit: bool) -> Conclusion:
    tallies = [tally for levels in counts.values() for tally in levels.values()]
    musts = [levels[Level.MUST] for levels in counts.values()]
    if any(tally.error for tally in tallies):
        return Conclusion.VOID
    if any(tally.failed for tally in musts):
        return Conclusion.DEVIATES
    is_verified = any(tally.decided for tally in musts)
    if not can_acquit or not is_verified or any(tally.unproven for tally in musts):
        return Conclusion.INCONCLUSIVE
    if any(tally.waived for tally in tallies):
        return Conclusion.CONFORMS_WITH_WAIVERS
    return Conclusion.CONFORMS


def _own_first(contract: str) -> tuple[bool, str]:
    return (contract == OPENAI, contract)


def _contract_part(contract: str, levels: Mapping[Level, Tally], rolled: Mapping[CheckKey, Rolled]) -> str:
    """One contract's part of the sentence; musts that are not applicable cannot be decided: left out."""
    must, should = levels[Level.MUST], levels[Level.SHOULD]
    name = "OpenAI" if contract == OPENAI else "own document"
    decidable = must.decided + must.unproven + must.error
    part = f"{name}: {must.passed} of {decidable} musts verified, {must.unproven} unproven"
    if must.failed:
        part += f", {must.failed} failing ({_named(_failing_musts(contract, rolled))})"
    if should.failed:
        part += f", {should.failed} failing at should"
    waived = sum(tally.waived for tally in levels.values())
    return f"{part}, {waived} waived" if waived else part


def _failing_musts(contract: str, rolled: Mapping[CheckKey, Rolled]) -> list[str]:
    return [
        check
        for (_, of, check), each in rolled.items()
        if of == contract and each.level is Level.MUST and each.outcome is Outcome.FAIL and not each.waived
    ]


def _named(checks: list[str]) -> str:
    more = len(checks) - _NAMED
    return ", ".join(checks[:_NAMED]) + (f" and {more} more" if more > 0 else "")
