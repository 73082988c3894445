"""Limits, outages and redirects: answers that send the caller away."""

from __future__ import annotations

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.misbehaviour.misbehaviour import Turn, misbehaviour
from chatconform.reference.refusals import Refusal

_ELSEWHERE = "http://127.0.0.1:9"
"""Another origin: nothing listens at this port (discard, RFC 863)."""


def _limited(turn: Turn, code: str) -> Exchange:
    refusal = Refusal(429, "Too many requests.", "requests", None, code, (("Retry-After", "0"),))
    return turn.house.refused(turn.received, refusal)


@misbehaviour("limits.once")
def limited_once(turn: Turn) -> Exchange:
    """A request gets a 429 with Retry-After: 0 when it first comes, and its answer when it comes again."""
    return turn.answer() if turn.received.seen else _limited(turn, "rate_limit_exceeded")


@misbehaviour("limits.twice")
def limited_twice(turn: Turn) -> Exchange:
    """A request gets a 429 with Retry-After: 0 twice, and its answer when it comes the third time."""
    return turn.answer() if turn.received.seen > 1 else _limited(turn, "rate_limit_exceeded")


@misbehaviour("limits.forever")
def limited_forever(turn: Turn) -> Exchange:
    """Every request gets a 429 with Retry-After: 0."""
    return _limited(turn, "rate_limit_exceeded")


@misbehaviour("limits.quota")
def quota(turn: Turn) -> Exchange:
    """Every request gets a 429 that says insufficient_quota: the account has no money left."""
    refusal = Refusal(429, "No quota is left.", "insufficient_quota", None, "insufficient_quota")
    return turn.house.refused(turn.received, refusal)


@misbehaviour("outage.once")
def outage_once(turn: Turn) -> Exchange:
    """A request gets a 503 when it first comes, and its answer when it comes again."""
    return turn.answer() if turn.received.seen else turn.refuse(503, "No worker is free.", None, ("Retry-After", "0"))


@misbehaviour("outage.forever")
def outage_forever(turn: Turn) -> Exchange:
    """Every request gets a 503."""
    return turn.refuse(503, "No worker is free.", None, ("Retry-After", "0"))


def _redirected(turn: Turn, status: int) -> Exchange:
    where = f"{_ELSEWHERE}{turn.received.path}"
    return rewrite.with_body(turn.refuse(status, "Elsewhere.", None, ("Location", where)), b"")


@misbehaviour("redirect.permanent")
def redirect_permanent(turn: Turn) -> Exchange:
    """Every request is redirected to another origin with 301."""
    return _redirected(turn, 301)


@misbehaviour("redirect.temporary")
def redirect_temporary(turn: Turn) -> Exchange:
    """Every request is redirected to another origin with 307."""
    return _redirected(turn, 307)
