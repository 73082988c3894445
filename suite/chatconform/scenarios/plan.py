"""The plan of a run: what is sent to one provider, request by request, and what is left out. Sends nothing."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Final

from chatconform.contracts import contract as contracts
from chatconform.model import OPENAI, InputError, JsonObject, Place, Provider
from chatconform.scenarios import compose, probes
from chatconform.scenarios.ask import Ask, Key, LeftOut, Plan
from chatconform.scenarios.parameters import parameters
from chatconform.scenarios.probes import question
from chatconform.scenarios.scenario import Scenario, all_scenarios
from chatconform.strict_yaml import nearest

ROOM: Final = 45
"""How many requests scenarios come to at most. What is costly, and further samples, are not counted."""
ROOM_WITH_BOUNDARIES: Final = 90
"""How many requests scenarios and boundary probes come to at most, counted in the same way."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A request that may be sent. `beside` are the ids that have to be sent as well; `extra` needs no room."""

    ask: Ask
    beside: tuple[str, ...] = ()
    extra: bool = False


def plan(
    provider: Provider,
    *,
    scenarios: Sequence[str] = (),
    costly: bool = False,
    boundaries: bool = True,
    samples: int = 1,
    max_requests: int | None = None,
    max_tokens: int | None = None,
) -> Plan:
    """Return what a run sends to a provider, and what it leaves out.

    `scenarios` are patterns on ids (`tools.*`); what one chooses brings its control with it. Scenarios come first,
    then further samples, then boundary probes. The limits of the returned plan's provider are the ceilings of this
    run: those of providers.yaml, the lower ones given here, and the room that there is. A request that depends on
    another's refusal takes no room before it is sent. Raises `InputError` for a pattern that matches no id.
    """
    _refuse_unknown(scenarios)
    asked, left_out = _asked(provider, math.inf if scenarios else ROOM, costly=costly)
    candidates = [*map(_candidate, asked, (compose.ask(each, provider) for each in asked))]
    candidates += _further(asked, provider, samples)
    if boundaries:
        derived, gone = _boundaries(asked, provider, costly=costly)
        candidates, left_out = candidates + derived, left_out + gone
    if scenarios:
        candidates = _chosen(candidates, scenarios)
        left_out = [each for each in left_out if _matches(each.scenario, scenarios)]
    room = (ROOM_WITH_BOUNDARIES if boundaries else ROOM) + sum(each.extra for each in candidates)
    limited = _limited(provider, room, max_requests, max_tokens)
    asks, over = _fitting(limited, [each.ask for each in candidates])
    spare = 0 if max_requests else provider.limits.get("requests", room) - limited.limits["requests"]
    return Plan(limited, tuple(asks), tuple(left_out + over), int(spare))


def _candidate(scenario: Scenario, ask: Ask) -> _Candidate:
    return _Candidate(ask, (scenario.like,) if scenario.like else (), scenario.costly)


def _asked(provider: Provider, room: float, *, costly: bool) -> tuple[list[Scenario], list[LeftOut]]:
    """Return the scenarios that are for a provider and for which there is room; what is costly takes none."""
    asked: list[Scenario] = []
    left_out: list[LeftOut] = []
    for scenario in all_scenarios().values():
        full = sum(not each.costly for each in asked) >= room and not scenario.costly
        why = _obstacle(scenario, provider, costly=costly) or (f"there is room for {room} scenarios" if full else None)
        if why is None:
            asked.append(scenario)
        else:
            left_out.append(LeftOut(scenario.id, why))
    return asked, left_out


def _obstacle(scenario: Scenario, provider: Provider, *, costly: bool) -> str | None:
    """Say why a scenario is not sent to a provider; None where nothing stands in the way."""
    if scenario.contracts and provider.contract not in scenario.contracts:
        return f"it is for the document of {' and '.join(scenario.contracts)}"
    if scenario.key is not Key.PRESENT and provider.key_env is None:
        return "the provider has no key"
    return probes.COSTLY if scenario.costly and not costly else None


def _further(asked: Sequence[Scenario], provider: Provider, samples: int) -> Iterator[_Candidate]:
    """Yield the samples after the first of what is up to the model, and that the provider's document knows."""
    properties = _schema(provider).get("properties")
    documented = set(properties) if isinstance(properties, dict) else set()
    for number in range(2, samples + 1):
        for scenario in asked:
            if scenario.behavioural and documented >= set(scenario.uses):
                ask = compose.ask(scenario, provider)
                yield _Candidate(replace(ask, id=f"{ask.id}.{number}", sample=number), (ask.id,), extra=True)


def _schema(provider: Provider) -> JsonObject:
    """Return the request schema of a provider's document; OpenAI's where it has none."""
    return contracts.of_requests(provider.contract).schemas[contracts.Kind.REQUEST].document


def _boundaries(
    asked: Sequence[Scenario], provider: Provider, *, costly: bool
) -> tuple[list[_Candidate], list[LeftOut]]:
    """Return the requests that depend on a refusal, and the boundary probes that no scenario sends already."""
    questions = [question(each, provider) for each in asked if each.is_question]
    found, left_out = probes.derive(_schema(provider), questions, parameters(), costly=costly)
    sent = {compose.ask(each, provider).body for each in asked if each.key is Key.PRESENT}
    candidates = [_Candidate(each, (scenario.id,)) for scenario in asked for each in _apart(scenario, provider)]
    for probe in found:
        beside = (probe.base, probe.ask.only_if_refused or probe.base)
        if probe.ask.body not in sent:
            candidates.append(_Candidate(probe.ask, beside, probe.costly))
    return candidates, left_out


def _apart(scenario: Scenario, provider: Provider) -> Iterator[Ask]:
    """Yield a request for each member that a scenario adds, to be sent where the scenario is refused."""
    for member in scenario.own if scenario.apart else ():
        request = {
            name: value for name, value in scenario.request.items() if name not in scenario.own or name == member
        }
        name = f"{scenario.id}.{member}"
        ask = compose.ask(replace(scenario, id=name, request=request), provider)
        yield replace(ask, only_if_refused=scenario.id)


def _chosen(candidates: Sequence[_Candidate], patterns: Sequence[str]) -> list[_Candidate]:
    """Return what the patterns choose, with the controls; what depends on a refusal that is not seen stands alone."""
    by_pattern = [
        each for each in candidates if _matches(each.ask.id, patterns) or _matches(each.ask.scenario, patterns)
    ]
    wanted = {each.ask.id for each in by_pattern} | {name for each in by_pattern for name in each.beside}
    return [each for each in candidates if each.ask.id in wanted]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _limited(provider: Provider, room: int, max_requests: int | None, max_tokens: int | None) -> Provider:
    """Return the provider with the ceilings of this run as its limits."""
    limits = dict(provider.limits)
    limits["requests"] = min(limits.get("requests", room), room, max_requests or room)
    if max_tokens is not None:
        limits["output_tokens"] = min(limits.get("output_tokens", max_tokens), max_tokens)
    return replace(provider, limits=limits)


def _fitting(provider: Provider, asks: Sequence[Ask]) -> tuple[list[Ask], list[LeftOut]]:
    """Debit the ceilings in order; what does not fit is left out, and what depends on it."""
    requests, tokens = provider.limits["requests"], provider.limits.get("output_tokens", math.inf)
    fitting: list[Ask] = []
    left_out: list[LeftOut] = []
    for ask in asks:
        if ask.only_if_refused is not None:
            if any(each.id == ask.only_if_refused for each in fitting):
                fitting.append(ask)
            continue
        why = _ceiling(provider, requests - 1, tokens - ask.output_tokens)
        if why is None:
            fitting.append(ask)
            requests, tokens = requests - 1, tokens - ask.output_tokens
        else:
            left_out.append(LeftOut(ask.id, why))
    return fitting, left_out


def _ceiling(provider: Provider, requests: float, tokens: float) -> str | None:
    """Say which ceiling is in the way, given what would be left of both."""
    if requests < 0:
        return f"the ceiling of {provider.limits['requests']} requests is reached"
    return (
        f"it does not fit below the ceiling of {provider.limits['output_tokens']} output tokens" if tokens < 0 else None
    )


def seconds(planned: Plan) -> int:
    """Return a ceiling on how many seconds a plan takes, retries apart.

    Every request may wait for the pace of `per_minute`, and may then take `total_s`, `concurrency` of them at once.
    """
    limits, requests = planned.provider.limits, planned.requests
    waiting = requests * 60 / limits["per_minute"]
    return math.ceil(waiting + math.ceil(requests / limits["concurrency"]) * limits["total_s"])


def paced_minutes(planned: Plan, have: Collection[str] = ()) -> int:
    """Return how many minutes the pace alone makes a plan last, of which `have` are answered already.

    A minute takes `per_minute` requests; what is sent only where another request is refused is not counted.
    """
    wanted = sum(ask.only_if_refused is None and ask.id not in have for ask in planned.asks)
    return max(0, wanted - 1) // max(1, math.floor(planned.provider.limits["per_minute"]))


def rows() -> list[dict[str, str]]:
    """Return one row for each scenario: id, what it says, what it uses, whom it is for, and what it costs."""
    return [
        {
            "scenario": scenario.id,
            "says": scenario.says,
            "uses": ", ".join(scenario.uses),
            "for": ", ".join(scenario.contracts) or "all",
            "costly": "costly" if scenario.costly else "",
        }
        for scenario in all_scenarios().values()
    ]


def _refuse_unknown(patterns: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in _known()):
            remedy = f"{nearest(pattern, _known())}`chatconform list scenarios` prints all ids."
            raise InputError(Place("command line"), f"there is no scenario {pattern!r}", remedy)


@cache
def _known() -> frozenset[str]:
    """Return the ids of all requests that some provider may be sent."""
    found = set(all_scenarios())
    for name in contracts.names():
        provider = Provider("any", "http://127.0.0.1", "any", "ANY", None if name == OPENAI else name)
        asked, _ = _asked(provider, math.inf, costly=True)
        found |= {each.ask.id for each in _boundaries(asked, provider, costly=True)[0]}
    return frozenset(found)
