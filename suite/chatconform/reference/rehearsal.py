"""A run rehearsed: the plan for a provider, answered in this process, and recorded as a capture records it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Final, TypeAlias

from chatconform.model import Exchange, Headers, JsonObject, Provider, Request
from chatconform.reference import rewrite
from chatconform.reference.good import BASE_URL, CREATED, MODEL
from chatconform.reference.house import Answers, House, digest
from chatconform.reference.misbehaviour import all_misbehaviours, misbehaving
from chatconform.reference.received import Received
from chatconform.reference.refusals import Door
from chatconform.scenarios.ask import Ask, Key
from chatconform.scenarios.plan import plan
from chatconform.wire import strict_json
from chatconform.wire.asked import WRONG_KEY

RIGHT_KEY: Final = "chatconform-right-key-0000000000"
_REFUSALS: Final = (400, 404, 413, 415, 422, 500)
_SECONDS: Final = 3
"""From one request to the next, on the rehearsal's clock."""


def provider(contract: str | None) -> Provider:
    """Return the reference as a provider with a contract, or with OpenAI's alone."""
    name = contract or "reference"
    return Provider(name, BASE_URL, "auto" if contract == "tooken" else MODEL, "REFERENCE_API_KEY", contract)


Run: TypeAlias = tuple[Exchange, ...]
"""The exchanges of one run."""


@cache
def rehearsal(contract: str | None, misbehaviour: str | None = None) -> Run:
    """Return the recording of a run against the reference, or against one that misbehaves by a name."""
    return _run(contract, _asks(contract, costly=False), misbehaviour)


@cache
def whole_rehearsal(contract: str | None) -> Run:
    """Return the recording of a run against the reference with all that costs more."""
    return _run(contract, _asks(contract, costly=True), None)


def answers_to(contract: str | None, bodies: Mapping[str, JsonObject]) -> Run:
    """Return the recording of requests with these bodies, by id, in this order."""
    url = f"{BASE_URL}/chat/completions"
    sent = ((name, rewrite.as_json(body)) for name, body in bodies.items())
    asks = [Ask(name, name, "POST", url, (("Content-Type", "application/json"),), body) for name, body in sent]
    return _run(contract, asks, None)


@cache
def _asks(contract: str | None, *, costly: bool) -> tuple[Ask, ...]:
    return plan(provider(contract), costly=costly).asks


def _run(contract: str | None, asks: Iterable[Ask], misbehaviour: str | None) -> Run:
    clock = _Clock()
    house = House(Door(contract, RIGHT_KEY), clock)
    answers = misbehaving(house, house.answer, all_misbehaviours()[misbehaviour]) if misbehaviour else house.answer
    return tuple(_recorded(provider(contract), asks, answers, clock))


class _Clock:
    """Counts the requests, and tells the time by them; knows which of them came before."""

    def __init__(self) -> None:
        self.requests = 0
        self.seen: Counter[str] = Counter()

    def __call__(self) -> float:
        return CREATED + _SECONDS * self.requests

    def received(self, request: Request) -> Received:
        """Return a request as it is received, one tick later."""
        self.requests += 1
        name = digest(Received(request))
        self.seen[name] += 1
        return Received(request, self.seen[name] - 1)


def _recorded(asked: Provider, asks: Iterable[Ask], answers: Answers, clock: _Clock) -> Iterator[Exchange]:
    """Yield the exchanges of a plan, those that depend on a refusal only after one."""
    refused: set[str] = set()
    for ask in asks:
        if ask.only_if_refused is None or ask.only_if_refused in refused:
            exchange = _exchange(asked, ask, lambda request: answers(clock.received(request)))
            if exchange.response is not None and exchange.response.status in _REFUSALS:
                refused.add(ask.id)
            yield exchange


def _exchange(asked: Provider, ask: Ask, answer: Callable[[Request], Exchange]) -> Exchange:
    key = {Key.PRESENT: RIGHT_KEY, Key.WRONG: WRONG_KEY, Key.ABSENT: None}[ask.key]
    sent = Request(ask.method, ask.url, _headers(ask, key), ask.body or None)
    known = strict_json.parse(ask.body).object
    seen_key = "*" * len(RIGHT_KEY) if ask.key is Key.PRESENT else key
    request = replace(sent, headers=_headers(ask, seen_key), body=known if known is not None else sent.body)
    return replace(
        answer(sent),
        id=ask.id, provider=asked.id, scenario=ask.scenario, sample=ask.sample, attempt=1, request=request,
    )  # fmt: skip


def _headers(ask: Ask, key: str | None) -> Headers:
    return (*ask.headers, *((("Authorization", f"Bearer {key}"),) if key else ()))
