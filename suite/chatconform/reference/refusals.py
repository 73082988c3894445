"""What the reference endpoint refuses, and how: OpenAI's statuses, and an error object with its four keys.

Parameters that no contract knows are ignored; so is what only an example of a document excludes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Kind
from chatconform.contracts.schema import Schema, Violation
from chatconform.model import OPENAI, Headers, JsonObject, JsonValue, Level
from chatconform.reference.answers import calls, speech, tokens
from chatconform.reference.received import CHAT, MODELS, Received
from chatconform.wire.asked import WRONG_KEY
from chatconform.wire.media import header, media_type

MAX_BODY: Final = 10 * 1024 * 1024
"""Bytes of a request's body; a longer one is refused with 413."""
_UNKNOWN: Final = re.compile(r"unknown|does[-_]not[-_]exist|no[-_]such|non-?existent|invalid", re.IGNORECASE)
_CODES: Final = {
    "required": "missing_required_parameter", "type": "invalid_type", "const": "invalid_value",
    "enum": "invalid_value", "minimum": "below_minimum", "maximum": "above_maximum",
    "minLength": "string_below_min_length", "maxLength": "string_above_max_length",
    "minItems": "empty_array", "maxItems": "array_above_max_length",
}  # fmt: skip
CONTEXT: Final = 131_072
"""Tokens of the context window; a longer prompt is refused."""
_PARTS: Final[Mapping[str, type]] = {
    "text": str, "image_url": dict, "input_audio": dict, "file": dict, "refusal": str,
}  # fmt: skip
"""The types of content parts, and the type of the member that bears the same name."""
_CHOICES: Final = ("none", "auto", "required")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer."""

    status: int
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: Headers = ()

    @property
    def body(self) -> JsonObject:
        """The error object."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


@dataclass(frozen=True, slots=True)
class Door:
    """What the endpoint lets in: the document besides OpenAI's contract, the right key, and names of models.

    Without a key any but the wrong one is right. Besides `models` any name is known that does not say it is unknown.
    """

    contract: str | None = None
    key: str | None = None
    models: Collection[str] = ()

    def refusal(self, received: Received) -> Refusal | None:
        """Return why a request is refused; None where it is not."""
        return (
            _unplaced(received)
            or self._unauthorized(received)
            or (self._unknown_model(received.path.removeprefix(f"{MODELS}/")) if _names_model(received) else None)
            or (self._unanswerable(received) if received.is_chat else None)
        )

    def _unauthorized(self, received: Received) -> Refusal | None:
        """Refuse a request without a key, or with a wrong one (RFC 9110 section 11.6.1)."""
        key = received.key
        if key is not None and key != WRONG_KEY and self.key in (None, key):
            return None
        challenge = (("WWW-Authenticate", 'Bearer realm="reference"'),)
        if key is None:
            return Refusal(401, "There is no key: send Authorization: Bearer and a key.", headers=challenge)
        return Refusal(401, "The key is not known.", code="invalid_api_key", headers=challenge)

    def _unanswerable(self, received: Received) -> Refusal | None:
        return (
            _unreadable(received)
            or _violated(received.body, self.contract)
            or next(_misshapen(received.body), None)
            or self._unknown_model(str(received.body["model"]), "model")
            or _uncallable(received.body)
            or _too_long(received.body)
        )

    def _unknown_model(self, name: str, param: str | None = None) -> Refusal | None:
        if name == "":
            return Refusal(400, "model is empty.", param=param, code="invalid_value")
        known = name in self.models or not _UNKNOWN.search(name)
        message = f"There is no model {name[:80]!r}."
        return None if known else Refusal(404, message, param=param, code="model_not_found")


def too_large() -> Refusal:
    """Refuse a body beyond `MAX_BODY` (RFC 9110 section 15.5.14)."""
    return Refusal(413, f"The body is longer than {MAX_BODY} bytes.", code="request_too_large")


def unreadable_head(status: int) -> Refusal:
    """Refuse what is no HTTP request, or has too long a header."""
    return Refusal(status, "This is no HTTP request that can be read.")


def _names_model(received: Received) -> bool:
    return received.path.startswith(f"{MODELS}/")


def _unplaced(received: Received) -> Refusal | None:
    """Refuse an unknown path, and a method that its path does not have (RFC 9110 section 15.5.6)."""
    allowed: tuple[str, ...]
    if received.path == CHAT:
        allowed = ("POST",)
    elif received.path == MODELS or _names_model(received):
        allowed = ("GET", "HEAD")
    else:
        return Refusal(404, "There is nothing at this path.", code="unknown_url")
    if received.request.method in allowed:
        return None
    message = f"This path has no method {received.request.method[:20]}."
    return Refusal(405, message, code="method_not_allowed", headers=(("Allow", ", ".join(allowed)),))


def _unreadable(received: Received) -> Refusal | None:
    """Refuse a body that is not labelled as JSON, is no JSON (RFC 8259), or is no JSON object."""
    label = header(received.request.headers, "Content-Type")
    if len(received.raw) > MAX_BODY:
        return too_large()
    found = media_type(label) if label is not None else None
    if label is not None and (found is None or not found.is_json):
        return Refusal(415, "The media type of the body is not application/json.", code="unsupported_media_type")
    document = received.document
    problem = document.fault.problem if document.fault else document.limit
    if problem or document.constants or document.lone_surrogates:
        return Refusal(
            400, f"The body is no JSON: {problem or 'a number or a character is none'}.", code="invalid_json"
        )
    return None if document.object is not None else Refusal(400, "The body is no JSON object.", code="invalid_type")


@cache
def _schema(name: str) -> Schema | None:
    return contracts.load(name).schemas.get(Kind.REQUEST)


def _violated(body: JsonObject, contract: str | None) -> Refusal | None:
    """Refuse what the request schemas exclude: OpenAI's, and that of the document."""
    violation = next(_violations(body, contract), None)
    if violation is None:
        return None
    param = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in violation.path).lstrip(".")
    message = f"{param or 'The body'}: {violation.want} is asked for."
    return Refusal(400, message, param=param or None, code=_CODES.get(violation.keyword, "invalid_value"))


def _violations(body: JsonObject, contract: str | None) -> Iterator[Violation]:
    openai = _schema(OPENAI)
    assert openai is not None
    yield from openai.examine(body).violations
    own = _schema(contract) if contract not in (None, OPENAI) else None
    if own is not None:
        asked: JsonObject = {name: value for name, value in body.items() if value is not None}
        yield from (each for each in own.examine(asked).violations if _binds(each))


def _binds(violation: Violation) -> bool:
    """Whether a document excludes a value: an example that shows a string excludes no content in parts."""
    clause = violation.clause
    return clause is not None and (clause.level is Level.MUST or violation.path[-1:] != ("content",))


def _misshapen(body: JsonObject) -> Iterator[Refusal]:
    """Refuse parts of content that are none: each has a type, and what is of that type in the member of its name."""
    for at, message in enumerate(speech.messages(body)):
        content = message.get("content")
        for number, part in enumerate(content if isinstance(content, list) else []):
            kind = part.get("type") if isinstance(part, dict) else None
            held = part.get(str(kind)) if isinstance(part, dict) else None
            if not isinstance(held, _PARTS.get(str(kind), ())):
                param = f"messages[{at}].content[{number}]"
                yield Refusal(400, f"{param} is no part of a message.", param=param, code="invalid_value")


def _uncallable(body: JsonObject) -> Refusal | None:
    """Refuse a tool_choice that is no choice, or that names a tool which the request does not declare."""
    choice: JsonValue = body.get("tool_choice")
    if isinstance(choice, str) and choice not in _CHOICES:
        message = f"tool_choice: one of {', '.join(_CHOICES)} is asked for, or an object."
        return Refusal(400, message, param="tool_choice", code="invalid_value")
    if choice is not None and body.get("functions") and not body.get("tools"):
        return Refusal(400, "tool_choice needs tools.", param="tool_choice", code="invalid_value")
    wish, name = calls.wish(body), "function_call" if choice is None else "tool_choice"
    if wish.has_to and wish.is_named and not wish.among and (body.get("tools") or body.get("functions")):
        return Refusal(400, f"{name} names what is not declared.", param=name, code="invalid_value")
    return None


def _too_long(body: JsonObject) -> Refusal | None:
    """Refuse a prompt that the context window does not hold."""
    length = tokens.of_prompt(body)
    message = f"The context window holds {CONTEXT} tokens, and the prompt has {length}."
    return Refusal(400, message, param="messages", code="context_length_exceeded") if length > CONTEXT else None
