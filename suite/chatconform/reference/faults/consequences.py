"""What hangs on what, said by hand: the ids that cannot be judged where something else is out of order."""

from __future__ import annotations

from typing import Final

from chatconform.reference.faults.fault import Ids

CONTENT: Final[Ids] = (
    "envelope.*", "choices.*", "message.*", "tools.*", "usage.*", "logprobs.*", "stream.*", "models.*",
    "extensions.platform.*", "extensions.rout*", "extensions.credits_consumed.*", "extensions.cost_saved_credits.*",
    "extensions.model.*",
)  # fmt: skip
"""All that is said of the JSON of an answer, a chunk or a list of models."""

AFTER_OBJECT: Final[Ids] = ("http.status.error", *CONTENT)
"""What needs a body that is a JSON object."""

AFTER_VALID: Final[Ids] = (
    "http.media_type.json", "json.constants.absent", "json.keys.unique", "json.surrogates.paired", "json.body.object",
    "json.bom.absent", *AFTER_OBJECT,
)  # fmt: skip
"""What needs a body that is JSON."""

AFTER_SEPARATED: Final[Ids] = ("sse.tail.*", "sse.done.*", "json.*", *CONTENT)
"""What needs events that a blank line closes."""

AFTER_EVENTS: Final[Ids] = (
    "sse.event.separated", "sse.data.nonempty", "sse.bom.absent", "sse.block.data", "sse.id.blank",
    "http.media_type.event_stream", "http.charset.utf8", *AFTER_SEPARATED,
)  # fmt: skip
"""What needs at least one data line."""

AFTER_BODY: Final[Ids] = ("http.body.utf8", "http.answer.single", "http.media_type.*", "http.charset.*",
                          "http.status.error", "sse.*", "json.*", *CONTENT)  # fmt: skip
"""What needs a body that is whole and not empty."""

AFTER_CODING: Final[Ids] = ("http.body.present", *AFTER_BODY)
"""What needs a body that can be read at all."""

ROLES: Final[Ids] = ("stream.role.present", "stream.role.once")
SEVERAL_FINISHES: Final[Ids] = (
    "choices.finish_reason.once", "choices.finish_reason.consistent", "choices.finish_reason.last",
)  # fmt: skip
"""What looks at the finish_reason that a stream sends."""
FINISHES: Final[Ids] = (
    "choices.finish_reason.present",
    "choices.finish_reason.tool_calls",
    *SEVERAL_FINISHES,
)
SUMS: Final[Ids] = (
    "usage.total.sum", "usage.reasoning_tokens.bounded", "usage.cached_tokens.bounded", "usage.prompt_tokens.positive",
    "usage.cap.precedence",
)  # fmt: skip
"""What is reckoned from the usage object."""

AFTER_STREAM_ERROR: Final[Ids] = (
    "choices.count.n", "choices.index.contiguous", "message.content.nonempty", "usage.stream.*", "sse.done.*",
    *ROLES, *FINISHES, *SUMS,
)  # fmt: skip
"""What a stream that carries an error does not answer."""

AFTER_LAST_CHUNK: Final[Ids] = (
    "choices.finish_reason.present", "choices.finish_reason.tool_calls", "message.content.nonempty",
    "usage.stream.requested",
)  # fmt: skip
"""What rests on the last chunk: it may be what is missing."""

AFTER_PAYLOADS: Final[Ids] = (*AFTER_LAST_CHUNK, "stream.role.present")
"""What needs every payload of a stream to be JSON."""

AFTER_FINISH: Final[Ids] = ("message.content.nonempty", "choices.finish_reason.tool_calls")
AFTER_DONE: Final[Ids] = ("sse.done.exact", "sse.done.once", "sse.done.last")

AFTER_CHOICES: Final[Ids] = (
    "choices.count.n",
    "choices.index.contiguous",
    "choices.finish_reason.present",
    *AFTER_FINISH,
)
"""What needs a list of choices in an answer."""

WITHIN_MESSAGE: Final[Ids] = ("message.role.*", "message.content.present", "message.content.type")
WITHIN_CHOICE: Final[Ids] = (
    "choices.item.type", "choices.index.*", "choices.message.*", "choices.finish_reason.*", *WITHIN_MESSAGE,
)  # fmt: skip
"""What is said of a choice of an answer."""

COUNTED: Final[Ids] = ("usage.prompt_tokens.*", "usage.completion_tokens.*", "usage.total_tokens.*")
WITHIN_USAGE: Final[Ids] = ("usage.*_tokens.*", "usage.*_details.*", *SUMS)
"""What stands in the usage object, or is reckoned from it."""

ENVELOPE_PRESENT: Final[Ids] = ("envelope.id.present", "envelope.object.present", "envelope.choices.present")
"""The members that an object lacks that is no chunk at all."""

OF_AN_ANSWER: Final[Ids] = (
    "http.*", "json.*", "envelope.*", "choices.*", "message.*", "tools.*", "usage.*", "logprobs.*",
)  # fmt: skip
"""What an answer is judged by: where an error comes without an error object, nothing says that it was refused."""

OF_CHUNKS: Final[Ids] = (
    "envelope.*", "choices.*", "message.*", "stream.*", "usage.object.type", "usage.*_details.*", "usage.*_tokens.type",
    "usage.*_tokens.minimum",
)  # fmt: skip
"""What is said of each chunk, and of the choices that chunks come to."""
