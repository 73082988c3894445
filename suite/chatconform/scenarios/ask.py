"""One request that a run is going to send, and the plan that holds all of them. Nothing here sends anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chatconform.model import Headers, Provider


class Key(StrEnum):
    """Which credential goes with a request."""

    PRESENT = "present"
    ABSENT = "absent"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, to the byte. `id` becomes the exchange's id; `headers` hold no credential.

    `output_tokens` is the ceiling on what its answer may hold. Where `only_if_refused` names another ask, this one
    is sent only if that one was refused.
    """

    id: str
    scenario: str
    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    model: str | None = None
    key: Key = Key.PRESENT
    sample: int = 1
    output_tokens: int = 0
    only_if_refused: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A scenario that is not sent, and why."""

    scenario: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run sends to one provider, in this order, and what it leaves out.

    `provider.limits` are the ceilings of this run: requests that depend on a refusal may exceed them together, and are
    debited when they are sent. `retries` is how often requests may be sent again beyond that.
    """

    provider: Provider
    asks: tuple[Ask, ...]
    left_out: tuple[LeftOut, ...] = ()
    retries: int = 0

    @property
    def requests(self) -> int:
        """The ceiling on requests, retries apart."""
        return int(min(len(self.asks), self.provider.limits.get("requests", len(self.asks))))

    @property
    def output_tokens(self) -> int:
        """The ceiling on output tokens."""
        total = sum(ask.output_tokens for ask in self.asks)
        return int(min(total, self.provider.limits.get("output_tokens", total)))
