"""Keys: accepted where they are wrong or absent, refused with another status, and echoed."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from urllib.parse import quote

from chatconform.model import Exchange, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.misbehaviour.misbehaviour import Turn, misbehaviour
from chatconform.reference.received import MODELS, Received

_ANY_KEY = "any-key-that-is-let-in"


def _let_in(turn: Turn) -> Received:
    return turn.received.with_header("Authorization", f"Bearer {turn.house.door.key or _ANY_KEY}")


def _is_wrong(turn: Turn) -> bool:
    return turn.received.key is not None and turn.refusal is not None and turn.refusal.status == 401


@misbehaviour("auth.missing.accepted")
def missing_accepted(turn: Turn) -> Exchange:
    """A request without a key is answered."""
    return turn.answer(_let_in(turn)) if turn.received.key is None else turn.answer()


@misbehaviour("auth.models.open")
def models_open(turn: Turn) -> Exchange:
    """The list of models is sent to whoever has no key, or a wrong one."""
    return turn.answer(_let_in(turn)) if turn.received.path.startswith(MODELS) else turn.answer()


@misbehaviour("auth.wrong.accepted")
def wrong_accepted(turn: Turn) -> Exchange:
    """A request with a wrong key is answered."""
    return turn.answer(_let_in(turn)) if _is_wrong(turn) else turn.answer()


@misbehaviour("auth.wrong.forbidden")
def wrong_forbidden(turn: Turn) -> Exchange:
    """A wrong key is refused with 403."""
    return turn.refuse(403, "The key is not known.") if _is_wrong(turn) else turn.answer()


@misbehaviour("auth.wrong.not_found")
def wrong_not_found(turn: Turn) -> Exchange:
    """A wrong key is refused with 404, as if nothing were there."""
    return turn.refuse(404, "There is nothing at this path.") if _is_wrong(turn) else turn.answer()


@misbehaviour("auth.wrong.error")
def wrong_error(turn: Turn) -> Exchange:
    """A wrong key is answered with 500."""
    return turn.refuse(500, "The lookup of the key broke off.") if _is_wrong(turn) else turn.answer()


@misbehaviour("auth.challenge.missing")
def challenge_missing(turn: Turn) -> Exchange:
    """A 401 has no WWW-Authenticate."""
    return rewrite.with_header(turn.answer(), "WWW-Authenticate", None)


def _key(turn: Turn) -> str:
    return turn.received.key or ""


def _told(turn: Turn, told: str) -> Exchange:
    """Return an answer whose first text is another one: a message, a delta, or the message of an error."""
    exchange = turn.answer()
    for number, each in enumerate(rewrite.messages(exchange)):
        for path in (("choices", 0, "message", "content"), ("choices", 0, "delta", "content"), ("error", "message")):
            if _text_at(each, path):
                return rewrite.member(exchange, number, path, told)
    return exchange


def _text_at(value: JsonValue, path: rewrite.Path) -> bool:
    try:
        found = rewrite.value_at(value, path)
    except (KeyError, IndexError, TypeError):
        return False
    return isinstance(found, str) and bool(found)


def _echo(identifier: str, says: str, spelt: Callable[[str], str]) -> None:
    """Register a misbehaviour that spells the key in the text of an answer."""

    def told(turn: Turn) -> Exchange:
        return _told(turn, f"Your key is {spelt(_key(turn))}.")

    told.__doc__ = says
    misbehaviour(identifier)(told)


_echo("echo.text", "The text of an answer, or of an error, holds the key.", str)
_echo(
    "echo.base64", "The text of an answer holds the key in base64.", lambda key: base64.b64encode(key.encode()).decode()
)
_echo(
    "echo.base64_inside",
    "The text of an answer holds in base64 what the key is a part of.",
    lambda key: base64.b64encode(f"u:{key}".encode()).decode(),
)
_echo("echo.hex", "The text of an answer holds the key's bytes in hexadecimal.", lambda key: key.encode().hex())
_echo("echo.url", "The text of an answer holds the key as a URL spells it.", lambda key: quote(key, safe=""))
_echo(
    "echo.percent",
    "The text of an answer holds the key with every byte percent-encoded.",
    lambda key: "".join(f"%{byte:02X}" for byte in key.encode()),
)


@misbehaviour("echo.error")
def echo_error(turn: Turn) -> Exchange:
    """Every request is refused with a 400 whose message holds the key."""
    return turn.refuse(400, f"No quota is left for {_key(turn)}.")


@misbehaviour("echo.header")
def echo_header(turn: Turn) -> Exchange:
    """A header field of the answer holds the key."""
    return rewrite.with_header(turn.answer(), "X-Key", _key(turn))


@misbehaviour("echo.cookie")
def echo_cookie(turn: Turn) -> Exchange:
    """A cookie holds the key."""
    return rewrite.with_header(turn.answer(), "Set-Cookie", f"session={_key(turn)}; Path=/; HttpOnly")


@misbehaviour("echo.location")
def echo_location(turn: Turn) -> Exchange:
    """Every request is redirected to a URL that holds the key."""
    where = f"http://127.0.0.1:9/v1/chat/completions?key={quote(_key(turn), safe='')}"
    return turn.refuse(307, "The answer is elsewhere.", None, ("Location", where))


@misbehaviour("echo.model")
def echo_model(turn: Turn) -> Exchange:
    """model holds the key, in every chunk."""
    found = ({**each, "model": _key(turn)} if "model" in each else each for each in rewrite.messages(turn.answer()))
    return rewrite.with_messages(turn.answer(), found)


@misbehaviour("echo.arguments")
def echo_arguments(turn: Turn) -> Exchange:
    """The arguments of a tool call hold the key, in a stream within one delta."""
    exchange = turn.answer()
    told = json.dumps({"city": _key(turn)})
    for number, each in enumerate(rewrite.messages(exchange)):
        for holder in ("message", "delta"):
            path = ("choices", 0, holder, "tool_calls", 0, "function", "arguments")
            if _text_at(each, path) and _index_at(each, path[:-2]) == 0:
                exchange = rewrite.member(exchange, number, path, told)
                told = ""
    return exchange


def _index_at(value: JsonValue, path: rewrite.Path) -> JsonValue:
    """Return the number of a call's delta; 0 for the first call of a message."""
    call = rewrite.value_at(value, path)
    return call.get("index", 0) if isinstance(call, dict) else 0


@misbehaviour("echo.split")
def echo_split(turn: Turn) -> Exchange:
    """The key is split over the text of two events that follow each other."""
    exchange, path = turn.answer(), ("choices", 0, "delta", "content")
    middle = len(_key(turn)) // 2
    halves = iter((f" {_key(turn)[:middle]}", f"{_key(turn)[middle:]} "))
    for number, each in enumerate(rewrite.messages(exchange)):
        half = next(halves, None) if _text_at(each, path) else None
        exchange = exchange if half is None else rewrite.member(exchange, number, path, half)
    return exchange


@misbehaviour("echo.escaped")
def echo_escaped(turn: Turn) -> Exchange:
    """The text of an answer holds the key, with every character escaped as JSON allows."""
    mark = "KEY-STANDS-HERE"
    exchange = _told(turn, mark)
    escaped = "".join(f"\\u{ord(each):04x}" for each in _key(turn)).encode()
    return rewrite.with_body(exchange, rewrite.body_of(exchange).replace(mark.encode(), escaped))


@misbehaviour("echo.gzip")
def echo_gzip(turn: Turn) -> Exchange:
    """The text of an answer holds the key, and the body is coded with gzip, unasked."""
    exchange = _told(turn, f"Your key is {_key(turn)}.")
    coded = gzip.compress(rewrite.body_of(exchange), mtime=0)
    return rewrite.with_pieces(rewrite.with_header(exchange, "Content-Encoding", "gzip"), [coded])
