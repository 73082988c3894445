"""What a request schema does not say of its parameters, and a boundary probe has to know: parameters.yaml.

Shape, and the meaning of each member: schemas/chatconform/parameters.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from chatconform import resources
from chatconform.scenarios.boundary import Edge, Value
from chatconform.strict_yaml import Document, load, violations

BASE: Final = "short"
"""The scenario that a probe differs from where parameters.yaml names no other."""

_FILE = Path(__file__).with_name("parameters.yaml")
_SCHEMA = "schemas/chatconform/parameters.schema.json"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What parameters.yaml says: by parameter its base, and what of it is costly; by clause why it is left out."""

    entries: Mapping[str, Mapping[str, Any]]
    left_out: Mapping[str, str]

    def base(self, parameter: str) -> str:
        """Return the scenario whose request makes sense of a parameter."""
        return str(self.entries.get(parameter, {}).get("base", BASE))

    def is_costly(self, edge: Edge, value: Value) -> bool:
        """Whether a value that keeps a constraint costs more or needs a capability."""
        entry = self.entries.get(edge.parameter, {})
        return bool(entry.get("costly")) or value in entry.get("costly_values", ()) or self.is_beyond(edge, value)

    def is_beyond(self, edge: Edge, value: Value) -> bool:
        """Whether a number is larger than what is asked for at no cost."""
        most = self.entries.get(edge.parameter, {}).get("most")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return most is not None and is_number and value > most


@cache
def parameters() -> Parameters:
    """Return what the packaged parameters.yaml says."""
    return parse(load(_FILE.read_bytes(), _FILE.name))


def parse(document: Document) -> Parameters:
    """Read such a file. Raises `InputError` for its first problem."""
    for problem in violations(document, json.loads(resources.read_text(_SCHEMA)), {}):
        raise problem
    content: Any = document.value
    return Parameters(content["parameters"], content["left_out"])
