"""The outcome vector of an exchange: what is ruled on it, verdict by verdict. Kept for good exchanges and faults."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from chatconform.judging import judge, known_checks
from chatconform.model import Exchange, Verdict
from chatconform.reference.faults import all_faults
from chatconform.reference.good import GOOD, contract_of


def ruled(exchange: Exchange) -> dict[str, Verdict]:
    """Return the verdicts on an exchange by contract and check."""
    verdicts = judge([exchange], contract_of(exchange))
    return {f"{verdict.contract}/{verdict.check}": verdict for verdict in verdicts}


def word(verdict: Verdict) -> str:
    """Return an outcome with what explains it, as faults state it."""
    because = verdict.because or verdict.reason
    return f"{verdict.outcome}: {because}" if because else str(verdict.outcome)


def vector(exchange: Exchange) -> dict[str, str]:
    return {key: word(verdict) for key, verdict in ruled(exchange).items()}


@cache
def of_good(name: str) -> Mapping[str, str]:
    return vector(GOOD[name])


@cache
def of_fault(name: str) -> Mapping[str, str]:
    fault = all_faults()[name]
    return vector(fault.breaks(GOOD[fault.of]))


@cache
def known() -> tuple[str, ...]:
    """Return the ids of all rules, sorted."""
    return tuple(sorted(known_checks()))


def differences(stated: Mapping[str, str], judged: Mapping[str, str]) -> list[str]:
    """Return a row for every verdict that differs, as a reader of a failed test wants it."""
    return [
        f"{key}: stated {stated.get(key, 'no verdict')}, judged {judged.get(key, 'no verdict')}"
        for key in sorted({*stated, *judged})
        if stated.get(key) != judged.get(key)
    ]
