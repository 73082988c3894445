"""When the next request may go, whether there is budget for it, and whether an answer is asked for again.

Nothing here waits or looks at a clock: moments are seconds of a monotonic clock that the caller hands in.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from chatconform.model import Response
from chatconform.wire import media, strict_json

MOST_RETRIES = 2
"""How often one request is sent again."""
LONGEST_WAIT_S = 30.0
"""A Retry-After beyond this is not waited for: the request is not sent again."""
_MINUTE_S = 60.0
_FIRST_WAIT_S = 1.0
_RETRIED = (429, 503)
_QUOTA_GONE = "insufficient_quota"
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(slots=True)
class Budget:
    """What is left of the ceilings on requests, on output tokens, on retries (which have some of their own), on bytes.

    `answer_bytes` is taken when an answer has come; where none is left nothing more is sent, nor read at length.
    """

    requests: int
    output_tokens: int
    retries: int = 0
    answer_bytes: float = math.inf

    def debit(self, output_tokens: int) -> str | None:
        """Take one request and its tokens; return the ceiling's name where it is not to be had, and take nothing."""
        if self.requests < 1:
            return "requests"
        if self.output_tokens < output_tokens:
            return "output_tokens"
        if self.answer_bytes <= 0:
            return "answer_bytes"
        self.requests -= 1
        self.output_tokens -= output_tokens
        return None

    def debit_retry(self) -> bool:
        """Take one retry, or a request where none is left; return whether there was one. Its tokens are paid for."""
        if self.retries:
            self.retries -= 1
            return True
        return self.debit(0) is None


class Pace:
    """Spreads requests so that no minute holds more than `per_minute`, and none goes while a hold lasts."""

    def __init__(self, per_minute: float) -> None:
        self._sent: deque[float] = deque(maxlen=max(1, math.floor(per_minute)))
        self._held_until = -math.inf

    def wait(self, now: float) -> float:
        """Return how many seconds the next request has to wait; where it is 0 the request counts as sent now."""
        full = len(self._sent) == self._sent.maxlen
        free_at = max(self._held_until, self._sent[0] + _MINUTE_S if full else now)
        if free_at <= now:
            self._sent.append(now)
        return max(0.0, free_at - now)

    def is_held(self, now: float) -> bool:
        """Whether a hold lasts."""
        return self._held_until > now

    def hold(self, until: float) -> None:
        """Let nothing go before a moment."""
        self._held_until = max(self._held_until, until)


def retry_after(response: Response | None, retries: int, now: datetime) -> float | None:
    """Return in how many seconds a request is sent again that was so answered; None: it is not.

    `retries` counts how often it was sent again already. Only 429 and 503 are retried (RFC 6585 section 4, RFC 9110
    section 15.6.4), and not where the quota is gone. Without a Retry-After that can be read the waits are 1 and 2 s.
    """
    if response is None or response.status not in _RETRIED or retries >= MOST_RETRIES or quota_is_gone(response):
        return None
    asked = _retry_after(media.header(response.headers, "Retry-After"), now)
    seconds = _FIRST_WAIT_S * 2**retries if asked is None else asked
    return seconds if seconds <= LONGEST_WAIT_S else None


def quota_is_gone(response: Response) -> bool:
    """Whether an error says that no waiting helps: the account's quota is used up."""
    value = strict_json.parse(response.body).object
    error = value.get("error") if value else None
    return isinstance(error, dict) and _QUOTA_GONE in (error.get("code"), error.get("type"))


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After (RFC 9110 section 10.2.3): seconds, or a date; None where it is neither."""
    if value is None:
        return None
    if _SECONDS.fullmatch(value.strip()):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
