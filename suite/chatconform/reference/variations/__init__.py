"""Lawful variations of the good exchanges."""

from chatconform.reference.variations import content, framing, markup, structured, tools
from chatconform.reference.variations.variation import Variation, registered

VARIATIONS = registered()
"""Every variation by its id."""

__all__ = ["VARIATIONS", "Variation", "content", "framing", "markup", "structured", "tools"]
