"""What follows, besides the clause itself, from breaking a clause: by hand, for the faults of `clauses.py`.

Where a value has the wrong type or is left out, what else is said of it has nothing to look at, and neither has
what stands within it. That shows only where no other value of the exchange is left to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from chatconform.model import Reason
from chatconform.reference.faults.consequences import (
    AFTER_CHOICES,
    AFTER_DELTA,
    AFTER_FINISH,
    AFTER_MESSAGE,
    AFTER_NUMBERED,
    ARGUMENTS,
    FUNCTION_ARGUMENTS,
    FUNCTION_NAMES,
    FUNCTIONS,
    OF_AN_ANSWER,
    STREAMED_FUNCTIONS,
    TEXT,
    WITHIN_CHOICE,
    WITHIN_MESSAGE,
    WITHIN_USAGE,
)
from chatconform.reference.faults.fault import Change, Ids


@dataclass(frozen=True, slots=True)
class Row:
    """What breaking the clauses of a pattern changes, at the places (`openai.chunk.choice`) of another pattern."""

    clauses: str
    at: str = "*"
    fails: Ids = ()
    other_branch: Ids = ()
    unproven: Mapping[str, Ids] = field(default_factory=dict)


_NUMBERED: Final[Ids] = ("choices.count.n", "choices.index.contiguous")
_NAMED: Final[Ids] = ("tools.name.streamed", "tools.name.nonempty", "tools.name.declared")
_OF_DELTAS: Final[Ids] = (*AFTER_NUMBERED, "choices.finish_reason.called")
_ALONE: Final = "[tx]*.response"
"""Answers with a single choice: those that keep to a document."""

_WITHIN_TOKEN: Final[Ids] = ("logprobs.item.*", "logprobs.token.*", "logprobs.logprob.*", "logprobs.byte*",
                             "logprobs.top_*")  # fmt: skip
_OF_TOKENS: Final[Ids] = ("logprobs.content.present", "logprobs.content.joined", "logprobs.top_logprobs.count")
_WITHIN_PROMPT: Final[Ids] = ("usage.cached_tokens.*", "usage.prompt_*_tokens.*")
_WITHIN_COMPLETION: Final[Ids] = (
    "usage.reasoning_tokens.*", "usage.completion_*_tokens.*", "usage.*_prediction_tokens.*",
)  # fmt: skip
_WITHIN_ERROR: Final[Ids] = (
    "errors.object.nonempty",
    "errors.message.*",
    "errors.type.*",
    "errors.param.*",
    "errors.code.*",
)
_WITHIN_MODEL: Final[Ids] = (
    "models.item.*",
    "models.id.*",
    "models.model_object.*",
    "models.created.*",
    "models.owned_by.*",
)
_WITHIN_PLATFORM: Final[Ids] = (
    "extensions.rout*",
    "extensions.credits_consumed.*",
    "extensions.cost_saved_credits.*",
)

ROWS: Final = (
    Row("envelope.id.present", "*.response", other_branch=("envelope.id.*",)),
    Row("envelope.id.type", "*.response", other_branch=("envelope.id.nonempty",)),
    Row("envelope.id.[tn]*", "*.chunk", fails=("stream.id.constant",)),
    Row("envelope.object.present", "*.response", other_branch=("envelope.object.*",)),
    Row("envelope.object.type", "*.response", other_branch=("envelope.object.value",)),
    Row("envelope.created.present", "*.response", other_branch=("envelope.created.type",),
        unproven={Reason.NOTHING_TO_EXAMINE: ("envelope.created.seconds",)}),
    Row("envelope.created.type", "*.response", unproven={Reason.NOTHING_TO_EXAMINE: ("envelope.created.seconds",)}),
    Row("envelope.created.type", "*.chunk", fails=("stream.created.constant",)),
    Row("envelope.model.present", "tooken.response",
        fails=("extensions.routed_model.echo",), other_branch=("envelope.model.*",)),
    Row("envelope.model.present", "*.response", other_branch=("envelope.model.*",)),
    Row("envelope.model.type", "tooken.response",
        fails=("extensions.routed_model.echo",), other_branch=("envelope.model.nonempty",)),
    Row("envelope.model.type", "*.response", other_branch=("envelope.model.nonempty",)),
    Row("envelope.choices.present", "*.response", other_branch=("envelope.choices.*", "choices.list.*", *WITHIN_CHOICE),
        unproven={"envelope.choices.present":
                  ("openai/choices.finish_reason.present", *_NUMBERED, *AFTER_FINISH, *TEXT)}),
    Row("envelope.choices.present", "*.chunk", unproven={"envelope.choices.present": AFTER_CHOICES}),
    Row("envelope.choices.type", "*.response", other_branch=("choices.list.*", *WITHIN_CHOICE),
        unproven={"envelope.choices.type":
                  ("openai/choices.finish_reason.present", *_NUMBERED, *AFTER_FINISH, *TEXT)}),
    Row("envelope.choices.type", "*.chunk", unproven={"envelope.choices.type": AFTER_CHOICES}),
    Row("choices.list.nonempty", other_branch=WITHIN_CHOICE, unproven={"choices.list.nonempty": AFTER_CHOICES}),
    Row("envelope.service_tier.type", "*.response", other_branch=("envelope.service_tier.values",)),
    Row("choices.item.type", _ALONE, other_branch=WITHIN_CHOICE,
        unproven={Reason.NOTHING_TO_EXAMINE: ("openai/choices.finish_reason.present", *_NUMBERED),
                  "choices.finish_reason.present": AFTER_FINISH}),
    Row("choices.item.type", "openai.response.choice", fails=("choices.count.n",),
        unproven={"choices.item.type": AFTER_MESSAGE}),
    Row("choices.index.present", _ALONE,
        other_branch=("choices.index.*",), unproven={"choices.index.present": _NUMBERED}),
    Row("choices.index.present", unproven={"choices.index.present": _NUMBERED}),
    Row("choices.index.type", _ALONE,
        other_branch=("choices.index.minimum",), unproven={"choices.index.type": _NUMBERED}),
    Row("choices.index.type", unproven={"choices.index.type": _NUMBERED}),
    Row("choices.index.minimum", "*.response.choice", fails=("choices.index.contiguous",)),
    Row("choices.index.minimum", "*.chunk.choice",
        fails=(*_NUMBERED, "choices.finish_reason.present", "stream.role.present"),
        unproven={"choices.finish_reason.present": AFTER_FINISH}),
    Row("choices.message.present", _ALONE, other_branch=("choices.message.*", *WITHIN_MESSAGE),
        unproven={"choices.message.present": AFTER_MESSAGE}),
    Row("choices.message.type", _ALONE, other_branch=WITHIN_MESSAGE, unproven={"choices.message.type": AFTER_MESSAGE}),
    Row("choices.message.present", unproven={"choices.message.present": AFTER_MESSAGE}),
    Row("choices.message.type", unproven={"choices.message.type": AFTER_MESSAGE}),
    Row("choices.item.type", "*.chunk*", unproven={"choices.item.type": AFTER_MESSAGE}),
    Row("choices.delta.present", unproven={"choices.delta.present": AFTER_DELTA}),
    Row("choices.delta.type", unproven={"choices.delta.type": AFTER_DELTA}),
    Row("choices.finish_reason.present", "*.response", fails=("choices.finish_reason.present",),
        other_branch=("choices.finish_reason.*",), unproven={"choices.finish_reason.present": AFTER_FINISH}),
    Row("choices.finish_reason.type", _ALONE,
        other_branch=("choices.finish_reason.values", "choices.finish_reason.nonempty", "message.content.nonempty")),
    Row("choices.finish_reason.type", "*.chunk*",
        fails=("choices.finish_reason.consistent", "choices.finish_reason.last")),
    Row("choices.finish_reason.nonempty", fails=("choices.finish_reason.present",),
        unproven={"choices.finish_reason.present": AFTER_FINISH}),
    Row("stream.role.nonempty", fails=("stream.role.present",)),
    Row("message.role.present", _ALONE, other_branch=("message.role.*",)),
    Row("message.role.type", _ALONE, other_branch=("message.role.value",)),
    Row("message.content.present", _ALONE,
        fails=("message.content.nonempty",), other_branch=("message.content.type", *TEXT)),
    Row("message.content.type", _ALONE, other_branch=TEXT),
    Row("message.tool_calls.type", "*.response.message", other_branch=("tools.*", "choices.finish_reason.tool_calls"),
        unproven={"message.tool_calls.type": _OF_DELTAS}),
    Row("message.tool_calls.type", "*.chunk.delta", unproven={"message.tool_calls.type": _OF_DELTAS}),
    Row("tools.item.type", unproven={"tools.item.type": ("tools.name.nonempty", *_OF_DELTAS)}),
    Row("tools.index.present", unproven={"tools.index.present": AFTER_NUMBERED}),
    Row("tools.index.type", unproven={"tools.index.type": AFTER_NUMBERED}),
    Row("tools.index.minimum", unproven={"tools.index.minimum": AFTER_NUMBERED}),
    Row("tools.id.type", "*.chunk.tool_call",
        other_branch=("tools.id.unique",), unproven={"tools.id.type": ("tools.id.streamed",)}),
    Row("tools.id.*", other_branch=("tools.id.unique",)),
    Row("tools.type.type", "*.chunk.tool_call", unproven={"tools.type.type": ("tools.type.streamed",)}),
    Row("tools.type.nonempty", fails=("tools.type.streamed",)),
    Row("tools.function.type", unproven={"tools.function.type": (*_NAMED, *ARGUMENTS)}),
    Row("tools.name.present", unproven={"tools.name.present": _NAMED}),
    Row("tools.name.type", unproven={"tools.name.type": _NAMED}),
    Row("tools.arguments.present", unproven={"tools.arguments.present": ARGUMENTS}),
    Row("tools.arguments.type", unproven={"tools.arguments.type": ARGUMENTS}),
    Row("message.function_call.type", "*.chunk.delta",
        unproven={"message.function_call.type": (*FUNCTIONS, *STREAMED_FUNCTIONS)}),
    Row("functions.name.present",
        other_branch=("functions.name.type",), unproven={"functions.name.present": FUNCTION_NAMES}),
    Row("functions.name.type", unproven={"functions.name.type": FUNCTION_NAMES}),
    Row("functions.arguments.present",
        other_branch=("functions.arguments.type",), unproven={"functions.arguments.present": FUNCTION_ARGUMENTS}),
    Row("functions.arguments.type",
        unproven={"functions.arguments.type": (*FUNCTION_ARGUMENTS, "functions.arguments.incremental")}),
    Row("usage.object.present", fails=("usage.object.present",), other_branch=("usage.object.*", *WITHIN_USAGE)),
    Row("usage.object.type", "*.response*", fails=("openai/usage.object.present",), other_branch=WITHIN_USAGE),
    Row("usage.prompt_tokens.present",
        other_branch=("usage.prompt_tokens.*", "usage.total.sum", "usage.cached_tokens.bounded")),
    Row("usage.prompt_tokens.type",
        other_branch=("usage.prompt_tokens.minimum", "usage.prompt_tokens.positive", "usage.total.sum",
                      "usage.cached_tokens.bounded")),
    Row("usage.prompt_tokens.minimum", "*.chunk.usage", fails=("usage.total.sum", "usage.cached_tokens.bounded")),
    Row("usage.completion_tokens.present",
        other_branch=("usage.completion_tokens.*", "usage.total.sum", "usage.cap.precedence", "parameters.cap.kept")),
    Row("usage.completion_tokens.type",
        other_branch=("usage.completion_tokens.minimum", "usage.total.sum", "usage.reasoning_tokens.bounded",
                      "usage.cap.precedence", "parameters.cap.kept")),
    Row("usage.completion_tokens.minimum", "*.chunk.usage",
        fails=("usage.total.sum", "usage.reasoning_tokens.bounded")),
    Row("usage.total_tokens.present", other_branch=("usage.total_tokens.*", "usage.total.sum")),
    Row("usage.total_tokens.type", other_branch=("usage.total_tokens.minimum", "usage.total.sum")),
    Row("usage.prompt_tokens.minimum", "*.response.usage", fails=("usage.total.sum",)),
    Row("usage.completion_tokens.minimum", "*.response.usage", fails=("usage.total.sum",)),
    Row("usage.total_tokens.minimum", fails=("usage.total.sum",)),
    Row("usage.prompt_tokens_details.type", other_branch=_WITHIN_PROMPT),
    Row("usage.completion_tokens_details.type", other_branch=_WITHIN_COMPLETION),
    Row("usage.cached_tokens.type", other_branch=("usage.cached_tokens.*",)),
    Row("usage.reasoning_tokens.type", other_branch=("usage.reasoning_tokens.*",)),
    Row("usage.prompt_text_tokens.type", other_branch=("usage.prompt_text_tokens.minimum",)),
    Row("usage.prompt_audio_tokens.type", other_branch=("usage.prompt_audio_tokens.minimum",)),
    Row("usage.prompt_image_tokens.type", other_branch=("usage.prompt_image_tokens.minimum",)),
    Row("usage.completion_text_tokens.type", other_branch=("usage.completion_text_tokens.minimum",)),
    Row("usage.completion_audio_tokens.type", other_branch=("usage.completion_audio_tokens.minimum",)),
    Row("usage.accepted_prediction_tokens.type", other_branch=("usage.accepted_prediction_tokens.minimum",)),
    Row("usage.rejected_prediction_tokens.type", other_branch=("usage.rejected_prediction_tokens.minimum",)),
    Row("logprobs.object.type", "*.response*",
        other_branch=("logprobs.content.type", "logprobs.refusal.*", *_WITHIN_TOKEN),
        unproven={"logprobs.object.type": _OF_TOKENS}),
    Row("logprobs.content.type", "*.response*",
        other_branch=_WITHIN_TOKEN, unproven={"logprobs.content.type": _OF_TOKENS}),
    Row("logprobs.object.type", unproven={"logprobs.object.type": _OF_TOKENS}),
    Row("logprobs.content.type", unproven={"logprobs.content.type": _OF_TOKENS}),
    Row("logprobs.item.type", unproven={"logprobs.item.type": ("logprobs.content.joined",)}),
    Row("logprobs.bytes.type", unproven={"logprobs.bytes.type": ("logprobs.content.joined",)}),
    Row("logprobs.byte.*", "*.chunk.token_logprob", other_branch=("logprobs.content.joined",)),
    Row("errors.error.present",
        other_branch=("errors.error.type", *_WITHIN_ERROR), unproven={"status 400": OF_AN_ANSWER}),
    Row("errors.error.type", other_branch=_WITHIN_ERROR),
    Row("errors.message.present", other_branch=("errors.message.type",)),
    Row("errors.type.present", other_branch=("errors.type.type",)),
    Row("errors.param.present", other_branch=("errors.param.type",)),
    Row("errors.code.present", other_branch=("errors.code.type",)),
    Row("models.object.present", other_branch=("models.object.*",)),
    Row("models.object.type", other_branch=("models.object.value",)),
    Row("models.data.present", other_branch=("models.data.type", *_WITHIN_MODEL)),
    Row("models.data.type", other_branch=_WITHIN_MODEL),
    Row("extensions.platform.present", other_branch=("extensions.platform.*", *_WITHIN_PLATFORM)),
    Row("extensions.platform.type", other_branch=_WITHIN_PLATFORM),
    Row("extensions.routed_model.present", other_branch=("extensions.routed_model.*",)),
    Row("extensions.routed_model.type", other_branch=("extensions.routed_model.echo",)),
    Row("extensions.route_reason.present", other_branch=("extensions.route_reason.type",)),
    Row("extensions.credits_consumed.present", other_branch=("extensions.credits_consumed.*",)),
    Row("extensions.credits_consumed.type", other_branch=("extensions.credits_consumed.minimum",)),
    Row("extensions.cost_saved_credits.present", other_branch=("extensions.cost_saved_credits.*",)),
    Row("extensions.cost_saved_credits.type", other_branch=("extensions.cost_saved_credits.minimum",)),
)  # fmt: skip
"""The first row that means a clause and its place is the one that counts."""


def consequence(clause: str, place: str) -> Change:
    """Return the whole change that breaking a clause at a place makes."""
    for row in ROWS:
        if fnmatchcase(clause, row.clauses) and fnmatchcase(place, row.at):
            idle = {str(Reason.OTHER_BRANCH): row.other_branch} if row.other_branch else {}
            return Change((clause, *row.fails), unproven=row.unproven, not_applicable=idle)
    return Change((clause,))
