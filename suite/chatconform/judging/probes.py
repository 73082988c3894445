"""Probes: what recorded requests show of the clauses on requests.

A request that was answered shows that what it asks is taken: a documented type, a listed value, the end of a range.
A refusal shows something only where another request, which differs in one member alone, was answered, and that value
nowhere was. Ordinary exchanges are left alone: a run probes where a request stands at the end of a range or beyond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from chatconform.checks.recording import Recorded, Recording, Standing, says_error, says_unsupported
from chatconform.contracts.contract import Contract, Kind
from chatconform.contracts.occasions import ENDS, FAR_ENDS, Occasion, occasions, strays
from chatconform.contracts.schema import Schema
from chatconform.judging.bench import Ruling
from chatconform.judging.unproven import because, no, unjudged
from chatconform.model import OPENAI, Level, Outcome, Reason, Verdict


def verdicts(recording: Recording, contract: Contract) -> Iterator[Verdict]:
    """Yield the verdicts on the clauses on requests, of a provider's document or else of OpenAI's contract."""
    schema = contract.schemas.get(Kind.REQUEST)
    if schema is None:
        return
    probing = _Probing(recording, contract, schema)
    for probe in probing.probes if probing.is_one else ():
        for clause, ruling in sorted(probing.rulings(probe).items()):
            yield Verdict(
                provider=probe.sent.exchange.provider,
                contract=contract.id,
                check=clause,
                level=contract.requests[clause].level,
                exchange=probe.sent.id,
                outcome=ruling.outcome,
                examined=ruling.examined,
                reason=ruling.reason,
                because=ruling.because,
                findings=ruling.findings,
                found=ruling.found,
            )


@dataclass(frozen=True, slots=True)
class _Probe:
    """A request with the occasions that it gives, each once, and whether it stays within the schema altogether."""

    sent: Recorded
    occasions: tuple[Occasion, ...]
    is_within: bool

    @property
    def is_refused(self) -> bool:
        """Whether what the schema allows was refused."""
        return self.is_within and self.sent.standing in (Standing.REFUSED, Standing.CRASHED)


class _Probing:
    """The requests of one run before the request schema of one contract."""

    def __init__(self, recording: Recording, contract: Contract, schema: Schema) -> None:
        self.recording = recording
        self.contract = contract
        self.schema = schema
        self.sent = tuple(each for each in recording.chats if not each.is_mistaken)
        self.probes = tuple(map(self._probe, self.sent))

    def _probe(self, sent: Recorded) -> _Probe:
        """Read a request: a member that the schema's musts exclude gives no occasion."""
        beyond = list(strays(self.schema, sent.body))
        excluded = {member for member, level in beyond if level is Level.MUST}
        given = dict.fromkeys(occasions(self.schema, sent.body))
        return _Probe(sent, tuple(each for each in given if each.member not in excluded), not beyond)

    @property
    def is_one(self) -> bool:
        """Whether some request probes: it stands at the far end of a range, or beyond what may be asked."""
        within = (probe for probe in self.probes if probe.is_within)
        at_ends = any(each.keyword in FAR_ENDS for probe in within for each in probe.occasions)
        return len(self.sent) > 1 and (at_ends or any(self.recording.bounds.outside(each.body) for each in self.sent))

    @cached_property
    def taken(self) -> Mapping[Occasion, Recorded]:
        """The occasions that answered requests gave, each with the first of these."""
        answered = [probe for probe in self.probes if probe.sent.standing is Standing.ACCEPTED]
        return {occasion: probe.sent for probe in reversed(answered) for occasion in probe.occasions}

    def rulings(self, probe: _Probe) -> Mapping[str, Ruling]:
        """Return what one request shows, by clause; what another one showed already is said of that one alone."""
        if probe.sent.standing is Standing.ACCEPTED:
            counts = Counter(each.clause for each in probe.occasions if self.taken[each] is probe.sent)
            return {clause: Ruling(Outcome.PASS, count) for clause, count in counts.items()}
        blamed = self.blamed[probe.sent.id]
        found: dict[str, Ruling] = {}
        for occasion in probe.occasions:
            if occasion in blamed:
                found[occasion.clause] = self._refused(probe, occasion, blamed[occasion])
            elif probe.is_within and occasion not in self.taken and occasion not in self.settled:
                found.setdefault(occasion.clause, self._unproven(probe))
        return found

    @cached_property
    def blamed(self) -> Mapping[str, Mapping[Occasion, Recorded]]:
        """The occasions that requests were refused for, by request, each with the answered request that lacks it."""
        return {probe.sent.id: dict(self._blamed(probe)) for probe in self.probes}

    @cached_property
    def settled(self) -> frozenset[Occasion]:
        """The occasions that some request was refused for: of several values refused together they are no riddle."""
        return frozenset(occasion for found in self.blamed.values() for occasion in found)

    @cached_property
    def unwanted(self) -> frozenset[str]:
        """The members that were refused with a value amid their range: it is not the ends that are refused."""
        found: set[str] = set()
        for blamed in self.blamed.values():
            members = {occasion.member for occasion in blamed}
            found |= members - {occasion.member for occasion in blamed if occasion.keyword in ENDS}
        return frozenset(found)

    def _blamed(self, probe: _Probe) -> Iterator[tuple[Occasion, Recorded]]:
        if not probe.is_refused:
            return
        for member, others in self.recording.differing(probe.sent):
            answered = [other for other in others if other.standing is Standing.ACCEPTED]
            for occasion in probe.occasions if answered else ():
                if occasion.member == member and occasion not in self.taken:
                    yield occasion, answered[0]

    def _unproven(self, probe: _Probe) -> Ruling:
        """Say why a request that was not answered shows nothing."""
        if probe.sent.standing in (Standing.REFUSED, Standing.CRASHED):
            return no(Reason.PREREQUISITE, because(probe.sent))
        return unjudged(probe.sent)

    def _refused(self, probe: _Probe, occasion: Occasion, control: Recorded) -> Ruling:
        """Rule on a refusal of what a clause allows. OpenAI's contract leaves a typed one to the provider, ends apart.

        Where a value is of a type that was not taken before, and at an end as well, the end is what is refused.
        """
        transcript = probe.sent.transcript
        if self.contract.id == OPENAI:
            if probe.sent.standing is Standing.CRASHED:
                return no(Reason.PREREQUISITE, "errors.refusal.crash")
            is_end = occasion.keyword in ENDS and occasion.member not in self.unwanted
            if says_error(transcript) and not (is_end and not says_unsupported(transcript)):
                return no(Reason.REFUSED_TYPED)
        ends = (each for each in self.blamed[probe.sent.id] if each.member == occasion.member and not each.is_of_type)
        end = next(ends, None)
        if occasion.is_of_type and end is not None:
            return no(Reason.PREREQUISITE, end.clause)
        want = f"an answer, as {control.id}, which differs in {occasion.member} alone, has one"
        finding = transcript.spot((0, len(transcript.body)), f"status {transcript.status}", want)
        return Ruling(Outcome.FAIL, 1, findings=(finding,), found=1)
