"""An answer told as a good exchange is told: faults rewrite by the number of a chunk, by an id, within a coding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.wire import media

_CALL_ID: Final = re.compile(rb'"id":"(call_\w+)"')


def reshaped(exchange: Exchange, good: Exchange) -> Exchange:
    """Return an answer in as many pieces of text, under such ids of calls, and in such a coding as a good exchange."""
    told = exchange
    if rewrite.is_stream(exchange) and rewrite.is_stream(good) and is_well_framed(exchange):
        most = max(_texts(rewrite.messages(good)).values(), default=0)
        told = rewrite.with_messages(exchange, _gathered(rewrite.messages(exchange), most)) if most else exchange
    told = _renamed(told, _ids(told), _ids(good))
    coded = media.codings(rewrite.response_of(good).headers)
    if not coded or media.codings(rewrite.response_of(told).headers):
        return told
    return rewrite.with_body(rewrite.with_header(told, "Content-Encoding", coded[0]), rewrite.body_of(told))


def is_well_framed(exchange: Exchange) -> bool:
    """Whether an answer is framed as we frame it, so that its JSON can be written anew without mending it."""
    try:
        anew = rewrite.with_messages(exchange, rewrite.messages(exchange))
    except (ValueError, AttributeError):
        return False
    return rewrite.body_of(anew) == rewrite.body_of(exchange)


def restored(changed: Exchange, exchange: Exchange, good: Exchange) -> Exchange:
    """Return a broken answer with its own ids of calls in the place of the good exchange's."""
    return _renamed(changed, _ids(good), _ids(exchange))


def _ids(exchange: Exchange) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(_CALL_ID.findall(rewrite.response_of(exchange).body)))


def _renamed(exchange: Exchange, before: Sequence[bytes], after: Sequence[bytes]) -> Exchange:
    """Return the exchange with ids replaced, the first by the first; without a change where none are there."""
    body = rewrite.response_of(exchange).body
    renamed = body
    for old, new in zip(before, after, strict=False):
        renamed = renamed.replace(b'"%b"' % old, b'"%b"' % new)
    return exchange if renamed == body else rewrite.with_body(exchange, renamed)


def _text(chunk: JsonObject) -> tuple[int, JsonObject] | None:
    """Return the number and the choice of a chunk that holds nothing but a piece of text."""
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    delta = choice.get("delta") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(delta, dict) or set(delta) != {"content"}:
        return None
    index = choice.get("index")
    return (index, choice) if isinstance(index, int) and delta["content"] else None


def _texts(chunks: Sequence[JsonObject]) -> dict[int, int]:
    """Return how many pieces of text each choice has."""
    found = [each[0] for each in map(_text, chunks) if each]
    return {index: found.count(index) for index in found}


def _gathered(chunks: Sequence[JsonObject], most: int) -> Iterator[JsonObject]:
    """Yield the chunks with the text of each choice in `most` pieces: what exceeds them is joined to the last."""
    counts, seen = _texts(chunks), dict.fromkeys(range(len(chunks)), 0)
    sizes = {index: max(1, count // most) for index, count in counts.items()}
    held: dict[int, list[JsonObject]] = {}
    for chunk in chunks:
        found = _text(chunk)
        if found is None:
            yield chunk
            continue
        index, _ = found
        seen[index] += 1
        held.setdefault(index, []).append(chunk)
        is_last = seen[index] == counts[index]
        begun = (seen[index] - 1) // sizes[index] + 1
        if is_last or (seen[index] % sizes[index] == 0 and begun < most):
            yield _joined(held.pop(index))


def _joined(chunks: Sequence[JsonObject]) -> JsonObject:
    """Return one chunk with the texts, and the log probabilities, of several."""
    choices = [each[1] for each in map(_text, chunks) if each]
    texts = (choice["delta"]["content"] for choice in choices)  # type: ignore[index,call-overload]
    choice: JsonObject = {**choices[0], "delta": {"content": "".join(map(str, texts))}}
    if choice.get("logprobs"):
        tokens: list[JsonValue] = [token for each in choices for token in _tokens(each)]
        choice["logprobs"] = {"content": tokens, "refusal": None}
    return {**chunks[0], "choices": [choice]}


def _tokens(choice: JsonObject) -> list[JsonValue]:
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return content if isinstance(content, list) else []
