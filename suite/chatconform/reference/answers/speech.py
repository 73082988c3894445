"""What the reference endpoint says where it says something in words: what it was asked to repeat or count, or prose."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from chatconform.model import JsonObject, JsonValue

_REPEAT: Final = re.compile(r"\b(?:repeat|echo|copy)\b[^:\n]{0,80}:\s*(?=\S)", re.IGNORECASE)
_COUNT: Final = re.compile(r"\bcount\b[^.\n]{0,80}?\bfrom (\d{1,4}) (?:up )?to (\d{1,4})\b", re.IGNORECASE)
_LINES: Final = re.compile(r"\b(?:a|each|one|own|per) (?:new )?line\b|\bline by line\b|\blines\b", re.IGNORECASE)
_NAME: Final = re.compile(r"(?<![.!?:]\s)(?<!^)(?<!\w)(?:[A-ZÀ-Þ]|[^\x00-\u024f\W])\w+")
_QUOTED: Final = re.compile(r"[\"'`“‘«]([A-Za-z_]\w{0,40})[\"'`”’»]")
_MEMBERS: Final = re.compile(r"\b(?:members|keys|fields)(?: named)? ((?:\w+, ){0,14}\w+(?:,? and \w+)?)", re.IGNORECASE)
_PROSE: Final = (
    "The lake at Zürich is calm in the morning, and the first boats leave before seven.",
    "In 東京 the trains are so punctual that people set their watches by them.",
    "Reykjavík has more cafés than one would guess from its size.",
    "A good loaf needs flour, water, salt, and above all time.",
    "Old maps show rivers where streets run today, and some of them still flow below.",
    "Whoever walks uphill slowly sees more, and arrives at almost the same hour.",
    "The museum in Kraków keeps its oldest clock running, though it loses a minute a day.",
    "Rain came late this year; the chestnuts turned brown in August already 🍂.",
)
_SENTENCES: Final = 4
_READ: Final = 4096
"""Characters of a prompt in which a wish is looked for."""
_OTHERWISE: Final = ("Zürich", "東京")
_FIRST_WORDS: Final = frozenset(("JSON", "Reply", "Answer", "Use", "Call", "Name", "Return", "Give", "Please"))
"""Words with a capital that name nothing."""


def messages(body: JsonObject) -> list[JsonObject]:
    """Return the messages of a request."""
    listed = body.get("messages")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def text_of(content: JsonValue) -> str:
    """Return the text of a message's content, given as a string or as parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def prompt(body: JsonObject) -> str:
    """Return the text of the last message of a user; of the last message where no user spoke."""
    found = messages(body)
    spoken = [each for each in found if each.get("role") == "user"] or found
    return text_of(spoken[-1].get("content")) if spoken else ""


def said(body: JsonObject, choice: int) -> str:
    """Return the text of a choice: the result of a tool, what is to be repeated or counted, or prose."""
    results = list(_results(body))
    if results:
        return f"The answer of the tool: {' / '.join(results)}. That is all that it says."
    asked = prompt(body)
    if repeated := _REPEAT.search(asked, 0, _READ):
        return asked[repeated.end() :].rstrip()
    if counted := _COUNT.search(asked, 0, _READ):
        return _counted(int(counted[1]), int(counted[2]), "\n" if _LINES.search(asked) else ", ")
    return _prose(asked, choice)


def _results(body: JsonObject) -> Iterator[str]:
    """Yield the results of tools with which the conversation ends."""
    last: list[str] = []
    for message in reversed(messages(body)):
        if message.get("role") not in ("tool", "function"):
            break
        last.append(text_of(message.get("content")))
    yield from reversed(last)


def ends_with_result(body: JsonObject) -> bool:
    """Whether the last message is the result of a tool."""
    found = messages(body)
    return bool(found) and found[-1].get("role") in ("tool", "function")


def _counted(first: int, last: int, between: str) -> str:
    step = 1 if last >= first else -1
    return between.join(map(str, range(first, last + step, step)))


def _prose(asked: str, choice: int) -> str:
    start = zlib.crc32(asked.encode()) + choice
    return " ".join(_PROSE[(start + number) % len(_PROSE)] for number in range(_SENTENCES))


def names(asked: str) -> tuple[str, ...]:
    """Return the words of a prompt that look like names, in their order and once each."""
    found = dict.fromkeys(_NAME.findall(asked[:_READ]))
    return tuple(each for each in found if each not in _FIRST_WORDS)[:8] or _OTHERWISE


def wanted_members(asked: str) -> tuple[str, ...]:
    """Return the names of the members that a prompt wants in a JSON object; `answer` without any."""
    listed = _MEMBERS.search(asked, 0, _READ)
    named = re.split(r",? and |, ", listed[1]) if listed else []
    return tuple(dict.fromkeys([*named, *_QUOTED.findall(asked[:_READ])]))[:16] or ("answer",)
