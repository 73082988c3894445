"""Judging: transcripts against contracts and checks.

One exchange is read once and judged by everything that its request selects: the checks and the clauses of
the OpenAI contract, then the clauses and the promises of the provider's own document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from chatconform.checks import described
from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract
from chatconform.judging import rows
from chatconform.judging.bench import Bench
from chatconform.judging.comparisons import Gathering
from chatconform.judging.rows import Row
from chatconform.model import OPENAI, Exchange, InputError, Outcome, OwnDocument, Place, Verdict
from chatconform.recordings import store
from chatconform.wire import transcript as transcripts
from chatconform.wire.transcript import Transcript

__all__ = [
    "announced",
    "benches",
    "by_bench",
    "compare",
    "is_superseded",
    "judge",
    "known_checks",
    "require_contract",
    "rule",
    "rule_tersely",
    "verdicts",
]


def judge(exchanges: Iterable[Exchange], contract: str | None = None) -> Iterator[Verdict]:
    """Yield the verdicts on exchanges, against OpenAI's contract and, where it is named, a provider's document.

    `contract` is a folder of schemas/ (`tooken`). Of several attempts at one request the last is judged. Raises
    `InputError` where there is no contract of that name.
    """
    own = _document(contract)
    gathering = Gathering()
    for exchange in exchanges:
        if not is_superseded(exchange):
            yield from verdicts(exchange, own)
            gathering.add(exchange)
    yield from gathering.verdicts(own)


def compare(exchanges: Iterable[Exchange], contract: str | None = None) -> Iterator[Verdict]:
    """Yield the verdicts that exchanges of one run come to together: what `judge` says besides those on each.

    Raises `InputError` where there is no contract of that name.
    """
    gathering = Gathering()
    for exchange in exchanges:
        if not is_superseded(exchange):
            gathering.add(exchange)
    yield from gathering.verdicts(_document(contract))


def _document(contract: str | None) -> Contract | None:
    return contracts.load(contract) if contract not in (None, OPENAI) else None


def is_superseded(exchange: Exchange) -> bool:
    """Whether an exchange is an attempt before the last: its id ends in `@` and the attempt's number."""
    return exchange.attempt is not None and exchange.id.endswith(f"@{exchange.attempt}")


def verdicts(exchange: Exchange, own: Contract | None) -> Iterator[Verdict]:
    """Yield the verdicts on one exchange: OpenAI's contract first, then the provider's own document."""
    for row in rule(exchange, own):
        yield from row.verdicts()


def rule(exchange: Exchange, own: Contract | None) -> tuple[Row, ...]:
    """Rule on one exchange under each contract, without making verdicts yet.

    Where nothing is wrong, which is the rule, a row is a number for each check. Else the bench goes through
    every check in turn, prerequisites first, and says what it found.
    """
    transcript = transcripts.read(exchange)
    return rows.quick(transcript, contracts.load(OPENAI), own) or by_bench(transcript, own)


def rule_tersely(exchange: Exchange, own: Contract | None) -> tuple[Row, ...]:
    """Rule as `rule` does, for whoever only counts: findings are counted, and say nothing."""
    transcript = transcripts.read(exchange)
    transcript.terse = True
    return rows.quick(transcript, contracts.load(OPENAI), own) or by_bench(transcript, own)


def benches(transcript: Transcript, own: Contract | None) -> dict[str, Bench]:
    """Return one exchange before each contract, for whoever asks for the rulings on some checks alone."""
    openai = Bench(transcript, contracts.load(OPENAI), None)
    return {OPENAI: openai} if own is None else {OPENAI: openai, own.id: Bench(transcript, own, openai)}


def by_bench(transcript: Transcript, own: Contract | None) -> tuple[Row, ...]:
    """Rule on one exchange check by check, whatever there is to say of it."""
    openai, *documents = benches(transcript, own).values()
    if not documents:
        return (Row.of(openai.verdicts()),)
    (document,) = documents
    told = (_with_own_document(verdict, document) for verdict in openai.verdicts())
    return Row.of(told), Row.of(document.verdicts())


def _with_own_document(verdict: Verdict, document: Bench) -> Verdict:
    """Add what a document has to say of a rule of OpenAI's that the exchange broke."""
    if verdict.outcome is not Outcome.FAIL:
        return verdict
    if document.promises(verdict.check):
        return replace(verdict, own_document=OwnDocument.PROMISES)
    announces = verdict.check in announced(document.contract.id)
    return replace(verdict, own_document=OwnDocument.ANNOUNCES if announces else OwnDocument.SILENT)


@cache
def announced(contract: str) -> frozenset[str]:
    """Return the OpenAI rules that a document's own printed examples break: such a provider differs as documented."""
    folder = contracts.examples(contract)
    if not folder.is_dir():
        return frozenset()
    return frozenset(verdict.check for verdict in judge(store.load(folder)) if verdict.outcome is Outcome.FAIL)


def known_checks() -> frozenset[str]:
    """Return every id that a waiver or a filter may name: checks, comparisons, and the clauses of all contracts."""
    read = map(contracts.load, contracts.names())
    clauses = (clause for contract in read for clause in (*contract.clauses, *contract.requests))
    return frozenset(described()) | frozenset(clauses)


def require_contract(name: str, place: Place) -> None:
    """Raise `InputError` at the place where there is no contract of this name."""
    if name not in contracts.names():
        raise InputError(place, f"there is no contract {name!r}", "name one of " + ", ".join(contracts.names()))
