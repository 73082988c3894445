"""A recording as comparisons see it: the exchanges of one run, found by what their requests have in common.

Requests are held against each other member by member, by digests, so that no exchange is compared with all others.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Final, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.wire import asked as asked_
from chatconform.wire import transcript as transcripts
from chatconform.wire.asked import Asked, Credential
from chatconform.wire.transcript import Kind, Transcript

UNKNOWN_MODEL: Final = "chatconform-"
"""How the names of models begin that are asked for because there are none of these names."""
STREAMED: Final = ("stream", "stream_options")
"""The members that say how an answer is sent, and nothing of what is in it."""
CAPS: Final = ("max_tokens", "max_completion_tokens")

Value = TypeVar("Value")
Differing: TypeAlias = "tuple[str, tuple[Recorded, ...]]"
"""A top-level member, and the exchanges whose requests differ from another's in that member alone."""

_UNSUPPORTED = re.compile(r"unsupported|not[ _]support|n't support|not[ _]available", re.IGNORECASE)


class Standing(StrEnum):
    """What became of a request.

    `REFUSED` is for what it says, `BARRED` for its key; `OUT` is an outage of what is behind a gateway; `OTHER` is
    neither yes nor no: a redirect, a 405, an error under status 200.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    BARRED = "barred"
    CRASHED = "crashed"
    LIMITED = "limited"
    OUT = "out"
    SILENT = "silent"
    OTHER = "other"


_STANDINGS: Final[Mapping[int, Standing]] = {
    **dict.fromkeys((400, 404, 413, 415, 422), Standing.REFUSED),
    **dict.fromkeys((401, 403), Standing.BARRED),
    **dict.fromkeys((502, 503, 504), Standing.OUT),
    429: Standing.LIMITED,
}
"""What the statuses say that say it by themselves."""


class Bounds(Protocol):
    """What contracts say of request bodies."""

    @property
    def standard(self) -> frozenset[str]:
        """The optional members that OpenAI's reference has."""

    def outside(self, body: JsonObject) -> frozenset[str]:
        """Return the members with a value that neither OpenAI's contract nor the provider's document allows."""

    def at_ends(self, body: JsonObject) -> frozenset[str]:
        """Return the members whose value stands at an end of OpenAI's range."""

    def undocumented(self, body: JsonObject) -> frozenset[str]:
        """Return the members that the provider's document does not have; none where there is no document."""


class Recorded:
    """One exchange of a recording. Its answer is read when somebody first asks for it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.asked: Asked = asked_.read(exchange.request, looks_streamed=False)
        self.path = urlsplit(exchange.request.url).path.rstrip("/")

    @property
    def id(self) -> str:
        """The exchange's id."""
        return self.exchange.id

    @property
    def body(self) -> JsonObject:
        """The request's body; empty where it is no JSON object."""
        return self.asked.body

    @property
    def is_list(self) -> bool:
        """Whether it is a request for the list of models."""
        return self.exchange.request.method == "GET" and self.path.endswith("/models")

    @property
    def is_chat(self) -> bool:
        """Whether it is a request for a chat completion."""
        return self.exchange.request.method == "POST" and self.path.endswith("/chat/completions")

    @property
    def is_unknown(self) -> bool:
        """Whether a model is asked for that there is not."""
        return (self.asked.model or "").startswith(UNKNOWN_MODEL)

    @property
    def is_mistaken(self) -> bool:
        """Whether nobody could answer the request."""
        return self.asked.is_malformed or self.is_unknown

    @cached_property
    def transcript(self) -> Transcript:
        """The exchange, read."""
        return transcripts.read(self.exchange)

    @cached_property
    def credential(self) -> Credential:
        """Which key the request went with."""
        return asked_.credential(self.exchange.request)

    @cached_property
    def standing(self) -> Standing:
        """What became of the request."""
        return _standing(self.transcript)

    @cached_property
    def members(self) -> Mapping[str, bytes]:
        """A digest of each member of the body."""
        return {name: digest(value) for name, value in self.body.items()}

    def key(self, *without: str) -> Hashable:
        """Return what equals that of another exchange exactly where the requests differ at most in these members.

        The key that a request went with is no part of it.
        """
        rest = frozenset((name, value) for name, value in self.members.items() if name not in without)
        return self.exchange.request.method, self.exchange.request.url, rest


def digest(value: JsonValue) -> bytes:
    """Return what is equal for equal JSON, whatever the order of its members."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _standing(transcript: Transcript) -> Standing:
    status = transcript.status
    if status is None:
        return Standing.SILENT
    if status in _STANDINGS:
        return _STANDINGS[status]
    if status >= 500:
        return Standing.CRASHED
    return Standing.ACCEPTED if transcript.kind is not Kind.ERROR and _has_answer(transcript) else Standing.OTHER


def _has_answer(transcript: Transcript) -> bool:
    """Whether a 2xx holds an answer, and not an error or a page."""
    if transcript.kind is Kind.MODELS:
        return transcript.document is not None and transcript.document.object is not None
    return bool(transcript.facts.groups) and not transcript.errors and not says_error(transcript)


def says_error(transcript: Transcript) -> bool:
    """Whether the body of an answer has an error object."""
    value = transcript.document.object if transcript.document else None
    return value is not None and bool(value.get("error"))


def says_unsupported(transcript: Transcript) -> bool:
    """Whether an error says that what was asked is known, and not to be had."""
    return bool(_UNSUPPORTED.search(transcript.body.decode("utf-8", "replace")))


class Recording:
    """The exchanges of one provider from one run, in the order of their ids, and what its contracts say of requests.

    `chats` are those requests for completions that went with the run's usual key, and whose body is known;
    `questions` are those of them that may be answered.
    """

    def __init__(self, exchanges: Iterable[Exchange], bounds: Bounds) -> None:
        self.bounds = bounds
        self.all = tuple(map(Recorded, exchanges))
        self.has_keys = any(each.credential is Credential.RIGHT for each in self.all)
        usual = Credential.RIGHT if self.has_keys else Credential.ABSENT
        self.usual = tuple(each for each in self.all if each.credential is usual)
        self.chats = tuple(each for each in self.usual if each.is_chat and each.body)
        self.questions = tuple(each for each in self.chats if not each.is_mistaken and not bounds.outside(each.body))

    def alike(self, *without: str) -> Iterator[tuple[Recorded, ...]]:
        """Yield the groups, of two and more, of questions that differ at most in these members."""
        yield from (group for group in grouped(self.questions, lambda each: each.key(*without)) if len(group) > 1)

    def differing(self, subject: Recorded) -> Iterator[Differing]:
        """Yield by top-level member the chats whose requests differ from the subject's in that member alone.

        In a member that one of the two lacks, they differ too.
        """
        found: dict[str, dict[str, Recorded]] = {}
        for name in subject.body:
            without = subject.key(name)
            for other in (*self._by_rest.get((name, without), ()), *self._by_whole.get(without, ())):
                if other.members.get(name) != subject.members[name]:
                    found.setdefault(name, {})[other.id] = other
        for name, other in self._with_more.get(subject.key(), ()):
            found.setdefault(name, {})[other.id] = other
        yield from ((name, tuple(others.values())) for name, others in found.items())

    @cached_property
    def _by_whole(self) -> Mapping[Hashable, list[Recorded]]:
        return _index((each.key(), each) for each in self.chats)

    @cached_property
    def _by_rest(self) -> Mapping[Hashable, list[Recorded]]:
        return _index(((name, each.key(name)), each) for each in self.chats for name in each.body)

    @cached_property
    def _with_more(self) -> Mapping[Hashable, list[tuple[str, Recorded]]]:
        return _index((each.key(name), (name, each)) for each in self.chats for name in each.body)


def grouped(exchanges: Iterable[Recorded], key: Callable[[Recorded], Hashable]) -> Iterator[tuple[Recorded, ...]]:
    """Yield exchanges by what a key makes of them, in the order in which the first of each group came."""
    yield from map(tuple, _index((key(each), each) for each in exchanges).values())


def _index(pairs: Iterable[tuple[Hashable, Value]]) -> dict[Hashable, list[Value]]:
    found: dict[Hashable, list[Value]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
