"""Streams beside plain answers to the same request, and answers beside each other.

Models are not deterministic, so no two texts are expected to be equal; what follows from equal texts is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from chatconform.checks.answered import FINISHED, SOUND, finish_of, finishing, only_choice, text_of
from chatconform.checks.check import MAY, SHOULD
from chatconform.checks.comparison import Compared, beside, comparison
from chatconform.checks.http import HELD
from chatconform.checks.recording import STREAMED, Recorded, Recording, Standing, digest, grouped
from chatconform.model import Finding, Reason
from chatconform.wire.asked import Target
from chatconform.wire.fold import Where


def _twins(recording: Recording) -> Iterator[Compared]:
    """Select the streams, each beside the plain answers to the same request."""
    for group in recording.alike(*STREAMED):
        plain = tuple(each for each in group if each.asked.target is Target.ANSWER)
        for subject in group:
            if plain and subject.asked.target is Target.STREAM:
                yield beside(recording, subject, plain)


def _said(each: Recorded) -> tuple[object, ...]:
    """Return all that an answer says: its text, and the tools that it calls with what."""
    choice, text = only_choice(each), text_of(each)
    calls = tuple((call.name, call.arguments) for call in choice.tool_calls.values()) if choice else ()
    return (text, calls) if text or calls else ()


def _saying_the_same(compared: Compared) -> Iterator[Recorded]:
    """Yield the others that say what the subject says and end for some reason; of a named tool's call two are usual."""
    is_named = compared.subject.asked.tool_choice == "named"
    said = _said(compared.subject)
    for other in compared.others:
        if said and not is_named and finish_of(other) is not None and _said(other) == said:
            yield other


@comparison(
    "pairs.finish_reason.same",
    level=SHOULD,
    pairs=_twins,
    examines=lambda compared: sum(1 for _ in _saying_the_same(compared)) or Reason.OTHER_BRANCH,
    needs=FINISHED,
    cites="SSS-06",
)
def finish_reason_same(compared: Compared) -> Iterator[Finding]:
    """A stream that says the same as the plain answer to the same request finishes for the same reason.

    Breaks: a cut text, or a tool call, is noticed in one mode only.
    Fix: decide finish_reason in one place, before the answer is streamed or put together.
    """
    subject, other = compared.subject, next(_saying_the_same(compared))
    if finish_of(subject) != finish_of(other):
        want = f"{finish_of(other)}, as in {other.id}, which says the same"
        yield subject.transcript.finding(finishing(subject), want)


def _forced(recording: Recording) -> Iterator[Compared]:
    """Select the streams, and the plain answers to the same requests, in which a tool has to be called."""
    for compared in _twins(recording):
        asked = compared.subject.asked
        if asked.has_tools and asked.tool_choice in ("required", "named"):
            yield compared


def _is_open(each: Recorded) -> bool:
    """Whether an answer was neither cut nor refused."""
    choice = only_choice(each)
    return choice is not None and not choice.is_cut and not choice.refusal


def _calls(each: Recorded) -> bool:
    choice = only_choice(each)
    return choice is not None and bool(choice.tool_calls)


@comparison(
    "pairs.tool_calls.same",
    level=SHOULD,
    pairs=_forced,
    examines=lambda compared: (
        (_is_open(compared.subject) and sum(map(_is_open, compared.others))) or Reason.OTHER_BRANCH
    ),
    needs=SOUND,
    cites="SSS-06",
)
def tool_calls_same(compared: Compared) -> Iterator[Finding]:
    """Where a tool has to be called, it is called in streams and in plain answers alike.

    Breaks: agents work in one mode and get plain text in the other.
    Fix: parse the model's calls in streams by the same code as in plain answers.
    """
    subject, other = compared.subject, next(filter(_is_open, compared.others))
    if _calls(subject) is not _calls(other):
        want, got = ("a tool call", "no tool call") if _calls(other) else ("no tool call", "a tool call")
        yield subject.transcript.finding(Where(subject.transcript.facts.last), f"{want}, as in {other.id}", got)


def _model(each: Recorded) -> str:
    """Return the model that an answer names, empty where it names none or leaves open which one it was."""
    first = next((value for _, value in each.transcript.objects()), {})
    model = first.get("model")
    return model if isinstance(model, str) and not model.startswith("auto") else ""


def _named(compared: Compared) -> int | Reason:
    """Count the plain answers that name a model; a gateway may choose another one each time it is asked to choose."""
    is_open = not _model(compared.subject) or (compared.subject.asked.model or "").startswith("auto")
    named = 0 if is_open else sum(bool(_model(other)) for other in compared.others)
    return named or Reason.OTHER_BRANCH


@comparison(
    "pairs.model.same",
    level=MAY,
    pairs=_twins,
    examines=_named,
    needs=SOUND,
    cites=("ENV-13", "SSS-06"),
)
def model_same(compared: Compared) -> Iterator[Finding]:
    """A stream names the model that the plain answer to the same request names, or a version of it.

    Breaks: costs and quality are booked to another model, depending on how an answer is sent.
    Fix: name in both the model that answered.
    """
    subject, other = compared.subject, next(filter(_model, compared.others))
    one, two = sorted((_model(subject), _model(other)), key=len)
    if not two.startswith(one) and not two.endswith(one):
        number = next(number for number, _ in subject.transcript.objects())
        yield subject.transcript.finding(Where(number, ("model",)), f"{_model(other)}, as in {other.id}")


def _id(each: Recorded) -> str:
    ids = each.transcript.facts.ids
    value = ids[0].value if ids else None
    return value if isinstance(value, str) else ""


def _answers(recording: Recording) -> Iterator[Compared]:
    """Select the answers, each beside those before it that have its id, or else beside any one to another prompt."""
    named = [each for each in recording.questions if each.standing is Standing.ACCEPTED and _id(each)]
    for group in grouped(named, _id):
        for position, subject in enumerate(group):
            before = tuple(_to_other_prompts(subject, group[:position]))
            others = before or tuple(islice(_to_other_prompts(subject, named), 1))
            if others:
                yield beside(recording, subject, others)


def _to_other_prompts(subject: Recorded, others: Iterable[Recorded]) -> Iterator[Recorded]:
    """Yield the requests with other messages: the same ones may be answered from a cache."""
    prompt = digest(subject.body.get("messages"))
    return (other for other in others if digest(other.body.get("messages")) != prompt)


@comparison("pairs.id.distinct", level=SHOULD, pairs=_answers, needs="stream.id.constant", cites="OpenAI API reference")
def id_distinct(compared: Compared) -> Iterator[Finding]:
    """Answers to different prompts have different ids.

    Breaks: logs, traces and stores that go by the id mix answers up, or keep the last one alone.
    Fix: make an id for every answer.
    """
    subject = compared.subject
    if _id(subject) == _id(compared.other):
        want = f"another id than that of {compared.other.id}"
        yield subject.transcript.finding(subject.transcript.facts.ids[0].where, want)


def _beginnings(recording: Recording) -> Iterator[Compared]:
    """Select the streams beside plain answers; those that never began only where none of the run's streams did."""
    streams = [each for each in recording.questions if each.asked.target is Target.STREAM]
    is_mute = all(each.standing is Standing.SILENT for each in streams)
    for compared in _twins(recording):
        if is_mute or compared.subject.standing is not Standing.SILENT:
            yield compared


def _waited(compared: Compared) -> int | Reason:
    exchange = compared.subject.exchange
    if exchange.response or exchange.end in HELD:
        return len(compared.others)
    return Reason.BUDGET if exchange.end.startswith("limit:") else Reason.NETWORK


@comparison(
    "pairs.stream.begun",
    level=SHOULD,
    pairs=_beginnings,
    examines=_waited,
    on=(Standing.ACCEPTED, Standing.SILENT),
    cites="TRN-08",
)
def stream_begun(compared: Compared) -> Iterator[Finding]:
    """A stream begins where the same request without stream is answered.

    Breaks: clients wait for header fields until their own limit, and show nothing.
    Fix: send the status line and the header fields before the first event is there, and flush them.
    """
    if compared.subject.standing is Standing.SILENT:
        got = f"no status line; the exchange ended as: {compared.subject.exchange.end}"
        yield Finding(got, f"a stream, as {compared.other.id} is answered")


def _stopped(recording: Recording) -> Iterator[Compared]:
    """Select the requests with stop strings, beside the same without."""
    for group in recording.alike("stop"):
        plain = tuple(each for each in group if not each.asked.stops)
        for subject in group:
            if plain and subject.asked.stops:
                yield beside(recording, subject, plain)


def _missed(subject: Recorded, other: Recorded) -> str:
    """Return what stands, in an answer without stop, between the end of the subject's text and the stop string."""
    text, whole = text_of(subject), text_of(other)
    places = [at for stop in subject.asked.stops if (at := whole.find(stop)) >= 0]
    is_before = bool(text) and finish_of(subject) == "stop" and whole.startswith(text)
    return whole[len(text) : min(places)].strip() if is_before and places else ""


def _stoppable(compared: Compared) -> int | Reason:
    """Count the others in whose text a stop string stands."""
    stops = compared.subject.asked.stops
    return sum(any(stop in text_of(other) for stop in stops) for other in compared.others) or Reason.OTHER_BRANCH


EARLY: Final = 8
"""Characters: a text that ends so much before its stop string, and is the beginning of one that goes on, was cut."""


@comparison(
    "pairs.stop.reached",
    level=SHOULD,
    pairs=_stopped,
    examines=_stoppable,
    needs=FINISHED,
    cites=("OpenAI API reference", "PRM-08"),
)
def stop_reached(compared: Compared) -> Iterator[Finding]:
    """A text that a stop string ends goes on up to that string.

    Breaks: text before the stop string is lost, without a word.
    Fix: look for the whole string, and end the text right before it.
    """
    subject = compared.subject
    missed = [(other, lost) for other in compared.others if len(lost := _missed(subject, other)) >= EARLY]
    if missed:
        other, lost = missed[0]
        want = f"{lost[:40]!r} as well, as in {other.id}"
        yield subject.transcript.finding(finishing(subject), want, f"…{text_of(subject)[-40:]}")
