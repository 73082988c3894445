"""Tokens as the reference endpoint counts them: pieces of words, signs, and the white space before them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, cycle, islice
from typing import Final

from chatconform.model import JsonObject, JsonValue

_PIECE: Final = re.compile(r"\s*\w{1,6}|\s*[^\w\s]|\s+")
_PER_MESSAGE, _PER_PROMPT, _PER_IMAGE, _PER_RECORDING = 4, 3, 85, 50
"""Tokens that count beside the text: for each message, once, for each picture and for each sound."""


def split(text: str) -> tuple[str, ...]:
    """Return the tokens of a text. Joined they are the text, character by character."""
    return tuple(_PIECE.findall(text))


@lru_cache(maxsize=128)
def count(text: str) -> int:
    """Return how many tokens a text has. Prompts come again and again, and one of a plan fills a context window."""
    return len(split(text))


def cut(text: str, most: int) -> str:
    """Return as much of a text as a number of tokens holds."""
    return "".join(split(text)[: max(most, 0)])


def exactly(text: str, wanted: int) -> str:
    """Return a text of just so many tokens, which repeats another as often as it takes."""
    return cut("".join(islice(cycle((text, " ")), 2 * wanted)), wanted)


def of_prompt(body: JsonObject) -> int:
    """Return how many tokens a request's prompt has: messages, tools, and the schema that the answer is to keep."""
    messages = body.get("messages")
    listed = messages if isinstance(messages, list) else []
    described = (body[name] for name in ("tools", "functions", "response_format") if body.get(name))
    return _PER_PROMPT + sum(map(_of_message, listed)) + sum(count(json.dumps(each)) for each in described)


def _of_message(message: JsonValue) -> int:
    if not isinstance(message, dict):
        return _PER_MESSAGE
    members = ("name", "tool_calls", "function_call", "reasoning_content", "refusal")
    beside = (count(json.dumps(message[name])) for name in members if message.get(name))
    return _PER_MESSAGE + sum(chain(_of_content(message.get("content")), beside))


def _of_content(content: JsonValue) -> Iterator[int]:
    if isinstance(content, str):
        yield count(content)
    for part in content if isinstance(content, list) else []:
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get("text") if isinstance(part, dict) else None
        yield count(text) if isinstance(text, str) else _PER_IMAGE if kind == "image_url" else _PER_RECORDING
