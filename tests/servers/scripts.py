"""What the scripted model says: chains of pieces, each piece a token, of which the next depends on the last alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

END: Final = "<|im_end|>"
"""The token that ends an answer and, in the chat template, every message."""
BEGIN: Final = "<|im_start|>"
"""The token before the role of every message."""

Piece: TypeAlias = str | bytes
"""The text of a token; bytes where it is a part of a character. A single byte is the tokenizer's byte token."""


@dataclass(frozen=True, slots=True)
class Script:
    """One thing that the model says after the token `<|name|>`, which the chat template puts last in a prompt.

    A step is the pieces that may follow, each as likely as the others. After the last step comes `then`: the end, or
    a piece of another script or of this one.
    """

    name: str
    steps: tuple[tuple[Piece, ...], ...]
    then: Piece = END

    @property
    def start(self) -> str:
        """The token after which the model says it."""
        return f"<|{self.name}|>"


def _said(name: str, pieces: Iterable[Piece], then: Piece = END) -> Script:
    """Return a script that leaves no choice."""
    return Script(name, tuple((piece,) for piece in pieces), then)


class _Cutter:
    """Cuts texts into pieces of which no two are equal, in whatever text: what follows one is then certain."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def cut(self, text: str) -> Iterator[str]:
        """Yield the shortest pieces of at least three characters that no text has had so far."""
        while text:
            lengths = (end for end in range(3, len(text) - 2) if self._taken.isdisjoint((text[:end], text[end:])))
            length = next(lengths, len(text))
            self._taken.add(text[:length])
            yield text[:length]
            text = text[length:]


_CITY: Final = (
    '{"name": "Zürich", "country": "CH", "rivers": ["Limmat", "Sihl"],'
    ' "place": {"north": 47.4, "east": 8.5, "metres": 408}}'
)
_COSMONAUT: Final = "👩🏽\u200d"
_ROCKET: Final = "🚀".encode()
"""F0 9F 9A 80: four byte tokens, and none of them stands in another script."""


def _scripts() -> Iterator[Script]:
    cut = _Cutter().cut
    yield _said("count", ["1", *(f", {number}" for number in range(2, 41))])
    yield _said("go-on", ["6"], then=", 7")
    yield _said(
        "echo",
        [
            *cut("Zürich, Ελλάδα, Łódź, 東京, नमस्ते, שלום, " + _COSMONAUT),
            *(_ROCKET[at : at + 1] for at in range(4)),
            *cut(" and 🏳️\u200d🌈 – “ça va” 100 €"),
        ],
    )
    yield _said("city", cut(_CITY))
    yield _said(
        "weather",
        [
            *cut('<tool_call>\n{"name": "weather", "arguments": {"city": "Zürich"}}\n</tool_call>'),
            *cut('\n<tool_call>\n{"name": "weather", "arguments": {"city": "東京"}}\n</tool_call>'),
        ],
    )
    yield _said("clock", cut('<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'))
    yield _said("report", cut("Snow in Zürich at -2 degrees, a clear sky in 東京 at 11."))
    yield _said("unasked", cut("I have no way to look at the sky from here."))
    yield _said("ferry", cut("<think>\n24 km in 100 minutes.\n</think>\n\nIts mean speed is 14.4 km/h."))
    yield _said("endless", [" and", " so", " on"], then=" and")
    yield Script("coin", tuple((f"heads {toss}\n", f"tails {toss}\n") for toss in range(1, 9)))
    yield _said("hello", cut("Hello! This model is a script, and says the same whenever it is asked."))


SCRIPTS: Final = tuple(_scripts())
