"""What every form of report prints alike: the marks, the order, the counts, the names of pages and anchors.

Reports list what results.json lists, and so say the same of results that were just made and of results that
were read from a file: verdicts that are not-applicable appear in the counts alone.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from chatconform.exhibits import DeviationText, HabitText
from chatconform.model import (
    OPENAI,
    CheckText,
    Conclusion,
    ExchangeSummary,
    Finding,
    Level,
    Origin,
    Outcome,
    OwnDocument,
    ProviderResult,
    Reason,
    Results,
    Tally,
    Verdict,
)
from chatconform.report.results import listed
from chatconform.report.visible import line
from chatconform.rollup import Rolled, roll_up


class Mark(StrEnum):
    """The word for one check of one provider under one contract, worst first."""

    ERROR = "ERROR"
    FAIL = "FAIL"
    WARN = "WARN"
    INFO = "INFO"
    WAIVED = "waived"
    UNPROVEN = "unproven"
    PASS = "pass"  # noqa: S105


_FAILED = {Level.MUST: Mark.FAIL, Level.SHOULD: Mark.WARN, Level.MAY: Mark.INFO}
_FAILURES = (Mark.FAIL, Mark.WARN, Mark.INFO, Mark.WAIVED)
_MARKS = tuple(Mark)
_WORST_FIRST = (
    Conclusion.VOID,
    Conclusion.DEVIATES,
    Conclusion.INCONCLUSIVE,
    Conclusion.CONFORMS_WITH_WAIVERS,
    Conclusion.CONFORMS,
)

_TAKEN = re.compile(r"(?:index|results|readme|con|prn|aux|nul|com\d|lpt\d)(?:\..*)?|.*\.[0-9a-f]{8}")
"""Names that stand for other files of the folder or for devices of Windows, or look like a name with a digest."""

REASONS = {
    Reason.NOTHING_TO_EXAMINE: "What came held nothing that these checks look at.",
    Reason.PREREQUISITE: "Another check has to hold before these can be judged.",
    Reason.RATE_LIMITED: "The provider answered that there were too many requests.",
    Reason.BUDGET: "The limit on requests or on tokens was reached first.",
    Reason.NETWORK: "No whole answer came.",
    Reason.NO_READS: "The recording does not say when the bytes arrived.",
    Reason.NO_REQUEST: "The recording does not hold the request.",
    Reason.RECORDER: "A recorder stands between the wire and us, and may have changed what these look at.",
    Reason.PLACEHOLDER: "The document prints a placeholder where a value would stand.",
}
"""Why something is unproven, in a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One check of one provider under one contract, rolled up over its exchanges."""

    contract: str
    check: str
    rolled: Rolled

    @property
    def mark(self) -> Mark:
        """The word that every report prints for it."""
        if self.rolled.outcome is Outcome.FAIL:
            return Mark.WAIVED if self.rolled.waived else _FAILED[self.rolled.level]
        return {Outcome.ERROR: Mark.ERROR, Outcome.PASS: Mark.PASS}.get(self.rolled.outcome, Mark.UNPROVEN)

    @property
    def own_document(self) -> OwnDocument | None:
        """What the provider's own document says of the failed rule; where exchanges differ, the plainest."""
        said = {verdict.own_document for verdict in self.rolled.verdicts}
        return next((word for word in OwnDocument if word in said), None)


@dataclass(frozen=True, slots=True)
class Row:
    """One provider with every check that was judged of it, worst first."""

    provider: ProviderResult
    entries: tuple[Entry, ...]

    def marked(self, mark: Mark) -> tuple[Entry, ...]:
        """The entries with this mark."""
        return tuple(entry for entry in self.entries if entry.mark is mark)

    @property
    def failures(self) -> tuple[Entry, ...]:
        """What failed: must, should, may, and then what is waived."""
        return tuple(entry for entry in self.entries if entry.mark in _FAILURES)

    @property
    def document(self) -> str | None:
        """The contract made of the provider's own document, None where it has none."""
        names = {*self.provider.counts, *(entry.contract for entry in self.entries)} - {OPENAI}
        return min(names, default=None)


@dataclass(frozen=True, slots=True)
class Musts:
    """The musts of one provider under one contract, or all contracts of documents."""

    verified: int
    failing: int
    waived: int
    unproven: int
    error: int

    @property
    def total(self) -> int:
        """How many could be decided; what was not applicable could not."""
        return self.verified + self.failing + self.waived + self.unproven + self.error


def rows(results: Results) -> tuple[Row, ...]:
    """One row a provider: void first, then deviates, inconclusive and conforms; then by id."""
    verdicts: dict[str, list[Verdict]] = {}
    for verdict in listed(results.verdicts):
        verdicts.setdefault(verdict.provider, []).append(verdict)
    order = sorted(results.providers, key=lambda item: (_WORST_FIRST.index(item.conclusion), item.id))
    return tuple(_row(results, item, verdicts.get(item.id, ())) for item in order)


def row(results: Results, provider: str) -> Row:
    """The row of one provider. Raises KeyError where the results have no such provider."""
    found = {item.id: item for item in results.providers}[provider]
    return _row(results, found, (verdict for verdict in listed(results.verdicts) if verdict.provider == provider))


def conclusions(results: Results) -> tuple[tuple[Conclusion, int], ...]:
    """How many providers came to each conclusion, worst first; those that nobody came to are left out."""
    count = Counter(item.conclusion for item in results.providers)
    return tuple((conclusion, count[conclusion]) for conclusion in _WORST_FIRST if count[conclusion])


def musts(provider: ProviderResult, *, openai: bool) -> Musts | None:
    """The musts of OpenAI's contract, or of the own document; None where it was not judged by that."""
    tallies = [
        levels.get(Level.MUST, Tally())
        for contract, levels in provider.counts.items()
        if (contract == OPENAI) is openai
    ]
    if not tallies:
        return None
    return Musts(
        verified=sum(tally.passed for tally in tallies),
        failing=sum(tally.failed for tally in tallies),
        waived=sum(tally.waived for tally in tallies),
        unproven=sum(tally.unproven for tally in tallies),
        error=sum(tally.error for tally in tallies),
    )


def group(check: str) -> str:
    """The first part of a check's id."""
    return check.partition(".")[0]


def count_marks(entries: tuple[Entry, ...]) -> Counter[Mark]:
    """How many entries bear each mark."""
    return Counter(entry.mark for entry in entries)


def exchanges_of(results: Results, provider: str) -> Mapping[str, ExchangeSummary]:
    """The exchanges of one provider by id, in the order of their ids."""
    mine = (item for item in results.exchanges if item.provider == provider)
    return {item.id: item for item in sorted(mine, key=lambda item: item.id)}


def is_document_only(results: Results, provider: str) -> bool:
    """Whether a provider was judged on its document's examples alone: they convict and never acquit."""
    origins = {item.origin for item in results.exchanges if item.provider == provider}
    return origins == {Origin.DOCUMENT}


def contract_name(contract: str) -> str:
    """The contract as a reader sees it."""
    return "OpenAI" if contract == OPENAI else f"own document ({contract})"


def page(provider: str, suffix: str = ".md") -> str:
    """The file name of a provider's page: safe on every file system, and its own for every id."""
    if re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,58}[a-z0-9-])?", provider) and not _TAKEN.fullmatch(provider):
        return f"{provider}{suffix}"
    digest = hashlib.sha256(provider.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = re.sub(r"[^a-z0-9]+", "-", provider[:40].lower()).strip("-")
    return f"{readable or 'provider'}.{digest}{suffix}"


def anchor(contract: str, check: str) -> str:
    """The anchor of a check on a provider's page, the same in every run."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{contract}--{check}"[:200])


def plural(number: int, noun: str) -> str:
    """The number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def text_of(results: Results, check: str) -> CheckText:
    """What is said of a check; of one that the results do not describe, its id alone."""
    return results.checks.get(check) or CheckText(check, check, "", "", {}, {})


def known(results: Results, text: CheckText) -> tuple[DeviationText, ...]:
    """What is known from elsewhere of the deviations that a failing check cites."""
    return tuple(results.deviations[each] for each in text.known if each in results.deviations)


def ruled_by(text: CheckText, contract: str) -> str:
    """The source of a rule without the ids of deviations: those are where it was seen broken, and no law."""
    parts = text.sources.get(contract, "").split(", ")
    return ", ".join(part for part in parts if part not in text.known)


def impact(text: CheckText | HabitText) -> str:
    """Whom it hurts, as far as clients were measured; each list only where it names somebody."""
    lists = (("raises in", text.raises), ("silently wrong in", text.wrong))
    named = "; ".join(f"{label} {', '.join(clients)}" for label, clients in lists if clients)
    return f"{named or ('no measured client minds' if text.measured else 'not measured')}."


def extent(entry: Entry) -> str:
    """Say in how many of the exchanges that decide a check it fails: a model that is asked n times may fail k times."""
    decided = [verdict for verdict in entry.rolled.verdicts if verdict.outcome in (Outcome.PASS, Outcome.FAIL)]
    return f"{len(failing(entry))} of {plural(len(decided), 'exchange')}"


def failing(entry: Entry) -> tuple[Verdict, ...]:
    """The verdicts of an entry that failed, those that no waiver covers first."""
    failed = (verdict for verdict in entry.rolled.verdicts if verdict.outcome is Outcome.FAIL)
    return tuple(sorted(failed, key=lambda verdict: (verdict.waiver is not None, verdict.exchange)))


def by_reason(entry: Entry) -> dict[Reason, list[Verdict]]:
    """The verdicts of an entry that is unproven, by why they are."""
    found: dict[Reason, list[Verdict]] = {}
    for verdict in entry.rolled.verdicts:
        reason = verdict.reason if verdict.reason in REASONS else None
        found.setdefault(reason or Reason.NOTHING_TO_EXAMINE, []).append(verdict)
    return found


def where(finding: Finding) -> tuple[str, ...]:
    """The half-open byte range, or the one offset, and the event number of a finding; what is not known is left out."""
    return (*_span(finding.bytes), *((f"event {finding.event}",) if finding.event else ()))


def _span(place: tuple[int, int] | None) -> Iterator[str]:
    if place is not None:
        yield f"byte {place[0]}" if place[0] == place[1] else f"bytes [{place[0]}, {place[1]})"


def sentence(provider: ProviderResult) -> str:
    """What is concluded, without the word that stands before it in every report."""
    return provider.sentence.removeprefix(f"{provider.conclusion.value}: ")


def command(provider: ProviderResult, check: str, exchange: ExchangeSummary | None) -> str | None:
    """The shell command that shows a verdict again; None where a name in it cannot be printed as it is.

    It names the contract of the provider's own document where that does not follow from the provider's name.
    """
    if exchange is None:
        return None
    document = provider.endpoint.contract
    contract = ("--contract", document) if document and document != provider.id else ()
    words = ("chatconform", "judge", exchange.file, "--provider", provider.id, *contract, "--check", check)
    return shlex.join(words) if all(line(word, 200) == word for word in words) else None


def own_document_sentence(word: OwnDocument, source: str) -> str:
    """What the provider's own document has to do with a failed rule of OpenAI's, in a sentence."""
    if word is OwnDocument.PROMISES:
        return f"promises the same{f' ({source})' if source else ''}, so this breaks its own word too."
    if word is OwnDocument.ANNOUNCES:
        return "announces it: its example differs in the same way, which is honest and still breaks clients."
    return "is silent about it."


def harm(text: CheckText) -> tuple[int, bool]:
    """How much a broken rule hurts, as a key that sorts the worst first.

    That is: how many measured clients raise or go wrong; and of what hurts none, first what was not measured.
    """
    return (-len({*text.raises, *text.wrong}), text.measured)


def _row(results: Results, provider: ProviderResult, verdicts: Iterable[Verdict]) -> Row:
    entries = (Entry(contract, check, rolled) for (_, contract, check), rolled in roll_up(verdicts).items())
    return Row(provider, tuple(sorted(entries, key=lambda entry: _entry_order(results, entry))))


def _entry_order(results: Results, entry: Entry) -> tuple[int, tuple[int, bool], str, bool, str]:
    """By mark, what fails by the harm that it does, then by check and contract."""
    hurts = harm(text_of(results, entry.check)) if entry.mark in _FAILURES else (0, False)
    return (_MARKS.index(entry.mark), hurts, entry.check, entry.contract != OPENAI, entry.contract)


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Scenarios that a live run left out of what it asked one provider, for one reason."""

    provider: str
    why: str
    scenarios: tuple[str, ...]


def left_out(results: Results) -> Iterator[NotAsked]:
    """Yield what a live run did not ask, by provider and reason, in the order of the plan."""
    providers = results.run.get("left_out")
    for provider, told in providers.items() if isinstance(providers, dict) else ():
        reasons = told if isinstance(told, dict) else {}
        for why in dict.fromkeys(map(str, reasons.values())):
            yield NotAsked(provider, why, tuple(name for name, reason in reasons.items() if str(reason) == why))
