"""What a comparison is: a check of one exchange beside others of its recording, and how one is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from chatconform.checks.check import all_checks, texts_of, well_formed
from chatconform.checks.recording import Recorded, Recording, Standing
from chatconform.model import Finding, Level, Reason, SuiteError

NEARBY: Final = 3
"""How many others an exchange is held against at most."""


@dataclass(frozen=True, slots=True)
class Compared:
    """An exchange, and the others of its recording that it is held against.

    `member` is the top-level member of the body in which they differ, where it is one. `undocumented` are the members
    of the subject's request that the provider's own document does not have.
    """

    subject: Recorded
    others: tuple[Recorded, ...]
    member: str | None = None
    undocumented: frozenset[str] = frozenset()

    @property
    def other(self) -> Recorded:
        """The first of the others."""
        return self.others[0]


Predicate: TypeAlias = Callable[[Compared], Iterator[Finding]]
Examines: TypeAlias = Callable[[Compared], "int | Reason"]
Pairs: TypeAlias = Callable[[Recording], Iterator[Compared]]


def count(compared: Compared) -> int:
    """Count the others."""
    return len(compared.others)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A predicate over an exchange and others, with an id, a level and the texts of the report.

    `pairs` selects subjects and others by what the recorded requests say; an exchange that is selected several times
    gets one verdict. `examines` counts the pairs, or gives the reason why there is nothing to compare. `on` are the
    standings of a subject that are judged; the others have to be accepted. `needs` are checks that the subject and the
    others have to pass. `alone` says that a subject without others is judged.
    """

    id: str
    level: Level
    pairs: Pairs
    examines: Examines
    on: tuple[Standing, ...]
    needs: tuple[str, ...]
    cites: tuple[str, ...]
    predicate: Predicate
    says: str
    breaks: str
    fix: str
    alone: bool


_REGISTRY: dict[str, Comparison] = {}


def comparison(
    identifier: str,
    *,
    level: Level,
    pairs: Pairs,
    cites: str | tuple[str, ...],
    examines: Examines = count,
    on: tuple[Standing, ...] = (Standing.ACCEPTED,),
    needs: str | tuple[str, ...] = (),
    alone: bool = False,
) -> Callable[[Predicate], Predicate]:
    """Register a predicate as a comparison. Its docstring is the report's text: the fact, `Breaks:`, `Fix:`.

    Raises `SuiteError` for an id that is taken or badly formed, and for a text or citation that is missing.
    """

    def register(predicate: Predicate) -> Predicate:
        says, breaks, fix = texts_of(identifier, predicate)
        sources = (cites,) if isinstance(cites, str) else cites
        if identifier in _REGISTRY or identifier in all_checks() or not well_formed(identifier, sources):
            raise SuiteError(f"comparison {identifier!r}: taken, badly formed, or without a citation")
        before = (needs,) if isinstance(needs, str) else needs
        _REGISTRY[identifier] = Comparison(
            identifier, level, pairs, examines, on, before, sources, predicate, says, breaks, fix, alone
        )
        return predicate

    return register


def all_comparisons() -> Mapping[str, Comparison]:
    """Return every registered comparison by id."""
    return MappingProxyType(_REGISTRY)


def beside(
    recording: Recording, subject: Recorded, others: tuple[Recorded, ...], member: str | None = None
) -> Compared:
    """Return an exchange beside others of its recording: the first of those that were answered, or else of all."""
    answered = sorted(others, key=lambda other: other.standing is not Standing.ACCEPTED)
    return Compared(subject, tuple(answered[:NEARBY]), member, recording.bounds.undocumented(subject.body))
