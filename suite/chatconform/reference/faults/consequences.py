"""What hangs on what, said by hand: the ids that cannot be judged where something else is out of order."""

from __future__ import annotations

from typing import Final

from chatconform.reference.faults.fault import Ids

CONTENT: Final[Ids] = (
    "envelope.*", "choices.*", "message.*", "tools.*", "functions.*", "usage.*", "logprobs.*", "stream.*", "models.*",
    "structured.*", "parameters.*",
    "extensions.platform.*", "extensions.rout*", "extensions.credits_consumed.*", "extensions.cost_saved_credits.*",
    "extensions.model.*",
)  # fmt: skip
"""All that is said of the JSON of an answer, a chunk or a list of models."""

AFTER_OBJECT: Final[Ids] = ("http.answer.completion", "http.status.error", *CONTENT)
"""What needs a body that is a JSON object."""

AFTER_VALID: Final[Ids] = (
    "http.media_type.json", "json.constants.absent", "json.keys.unique", "json.surrogates.paired", "json.body.object",
    "json.bom.absent", *AFTER_OBJECT,
)  # fmt: skip
"""What needs a body that is JSON."""

AFTER_SEPARATED: Final[Ids] = ("sse.tail.*", "sse.done.*", "json.*", *CONTENT)
"""What needs events that a blank line closes."""

AFTER_EVENTS: Final[Ids] = (
    "sse.event.separated", "sse.field.data", "sse.data.nonempty", "sse.bom.absent", "sse.block.data", "sse.id.blank",
    "http.media_type.event_stream", "http.charset.utf8", "sse.delivery.progressive", *AFTER_SEPARATED,
)  # fmt: skip
"""What needs at least one data line."""

AFTER_BODY: Final[Ids] = ("http.body.utf8", "http.answer.single", "http.media_type.*", "http.charset.*",
                          "http.answer.completion", "http.status.error", "sse.*", "json.*", *CONTENT)  # fmt: skip
"""What needs a body that is whole and not empty."""

AFTER_CODING: Final[Ids] = ("http.body.present", *AFTER_BODY)
"""What needs a body that can be read at all."""

TEXT: Final[Ids] = (
    "message.content.thoughts", "message.content.markers", "message.content.characters", "stream.content.incremental",
    "parameters.stop.absent", "logprobs.content.present", "logprobs.content.joined", "logprobs.top_logprobs.count",
)  # fmt: skip
"""What looks at the text of a choice."""

ROLES: Final[Ids] = ("stream.role.present", "stream.role.first", "stream.role.once")
SEVERAL_FINISHES: Final[Ids] = (
    "choices.finish_reason.once", "choices.finish_reason.consistent", "choices.finish_reason.last",
)  # fmt: skip
"""What looks at the finish_reason that a stream sends."""
FINISHES: Final[Ids] = (
    "choices.finish_reason.present",
    "choices.finish_reason.called",
    "choices.finish_reason.tool_calls",
    *SEVERAL_FINISHES,
)
SUMS: Final[Ids] = (
    "usage.total.sum", "usage.reasoning_tokens.bounded", "usage.cached_tokens.bounded", "usage.prompt_tokens.positive",
    "usage.cap.precedence", "parameters.cap.kept",
)  # fmt: skip
"""What is reckoned from the usage object."""

AFTER_STREAM_ERROR: Final[Ids] = (
    "choices.count.n", "choices.index.contiguous", "message.content.nonempty", "usage.stream.*", "sse.done.*",
    "stream.choices.order", "structured.*", "parameters.*", *ROLES, *FINISHES, *SUMS, *TEXT,
)  # fmt: skip
"""What a stream that carries an error does not answer."""

ARGUMENTS: Final[Ids] = (
    "tools.arguments.nonempty",
    "tools.arguments.incremental",
    "tools.arguments.json",
    "tools.arguments.object",
)
"""What is said of the arguments of calls that are whole."""
AFTER_DISTINCT: Final[Ids] = (
    "tools.id.streamed", "tools.id.before_name", "tools.id.once", "tools.id.unique", "tools.type.streamed",
    "tools.name.streamed", "tools.name.whole", "tools.name.once", "tools.name.before_arguments", "tools.name.declared",
    "tools.delta.nonempty", *ARGUMENTS,
)  # fmt: skip
"""What needs the calls of a stream told apart."""
AFTER_NUMBERED: Final[Ids] = ("tools.index.contiguous", "tools.index.distinct", *AFTER_DISTINCT)
"""What needs a number on every delta of a call."""
FUNCTION_NAMES: Final[Ids] = ("functions.name.nonempty", "functions.name.declared", "functions.choice.named")
FUNCTION_ARGUMENTS: Final[Ids] = ("functions.arguments.json", "functions.arguments.object")
FUNCTIONS: Final[Ids] = (
    *FUNCTION_NAMES, *FUNCTION_ARGUMENTS, "functions.choice.none", "functions.finish_reason.*",
)  # fmt: skip
"""What is said of the call of a function, besides its clauses, whether the answer is streamed or not."""
STREAMED_FUNCTIONS: Final[Ids] = ("functions.name.once", "functions.arguments.incremental")
UNASKED_CALLS: Final[Ids] = (
    "tools.id.unique", "tools.name.declared", "tools.arguments.nonempty", "tools.arguments.json",
    "tools.arguments.object", "tools.choice.*", "tools.calls.*", "tools.markup.absent", *FUNCTIONS,
)  # fmt: skip
"""What the request selects of tool calls, and of tools at all, whether the answer is streamed or not."""
OF_CALLS: Final[Ids] = (
    "tools.index.*", "tools.id.*", "tools.type.*", "tools.name.*", "tools.arguments.*", "tools.item.type",
    "tools.function.type", "tools.delta.nonempty", "tools.choice.allowed", "tools.calls.*",
    "message.tool_calls.type",
)  # fmt: skip
"""What is said of tool calls where some come."""

UNASKED_TEXT: Final[Ids] = (
    "parameters.cap.kept", "parameters.stop.absent", "structured.*", "logprobs.content.present",
    "logprobs.content.joined", "logprobs.top_logprobs.count",
)  # fmt: skip
"""What the request selects of structured output, caps, stops and log probabilities."""
OF_THE_REQUEST: Final[Ids] = (
    "message.content.thoughts", "message.content.markers", "message.content.characters", *UNASKED_TEXT,
)  # fmt: skip
"""What is said of the text where the request is known."""

AFTER_LAST_CHUNK: Final[Ids] = (
    "choices.finish_reason.present", "choices.finish_reason.tool_calls", "choices.finish_reason.called",
    "message.content.nonempty", "usage.stream.requested", *ARGUMENTS, "tools.id.streamed", "tools.type.streamed",
    "tools.name.streamed", "tools.name.declared", "tools.choice.required", "tools.choice.none", "tools.choice.named",
    "tools.calls.single",
)  # fmt: skip
"""What rests on the last chunk: it may be what is missing."""

AFTER_PAYLOADS: Final[Ids] = (*AFTER_LAST_CHUNK, "stream.role.present")
"""What needs every payload of a stream to be JSON."""

AFTER_MESSAGE: Final[Ids] = ("message.content.nonempty", "choices.finish_reason.called")
"""What needs every choice to have its message."""

AFTER_DELTA: Final[Ids] = ("stream.role.present", *AFTER_MESSAGE)
"""What needs every choice of a stream to have its delta."""

AFTER_FINISH: Final[Ids] = (
    "message.content.nonempty", "choices.finish_reason.tool_calls", "choices.finish_reason.called", *ARGUMENTS,
    "tools.choice.required",
    "tools.choice.none", "tools.choice.named", "tools.calls.single",
)  # fmt: skip
AFTER_DONE: Final[Ids] = ("sse.done.exact", "sse.done.once", "sse.done.last", "sse.done.closed")

AFTER_CHOICES: Final[Ids] = (
    "choices.count.n",
    "choices.index.contiguous",
    "choices.finish_reason.present",
    *AFTER_FINISH,
    *TEXT,
)
"""What needs a list of choices in an answer."""

WITHIN_MESSAGE: Final[Ids] = ("message.role.*", "message.content.present", "message.content.type", *TEXT)
WITHIN_CHOICE: Final[Ids] = (
    "choices.item.type", "choices.index.*", "choices.message.*", "choices.finish_reason.*", *WITHIN_MESSAGE,
)  # fmt: skip
"""What is said of a choice of an answer."""

COUNTED: Final[Ids] = ("usage.prompt_tokens.*", "usage.completion_tokens.*", "usage.total_tokens.*")
WITHIN_USAGE: Final[Ids] = ("usage.*_tokens.*", "usage.*_details.*", *SUMS)
"""What stands in the usage object, or is reckoned from it."""

OF_AN_ANSWER: Final[Ids] = (
    "http.*", "json.*", "envelope.*", "choices.*", "message.*", "tools.*", "functions.*", "usage.*", "logprobs.*",
    "structured.*", "parameters.*",
)  # fmt: skip
"""What an answer is judged by: where an error comes without an error object, nothing says that it was refused."""

OF_AN_ERROR: Final[Ids] = (
    "errors.body.*", "errors.error.*", "errors.object.*", "errors.message.*", "errors.type.*", "errors.param.*",
    "errors.code.present", "errors.code.type",
)  # fmt: skip
"""What an error is judged by, whatever its status."""
OF_A_LIMIT: Final[Ids] = (*OF_AN_ERROR, "errors.code.quota", "errors.retry_after.value")

OF_CHUNKS: Final[Ids] = (
    "envelope.*", "choices.*", "message.*", "stream.*", "usage.object.type", "usage.*_details.*", "usage.*_tokens.type",
    "usage.*_tokens.minimum",
)  # fmt: skip
"""What is said of each chunk, and of the choices that chunks come to."""
