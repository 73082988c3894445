"""Keys: what becomes of requests without one, or with one that nobody issued, beside the same with the right one.

A server that needs no key is asked without one, so that nothing here speaks of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chatconform.checks.check import MAY, SHOULD
from chatconform.checks.comparison import Compared, beside, comparison
from chatconform.checks.recording import Recording, Standing
from chatconform.model import Finding, Reason
from chatconform.wire.asked import Credential

_REPLIED: Final = (Standing.ACCEPTED, Standing.REFUSED, Standing.BARRED, Standing.CRASHED)


def _with(recording: Recording, *credentials: Credential) -> Iterator[Compared]:
    """Yield the requests that went with one of these, beside the same with the right key."""
    if not recording.has_keys:
        return
    for subject in recording.all:
        if subject.is_chat and subject.body and subject.credential in credentials:
            right = tuple(each for each in recording.chats if each.key() == subject.key())
            if right:
                yield beside(recording, subject, right)


def _answer(compared: Compared) -> Iterator[Finding]:
    subject = compared.subject
    if subject.standing is Standing.ACCEPTED:
        body = subject.transcript.body
        yield subject.transcript.spot((0, len(body)), f"status {subject.transcript.status} and an answer", "status 401")


@comparison(
    "auth.key.required",
    level=SHOULD,
    pairs=lambda recording: _with(recording, Credential.ABSENT),
    on=_REPLIED,
    cites=("OpenAI API reference", "AUT-01"),
)
def key_required(compared: Compared) -> Iterator[Finding]:
    """Where there is a key, a request without one is not answered.

    Breaks: a forgotten key goes unnoticed, and anybody is served.
    Fix: answer 401 to a request without Authorization.
    """
    yield from _answer(compared)


@comparison(
    "auth.key.checked",
    level=SHOULD,
    pairs=lambda recording: _with(recording, Credential.WRONG),
    on=_REPLIED,
    cites=("OpenAI API reference", "ERR-10"),
)
def key_checked(compared: Compared) -> Iterator[Finding]:
    """A request with a key that nobody issued is not answered.

    Breaks: a check of the key always passes, and a mistyped key shows when the bill comes to nobody.
    Fix: answer 401 with code invalid_api_key.
    """
    yield from _answer(compared)


def _turned_away(compared: Compared) -> int | Reason:
    """Count the others, unless the request was answered: of that another check speaks."""
    return Reason.OTHER_BRANCH if compared.subject.standing is Standing.ACCEPTED else len(compared.others)


@comparison(
    "auth.status.unauthorized",
    level=SHOULD,
    pairs=lambda recording: _with(recording, Credential.ABSENT, Credential.WRONG),
    examines=_turned_away,
    on=_REPLIED,
    cites=("RFC 9110 section 15.5.2", "ERR-10"),
)
def status_unauthorized(compared: Compared) -> Iterator[Finding]:
    """A request without the right key is refused for its key: by 401, or by 403.

    Breaks: clients send it again, or look for the mistake in the request.
    Fix: check the key before everything else, and answer 401.
    """
    subject = compared.subject
    if subject.standing is not Standing.BARRED:
        body = subject.transcript.body
        yield subject.transcript.spot((0, len(body)), f"status {subject.transcript.status}", "status 401")


def _barred(compared: Compared) -> int | Reason:
    return len(compared.others) if compared.subject.standing is Standing.BARRED else Reason.OTHER_BRANCH


@comparison(
    "auth.status.forbidden",
    level=MAY,
    pairs=lambda recording: _with(recording, Credential.ABSENT, Credential.WRONG),
    examines=_barred,
    on=_REPLIED,
    cites=("OpenAI API reference", "AUT-02"),
)
def status_forbidden(compared: Compared) -> Iterator[Finding]:
    """A request without the right key is refused by 401, and not by 403.

    Breaks: SDKs raise PermissionDeniedError, and callers look for a right that the key lacks.
    Fix: answer 401, and keep 403 for keys that are known and may not do this.
    """
    subject = compared.subject
    if subject.transcript.status == 403:
        yield subject.transcript.spot((0, len(subject.transcript.body)), "status 403", "status 401")
