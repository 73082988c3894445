"""Faults of the status: errors under 200, refusals, outages, redirects, and no status line at all."""

from __future__ import annotations

from dataclasses import replace

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import CONTENT, OF_A_LIMIT, OF_AN_ERROR
from chatconform.reference.faults.fault import fault

_ERROR = b'{"error":{"message":"Not today.","type":"server_error","param":null,"code":null}}'


@fault("http.status.ok_error", of="answer", fails=("http.status.error",), unproven={"http.status.error": CONTENT})
def error_under_200(exchange: Exchange) -> Exchange:
    """An error object comes under status 200."""
    return rewrite.with_body(exchange, _ERROR)


@fault(
    "http.status.ok_error_beside",
    of="answer",
    fails=("http.status.error",),
    unproven={"http.status.error": CONTENT},
)
def error_beside_choices(exchange: Exchange) -> Exchange:
    """An error object stands beside the choices under status 200."""
    return rewrite.member(exchange, 0, ("error",), {"message": "The model broke off.", "code": 502})


@fault(
    "http.status.ok_error_within",
    of="answer",
    fails=("http.status.error",),
    unproven={"http.status.error": CONTENT},
)
def error_within_choice(exchange: Exchange) -> Exchange:
    """An error stands in the choice of an answer under status 200."""
    return rewrite.member(exchange, 0, ("choices", 0, "error"), {"message": "The model broke off.", "code": 502})


@fault("http.status.ok_error_flat", of="answer", fails=("http.status.error",), unproven={"http.status.error": CONTENT})
def error_flat_under_200(exchange: Exchange) -> Exchange:
    """A flat error, which no member names, comes under status 200."""
    return rewrite.with_body(exchange, b'{"object":"error","message":"broke off","type":"x","code":40303}')


@fault(
    "http.status.rate_limited",
    of="stream.tools",
    passes=OF_A_LIMIT,
    unproven={"rate-limited": ("*",)},
    appears=OF_A_LIMIT,
)
def rate_limited(exchange: Exchange) -> Exchange:
    """A typed 429 comes in place of the answer."""
    limited = rewrite.with_header(exchange, "Retry-After", "20")
    return rewrite.with_status(rewrite.with_body(limited, _ERROR), 429)


@fault(
    "http.status.server_error",
    of="stream.usage",
    passes=OF_AN_ERROR,
    unproven={"status 500": ("*",)},
    appears=OF_AN_ERROR,
)
def server_error(exchange: Exchange) -> Exchange:
    """A typed 500 comes in place of the answer."""
    return rewrite.with_status(rewrite.with_body(exchange, _ERROR), 500)


@fault("http.status.refused", of="tooken.answer", passes=OF_AN_ERROR, refused=("*",), appears=OF_AN_ERROR)
def refused(exchange: Exchange) -> Exchange:
    """A typed 400 refuses the request, which is lawful."""
    return rewrite.with_status(rewrite.with_body(exchange, _ERROR), 400)


@fault("http.status.redirect", of="stream.usage", unproven={"status 307": ("*",)})
def redirected(exchange: Exchange) -> Exchange:
    """A redirect comes in place of the answer."""
    return rewrite.with_status(rewrite.with_body(exchange, b""), 307)


@fault("http.status.unreachable", of="xmsmartlink.stream", unproven={"network": ("*",)})
def unreachable(exchange: Exchange) -> Exchange:
    """Nothing listens at the address: there is no status line at all."""
    return replace(exchange, response=None, end="unreachable:refused")


@fault("http.status.unreachable_models", of="models", unproven={"network": ("*",)})
def unreachable_models(exchange: Exchange) -> Exchange:
    """The name of the host is not known."""
    return replace(exchange, response=None, end="unreachable:dns")


@fault("http.status.over_budget", of="tooken.answer", unproven={"budget": ("*",)})
def over_budget(exchange: Exchange) -> Exchange:
    """The suite's own ceiling ends the exchange before the status line."""
    return replace(exchange, response=None, end="limit:headers")
