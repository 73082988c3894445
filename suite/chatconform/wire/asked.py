"""What was asked: the facts of a recorded request that decide what is right in its answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from chatconform.model import JsonObject, JsonValue, Request
from chatconform.wire import strict_json
from chatconform.wire.media import header

WRONG_KEY: Final = "chatconform-wrong-key-0000000000"
"""The key that a live run sends where it means to send a wrong one; nobody issued it, and it is recorded as it is."""


class Credential(StrEnum):
    """Which key a request went with; the right one is overwritten in recordings."""

    RIGHT = "right"
    WRONG = "wrong"
    ABSENT = "absent"


class Target(StrEnum):
    """What a request is for."""

    ANSWER = "answer"
    STREAM = "stream"
    MODELS = "models"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Asked:
    """The request, read once. `known` is False where the recording does not hold the request's body."""

    target: Target
    known: bool
    body: JsonObject
    model: str | None = None
    include_usage: bool = False
    n: int = 1
    has_tools: bool = False
    tool_choice: str | None = None
    logprobs: bool = False
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    trace_id: str | None = None
    has_slash: bool = False
    """Whether there is a slash at the end of the path."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether the list of models is asked for under a path where it need not be: the one with a slash."""
        return self.target is Target.MODELS and self.has_slash

    @property
    def cap(self) -> int | None:
        """The ceiling on output tokens; max_completion_tokens is the newer name, so it wins where both are sent."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is asked for its usage, by stream_options or by OpenRouter's own `usage` member.

        An include_usage of a wrong type, where it is not refused, may be taken for true.
        """
        mistyped = not isinstance(_member(self.body.get("stream_options"), "include_usage"), bool | None)
        return self.include_usage or mistyped or _member(self.body.get("usage"), "include") is True

    @property
    def has_functions(self) -> bool:
        """Whether the request lets the model call a function in the way that tools replaced."""
        return bool(self.body.get("functions"))

    @property
    def json_format(self) -> str | None:
        """Return json_object or json_schema, where the answer is to be JSON."""
        wanted = _member(self.body.get("response_format"), "type")
        return wanted if wanted in ("json_object", "json_schema") else None

    @property
    def json_schema(self) -> JsonObject | None:
        """The schema that the answer is to keep."""
        if self.json_format != "json_schema":
            return None
        schema = _member(_member(self.body.get("response_format"), "json_schema"), "schema")
        return schema if isinstance(schema, dict) else None

    @property
    def is_strict(self) -> bool:
        """Whether the schema is to be kept to the letter."""
        return _member(_member(self.body.get("response_format"), "json_schema"), "strict") is True

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings before which the text is to end."""
        wanted = self.body.get("stop")
        if wanted is None:
            return ()
        each = wanted if isinstance(wanted, list) else [wanted]
        return tuple(stop for stop in each if isinstance(stop, str) and stop)

    @property
    def top_logprobs(self) -> int | None:
        """How many of the likeliest tokens are asked for at each position."""
        return _count(self.body.get("top_logprobs"))

    @property
    def goes_on(self) -> bool:
        """Whether the last message is an assistant's, which some providers take for the beginning of their answer."""
        messages = self.body.get("messages")
        return isinstance(messages, list) and bool(messages) and _member(messages[-1], "role") == "assistant"

    @property
    def is_malformed(self) -> bool:
        """Whether the request is no JSON object, or has no messages."""
        messages = self.body.get("messages")
        return self.known and not (isinstance(messages, list) and messages)

    @property
    def wants_raw_thoughts(self) -> bool:
        """Whether reasoning is asked for within the text, by one of the members that providers have for that."""
        return (
            self.body.get("reasoning_format") in ("raw", "none")
            or self.body.get("reasoning_split") is False
            or self.body.get("separate_reasoning") is False
        )

    def mentions(self, text: str) -> bool:
        """Whether a text stands in any string of the request."""
        return any(text in each for each in strict_json.strings(self.body))

    def says(self, text: str) -> bool:
        """Whether a text stands in the messages of the request."""
        return any(text in each for each in strict_json.strings(self.body.get("messages")))


def read(request: Request, *, looks_streamed: bool) -> Asked:
    """Return what a request asks. Where it does not say so itself, the answer's looks say whether it was streamed."""
    body = _body(request)
    known = request.body is not None
    streamed = body.get("stream") is True or (looks_streamed and not says_whether_streamed(request))
    options = body.get("stream_options")
    return Asked(
        target=_target(request, streamed=streamed),
        known=known,
        body=body,
        model=_text(body.get("model")),
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        n=_count(body.get("n")) or 1,
        has_tools=bool(body.get("tools")) or bool(body.get("functions")),
        tool_choice=_tool_choice(body.get("tool_choice")),
        logprobs=body.get("logprobs") is True,
        max_tokens=_count(body.get("max_tokens")),
        max_completion_tokens=_count(body.get("max_completion_tokens")),
        trace_id=header(request.headers, "X-Trace-ID"),
        has_slash=_path(request).endswith("/"),
    )


def says_whether_streamed(request: Request) -> bool:
    """Whether a request's body is known, and its `stream` is of the right type: of another one anything may be made."""
    return request.body is not None and isinstance(_body(request).get("stream"), bool | None)


def _body(request: Request) -> JsonObject:
    body = strict_json.parse(request.body).value if isinstance(request.body, bytes) else request.body
    return body if isinstance(body, dict) else {}


def _target(request: Request, *, streamed: bool) -> Target:
    if request.method == "GET":
        return Target.MODELS if _path(request).rstrip("/").endswith("/models") else Target.OTHER
    return Target.STREAM if streamed else Target.ANSWER


def _path(request: Request) -> str:
    return urlsplit(request.url).path if request.url else ""


def _tool_choice(value: JsonValue) -> str | None:
    """Return none, auto or required, `named` for one tool, `allowed_tools` for a set; None where it is absent."""
    if isinstance(value, dict):
        return "allowed_tools" if value.get("type") == "allowed_tools" else "named"
    return _text(value)


def _member(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def credential(request: Request) -> Credential:
    """Return which key a request went with, by its Authorization (RFC 6750 section 2.1)."""
    value = header(request.headers, "Authorization")
    if value is None:
        return Credential.ABSENT
    return Credential.WRONG if WRONG_KEY in value else Credential.RIGHT
