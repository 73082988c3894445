"""The targets of fuzz.py, led by coverage, where atheris is installed (`pip install atheris`; it is no dependency).

`PYTHONPATH=suite:tests python tests/fuzz_atheris.py TARGET [-max_total_time=SECONDS] [FOLDER]`
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["chatconform"]):
    import fuzz

target, *arguments = sys.argv[1:]


def answer(data: bytes) -> None:
    """Give bytes to the target."""
    fuzz.answer(target, data)


atheris.Setup([sys.argv[0], *arguments], answer)
atheris.Fuzz()
