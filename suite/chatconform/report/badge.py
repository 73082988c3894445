"""A badge for a provider: the JSON that shields.io reads from an endpoint. It says a word, never a percentage."""

from __future__ import annotations

import json

from chatconform.model import Conclusion, JsonObject, ProviderResult
from chatconform.report import board
from chatconform.report.visible import line

_COLORS = {
    Conclusion.CONFORMS: "brightgreen",
    Conclusion.CONFORMS_WITH_WAIVERS: "green",
    Conclusion.INCONCLUSIVE: "yellow",
    Conclusion.DEVIATES: "red",
    Conclusion.VOID: "lightgrey",
}


def render(provider: ProviderResult) -> bytes:
    """Return the badge of a provider. One that is void is an error, whose color no reader can change."""
    badge: JsonObject = {
        "schemaVersion": 1,
        "label": f"chatconform {line(provider.id, 40)}",
        "message": provider.conclusion.value,
        "color": _COLORS[provider.conclusion],
    }
    if provider.conclusion is Conclusion.VOID:
        badge["isError"] = True
    return (json.dumps(badge, ensure_ascii=False, indent=1) + "\n").encode()


def file_name(provider: str) -> str:
    """Return the name of a badge's file: that of the provider's page, with another ending."""
    return board.page(provider, ".json")
