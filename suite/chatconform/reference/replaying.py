"""Recorded answers instead of made ones: a request gets the answer that a request like it got."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from chatconform.model import Exchange, JsonValue, Request
from chatconform.reference.house import House
from chatconform.reference.received import ROOT, Received
from chatconform.reference.refusals import Refusal
from chatconform.wire import asked as requests
from chatconform.wire import strict_json
from chatconform.wire.asked import WRONG_KEY
from chatconform.wire.media import header

BETWEEN_S: Final = 0.002
"""Seconds between two recorded reads: more than what a client takes for one read."""

_Shape: TypeAlias = tuple[JsonValue, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """Answers out of a recording. `knows_keys` is False where no recorded request has a key: then none matters."""

    house: House
    exchanges: tuple[Exchange, ...]
    knows_keys: bool

    def answer(self, received: Received) -> Exchange:
        """Return the recorded exchange of the equal request, in turn where there are several; else of one like it.

        Where no request is like it, the answer is a 404 that says so.
        """
        asked = replace(received.request, body=received.raw or None)
        for alike in (_same, _like):
            wanted = self._line(asked), alike(asked)
            found = [each for each in self.exchanges if (self._line(each.request), alike(each.request)) == wanted]
            if found:
                return found[received.seen % len(found)]
        return self.house.refused(received, Refusal(404, "The recording holds no request like this one."))

    def _line(self, request: Request) -> _Shape:
        """Return the method, the end of the path, and which key there is: none, the wrong one, or another."""
        path = urlsplit(request.url).path
        end = next((path[path.find(name) :] for name in _ENDS if name in path), path)
        value = (header(request.headers, "Authorization") or "") if self.knows_keys else ""
        return (request.method, end, "wrong" if WRONG_KEY in value else bool(value))


@dataclass(frozen=True, slots=True)
class Numbered:
    """Answers out of a list, by the number behind the root of the path: `/v1/0/chat/completions` gets the first.

    `asked` are the numbers that were asked for.
    """

    house: House
    exchanges: Sequence[Exchange]
    asked: set[int] = field(default_factory=set)

    def answer(self, received: Received) -> Exchange:
        """Return the exchange of the number that the path names, whatever is asked; a 404 where there is none."""
        named = received.path.removeprefix(f"{ROOT}/").partition("/")[0]
        if named.isdecimal() and int(named) < len(self.exchanges):
            self.asked.add(int(named))
            return self.exchanges[int(named)]
        return self.house.refused(received, Refusal(404, "There is no exchange of this number."))


def of(house: House, exchanges: Sequence[Exchange]) -> Replay:
    """Return what answers out of these exchanges; those that a budget kept from being sent are no answers."""
    sent = tuple(each for each in exchanges if each.response or not each.end.startswith("limit:"))
    return Replay(house, sent, any(header(each.request.headers, "Authorization") for each in sent))


_ENDS: Final = ("/chat/completions", "/models")


def _same(request: Request) -> str:
    """Return the body in one spelling: the order of members and white space do not matter."""
    if not isinstance(request.body, bytes):
        return json.dumps(request.body, sort_keys=True)
    document = strict_json.parse(request.body)
    text = request.body.decode("utf-8", "replace")
    return json.dumps(document.value, sort_keys=True) if document.readable else text


def _like(request: Request) -> _Shape:
    """Return what has to be equal at least: what is asked for, by and large."""
    asked = requests.read(request, looks_streamed=False)
    return (
        asked.target, asked.is_malformed, asked.has_tools, asked.tool_choice, asked.json_format, asked.logprobs,
        asked.n > 1, asked.include_usage,
    )  # fmt: skip
