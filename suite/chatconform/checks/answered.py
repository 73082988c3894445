"""What an answer comes to where comparisons hold it against others: its text, its end, its counts."""

from __future__ import annotations

from typing import Final

from chatconform.checks.recording import Recorded
from chatconform.model import JsonObject, JsonValue
from chatconform.wire.fold import Choice, Where

SOUND: Final = ("http.status.error", "stream.error", "http.body.complete")
"""What has to hold before an answer is held against another."""
FINISHED: Final = (*SOUND, "choices.finish_reason.present", "choices.finish_reason.values", "parameters.cap.kept")
"""What has to hold before its end is."""


def only_choice(each: Recorded) -> Choice | None:
    """Return the only choice of an answer; None where there are more or none."""
    found = list(each.transcript.facts.choices.values())
    return found[0] if len(found) == 1 else None


def text_of(each: Recorded) -> str:
    """Return the text of the only choice, empty where there is none."""
    choice = only_choice(each)
    return "".join(choice.content) if choice else ""


def finish_of(each: Recorded) -> JsonValue:
    """Return the finish_reason of the only choice, None where there is none."""
    choice = only_choice(each)
    return choice.finishes[-1].value if choice and choice.finishes else None


def finishing(each: Recorded) -> Where:
    """Return where the finish_reason of the only choice stands."""
    choice = only_choice(each)
    return choice.finishes[-1].where if choice and choice.finishes else Where(each.transcript.facts.last)


def usage_of(each: Recorded) -> JsonObject:
    """Return the last usage object, empty where there is none."""
    usages = each.transcript.facts.usages
    value = usages[-1].value if usages else None
    return value if isinstance(value, dict) else {}


def count_of(usage: JsonObject, name: str, details: str | None = None) -> int:
    """Return a count of a usage object, or of details in it; 0 where there is none."""
    holder = usage.get(details) if details else usage
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
