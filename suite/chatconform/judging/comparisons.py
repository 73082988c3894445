"""Comparisons: exchanges of one run beside each other. The only place that catches what a comparison throws.

Only exchanges that the suite itself recorded are compared, with the time that they were recorded at: of imported
traffic nobody knows whether it was captured twice, on other days, or through a cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from chatconform.checks.comparison import Compared, Comparison, all_comparisons
from chatconform.checks.recording import Recorded, Recording, Standing
from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract
from chatconform.judging import probes
from chatconform.judging.bench import MAX_FINDINGS, Bench, Ruling
from chatconform.judging.bounds import Bounds
from chatconform.judging.unproven import because, no, unjudged
from chatconform.model import OPENAI, Exchange, Finding, Origin, Outcome, OwnDocument, Reason, Response, Verdict
from chatconform.wire import media

MOST: Final = 1_000
"""How many exchanges of one provider are compared at most: what has more is traffic, and not the answer to a plan."""
ROOM: Final = 4 * 1024 * 1024
ROOM_EACH: Final = 128 * 1024
"""How many bytes of answers, and for each exchange as many more, are read beside each other."""
APART: Final = timedelta(days=1)
"""Exchanges that are further apart than this belong to two runs."""

_WORST_FIRST = (Outcome.ERROR, Outcome.FAIL, Outcome.PASS, Outcome.UNPROVEN, Outcome.NOT_APPLICABLE)


class Gathering:
    """Takes the exchanges that may be compared, one by one, and forgets those of providers that have too many."""

    def __init__(self) -> None:
        self._found: dict[str, list[Exchange]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange where it may be held against others."""
        if not is_comparable(exchange):
            return
        self._counts[exchange.provider] += 1
        if self._counts[exchange.provider] > MOST:
            self._found.pop(exchange.provider, None)
        else:
            self._found.setdefault(exchange.provider, []).append(exchange)

    def verdicts(self, own: Contract | None) -> Iterator[Verdict]:
        """Yield the verdicts that several exchanges of one run come to together."""
        for found in self._found.values():
            for run in map(_affordable, _parted(found)):
                recording = Recording(sorted(run, key=lambda each: each.id), Bounds(own))
                yield from _compared(recording, own)
                yield from probes.verdicts(recording, contracts.of_requests(own.id if own else None))


def _affordable(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Return the exchanges of a run, of which the answers that are too large to be read beside each other are cut off.

    Those are the largest, decoded, of answers that come to more than `ROOM` and `ROOM_EACH` for each of them.
    """
    sized = sorted(((_size(each.response), number) for number, each in enumerate(exchanges)))
    left, kept = ROOM + ROOM_EACH * len(exchanges), list(exchanges)
    for size, number in sized:
        left -= size
        if left < 0:
            kept[number] = replace(kept[number], response=None, end="limit:decoded")
    return tuple(kept)


def _size(response: Response | None) -> int:
    if response is None:
        return 0
    decoded = media.decode(response.body, media.codings(response.headers))
    return max(len(response.body), len(decoded.body))


def is_comparable(exchange: Exchange) -> bool:
    """Whether an exchange may be held against others: the suite sent it at a time that is known, or never sent it."""
    is_ours = exchange.origin in (Origin.LIVE, Origin.REFERENCE)
    return is_ours and (exchange.response is None or _moment(exchange) is not None)


def _parted(exchanges: list[Exchange]) -> Iterator[tuple[Exchange, ...]]:
    """Yield the exchanges of one provider by run. What was not sent has no time, and belongs to the last run."""
    timed = [(moment, each) for each in exchanges if (moment := _moment(each)) is not None]
    run: list[Exchange] = []
    last: datetime | None = None
    for moment, exchange in sorted(timed, key=lambda pair: pair[0]):
        if last is not None and moment - last > APART:
            yield tuple(run)
            run = []
        run.append(exchange)
        last = moment
    yield (*run, *(each for each in exchanges if _moment(each) is None))


def _moment(exchange: Exchange) -> datetime | None:
    try:
        moment = datetime.fromisoformat(exchange.recorded_at or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compared(recording: Recording, own: Contract | None) -> Iterator[Verdict]:
    """Rule under OpenAI's contract; what no exchange shows by itself no document promises so far."""
    court = _Court(recording)
    for _, comparison in sorted(all_comparisons().items()):
        for subject, ruling in court.rulings(comparison):
            is_silent = own is not None and ruling.outcome is Outcome.FAIL
            yield Verdict(
                provider=subject.exchange.provider,
                contract=OPENAI,
                check=comparison.id,
                level=comparison.level,
                exchange=subject.id,
                outcome=ruling.outcome,
                examined=ruling.examined,
                reason=ruling.reason,
                because=ruling.because,
                findings=ruling.findings,
                found=ruling.found,
                own_document=OwnDocument.SILENT if is_silent else None,
            )


class _Court:
    """One recording, and what was ruled on the exchanges of it that are compared."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.benches: dict[int, Bench] = {}

    def rulings(self, comparison: Comparison) -> Iterator[tuple[Recorded, Ruling]]:
        """Yield one ruling for each subject. What a comparison throws is the suite's own error."""
        found: dict[int, tuple[Recorded, Ruling]] = {}
        try:
            for compared in comparison.pairs(self.recording):
                subject, ruling = compared.subject, self._rule(comparison, compared)
                before = found.get(id(subject))
                if before is None or _WORST_FIRST.index(ruling.outcome) < _WORST_FIRST.index(before[1].outcome):
                    found[id(subject)] = subject, ruling
        except Exception as error:  # noqa: BLE001  here alone, and on the bench, is caught what a check throws
            finding = Finding(f"{type(error).__name__}: {error}", "no exception")
            found = {0: (self.recording.all[0], Ruling(Outcome.ERROR, findings=(finding,), found=1))}
        yield from found.values()

    def _rule(self, comparison: Comparison, compared: Compared) -> Ruling:
        subject = compared.subject
        ruling = self._unjudged(comparison, subject) or self._missing(comparison, subject)
        if ruling:
            return ruling
        others = [other for other in compared.others if other.standing is Standing.ACCEPTED]
        sound = tuple(other for other in others if not self._missing(comparison, other))
        if not sound and not comparison.alone:
            missing = self._missing(comparison, others[0]) if others else None
            return missing or no(Reason.PREREQUISITE, because(compared.other))
        return _ask(comparison, replace(compared, others=sound))

    def _unjudged(self, comparison: Comparison, subject: Recorded) -> Ruling | None:
        """Say why a subject is not judged; None where it is."""
        return None if subject.standing in comparison.on else unjudged(subject)

    def _missing(self, comparison: Comparison, each: Recorded) -> Ruling | None:
        """Return what an exchange did not pass and has to; of one without an answer nothing is asked."""
        if each.standing is not Standing.ACCEPTED:
            return None
        bench = self.benches.setdefault(id(each), Bench(each.transcript, contracts.load(OPENAI), None))
        for need in comparison.needs:
            ruling = bench.ruling(need)
            if ruling is not None and ruling.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE):
                return no(Reason.PREREQUISITE, ruling.because if ruling.reason is Reason.PREREQUISITE else need)
        return None


def _ask(comparison: Comparison, compared: Compared) -> Ruling:
    examined = comparison.examines(compared)
    if isinstance(examined, Reason):
        return no(examined)
    findings = tuple(islice(comparison.predicate(compared), MAX_FINDINGS))
    if findings:
        return Ruling(Outcome.FAIL, examined, findings=findings, found=len(findings))
    return Ruling(Outcome.PASS, examined) if examined else no(Reason.NOTHING_TO_EXAMINE)
