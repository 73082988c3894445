"""The message: that it says something. Its members' types are clauses of the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import SHOULD, chats, check
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Choice
from chatconform.wire.transcript import Transcript


def _ended_well(choice: Choice) -> bool:
    return bool(choice.finishes) and choice.finishes[-1].value == "stop"


def _messages(transcript: Transcript) -> int | Reason:
    return sum(map(_ended_well, transcript.facts.choices.values())) or Reason.OTHER_BRANCH


@check(
    "message.content.nonempty",
    level=SHOULD,
    over=chats,
    examines=_messages,
    needs="choices.finish_reason.present",
    cites="MSG-03",
)
def content_nonempty(transcript: Transcript) -> Iterator[Finding]:
    """A message that finishes with stop says something.

    Breaks: users see an empty reply, and health checks flap, though the answer counts as a success.
    Fix: where reasoning used up the tokens, finish with length; else send the text.
    """
    for choice in transcript.facts.choices.values():
        if _ended_well(choice) and not choice.says_something:
            yield transcript.finding(choice.where, "content, a refusal or a tool call", "an empty message")
