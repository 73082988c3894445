"""What a report shows of an exchange beside the verdicts on it: habits, bytes, arrivals, and what was asked. Frozen.

Everything here is bounded, so that results.json stays readable whatever an endpoint sends.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """Something lawful in one answer: how often, at which byte of the decoded body first, and the names in it."""

    id: str
    count: int
    first: int | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HabitText:
    """What a report says of a habit: the fact, and whom it hurts. `entry` is its id in the catalogue of deviations."""

    id: str
    says: str
    hurts: str
    entry: str | None = None
    raises: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    measured: bool = False


@dataclass(frozen=True, slots=True)
class DeviationText:
    """What a report says of a deviation that was seen elsewhere: what is on the wire, and where that was seen."""

    id: str
    says: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Bytes of one line of a body, as text: what stands before a finding's place, in it, and after it.

    `bytes` is their half-open range in the content-decoded body. `event` is the dispatched event that they belong
    to; `arrived` is when the last of them was read, in microseconds since the request was sent.
    """

    bytes: tuple[int, int]
    text: tuple[str, str, str]
    event: int | None = None
    arrived: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The bytes around a finding's place, line by line; where two lines do not join, bytes are left out.

    `size` is the length of the body: a last line that stops there is where the body ends.
    """

    lines: tuple[Line, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the events of a stream were whole, in microseconds since the request was sent.

    Each of `events` is a time and how many events were whole then; `done` is when [DONE] came, None where it never did.
    """

    events: tuple[tuple[int, int], ...]
    done: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was asked. `body` is the request's JSON as text; None where nothing failed, and where it is long.

    `key` says whether the request went with the right key, with a wrong one, or with none.
    """

    scenario: str | None = None
    model: str | None = None
    recorded_at: str | None = None
    key: str = "right"
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What came back: the header fields that tell one call from another, token counts as the provider gave them."""

    headers: tuple[tuple[str, str], ...] = ()
    size: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    timeline: Timeline | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is judged: as providers.yaml names it, empty where it does not; `contract` is its own document's."""

    base_url: str = ""
    model: str = ""
    contract: str | None = None


@dataclass(frozen=True, slots=True)
class ContractDigest:
    """A contract that was judged by: `sha256` is of its schema files; `document` is the page that it was made of."""

    sha256: str
    clauses: int
    document: str | None = None
    document_sha256: str | None = None
