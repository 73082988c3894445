"""Faults of error answers."""

from __future__ import annotations

from dataclasses import replace

from chatconform.model import Exchange, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import OF_AN_ANSWER
from chatconform.reference.faults.fault import fault

_UNREAD = {
    "errors.body.json": (
        "errors.error.*",
        "errors.object.nonempty",
        "errors.message.*",
        "errors.type.*",
        "errors.param.*",
        "errors.code.*",
    )
}
_INSIDE = ("errors.object.nonempty", "errors.message.*", "errors.type.*", "errors.param.*", "errors.code.*")


def _sent(exchange: Exchange, body: JsonValue) -> Exchange:
    return rewrite.with_body(exchange, rewrite.as_json(body))


@fault(
    "errors.body.html",
    of="error",
    fails=("errors.body.json",),
    unproven={"status 400": OF_AN_ANSWER, **_UNREAD},
)
def html(exchange: Exchange) -> Exchange:
    """The error is a page of markup."""
    return rewrite.with_body(exchange, b"<h1>400 Bad Request</h1>")


@fault(
    "errors.body.empty",
    of="error",
    fails=("errors.body.json",),
    unproven={"status 400": OF_AN_ANSWER, **_UNREAD},
)
def empty(exchange: Exchange) -> Exchange:
    """The error has an empty body."""
    return rewrite.with_body(exchange, b"")


@fault(
    "errors.body.array",
    of="error",
    fails=("errors.body.json",),
    unproven={"status 400": OF_AN_ANSWER, **_UNREAD},
)
def array(exchange: Exchange) -> Exchange:
    """The error object stands within a JSON array."""
    return rewrite.with_body(exchange, b"[" + rewrite.body_of(exchange) + b"]")


@fault(
    "errors.body.limit",
    of="error",
    unproven={"status 400": OF_AN_ANSWER, "budget": ("errors.body.json",), **_UNREAD},
)
def limit(exchange: Exchange) -> Exchange:
    """The error's body is larger than the suite's own ceiling, which cuts it."""
    return replace(rewrite.with_body(exchange, rewrite.body_of(exchange)[:-2]), end="limit:body")


@fault("errors.error.string", of="error", fails=("errors.error.type",), other_branch=_INSIDE)
def string(exchange: Exchange) -> Exchange:
    """error is a string."""
    return _sent(exchange, {"error": "no such key"})


@fault(
    "errors.error.detail",
    of="error",
    fails=("errors.error.present",),
    other_branch=("errors.error.type", *_INSIDE),
    unproven={"status 400": OF_AN_ANSWER},
)
def detail(exchange: Exchange) -> Exchange:
    """The error's text stands in detail, and there is no error member."""
    return _sent(exchange, {"detail": "Not authenticated"})


@fault(
    "errors.error.flat",
    of="error",
    fails=("errors.error.present",),
    other_branch=("errors.error.type", *_INSIDE),
    unproven={"status 400": OF_AN_ANSWER},
)
def flat(exchange: Exchange) -> Exchange:
    """The members of the error stand at the top, without an error object around them."""
    return _sent(exchange, {"object": "error", "message": "no such key", "type": "x", "param": None, "code": 401})


@fault(
    "errors.error.envelope",
    of="error",
    fails=("errors.error.present",),
    other_branch=("errors.error.type", *_INSIDE),
    unproven={"status 400": OF_AN_ANSWER},
)
def envelope(exchange: Exchange) -> Exchange:
    """The error is an envelope of its vendor's own."""
    return _sent(exchange, {"code": 10401, "msg": "no such key"})


@fault("errors.code.number", of="error", fails=("errors.code.type",))
def code_number(exchange: Exchange) -> Exchange:
    """code is a number."""
    return rewrite.member(exchange, 0, ("error", "code"), 401)


@fault("errors.param.missing", of="error", fails=("errors.param.present",), other_branch=("errors.param.type",))
def param_missing(exchange: Exchange) -> Exchange:
    """The error object has no param."""
    return rewrite.no_member(exchange, 0, ("error", "param"))


@fault("errors.message.array", of="error", fails=("errors.message.type",))
def message_array(exchange: Exchange) -> Exchange:
    """message is an array of texts."""
    return rewrite.member(exchange, 0, ("error", "message"), ["no such key"])
