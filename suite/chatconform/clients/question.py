"""What a witness asks for, so that it reads an answer as the answer was asked for."""

from __future__ import annotations

from typing import Final

from chatconform.model import JsonObject, JsonValue
from chatconform.wire.asked import Asked, Target

STREAMS_ALONE: Final = "openai-python-stream"
READS_MODELS: Final = "openai-python"
_MESSAGES: Final[list[JsonValue]] = [{"role": "user", "content": "Hello"}]
_DECIDING: Final[dict[str, type]] = {
    "n": int,
    "stream_options": dict,
    "tools": list,
    "tool_choice": str,
    "functions": list,
    "response_format": dict,
    "logprobs": bool,
}
"""The members that a client may read an answer by, and the JSON type that it takes. The endpoint looks at none."""


def asks(way: str, asked: Asked) -> bool:
    """Whether a client can be asked to read the answer to what was asked."""
    if asked.target is Target.MODELS:
        return way == READS_MODELS
    return asked.target is Target.STREAM or (asked.target is Target.ANSWER and way != STREAMS_ALONE)


def question(asked: Asked) -> JsonObject | None:
    """Return the chat completion to ask for, None for the list of models.

    It is the recorded request without what no client reads an answer by, so that a request that is wrong on purpose is
    not refused by the client itself.
    """
    if asked.target is Target.MODELS:
        return None
    body = asked.body
    found = {name: body[name] for name, kind in _DECIDING.items() if type(body.get(name)) is kind and body[name]}
    if asked.target is not Target.STREAM:
        found.pop("stream_options", None)
    told: JsonObject = {"model": asked.model or "model", "messages": _MESSAGES, **found}
    return {**told, "stream": True} if asked.target is Target.STREAM else told
