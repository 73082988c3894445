"""What the witnesses are measured on: every named fault of the reference, beside the good answer that it breaks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from chatconform.model import Exchange, Request
from chatconform.reference import rewrite
from chatconform.reference.fitting import wire_faults
from chatconform.reference.good import CREATED, GOOD
from chatconform.reference.house import House
from chatconform.reference.misbehaviour import all_misbehaviours, misbehaving
from chatconform.reference.received import Received
from chatconform.reference.refusals import Door
from chatconform.reference.sockets import all_socket_faults

_OF_SOCKETS: Final = "stream.usage"
"""The good exchange that the faults of the socket break."""


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, the good exchange, what it becomes, and the fault of the socket that is at work besides, if any."""

    id: str
    of: str
    good: Exchange
    broken: Exchange
    socket: str | None = None

    @property
    def digest(self) -> str:
        """The first 12 hex digits of the SHA-256 of what goes over the wire, before any fault of the socket."""
        response = self.broken.response
        head = None if response is None else (response.status, response.headers)
        sent = repr((head, self.broken.end, self.socket)).encode() + (response.body if response else b"")
        return hashlib.sha256(sent).hexdigest()[:12]


@cache
def cases() -> Mapping[str, Case]:
    """Return every case by its fault's name: those of `chatconform list faults` that change one answer."""
    return MappingProxyType({case.id: case for kind in (_of_wire(), _of_house(), _of_socket()) for case in kind})


def _of_wire() -> Iterator[Case]:
    for name, fault in wire_faults().items():
        good = GOOD[fault.of]
        yield Case(name, fault.of, good, fault.breaks(good))


def _of_house() -> Iterator[Case]:
    """Yield a case for each misbehaviour that shows in the answer to the request of some good exchange.

    Where it shows beside several requests the first is taken, and those that are refused come last.
    """
    house = House(Door(None, None, ()), lambda: float(CREATED))
    asked = {name: _received(good) for name, good in GOOD.items() if good.provider == "reference"}
    honest = {name: house.answer(received) for name, received in asked.items()}
    asked = {name: asked[name] for name in sorted(asked, key=lambda name: rewrite.response_of(honest[name]).status)}
    for identifier, misbehaviour in all_misbehaviours().items():
        answer = misbehaving(house, house.answer, misbehaviour)
        told = ((name, answer(received)) for name, received in asked.items())
        found = next(((name, each) for name, each in told if _sent(each) != _sent(honest[name])), None)
        if found is not None:
            yield Case(identifier, found[0], honest[found[0]], found[1])


def _received(good: Exchange) -> Received:
    body = good.request.body
    exact = body if body is None or isinstance(body, bytes) else rewrite.as_json(body)
    request: Request = replace(good.request, body=exact)
    return Received(request)


def _sent(exchange: Exchange) -> object:
    response = exchange.response
    return (exchange.end, response and (response.status, response.headers, response.body))


def _of_socket() -> Iterator[Case]:
    good = GOOD[_OF_SOCKETS]
    for name in all_socket_faults():
        yield Case(name, _OF_SOCKETS, good, good, socket=name)
