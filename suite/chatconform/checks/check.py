"""What a check is, and how one is written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from chatconform.model import Finding, Level, Reason, SuiteError
from chatconform.wire.asked import Asked, Target
from chatconform.wire.transcript import Kind, Transcript

MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY

Predicate: TypeAlias = Callable[[Transcript], Iterator[Finding]]
Examines: TypeAlias = Callable[[Transcript], "int | Reason"]
Selects: TypeAlias = Callable[[Transcript], bool]


def answers(transcript: Transcript) -> bool:
    """Select requests for an answer in one piece."""
    return transcript.asked.target is Target.ANSWER


def streams(transcript: Transcript) -> bool:
    """Select requests for a streamed answer."""
    return transcript.asked.target is Target.STREAM


def chats(transcript: Transcript) -> bool:
    """Select requests for an answer, streamed or not."""
    return transcript.asked.target in (Target.ANSWER, Target.STREAM)


def models(transcript: Transcript) -> bool:
    """Select requests for the list of models."""
    return transcript.asked.target is Target.MODELS


def bodies(transcript: Transcript) -> bool:
    """Select requests that are answered by one JSON text where all is well."""
    return transcript.asked.target in (Target.ANSWER, Target.MODELS)


def requests(transcript: Transcript) -> bool:
    """Select every request that has a proper answer."""
    return transcript.asked.target is not Target.OTHER


def errors(transcript: Transcript) -> bool:
    """Select answers with a status of 400 or above."""
    return transcript.kind is Kind.ERROR


def limits(transcript: Transcript) -> bool:
    """Select answers that say that a limit was reached."""
    return transcript.status == 429


def mistakes(transcript: Transcript) -> bool:
    """Select errors in answer to a request that nobody could have answered."""
    return transcript.kind is Kind.ERROR and transcript.asked.is_malformed


def once(_transcript: Transcript) -> int:
    """The check looks at the exchange as a whole."""
    return 1


_KINDS: dict[Selects, frozenset[Kind]] = {
    answers: frozenset({Kind.ANSWER}),
    streams: frozenset({Kind.STREAM}),
    chats: frozenset({Kind.ANSWER, Kind.STREAM}),
    models: frozenset({Kind.MODELS}),
    bodies: frozenset({Kind.ANSWER, Kind.MODELS}),
    requests: frozenset({Kind.ANSWER, Kind.STREAM, Kind.MODELS}),
    errors: frozenset(),
    limits: frozenset(),
    mistakes: frozenset(),
}
"""The kinds of proper answers that each selection holds."""


@dataclass(frozen=True, slots=True)
class Check:
    """A predicate with an id, a level and the texts of the report.

    `over` selects exchanges by what was asked; `asks` narrows that by the request's body, which has to be known.
    `examines` counts the targets, or gives the reason why there are none.
    `level` is the OpenAI one; None: the check stands only under a document that promises it.
    `came` says whether what `asks` did not ask for came all the same: then it is judged too.
    `of_any_status` says that it judges answers of 400 and above too.
    `by_chance` says that the same endpoint passes or fails it by when, or how fast, it makes an answer.
    """

    id: str
    level: Level | None
    over: Selects
    asks: Callable[[Asked], bool] | None
    examines: Examines
    needs: tuple[str, ...]
    cites: tuple[str, ...]
    predicate: Predicate
    says: str
    breaks: str
    fix: str
    came: Callable[[Transcript], bool] | None
    of_any_status: bool
    by_chance: bool

    def selects(self, transcript: Transcript) -> bool:
        """Whether an exchange that the check is over is asked about, or brings what it looks at unasked."""
        asked = transcript.asked
        if self.asks is None or (asked.known and self.asks(asked)):
            return True
        return self.came is not None and self.came(transcript)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of proper answers that the check looks at."""
        return _KINDS[self.over]


_REGISTRY: dict[str, Check] = {}
_ID = re.compile(r"[a-z]+(\.[a-z0-9_]+){1,2}")


def check(
    identifier: str,
    *,
    level: Level | None,
    over: Selects,
    cites: str | tuple[str, ...],
    needs: str | tuple[str, ...] = (),
    examines: Examines = once,
    asks: Callable[[Asked], bool] | None = None,
    came: Callable[[Transcript], bool] | None = None,
    of_any_status: bool = False,
    by_chance: bool = False,
) -> Callable[[Predicate], Predicate]:
    """Register a predicate as a check. Its docstring is the report's text: the fact, `Breaks:`, `Fix:`.

    Raises `SuiteError` for an id that is taken or badly formed, and for a text or citation that is missing.
    """

    def register(predicate: Predicate) -> Predicate:
        says, breaks, fix = texts_of(identifier, predicate)
        sources = (cites,) if isinstance(cites, str) else cites
        if identifier in _REGISTRY or not well_formed(identifier, sources):
            raise SuiteError(f"check {identifier!r}: taken, badly formed, or without a citation")
        before = (needs,) if isinstance(needs, str) else needs
        _REGISTRY[identifier] = Check(
            identifier,
            level,
            over,
            asks,
            examines,
            before,
            sources,
            predicate,
            says,
            breaks,
            fix,
            came,
            of_any_status,
            by_chance,
        )
        return predicate

    return register


def well_formed(identifier: str, sources: tuple[str, ...]) -> bool:
    """Whether an id has the form of one, and something is cited for it."""
    return bool(_ID.fullmatch(identifier)) and bool(sources) and all(sources)


def texts_of(identifier: str, predicate: Callable[..., object]) -> tuple[str, str, str]:
    """Return the fact, `Breaks` and `Fix` of a docstring. Raises `SuiteError` where one of them is missing."""
    text = inspect.cleandoc(predicate.__doc__ or "")
    match = re.fullmatch(r"(.+?)\n\nBreaks:(.+?)\nFix:(.+)", text, re.DOTALL)
    if not match:
        raise SuiteError(f"check {identifier!r}: its docstring has no first line, Breaks and Fix")
    says, breaks, fix = (" ".join(part.split()) for part in match.groups())
    return says, breaks, fix


def all_checks() -> Mapping[str, Check]:
    """Return every registered check by id."""
    return MappingProxyType(_REGISTRY)
