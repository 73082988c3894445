"""Witnesses at work: exchanges are served by the reference endpoint, and each client that is installed reads them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, TypeAlias

from chatconform.clients.cases import Case
from chatconform.clients.child import WAYS, Testimony, Witness
from chatconform.clients.losses import AS_SENT, FINE, NOT_ASKED, losses, outcome
from chatconform.clients.question import asks, question
from chatconform.clients.told import by_client, by_wire
from chatconform.model import Exchange
from chatconform.reference.delivery import without
from chatconform.reference.endpoint import Endpoint
from chatconform.wire import transcript
from chatconform.wire.asked import Asked
from chatconform.wire.transcript import Kind, Transcript

Outcome: TypeAlias = tuple[str, ...]
"""What a client did, in words."""


class Question(NamedTuple):
    """What a client is to ask for in one of its ways, the answer that it gets, and the fault of the socket, if any."""

    way: str
    asked: Asked
    answer: Exchange
    socket: str | None = None


def hear(python: Path, questions: Sequence[Question]) -> list[Testimony | None]:
    """Return what came of each question, None where the client did not come to ask it."""
    faults = dict.fromkeys(each.socket for each in questions)
    answers = [each.answer for each in questions]
    endpoints = {name: Endpoint(faults=[name] if name else [], numbered=answers) for name in faults}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(endpoint.running()) for name, endpoint in endpoints.items()}
        heard = _testimonies(python, questions, [f"{urls[each.socket]}/{at}" for at, each in enumerate(questions)])
    return [
        told if told.end is not None or at in endpoints[each.socket].asked else None
        for at, (each, told) in enumerate(zip(questions, heard, strict=True))
    ]


def _testimonies(python: Path, questions: Sequence[Question], urls: Sequence[str]) -> list[Testimony]:
    """Ask what is served at each URL; one process for each client library, all at the same time."""
    of_client: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(questions):
        of_client[WAYS[each.way]].append(number)
    found: dict[int, Testimony] = {}
    stopped = threading.Event()

    def ask(client: str) -> None:
        with Witness(python, client) as witness:
            for number in takewhile(lambda _: not stopped.is_set(), of_client[client]):
                each = questions[number]
                found[number] = witness.ask(each.way, urls[number], question(each.asked))

    with ThreadPoolExecutor(len(of_client) or 1) as threads:
        try:
            list(threads.map(ask, of_client))
        except BaseException:
            stopped.set()
            raise
    return [found[number] for number in range(len(questions))]


def read(python: Path, ways: Collection[str], exchanges: Sequence[Exchange]) -> list[dict[str, Outcome]]:
    """Return for each exchange what each client did with it, beside our own reading of its bytes.

    Where a recording does not hold the request, the answer's looks say whether a stream is asked for.
    """
    answers = list(map(transcript.read, exchanges))
    asked = [
        (number, way)
        for number, answer in enumerate(answers)
        for way in ways
        if answer.kind is not Kind.NOTHING and asks(way, answer.asked)
    ]
    heard = hear(python, [Question(way, answers[at].asked, _as_sent(answers[at])) for at, way in asked])
    wanted = list(map(by_wire, answers))
    rows: list[dict[str, Outcome]] = [{} for _ in exchanges]
    for (number, way), testimony in zip(asked, heard, strict=True):
        rows[number][way] = outcome(testimony, wanted[number]) if testimony else (NOT_ASKED,)
    return rows


def _as_sent(answer: Transcript) -> Exchange:
    """Return an exchange with the header that a client needs, where whoever recorded it decoded the body, or left that
    header out.
    """
    exchange, response = answer.exchange, answer.exchange.response
    if response is None or not exchange.origin.is_transcribed:
        return exchange
    headers = response.headers or ()
    if answer.decoded_by_recorder:
        headers = without(headers, "Content-Encoding", "Content-Length")
    if answer.media_type is None:
        kind = "text/event-stream" if answer.kind is Kind.STREAM else "application/json"
        headers = (*without(headers, "Content-Type"), ("Content-Type", kind))
    return replace(exchange, response=replace(response, headers=headers))


def measure(python: Path, ways: Collection[str], cases: Iterable[Case]) -> dict[str, dict[str, Outcome]]:
    """Return by fault what each client did with the broken answer, beside what it hands over of the good one."""
    chosen = tuple(cases)
    goods = {case.good.id: case.good for case in chosen}
    asked = {name: transcript.read(good).asked for name, good in goods.items()}
    calm = [(name, way) for name in goods for way in ways if asks(way, asked[name])]
    hurt = [(case, way) for case in chosen for way in ways if asks(way, asked[case.good.id])]
    heard = hear(
        python,
        [
            *(Question(way, asked[name], goods[name]) for name, way in calm),
            *(Question(way, asked[case.good.id], case.broken, case.socket) for case, way in hurt),
        ],
    )
    of_good = dict(zip(calm, heard, strict=False))
    rows: dict[str, dict[str, Outcome]] = {case.id: {} for case in chosen}
    for (case, way), testimony in zip(hurt, heard[len(calm) :], strict=True):
        rows[case.id][way] = _beside(case, testimony, of_good[case.good.id, way])
    return rows


def _beside(case: Case, testimony: Testimony | None, calm: Testimony | None) -> Outcome:
    """Return what a client did with a broken answer, beside what it did with the good one."""
    if testimony is None or calm is None:
        return (NOT_ASKED,)
    if testimony.end is not None:
        return (testimony.end,)
    answer = transcript.read(case.broken)
    broken = by_wire(answer)
    if calm.raised is not None:
        return outcome(testimony, broken)
    if testimony.raised is not None:
        return (AS_SENT,) if answer.kind in (Kind.ERROR, Kind.OTHER) else (f"raised {testimony.raised}",)
    told, good = by_client(testimony.answer or {}), by_client(calm.answer or {})
    own = set(losses(good, by_wire(transcript.read(case.good))))
    found = dict.fromkeys(losses(told, good))
    return (AS_SENT,) if found and set(losses(told, broken)) <= own else tuple(found) or (FINE,)
