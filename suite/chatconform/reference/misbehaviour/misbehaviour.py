"""What a misbehaviour is: a way to answer a request otherwise than the house would."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from chatconform.model import Exchange, Headers, JsonValue, SuiteError
from chatconform.reference.fitting import MISFITS
from chatconform.reference.house import Answers, House
from chatconform.reference.received import Received
from chatconform.reference.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Turn:
    """One request on its way to its answer: what the house is, and what would answer it."""

    received: Received
    house: House
    answers: Answers

    def answer(self, received: Received | None = None) -> Exchange:
        """Return the answer to the request, or to another one in its place."""
        return self.answers(received or self.received)

    def without(self, *names: str) -> Exchange:
        """Return the answer to the request without some members."""
        return self.answer(self.received.with_members(**dict.fromkeys(names)))

    def refuse(self, status: int, message: str, param: str | None = None, *headers: tuple[str, str]) -> Exchange:
        """Return an error answer with an error object of four keys."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return self.house.refused(self.received, Refusal(status, message, kind, param, None, tuple(headers)))

    def send(self, status: int, body: JsonValue, headers: Headers = ()) -> Exchange:
        """Return an answer in JSON."""
        return self.house.sent(self.received, status, body, headers)

    @property
    def refusal(self) -> Refusal | None:
        """Why the house refuses the request; None where it does not."""
        return self.house.door.refusal(self.received)


Does: TypeAlias = Callable[[Turn], Exchange]


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A name, what is then wrong in one sentence, and what is done with a request."""

    id: str
    says: str
    does: Does


_MISBEHAVIOURS: dict[str, Misbehaviour] = {}


def misbehaviour(identifier: str) -> Callable[[Does], Does]:
    """Register a function; its docstring says what is wrong. Raises `SuiteError` for a name that is taken."""

    def register(does: Does) -> Does:
        says = " ".join(inspect.cleandoc(does.__doc__ or "").split())
        if identifier in _MISBEHAVIOURS or not says:
            raise SuiteError(f"misbehaviour {identifier!r}: taken, or without a sentence")
        _MISBEHAVIOURS[identifier] = Misbehaviour(identifier, says, does)
        return does

    return register


def all_misbehaviours() -> Mapping[str, Misbehaviour]:
    """Return every misbehaviour by id."""
    return MappingProxyType(_MISBEHAVIOURS)


def misbehaving(house: House, answers: Answers, misbehaviour: Misbehaviour) -> Answers:
    """Return what answers requests where a misbehaviour is at work; what it does not fit stays as it is."""

    def answer(received: Received) -> Exchange:
        try:
            return misbehaviour.does(Turn(received, house, answers))
        except MISFITS:
            return answers(received)

    return answer
