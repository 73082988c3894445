"""The unit of bulk judging: lines in, counts out. It keeps nothing between two calls, so that any engine can map it."""

from __future__ import annotations

import io
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, cast

from chatconform import judging
from chatconform.bulk.counts import MAX_PROVIDERS, MAX_UNREAD, Counts, Unread
from chatconform.bulk.tallies import Named, Tallies
from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract
from chatconform.model import OPENAI, Exchange, Place, Provider
from chatconform.recordings import sources, store
from chatconform.recordings.sources import Unreadable

UNNAMED = "unnamed"
"""What a provider is called that a recording does not name."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What exchanges are judged by.

    `contracts` names the documents of providers; any other provider is judged against OpenAI's contract alone.
    `provider` takes all exchanges for one provider's, and `contract` judges all by one document, or by `openai`.
    `scenarios` are shell patterns of ids and scenarios: which exchanges are judged, all where there is none.
    `named` are the ids whose verdicts are counted apart, because a waiver names them.
    `schemas` are folders that hold contracts besides the shipped ones.
    """

    contracts: Mapping[str, str] = field(default_factory=dict)
    provider: str | None = None
    contract: str | None = None
    scenarios: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    schemas: tuple[Path, ...] = ()

    @classmethod
    def of(cls, providers: Iterable[Provider]) -> Terms:
        """Return the terms of the providers of a file: their documents, and the exchanges that their waivers name."""
        known = tuple(providers)
        named = (waiver.exchange for provider in known for waiver in provider.waivers)
        return cls(
            contracts={each.id: each.contract for each in known if each.contract},
            named=frozenset(name for name in named if name),
        )

    def document(self, provider: str) -> Contract | None:
        """Return the document that a provider is judged by beside OpenAI's contract. Raises `InputError`."""
        name = self.contracts.get(provider) if self.contract is None else self.contract
        return None if name in (None, OPENAI) else contracts.load(str(name))


DEFAULT = Terms()
"""OpenAI's contract, whoever the provider is."""


def count(
    lines: Iterable[bytes | str] | BinaryIO, *, source: str = "-", first: int = 1, terms: Terms = DEFAULT
) -> Counts:
    """Judge the exchanges of lines, each by itself, and return what they come to.

    A line is a JSON object of exchange format 1, as bytes or as text; its line end does not matter. `source` names
    where the lines come from and `first` is the number of the first of them: examples are named by both. Lines of a
    file that is open for reading bytes are read one by one, and those beyond 64 MiB are passed over. Nothing about
    a line raises: one that holds no exchange is counted, and the first of these are named; so is a file that cannot
    be read to its end.
    """
    counting = Counting(terms)
    if isinstance(lines, io.IOBase):
        _count_file(cast("BinaryIO", lines), source, first, counting)
    else:
        for number, line in enumerate(lines, first):
            counting.line(line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line, source, number)
    return counting.drain()


def _count_file(file: BinaryIO, source: str, first: int, counting: Counting) -> None:
    number = first
    try:
        for number, line in enumerate((line for _, line in sources.lines(file, source, None)), first):
            counting.line(line, source, number)
    except (EOFError, OSError, zlib.error) as error:
        problem = f"cannot be read after this line: {error}"
        counting.refuse(Unreadable(Place(source, number), problem, "copy or record it again"))


class Counting:
    """Takes lines, and counts. Those of one source come in their order, so that the first are named."""

    def __init__(self, terms: Terms) -> None:
        """Begin with nothing. Raises `InputError` where the terms name a contract that there is not."""
        for folder in terms.schemas:
            contracts.look_in(folder)
        for name in {*terms.contracts.values(), terms.contract or OPENAI}:
            contracts.load(name)
        self._terms = terms
        self._done = Counts()
        self._named: dict[str, Named] = {}
        self._seen: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._first_unread: list[Unread] = []
        self._providers: dict[str, Tallies] = {}

    def drain(self) -> Counts:
        """Return what all that was taken since the last time came to.

        What was named then is not named again: lines come in their order, so that what comes later is not among the
        first.
        """
        self._settle()
        done, self._done = self._done, Counts()
        return done

    def _settle(self) -> None:
        """Put together what was counted of each provider, so that no more of it is kept than has to be."""
        self._done += Counts(
            **self._seen,
            first_unread=tuple(self._first_unread),
            taken=dict(self._taken),
            providers={name: tallies.count() for name, tallies in self._providers.items()},
        )
        self._seen, self._taken, self._first_unread, self._providers = Counter(), Counter(), [], {}

    def line(self, line: bytes | Unreadable, source: str, number: int) -> None:
        """Take one line, or what is said of one that was too long."""
        self._seen["lines"] += 1
        if isinstance(line, Unreadable):
            self.refuse(line)
        elif not line or line.isspace():
            self._seen["empty"] += 1
        else:
            self._take(store.parse_line(line, source, number), Place(source, number))

    def file(self, data: bytes, source: str) -> None:
        """Take the bytes of a file that holds one exchange."""
        self._seen["lines"] += 1
        self._take(store.parse_file(data, source), Place(source))

    def refuse(self, error: Unreadable) -> None:
        """Count a line or a file that holds no exchange."""
        self._seen["unread"] += 1
        if self._seen["unread"] <= MAX_UNREAD:
            self._first_unread.append(Unread(error.place, error.problem, error.remedy))

    def _take(self, item: Exchange | Unreadable, place: Place) -> None:
        if isinstance(item, Unreadable):
            self.refuse(item)
        elif judging.is_superseded(item):
            self._seen["superseded"] += 1
        elif self._is_taken(item):
            self._judge(item, place)
        else:
            self._seen["others"] += 1

    def _is_taken(self, exchange: Exchange) -> bool:
        """Whether an exchange is asked for, by its id or its scenario."""
        if not self._terms.scenarios:
            return True
        names = {exchange.id, exchange.scenario or exchange.id}
        taken = [each for each in self._terms.scenarios if any(fnmatchcase(name, each) for name in names)]
        self._taken.update(taken)
        return bool(taken)

    def _judge(self, exchange: Exchange, place: Place) -> None:
        name = self._terms.provider or exchange.provider or UNNAMED
        if name not in self._providers:
            if len(self._named) >= 2 * MAX_PROVIDERS:
                self._settle()
                self._named.clear()
            self._providers[name] = Tallies(self._named.setdefault(name, {}))
        judged = exchange if exchange.provider == name else replace(exchange, provider=name)
        named = exchange.id if exchange.id in self._terms.named else ""
        self._providers[name].add(judged, self._terms.document(name), place, named)
