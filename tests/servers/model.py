"""A model that is a script: one layer whose attention and feed-forward weights are zero.

What reaches the output is then the embedding of the last token alone, so that the two matrices at the ends are a table
of successors. Everything around it is real: tokenizer, sampler, grammar, parsers, streaming.
"""

from __future__ import annotations

import string
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from math import sqrt
from typing import Final

from servers.gguf import Kind, Tensor, Value, write
from servers.scripts import BEGIN, END, SCRIPTS, Piece, Script

SPACE: Final = "\N{LOWER ONE EIGHTH BLOCK}"
"""What SentencePiece writes for a space."""
CONTEXT: Final = 32_768
"""Tokens."""
HEAD: Final = 32
"""The width of the one attention head, which does nothing, and of the feed-forward layer, which does nothing either."""
PREFERRED: Final = END, *'}]"0:,{[' + string.ascii_letters + string.digits[1:] + "-._ \n"
"""What is said where a grammar forbids what the script has next, the first that it allows: it ends soon."""
STEP: Final = 30.0
"""By how much the logit of a preferred token is above the next one's: certain even at a temperature of 2."""
CERTAIN: Final = 6000.0
"""The logit of a successor."""


class TokenType(IntEnum):
    """What llama.cpp calls the type of a token."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens in the order of their numbers, each with its type, and which tokens may follow one."""

    tokens: Mapping[str | bytes, TokenType]
    successors: Mapping[str | bytes, frozenset[str | bytes]]


def vocabulary(scripts: Sequence[Script] = SCRIPTS) -> Vocabulary:
    """Return the tokens that scripts need. Raises `ValueError` where one piece would be followed by different ones."""
    followed: dict[Piece, frozenset[Piece]] = {}
    for script in scripts:
        for piece, after in _followed(script):
            if followed.setdefault(piece, after) != after:
                raise ValueError(f"{script.name}: {piece!r} is followed by something else in another script")
    controls = ("<s>", BEGIN, END, *(script.start for script in scripts))
    tokens: dict[str | bytes, TokenType] = {"<unk>": TokenType.UNKNOWN}
    tokens |= dict.fromkeys(controls, TokenType.CONTROL)
    tokens |= dict.fromkeys((spelled(bytes([byte])) for byte in range(256)), TokenType.BYTE)
    characters = [chr(number) for number in range(32, 127)] + ["\n"]
    for piece in (*characters, *followed):
        tokens.setdefault(spelled(piece), TokenType.NORMAL)
    successors = {spelled(piece): frozenset(map(spelled, after)) for piece, after in followed.items()}
    return Vocabulary(tokens, successors)


def _followed(script: Script) -> Iterator[tuple[Piece, frozenset[Piece]]]:
    """Yield each piece of a script, its start included, with what may follow it."""
    steps = [(script.start,), *script.steps, (script.then,)]
    for step, after in pairwise(steps):
        for piece in step:
            yield piece, frozenset(after)


def spelled(piece: Piece) -> str | bytes:
    """Return how the vocabulary spells a piece."""
    if isinstance(piece, bytes):
        return f"<0x{piece[0]:02X}>" if len(piece) == 1 else piece
    return piece.replace(" ", SPACE)


def gguf(template: str, scripts: Sequence[Script] = SCRIPTS) -> bytes:
    """Return the model as GGUF, with a chat template in Jinja."""
    words = vocabulary(scripts)
    width = _width(words)
    return write({**_architecture(width), **_tokenizer(words.tokens), **_chat(template)}, list(_tensors(words, width)))


def _width(words: Vocabulary) -> int:
    """Return the length of an embedding: one dimension a token that something follows, and one for all others."""
    return -(-(len(words.successors) + 1) // HEAD) * HEAD


def _architecture(width: int) -> dict[str, Value]:
    counts = {
        "context_length": CONTEXT,
        "embedding_length": width,
        "block_count": 1,
        "feed_forward_length": HEAD,
        "attention.head_count": 1,
        "attention.head_count_kv": 1,
        "attention.key_length": HEAD,
        "attention.value_length": HEAD,
        "rope.dimension_count": HEAD,
    }
    return {
        "general.architecture": Value(Kind.STRING, "llama"),
        "general.name": Value(Kind.STRING, "scripted"),
        **{f"llama.{name}": Value(Kind.UINT32, count) for name, count in counts.items()},
        "llama.attention.layer_norm_rms_epsilon": Value(Kind.FLOAT32, 1e-5),
    }


def _tokenizer(tokens: Mapping[str | bytes, TokenType]) -> dict[str, Value]:
    """Return the tokenizer's values: SentencePiece as llama.cpp reads it, without a space before the text."""
    numbers = {text: number for number, text in enumerate(tokens)}
    special = {"bos": "<s>", "eos": END, "unknown": "<unk>"}
    return {
        "tokenizer.ggml.model": Value(Kind.STRING, "llama"),
        "tokenizer.ggml.tokens": Value(Kind.STRING, list(tokens)),
        "tokenizer.ggml.scores": Value(Kind.FLOAT32, [-float(number) for number in numbers.values()]),
        "tokenizer.ggml.token_type": Value(Kind.INT32, list(tokens.values())),
        **{f"tokenizer.ggml.{name}_token_id": Value(Kind.UINT32, numbers[text]) for name, text in special.items()},
        **{f"tokenizer.ggml.{name}": Value(Kind.BOOL, False) for name in ("add_bos_token", "add_space_prefix")},
    }


def _chat(template: str) -> dict[str, Value]:
    return {"tokenizer.chat_template": Value(Kind.STRING, template)}


def _tensors(words: Vocabulary, width: int) -> Iterator[Tensor]:
    zeros, ones = (array("f", [value]) * width for value in (0.0, 1.0))
    count = len(words.tokens)
    yield Tensor("token_embd.weight", (width, count), _embeddings(words, width))
    yield Tensor("output_norm.weight", (width,), ones)
    yield Tensor("output.weight", (width, count), _logits(words, width))
    yield Tensor("blk.0.attn_norm.weight", (width,), ones)
    yield Tensor("blk.0.ffn_norm.weight", (width,), ones)
    for name in ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"):
        yield Tensor(f"blk.0.{name}.weight", (width, HEAD), zeros * HEAD)
    for name in ("attn_output", "ffn_down"):
        yield Tensor(f"blk.0.{name}.weight", (HEAD, width), zeros * HEAD)


def _embeddings(words: Vocabulary, width: int) -> array[float]:
    """Return a row a token: 1 in the dimension of the token, or in the last one where nothing in particular follows."""
    dimensions = {token: number for number, token in enumerate(words.successors)}
    rows = array("f", bytes(4 * width * len(words.tokens)))
    for number, token in enumerate(words.tokens):
        rows[number * width + dimensions.get(token, width - 1)] = 1.0
    return rows


def _logits(words: Vocabulary, width: int) -> array[float]:
    """Return a row a token: its logit after each dimension, as the normed embedding, which is sqrt(width), makes it."""
    numbers = {token: number for number, token in enumerate(words.tokens)}
    rows = array("f", bytes(4 * width * len(words.tokens)))
    for place, token in enumerate(reversed(PREFERRED), start=1):
        at = numbers[spelled(token)] * width
        rows[at : at + width] = array("f", [place * STEP / sqrt(width)]) * width
    for dimension, after in enumerate(words.successors.values()):
        for token in after:
            rows[numbers[token] * width + dimension] = CERTAIN / sqrt(width)
    return rows
