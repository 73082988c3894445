"""The nouns: exchanges, clauses, findings, verdicts, results. Frozen, and without input or output.

Exceptions:

    ChatconformError
    ├── InputError       what somebody gave us cannot be used: exit code 2
    └── SuiteError       the suite itself is wrong: exit code 4
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from chatconform.exhibits import ContractDigest, DeviationText, Endpoint, Evidence, Habit, HabitText, Received, Sent

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"
Headers: TypeAlias = tuple[tuple[str, str], ...]
Span: TypeAlias = tuple[int, int]
"""A half-open byte range [start, end) of the content-decoded response body."""
MAX_INTEGER = 2**53 - 1
"""The largest whole number in our files: what every reader of JSON has exactly (RFC 8259 section 6)."""


class Level(StrEnum):
    """How much a rule binds."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Basis(StrEnum):
    """What a clause of a provider's document rests on."""

    STATED = "stated"
    TABLED = "tabled"
    EXAMPLED = "exampled"
    INFERRED = "inferred"

    @property
    def level(self) -> Level:
        """The level follows from the basis, by rule."""
        return {Basis.STATED: Level.MUST, Basis.TABLED: Level.MUST, Basis.EXAMPLED: Level.SHOULD}.get(self, Level.MAY)


class Outcome(StrEnum):
    """What one check says of one exchange."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    UNPROVEN = "unproven"
    ERROR = "error"


class Reason(StrEnum):
    """Why an outcome is not-applicable (the first four) or unproven (the others): closed lists."""

    REFUSED_TYPED = "refused-typed"
    REQUEST_OUTSIDE_DOCUMENT = "request-outside-document"
    OTHER_BRANCH = "other-branch"
    NOT_PLANNED = "not-planned"
    NOTHING_TO_EXAMINE = "nothing-to-examine"
    PREREQUISITE = "prerequisite"
    RATE_LIMITED = "rate-limited"
    BUDGET = "budget"
    NETWORK = "network"
    NO_READS = "no-reads"
    NO_REQUEST = "no-request"
    RECORDER = "recorder"
    PLACEHOLDER = "placeholder"

    @property
    def outcome(self) -> Outcome:
        """The outcome that this reason explains."""
        lawful = (Reason.REFUSED_TYPED, Reason.REQUEST_OUTSIDE_DOCUMENT, Reason.OTHER_BRANCH, Reason.NOT_PLANNED)
        return Outcome.NOT_APPLICABLE if self in lawful else Outcome.UNPROVEN


class Origin(StrEnum):
    """Where an exchange comes from."""

    LIVE = "live"
    DOCUMENT = "document"
    REFERENCE = "reference"
    IMPORTED = "imported"

    @property
    def is_transcribed(self) -> bool:
        """Whether somebody else's tool, or a page, stands between the wire and us."""
        return self in (Origin.DOCUMENT, Origin.IMPORTED)


class OwnDocument(StrEnum):
    """What a provider's own document says of a rule of OpenAI's that its answer broke."""

    PROMISES = "promises"
    ANNOUNCES = "announces"
    SILENT = "silent"


class Conclusion(StrEnum):
    """What is said of a provider, in a word."""

    CONFORMS = "conforms"
    CONFORMS_WITH_WAIVERS = "conforms with waivers"
    DEVIATES = "deviates"
    INCONCLUSIVE = "inconclusive"
    VOID = "void"


OPENAI = "openai"
"""The name of the contract that every provider is judged against."""


class ChatconformError(Exception):
    """The root of all errors that are raised on purpose."""


class SuiteError(ChatconformError):
    """The suite contradicts itself: a bug of ours."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file. Lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class InputError(ChatconformError):
    """A file or an argument cannot be used: where, what is wrong, what to do."""

    def __init__(self, place: Place, problem: str, remedy: str) -> None:
        super().__init__(f"{place}: {problem}\n  {remedy}")
        self.place, self.problem, self.remedy = place, problem, remedy


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent. `body` is the parsed JSON where the file holds JSON, else the exact bytes; None is absent."""

    method: str
    url: str
    headers: Headers = ()
    body: JsonValue | bytes = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `headers_after` and the times of `reads` are microseconds since the request was sent."""

    status: int
    headers: Headers | None = None
    body: bytes = b""
    http_version: str | None = None
    headers_after: int | None = None
    reads: tuple[tuple[int, int], ...] | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and all that came back (exchange format 1)."""

    id: str
    provider: str
    request: Request
    response: Response | None
    scenario: str | None = None
    sample: int | None = None
    attempt: int | None = None
    origin: Origin = Origin.IMPORTED
    recorded_at: str | None = None
    model: str | None = None
    note: str | None = None
    source: JsonValue = None
    end: str = "complete"
    redacted: Sequence[JsonValue] = ()
    extra: Mapping[str, JsonValue] = field(default_factory=dict)
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """An input that could not be used, as reports show it."""

    place: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One constraint of a contract. `document` and `lines` are set for a provider's document, `cites` for OpenAI's."""

    id: str
    level: Level
    says: str
    basis: Basis | None = None
    document: str | None = None
    lines: str | None = None
    digest: str | None = None
    cites: tuple[str, ...] = ()
    when: Mapping[str, tuple[JsonValue, ...]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The citation as a reader sees it."""
        return f"{self.document}:{self.lines}" if self.document else ", ".join(self.cites)


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the wire disagrees. `event` counts the dispatched events of a stream from 1."""

    got: str
    want: str
    at: str | None = None
    bytes: Span | None = None
    event: int | None = None
    excerpt: str | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A known deviation of a provider. `until` is an ISO date (UTC), the last day on which it is used."""

    check: str
    reason: str
    until: str
    exchange: str | None = None
    link: str | None = None
    place: Place = field(default=Place("providers.yaml"), compare=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """An endpoint under test, as providers.yaml describes it."""

    id: str
    base_url: str
    model: str
    key_env: str | None = None
    contract: str | None = None
    default: bool = False
    cap: str = "max_tokens"
    headers: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int | float] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    place: Place = field(default=Place("providers.yaml"), compare=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """contract x check x exchange: the outcome, how many targets were examined, and the findings."""

    provider: str
    contract: str
    check: str
    level: Level
    exchange: str
    outcome: Outcome
    examined: int = 0
    reason: Reason | None = None
    because: str | None = None
    findings: tuple[Finding, ...] = ()
    found: int = 0
    own_document: OwnDocument | None = None
    waiver: Waiver | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What verdicts of two runs are compared by."""
        return (self.provider, self.contract, self.check, self.exchange)


@dataclass(frozen=True, slots=True)
class CheckText:
    """What a report says of a check: by contract level, source and `wording` (where not `says`), and whom it hurts.

    `known` has the ids of the deviations that it cites, as far as they are in the catalogue.
    """

    id: str
    says: str
    breaks: str
    fix: str
    levels: Mapping[str, Level]
    sources: Mapping[str, str]
    wording: Mapping[str, str] = field(default_factory=dict)
    raises: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    measured: bool = False
    known: tuple[str, ...] = ()

    def under(self, contract: str) -> str:
        """Return the fact in the words of one contract."""
        return self.wording.get(contract, self.says)


@dataclass(frozen=True, slots=True)
class ExchangeSummary:
    """What a report says of an exchange. `source` is where it was taken from: of a printed example, document:lines."""

    id: str
    provider: str
    file: str
    sha256: str
    request: str
    status: int | None
    end: str
    origin: Origin
    note: str | None
    timings: Mapping[str, int]
    habits: tuple[Habit, ...] = ()
    sent: Sent = field(default=Sent())
    received: Received = field(default=Received())
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How the checks of one contract came out at one level, for one provider; the six counts are all of them."""

    passed: int = 0
    failed: int = 0
    waived: int = 0
    unproven: int = 0
    not_applicable: int = 0
    error: int = 0

    @property
    def decided(self) -> int:
        """How many were decided, either way; those that passed are called verified."""
        return self.passed + self.failed + self.waived


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """What is concluded of one provider; `counts` is by contract and level, `place` its block in a providers file.

    `is_part`: only a part of its plan was asked, for the run was interrupted.
    """

    id: str
    conclusion: Conclusion
    sentence: str
    counts: Mapping[str, Mapping[Level, Tally]]
    source: str
    endpoint: Endpoint = field(default=Endpoint())
    place: Place | None = None
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that differs: broke, fixed, newly unproven, appeared, vanished; by whom is one of `diff.By`."""

    kind: str
    provider: str
    contract: str
    check: str
    exchange: str
    level: Level
    before: Outcome | None
    after: Outcome | None
    by: str = "unattributed"


@dataclass(frozen=True, slots=True)
class Results:
    """One judging, whole: everything that any report prints."""

    run: Mapping[str, JsonValue]
    providers: tuple[ProviderResult, ...]
    checks: Mapping[str, CheckText]
    exchanges: tuple[ExchangeSummary, ...]
    verdicts: tuple[Verdict, ...]
    problems: tuple[Problem, ...] = ()
    baseline: str | None = None
    changes: tuple[Change, ...] = ()
    habits: Mapping[str, HabitText] = field(default_factory=dict)
    deviations: Mapping[str, DeviationText] = field(default_factory=dict)
    contracts: Mapping[str, ContractDigest] = field(default_factory=dict)
