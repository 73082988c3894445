"""GGUF, version 3: the container of a model. Key-value pairs, what tensors there are, and their aligned data.

As ggml's docs/gguf.md lays it out; everything is little-endian.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from math import prod
from typing import Final, TypeAlias

MAGIC: Final = b"GGUF"
VERSION: Final = 3
ALIGNMENT: Final = 32
"""Bytes: where nothing else is said, each tensor's data starts at a multiple of it."""
F32: Final = 0
"""The type of a tensor of 32-bit floats, the only one that is written here."""


class Kind(IntEnum):
    """The type of a value."""

    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9


_FORMATS: Final = {Kind.UINT32: "<I", Kind.INT32: "<i", Kind.FLOAT32: "<f", Kind.BOOL: "<?"}

Scalar: TypeAlias = int | float | bool | str | bytes


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a type, or a list of them. A string may be bytes that are not UTF-8: the piece of a token is."""

    kind: Kind
    value: Scalar | Sequence[Scalar]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of 32-bit floats. The first dimension is the one whose elements are neighbours."""

    name: str
    dimensions: tuple[int, ...]
    data: array[float]


def write(values: Mapping[str, Value], tensors: Sequence[Tensor]) -> bytes:
    """Return the bytes of a file. Raises `ValueError` where a tensor's data does not fill its dimensions."""
    for tensor in tensors:
        if len(tensor.data) != prod(tensor.dimensions):
            raise ValueError(f"{tensor.name}: {len(tensor.data)} floats for the dimensions {tensor.dimensions}")
    blocks = [_padded(_little_endian(tensor.data)) for tensor in tensors]
    offsets = [0, *accumulate(map(len, blocks))]
    head = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(values))]
    head += [_string(key) + _typed(value) for key, value in values.items()]
    head += [_info(tensor, offset) for tensor, offset in zip(tensors, offsets, strict=False)]
    return b"".join([_padded(b"".join(head)), *blocks])


def _typed(value: Value) -> bytes:
    """Return a value with its type before it; of a list also the type and the number of its items."""
    if isinstance(value.value, Sequence) and not isinstance(value.value, str | bytes):
        head = struct.pack("<IIQ", Kind.ARRAY, value.kind, len(value.value))
        return head + b"".join(_scalar(value.kind, item) for item in value.value)
    return struct.pack("<I", value.kind) + _scalar(value.kind, value.value)


def _scalar(kind: Kind, value: Scalar) -> bytes:
    return _string(value) if isinstance(value, str | bytes) else struct.pack(_FORMATS[kind], value)


def _string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def _info(tensor: Tensor, offset: int) -> bytes:
    count = len(tensor.dimensions)
    return _string(tensor.name) + struct.pack(f"<I{count}QIQ", count, *tensor.dimensions, F32, offset)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)


def _little_endian(data: array[float]) -> bytes:
    if struct.pack("=f", 1.0) == struct.pack("<f", 1.0):
        return data.tobytes()
    swapped = array("f", data)
    swapped.byteswap()
    return swapped.tobytes()
