"""What a named fault is: a way to break one good exchange, and the whole change that it makes to the verdicts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TypeAlias

from chatconform.model import OPENAI, Exchange, Outcome, Reason, SuiteError

Breaks: TypeAlias = Callable[[Exchange], Exchange]
Ids: TypeAlias = tuple[str, ...]
"""Ids of checks and clauses, or patterns of them (`usage.*`); `tooken/…` holds in that contract alone."""
Vector: TypeAlias = Mapping[str, str]
"""Every verdict on an exchange: `contract/check` -> the outcome, with its reason or the prerequisite."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a fault does to the outcomes, stated by hand. What is not named stays as it is.

    `unproven` is by prerequisite (a check's id, `status 500`) or reason; `not_applicable` by reason.
    `appears` are ids that are ruled on only once the fault is there; `gone` are no longer ruled on.
    """

    fails: Ids = ()
    passes: Ids = ()
    unproven: Mapping[str, Ids] = field(default_factory=dict)
    not_applicable: Mapping[str, Ids] = field(default_factory=dict)
    gone: Ids = ()
    appears: Ids = ()

    def expected(self, good: Vector, known: Iterable[str]) -> dict[str, str]:
        """Return the vector that the broken exchange has to have; `known` are all ids there are.

        Where one id is named twice, what stands later in this list wins: not-applicable, unproven, pass, fail.
        """
        vector = dict(good)
        vector |= dict.fromkeys((f"{OPENAI}/{name}" for name in _matching(self.appears, known)), "")
        for word, ids in self._words():
            for key in [key for key in vector if any(names(pattern, key) for pattern in ids)]:
                vector[key] = word
        return {key: word for key, word in vector.items() if not any(names(each, key) for each in self.gone)}

    def _words(self) -> Iterator[tuple[str, Ids]]:
        for reason, ids in self.not_applicable.items():
            yield f"{Outcome.NOT_APPLICABLE}: {reason}", ids
        for because, ids in self.unproven.items():
            yield f"{Outcome.UNPROVEN}: {because}", ids
        yield str(Outcome.PASS), self.passes
        yield str(Outcome.FAIL), self.fails

    @property
    def patterns(self) -> Ids:
        """Every id and pattern that the statement names."""
        return (*(each for _, ids in self._words() for each in ids), *self.gone, *self.appears)


def _matching(patterns: Ids, known: Iterable[str]) -> Iterator[str]:
    return (name for name in known if any(fnmatchcase(name, pattern) for pattern in patterns))


def names(pattern: str, key: str) -> bool:
    """Whether an id or a pattern means the verdict with this key (`contract/check`)."""
    return fnmatchcase(key if "/" in pattern else key.partition("/")[2], pattern)


@dataclass(frozen=True, slots=True)
class Fault:
    """A good exchange, what is done to it, what is then wrong on the wire in one sentence, and what that changes."""

    id: str
    of: str
    says: str
    breaks: Breaks
    change: Change


_FAULTS: dict[str, Fault] = {}


def add(fault: Fault) -> None:
    """Register a fault. Raises `SuiteError` for an id that is taken or a fault without a sentence."""
    if fault.id in _FAULTS or not fault.says:
        raise SuiteError(f"fault {fault.id!r}: taken, or without a sentence")
    _FAULTS[fault.id] = fault


def fault(
    identifier: str,
    *,
    of: str,
    fails: Ids = (),
    passes: Ids = (),
    unproven: Mapping[str, Ids] | None = None,
    other_branch: Ids = (),
    refused: Ids = (),
    outside: Ids = (),
    gone: Ids = (),
    appears: Ids = (),
) -> Callable[[Breaks], Breaks]:
    """Register a function as a fault of a good exchange; its docstring says what is wrong on the wire."""
    reasons = {
        Reason.OTHER_BRANCH: other_branch,
        Reason.REFUSED_TYPED: refused,
        Reason.REQUEST_OUTSIDE_DOCUMENT: outside,
    }
    stated = {str(reason): ids for reason, ids in reasons.items() if ids}
    change = Change(fails, passes, unproven or {}, stated, gone, appears)

    def register(breaks: Breaks) -> Breaks:
        says = " ".join(inspect.cleandoc(breaks.__doc__ or "").split())
        add(Fault(identifier, of, says, breaks, change))
        return breaks

    return register


def registered() -> Mapping[str, Fault]:
    """Return every fault that was registered, by id."""
    return MappingProxyType(_FAULTS)
