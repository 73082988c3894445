"""Error answers: that they can be read, and say whose fault it is. The error object's members are clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from chatconform.checks.check import MAY, SHOULD, check, errors, limits, mistakes
from chatconform.model import Finding, JsonObject, Reason
from chatconform.wire import media
from chatconform.wire.fold import Where
from chatconform.wire.transcript import Transcript


def _readable(answer: Transcript) -> int | Reason:
    """A body that our own limits cut, or that exceeds them, is not judged."""
    by_limit = answer.exchange.end.startswith("limit:") or answer.coding_limit
    return Reason.BUDGET if by_limit or (answer.document and answer.document.limit) else 1


@check(
    "errors.body.json",
    level=SHOULD,
    over=errors,
    of_any_status=True,
    examines=_readable,
    cites=("OpenAI API reference", "ERR-07"),
)
def body_json(answer: Transcript) -> Iterator[Finding]:
    """An error answer is a JSON object.

    Breaks: the SDKs raise an error of the right class without its message.
    Fix: send {"error": {"message", "type", "param", "code"}} with every status of 400 and above.
    """
    document = answer.document
    if document is None or document.object is None:
        yield answer.spot(
            (0, len(answer.body)), answer.excerpt((0, len(answer.body))) or "an empty body", "a JSON object"
        )


def _object(answer: Transcript) -> JsonObject:
    """Return the error object, or an empty one where there is none."""
    body = answer.document.object if answer.document else None
    error = body.get("error") if body else None
    return error if isinstance(error, dict) else {}


@check(
    "errors.object.nonempty",
    level=MAY,
    over=errors,
    of_any_status=True,
    examines=lambda answer: 1 if _object(answer) else Reason.OTHER_BRANCH,
    needs="errors.body.json",
    cites="ERR-06",
)
def object_nonempty(answer: Transcript) -> Iterator[Finding]:
    """type, param and code of an error are not empty strings.

    Breaks: what sorts errors by type and code has nothing to go by; null says so openly.
    Fix: send the type and the code of the error, and null where there is none.
    """
    for name in ("type", "param", "code"):
        if _object(answer).get(name) == "":
            yield answer.finding(Where(0, ("error", name)), "a word, or null")


_OUTAGES = (502, 503, 504)
"""Statuses that say nothing of the request: what is behind the gateway was not there."""


def _malformed(answer: Transcript) -> int | Reason:
    """Count a request for a chat completion that is known to have gone out like that."""
    path = urlsplit(answer.exchange.request.url).path.rstrip("/")
    if not path.endswith("/chat/completions"):
        return Reason.OTHER_BRANCH
    if answer.exchange.origin.is_transcribed:
        return Reason.RECORDER
    if answer.status == 429:
        return Reason.RATE_LIMITED
    return Reason.NETWORK if answer.status in _OUTAGES else 1


@check(
    "errors.status.malformed",
    level=SHOULD,
    over=mistakes,
    of_any_status=True,
    examines=_malformed,
    cites=("RFC 9110 section 15.5.1", "ERR-13"),
)
def status_malformed(answer: Transcript) -> Iterator[Finding]:
    """A request that is no JSON object, or has no messages, is refused with a status of 4xx.

    Breaks: the SDKs take 5xx for an outage and send the same request again, twice.
    Fix: answer 400 with type invalid_request_error, and name the member in param.
    """
    if answer.status is not None and answer.status >= 500:
        yield Finding(f"status {answer.status}", "status 400 or 422")


_DELAY = re.compile(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*")
_DATE = re.compile(r"[A-Z][a-z]+,? [\dA-Za-z :-]{8,24}(?: GMT)?")
LONGEST_WAIT = 31 * 86_400
"""Seconds: more than a month is no time to wait, but a time of day or a number of milliseconds."""
SHORT_WAIT = 120
"""Seconds: openai-python waits as long as this and sends the request again."""


def _retry_after(answer: Transcript) -> str | None:
    return media.header(answer.headers, "Retry-After")


def _seconds(value: str | None) -> float | None:
    match = _DELAY.fullmatch(value or "")
    return float(match.group(1)) if match else None


def _waits(answer: Transcript) -> int | Reason:
    """Count the Retry-After of a 429; that it is not there is lawful (RFC 6585 section 4)."""
    if not answer.headers and answer.exchange.origin.is_transcribed:
        return Reason.RECORDER
    return Reason.OTHER_BRANCH if _retry_after(answer) is None else 1


@check(
    "errors.retry_after.value",
    level=SHOULD,
    over=limits,
    of_any_status=True,
    examines=_waits,
    cites=("RFC 9110 section 10.2.3", "HDR-05"),
)
def retry_after_value(answer: Transcript) -> Iterator[Finding]:
    """Retry-After of a 429 is a number of seconds to wait, or a date.

    Breaks: clients ignore what they cannot read, and come back within a second or not at all.
    Fix: send whole seconds from now: neither milliseconds nor a Unix time.
    """
    value = _retry_after(answer) or ""
    seconds = _seconds(value)
    if seconds is None and not _DATE.fullmatch(value.strip()):
        yield Finding(value[:80] or "an empty value", "whole seconds, or a date", at="Retry-After")
    elif seconds is not None and seconds > LONGEST_WAIT:
        yield Finding(f"{value.strip()} seconds", f"at most {LONGEST_WAIT} seconds", at="Retry-After")


@check(
    "errors.code.quota",
    level=SHOULD,
    over=limits,
    of_any_status=True,
    examines=lambda answer: 1 if _object(answer) else Reason.OTHER_BRANCH,
    needs="errors.body.json",
    cites=("OpenAI API reference", "ERR-12"),
)
def code_quota(answer: Transcript) -> Iterator[Finding]:
    """A 429 that says when to try again does not say insufficient_quota.

    Breaks: agents take insufficient_quota for an account without money and give up, where seconds of waiting help.
    Fix: send code rate_limit_exceeded with a limit that passes, and insufficient_quota without Retry-After.
    """
    seconds = _seconds(_retry_after(answer))
    for name in ("code", "type"):
        if _object(answer).get(name) == "insufficient_quota" and seconds is not None and seconds <= SHORT_WAIT:
            want = f"rate_limit_exceeded, as Retry-After says {seconds:g} seconds"
            yield answer.finding(Where(0, ("error", name)), want)
