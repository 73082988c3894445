"""What contracts say of request bodies: OpenAI's, and the provider's own document where it has one."""

from __future__ import annotations

from functools import cached_property

from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract, Kind
from chatconform.contracts.occasions import ENDS, known, occasions, strays
from chatconform.contracts.schema import Schema
from chatconform.model import OPENAI, JsonObject, Level

_ALWAYS = frozenset({"model", "messages"})


class Bounds:
    """The request schemas that a provider's requests are held against; each body is held against them once."""

    def __init__(self, own: Contract | None) -> None:
        self.openai = contracts.load(OPENAI).schemas[Kind.REQUEST]
        self.own: Schema | None = own.schemas.get(Kind.REQUEST) if own else None
        self._outside: dict[int, tuple[JsonObject, frozenset[str]]] = {}
        self._undocumented: dict[int, tuple[JsonObject, frozenset[str]]] = {}

    @cached_property
    def standard(self) -> frozenset[str]:
        """The optional members that OpenAI's reference has."""
        return known(self.openai) - _ALWAYS

    def outside(self, body: JsonObject) -> frozenset[str]:
        """Return the members with a value that neither OpenAI's contract nor the provider's document allows.

        What the document does not have it does not bound; what OpenAI's does not have, the document bounds alone.
        """
        found = self._outside.get(id(body))
        if found is None:
            found = self._outside[id(body)] = (body, self._beyond(body))
        return found[1]

    def _beyond(self, body: JsonObject) -> frozenset[str]:
        of_openai = _excluded(self.openai, body)
        if self.own is None:
            return of_openai
        of_document = _excluded(self.own, body) & known(self.own)
        return of_document - (known(self.openai) - of_openai)

    def at_ends(self, body: JsonObject) -> frozenset[str]:
        """Return the members whose value stands at an end of OpenAI's range: it may be the value that is refused."""
        return frozenset(each.member for each in occasions(self.openai, body) if each.keyword in ENDS)

    def undocumented(self, body: JsonObject) -> frozenset[str]:
        """Return the members that the provider's document does not show in this way; none without a document."""
        if self.own is None:
            return frozenset()
        found = self._undocumented.get(id(body))
        if found is None:
            members = frozenset(member for member, _ in strays(self.own, body))
            found = self._undocumented[id(body)] = (body, members)
        return found[1]


def _excluded(schema: Schema, body: JsonObject) -> frozenset[str]:
    """Return the members that a schema's musts exclude; what only an example shows excludes nothing."""
    return frozenset(member for member, level in strays(schema, body) if level is Level.MUST)
