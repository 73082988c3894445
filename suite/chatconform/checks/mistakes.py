"""Requests that are wrong on purpose, each beside one that differs from it only in what is wrong and was answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chatconform.checks.check import MAY, SHOULD
from chatconform.checks.comparison import Compared, beside, comparison
from chatconform.checks.recording import Recorded, Recording, Standing
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Where

_SAID_NO: Final = (Standing.REFUSED, Standing.BARRED)
_REPLIED: Final = (Standing.ACCEPTED, *_SAID_NO, Standing.CRASHED)


def _accepted(compared: Compared, want: str) -> Iterator[Finding]:
    subject = compared.subject
    if subject.standing is Standing.ACCEPTED:
        body = subject.transcript.body
        yield subject.transcript.spot((0, len(body)), f"status {subject.transcript.status} and an answer", want)


def _failed(compared: Compared, want: str) -> Iterator[Finding]:
    transcript = compared.subject.transcript
    if transcript.status is not None and transcript.status >= 500:
        yield transcript.spot((0, len(transcript.body)), f"status {transcript.status}", want)


def _unanswered(compared: Compared) -> int | Reason:
    """Count the others, unless the mistake was answered: of that another check speaks."""
    return Reason.OTHER_BRANCH if compared.subject.standing is Standing.ACCEPTED else len(compared.others)


def _unknown_models(recording: Recording) -> Iterator[Compared]:
    """Select the requests for a model that there is not, beside the same for one that there is."""
    for subject in (each for each in recording.chats if each.is_unknown):
        for member, others in recording.differing(subject):
            known = tuple(each for each in others if not each.is_unknown and each.asked.model)
            if member == "model" and known:
                yield beside(recording, subject, known, member)


@comparison(
    "errors.model.refused",
    level=SHOULD,
    pairs=_unknown_models,
    on=_REPLIED,
    cites=("OpenAI API reference", "ENV-13", "ERR-11"),
)
def model_refused(compared: Compared) -> Iterator[Finding]:
    """A request for a model that does not exist is not answered by another one.

    Breaks: a misspelt name goes unnoticed, and what answers has another price and quality.
    Fix: answer 404 with code model_not_found.
    """
    subject = compared.subject
    if subject.standing is Standing.ACCEPTED:
        number, value = next(iter(subject.transcript.objects()))
        path = ("model",) if "model" in value else ()
        yield subject.transcript.finding(Where(number, path), f"status 404, as there is no {subject.asked.model}")


@comparison(
    "errors.status.model",
    level=SHOULD,
    pairs=_unknown_models,
    examines=_unanswered,
    on=(*_REPLIED, Standing.OUT),
    cites=("OpenAI API reference", "ERR-11"),
)
def status_model(compared: Compared) -> Iterator[Finding]:
    """A request for a model that does not exist is refused with a status of 4xx.

    Breaks: the SDKs take 5xx for an outage and send the request twice more.
    Fix: answer 404 with code model_not_found.
    """
    yield from _failed(compared, "status 404")


def _malformed(recording: Recording) -> Iterator[Compared]:
    """Select the requests that nobody could answer, beside any that were answered."""
    for subject in recording.usual:
        if recording.questions and subject.is_chat and subject.asked.is_malformed:
            yield beside(recording, subject, recording.questions)


@comparison(
    "errors.malformed.refused",
    level=SHOULD,
    pairs=_malformed,
    on=_REPLIED,
    cites=("RFC 9110 section 15.5.1", "ERR-13"),
)
def malformed_refused(compared: Compared) -> Iterator[Finding]:
    """A request that is no JSON object, or has no messages, is not answered.

    Breaks: mistakes of the caller go unnoticed, and answers to nothing are paid for.
    Fix: answer 400 with type invalid_request_error, and name the member in param.
    """
    yield from _accepted(compared, "status 400 or 422")


def _outside(recording: Recording) -> Iterator[Compared]:
    """Select the requests with one value out of bounds, beside those that differ in it alone and stay within."""
    for subject in recording.chats:
        outside = recording.bounds.outside(subject.body)
        if len(outside) != 1 or subject.is_mistaken:
            continue
        for member, others in recording.differing(subject):
            within = tuple(each for each in others if each in recording.questions)
            if member in outside and within:
                yield beside(recording, subject, within, member)


@comparison(
    "errors.refusal.outside",
    level=MAY,
    pairs=_outside,
    on=_REPLIED,
    cites=("OpenAI API reference", "PRM-07"),
)
def refusal_outside(compared: Compared) -> Iterator[Finding]:
    """A value out of the bounds that are documented is not answered as if it were within.

    Breaks: mistakes of the caller stay hidden until another provider is asked.
    Fix: answer 400 and name the member in param.
    """
    yield from _accepted(compared, f"status 400 for the value of {compared.member}")


def _one_apart(recording: Recording) -> Iterator[Compared]:
    """Select the requests that were not answered, beside those that differ from them in one member."""
    for subject in recording.chats:
        if subject.standing in (Standing.REFUSED, Standing.CRASHED) and not subject.is_mistaken:
            for member, others in recording.differing(subject):
                yield beside(recording, subject, others, member)


@comparison(
    "errors.refusal.crash",
    level=SHOULD,
    pairs=_one_apart,
    on=(Standing.REFUSED, Standing.CRASHED),
    cites=("RFC 9110 section 15.6.1", "ERR-13", "ERR-14"),
)
def refusal_crash(compared: Compared) -> Iterator[Finding]:
    """A request that differs in one member from one that is answered does not end in a failure of the server.

    Breaks: the SDKs take 5xx for an outage and send the same request again, twice.
    Fix: check what comes in before it reaches the model, and answer 400 with the member's name in param.
    """
    want = f"an answer, or status 400; in all but {compared.member} it is {compared.other.id}"
    yield from _failed(compared, want)


def _gets(recording: Recording) -> Iterator[Compared]:
    """Select the requests by GET where completions are posted, beside one that was."""
    for subject in recording.usual:
        if subject.exchange.request.method == "GET" and subject.path.endswith("/chat/completions"):
            posted = tuple(each for each in recording.questions if each.path == subject.path)
            if posted:
                yield beside(recording, subject, posted)


@comparison(
    "errors.status.method",
    level=SHOULD,
    pairs=_gets,
    on=(*_REPLIED, Standing.OTHER),
    cites="RFC 9110 section 15.5.6",
)
def status_method(compared: Compared) -> Iterator[Finding]:
    """A GET where completions are posted does not end in a failure of the server.

    Breaks: monitors and browsers report an outage where only the method is wrong.
    Fix: answer 405 with Allow: POST.
    """
    yield from _failed(compared, "status 405")


def _lists(recording: Recording) -> Iterator[Compared]:
    """Select the lists of models, each beside the answers of the run."""
    for subject in recording.usual:
        if subject.is_list and not subject.asked.has_slash and recording.questions:
            yield beside(recording, subject, recording.questions)


def _ids(listed: Recorded) -> frozenset[str]:
    body = listed.transcript.document.object if listed.transcript.document else None
    rows = body.get("data") if body else None
    names = (row.get("id") for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict))
    return frozenset(name for name in names if isinstance(name, str))


def _names(each: Recorded) -> frozenset[str]:
    """Return the model that was asked for, and the one that answered."""
    answered = next((value.get("model") for _, value in each.transcript.objects()), None)
    return frozenset(name for name in (each.asked.model, answered) if isinstance(name, str))


@comparison(
    "models.list.served",
    level=MAY,
    pairs=_lists,
    examines=lambda compared: len(compared.others) if _ids(compared.subject) else Reason.OTHER_BRANCH,
    cites="MDL-07",
)
def list_served(compared: Compared) -> Iterator[Finding]:
    """The list of models has one that answers, by the name that is asked for or by the one in the answer.

    Breaks: pickers offer what cannot be used, and not what can.
    Fix: list the models that this key can use.
    """
    names = frozenset[str]().union(*map(_names, compared.others))
    if not names & _ids(compared.subject):
        yield compared.subject.transcript.finding(Where(0, ("data",)), f"a model such as {min(names)}")


def _slashes(recording: Recording) -> Iterator[Compared]:
    """Select the requests for the list of models under a path with a slash at its end, beside those without."""
    listed = [each for each in recording.usual if each.is_list]
    plain = tuple(each for each in listed if not each.asked.has_slash)
    for subject in listed:
        if subject.asked.has_slash and plain:
            yield beside(recording, subject, plain)


def _listed(compared: Compared) -> int | Reason:
    """Count the lists; a redirect to the right path, and a typed 404, are lawful."""
    status = compared.subject.transcript.status or 0
    return len(compared.others) if status >= 500 or 200 <= status < 300 else Reason.OTHER_BRANCH


@comparison(
    "models.path.slash",
    level=MAY,
    pairs=_slashes,
    examines=_listed,
    on=(*_REPLIED, Standing.OTHER),
    cites="MDL-05",
)
def path_slash(compared: Compared) -> Iterator[Finding]:
    """The list of models under a path with a slash at its end is the list, or is not there.

    Breaks: clients that join the path with a slash get a page or a failure for the list.
    Fix: serve the list under both paths, or redirect.
    """
    transcript = compared.subject.transcript
    if compared.subject.standing is not Standing.ACCEPTED:
        got = f"status {transcript.status} and no list"
        yield transcript.spot((0, len(transcript.body)), got, "the list, a redirect, or status 404")
