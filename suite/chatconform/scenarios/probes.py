"""Boundary probes: requests at the edges of what a request schema allows, and beyond. They follow from the schema.

What the schema cannot say (which request makes sense of a parameter, and what it costs) stands in parameters.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from chatconform.model import JsonObject, JsonValue, Provider
from chatconform.scenarios import compose
from chatconform.scenarios.ask import Ask, LeftOut
from chatconform.scenarios.boundary import ITEM, Absent, Edge, Kind, Path, Value, edges
from chatconform.scenarios.parameters import BASE, Parameters
from chatconform.scenarios.scenario import Scenario

PREFIX: Final = "probe."
COSTLY: Final = "it costs more or needs a capability: add --costly"
_JOINTS: Final = {Kind.LOW: "low", Kind.HIGH: "high", Kind.VALUES: "values", Kind.TYPE: "types"}


@dataclass(frozen=True, slots=True)
class Question:
    """A scenario's request that a lawful endpoint answers: probes differ from it, and need not ask what it asks."""

    id: str
    ask: Ask
    body: JsonObject


def question(scenario: Scenario, provider: Provider) -> Question:
    """Return a scenario's request to a provider."""
    return Question(scenario.id, compose.ask(scenario, provider), compose.body(scenario, provider))


@dataclass(frozen=True, slots=True)
class Probe:
    """One request, the scenario that is its control, and whether it is sent only where cost does not matter."""

    ask: Ask
    base: str
    costly: bool = False


@dataclass(frozen=True, slots=True)
class _Inside:
    """A value that keeps a constraint, and that no scenario asks for."""

    edge: Edge
    value: JsonValue
    base: Question

    @property
    def id(self) -> str:
        return _inside_name(self.edge, self.value)

    @property
    def body(self) -> JsonObject:
        return _put(self.base.body, _place(self.base.body, self.edge.path), self.value)


@dataclass(slots=True)
class _Deriving:
    """The probes of one schema, as they are found."""

    questions: Mapping[str, Question]
    parameters: Parameters
    costly: bool
    probes: list[Probe] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, name: str, why: str) -> None:
        self.left_out.append(LeftOut(name, why))

    def add(self, name: str, body: JsonValue, base: Question, *, costly: bool = False, only: str | None = None) -> None:
        members = body if isinstance(body, dict) else {}
        model = members.get("model")
        ask = Ask(
            id=name,
            scenario=name,
            method=base.ask.method,
            url=base.ask.url,
            headers=base.ask.headers,
            body=compose.encoded(body),
            model=model if isinstance(model, str) else None,
            output_tokens=compose.output_tokens(members),
            only_if_refused=only,
        )
        self.probes.append(Probe(ask, base.id, costly))

    def base_of(self, edge: Edge) -> Question | None:
        """Return the question that a probe of an edge differs from: one that holds the value, or could hold it."""
        first = self.questions.get(self.parameters.base(edge.parameter))
        if first is None:
            return None
        candidates = [first, *(each for each in self.questions.values() if edge.depth)]
        holding = (each for each in candidates if values_at(each.body, edge.path))
        able = (each for each in candidates if not edge.depth or values_at(each.body, edge.path[:-1]))
        return next(holding, None) or next(able, None)


def derive(
    schema: JsonObject, questions: Sequence[Question], known: Parameters, *, costly: bool
) -> tuple[list[Probe], list[LeftOut]]:
    """Return the probes of a request schema, in the order of their worth.

    Insides come first, then outsides: ranges, enumerations, presence, types, and what is nested. Each outside differs
    from its control, a question, in exactly one member of the body. What cannot be asked is left out, with the reason.
    """
    deriving = _Deriving({each.id: each for each in questions}, known, costly)
    asked = []
    for edge in edges(schema):
        reason = known.left_out.get(edge.clause)
        if reason is not None:
            deriving.leave_out(_name(edge), reason)
        else:
            asked.append(edge)
    asked.sort(key=lambda edge: (edge.depth, edge.kind))
    _join(deriving, list(_insides(deriving, asked)))
    for edge in sorted(asked, key=_worth):
        _ask_beyond(deriving, edge)
    return deriving.probes, deriving.left_out


def _worth(edge: Edge) -> tuple[int, Kind]:
    """Both ends of a range are worth the same, and stay together."""
    return edge.depth, max(edge.kind, Kind.HIGH)


def _name(edge: Edge) -> str:
    return PREFIX + edge.clause.removeprefix("request.")


def _inside_name(edge: Edge, value: JsonValue) -> str:
    """Return the id of a probe within an edge; of several values each has a number."""
    several = edge.kind is Kind.VALUES or len(edge.within) > 1
    return f"{_name(edge)}.{edge.within.index(value) + 1}" if several else _name(edge)


def _insides(deriving: _Deriving, asked: Sequence[Edge]) -> Iterator[_Inside]:
    """Yield what neither a scenario nor an inside before it asks for."""
    bodies = [question.body for question in deriving.questions.values()]
    for edge in asked:
        for value in edge.within:
            if any(edge.keeps(each, value) for body in bodies for each in values_at(body, edge.path)):
                continue
            why, base = _obstacle(deriving, edge, value), deriving.base_of(edge)
            if why or base is None:
                deriving.leave_out(
                    _inside_name(edge, value), why or f"{deriving.parameters.base(edge.parameter)} is not sent"
                )
            else:
                inside = _Inside(edge, value, base)
                bodies.append(inside.body)
                yield inside


def _obstacle(deriving: _Deriving, edge: Edge, value: JsonValue) -> str | None:
    """Say why a value is not asked for; None where nothing stands in the way."""
    if deriving.parameters.is_costly(edge, value) and not deriving.costly:
        return COSTLY
    if edge.depth and (edge.kind is Kind.VALUES or isinstance(value, dict | list)):
        return "what else it needs is not in the schema, and no scenario asks for it"
    return None


def _join(deriving: _Deriving, insides: Sequence[_Inside]) -> None:
    """Put into one request what can stand together; what is in it is asked by itself only if it is refused."""
    joints: dict[str, list[_Inside]] = {}
    for inside in insides:
        if _can_join(deriving, inside):
            joints.setdefault(_joint_of(inside, joints), []).append(inside)
    joined = {name: members for name, members in joints.items() if len(members) > 1}
    for name, members in joined.items():
        base = deriving.questions[BASE]
        body: JsonObject = {**base.body}
        for inside in members:
            body |= {member: value for member, value in inside.body.items() if base.body.get(member) != value}
        deriving.add(name, body, base)
        for inside in members:
            deriving.add(inside.id, inside.body, inside.base, only=name)
    together = {id(inside) for members in joined.values() for inside in members}
    for inside in insides:
        if id(inside) not in together:
            costly = deriving.parameters.is_costly(inside.edge, inside.value)
            deriving.add(inside.id, inside.body, inside.base, costly=costly)


def _can_join(deriving: _Deriving, inside: _Inside) -> bool:
    """Whether a value may stand beside others: it is cheap, and its base is `short` with more members."""
    short = deriving.questions.get(BASE)
    if short is None or inside.edge.depth or deriving.parameters.is_costly(inside.edge, inside.value):
        return False
    body, parameter = inside.body, inside.edge.parameter
    return all(name == parameter or body.get(name) == value for name, value in short.body.items())


def _joint_of(inside: _Inside, joints: Mapping[str, Sequence[_Inside]]) -> str:
    """Return the first joint of its kind that has no other value for the parameter."""
    kind, number = inside.edge.kind, 1
    while True:
        numbered = kind is Kind.VALUES or number > 1
        name = f"{PREFIX}{_JOINTS[kind]}" + (f".{number}" if numbered else "")
        if all(each.edge.parameter != inside.edge.parameter for each in joints.get(name, ())):
            return name
        number += 1


def _ask_beyond(deriving: _Deriving, edge: Edge) -> None:
    """Ask for what an edge excludes, in a request that is in order but for that."""
    name, base = f"{_name(edge)}.outside", deriving.base_of(edge)
    costly = deriving.parameters.is_beyond(edge, edge.beyond)
    if base is None:
        deriving.leave_out(name, "no scenario that is sent holds it")
    elif costly and not deriving.costly:
        deriving.leave_out(name, COSTLY)
    else:
        body = _put(base.body, _place(base.body, edge.path), edge.beyond)
        deriving.add(name, body, base, costly=costly)


Place = tuple[str | int, ...]


def values_at(value: JsonValue, path: Path) -> list[JsonValue]:
    """Return what stands in a body where a path leads to."""
    return [found for _, found in _places(value, path)]


def _places(value: JsonValue, path: Path) -> Iterator[tuple[Place, JsonValue]]:
    """Yield every place of a body that a path leads to, with what stands there."""
    if not path:
        yield (), value
    elif path[0] == ITEM and isinstance(value, list):
        for number, item in enumerate(value):
            yield from (((number, *place), found) for place, found in _places(item, path[1:]))
    elif isinstance(value, dict) and path[0] in value:
        yield from (((path[0], *place), found) for place, found in _places(value[path[0]], path[1:]))


def _place(body: JsonObject, path: Path) -> Place:
    """Return the first place that a path leads to; where there is none, the place where the value would stand."""
    for place, _ in _places(body, path):
        return place
    above = next((place for place, _ in _places(body, path[:-1])), tuple(path[:-1]))
    return (*above, 0 if path[-1] == ITEM else path[-1])


def _put(body: JsonObject, place: Place, value: Value) -> JsonObject:
    """Return a copy of a body with a value at a place; a list that is not there is made for its item."""
    changed: Any = deepcopy(body)
    holder = changed
    for step, following in pairwise(place):
        if isinstance(step, str) and step not in holder:
            holder[step] = [] if isinstance(following, int) else {}
        holder = holder[step]
    last = place[-1]
    if isinstance(value, Absent):
        del holder[last]
    elif isinstance(last, int):
        holder[last : last + 1] = [value]
    else:
        holder[last] = value
    result: JsonObject = changed
    return result
