"""Faults of the choices, of the message in them, and of finish_reason."""

from __future__ import annotations

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import (
    AFTER_CHOICES,
    AFTER_DELTA,
    AFTER_DONE,
    AFTER_FINISH,
    COUNTED,
    ROLES,
    SEVERAL_FINISHES,
    TEXT,
    WITHIN_CHOICE,
)
from chatconform.reference.faults.fault import fault
from chatconform.reference.rewrite import Path

_CHOICE: Path = ("choices", 0)
_DELTA: Path = (*_CHOICE, "delta")
_MESSAGE: Path = (*_CHOICE, "message")
_FINISH: Path = (*_CHOICE, "finish_reason")
_NO_DELTA = ("choices.delta.type", "stream.role.nonempty", "stream.role.first", "message.role.*",
             "message.content.type", *TEXT)  # fmt: skip
LAST = 4
"""The number of the chunk that ends the text of `stream` and `stream.usage`."""


def _each_choice(exchange: Exchange, key: str, value: JsonValue) -> Exchange:
    objects = rewrite.messages(exchange)
    for each in objects:
        for choice in _choices(each):
            choice[key] = value
    return rewrite.with_messages(exchange, objects)


def _choices(answer: JsonObject) -> list[JsonObject]:
    found = answer["choices"]
    assert isinstance(found, list)
    return [choice for choice in found if isinstance(choice, dict)]


def _each_delta(exchange: Exchange, key: str, value: JsonValue) -> Exchange:
    objects = rewrite.messages(exchange)
    for each in objects:
        for choice in _choices(each):
            delta = choice["delta"]
            assert isinstance(delta, dict)
            delta[key] = value
    return rewrite.with_messages(exchange, objects)


@fault(
    "choices.list.empty",
    of="answer",
    fails=("choices.list.nonempty",),
    unproven={"choices.list.nonempty": AFTER_CHOICES},
    other_branch=WITHIN_CHOICE,
)
def list_empty(exchange: Exchange) -> Exchange:
    """An answer under status 200 has an empty list of choices."""
    return rewrite.member(exchange, 0, ("choices",), [])


@fault("choices.count.ignored", of="answer.n2", fails=("choices.count.n",))
def n_ignored(exchange: Exchange) -> Exchange:
    """n: 2 is answered by one choice."""
    return rewrite.no_member(exchange, 0, ("choices", 1))


@fault(
    "choices.count.ignored_stream",
    of="stream.n2",
    fails=("choices.count.n",),
    other_branch=("stream.choices.order",),
)
def n_ignored_stream(exchange: Exchange) -> Exchange:
    """A stream with n: 2 holds one choice."""
    chunks = [chunk for chunk in rewrite.messages(exchange) if _choices(chunk)[0]["index"] == 0]
    return rewrite.with_messages(exchange, chunks)


@fault(
    "choices.count.none",
    of="stream.usage",
    fails=("choices.count.n",),
    unproven={
        "nothing-to-examine": (
            "choices.index.contiguous",
            "choices.finish_reason.present",
            "stream.choices.order",
            *SEVERAL_FINISHES,
            *ROLES,
        ),
        "choices.finish_reason.present": AFTER_FINISH,
    },
    other_branch=(
        "choices.index.[mpt]*",
        "choices.item.type",
        "choices.delta.*",
        "choices.finish_reason.[knv]*",
        "choices.finish_reason.type",
        "message.*.type",
        "message.role.*",
        "stream.role.nonempty",
        *TEXT,
    ),
)
def no_choice(exchange: Exchange) -> Exchange:
    """The only chunk of a stream is the one with the usage: there is no choice in it."""
    return rewrite.with_messages(exchange, rewrite.messages(exchange)[-1:])


@fault("choices.index.from_one", of="stream.usage", fails=("choices.index.contiguous",))
def index_from_one(exchange: Exchange) -> Exchange:
    """The only choice of a stream has the index 1."""
    return _each_choice(exchange, "index", 1)


@fault("choices.index.twice", of="answer.n2", fails=("choices.index.contiguous",))
def index_twice(exchange: Exchange) -> Exchange:
    """Three choices come where two were asked for, and the last has the index of the one before it."""
    choices = rewrite.messages(exchange)[0]["choices"]
    assert isinstance(choices, list)
    return rewrite.member(exchange, 0, ("choices",), [*choices, choices[1]])


@fault("choices.index.gap", of="answer.n2", fails=("choices.index.contiguous",))
def index_gap(exchange: Exchange) -> Exchange:
    """Two choices have the indexes 0 and 2."""
    return rewrite.member(exchange, 0, ("choices", 1, "index"), 2)


@fault(
    "choices.index.missing",
    of="stream.usage",
    fails=("choices.index.present",),
    unproven={"choices.index.present": ("choices.count.n", "choices.index.contiguous")},
)
def index_missing(exchange: Exchange) -> Exchange:
    """The choice of one chunk has no index."""
    return rewrite.no_member(exchange, 1, (*_CHOICE, "index"))


@fault(
    "stream.choices.usage_unasked",
    of="stream",
    fails=("stream.choices.nonempty",),
    passes=("usage.object.type", "usage.stream.complete", "usage.stream.once", "usage.total.sum", *COUNTED),
)
def usage_unasked(exchange: Exchange) -> Exchange:
    """A chunk with usage and without choices comes though include_usage was not asked for."""
    usage: JsonValue = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks, {**chunks[0], "choices": [], "usage": usage}])


@fault(
    "choices.delta.missing",
    of="tooken.stream",
    fails=("choices.delta.present",),
    unproven={"choices.delta.present": AFTER_DELTA},
)
def delta_missing(exchange: Exchange) -> Exchange:
    """The chunk with finish_reason has no delta."""
    return rewrite.no_member(exchange, LAST, _DELTA)


@fault(
    "choices.delta.null",
    of="tooken.stream",
    fails=("openai/choices.delta.type",),
    unproven={"choices.delta.type": AFTER_DELTA},
)
def delta_null(exchange: Exchange) -> Exchange:
    """The chunk with finish_reason has delta: null, which its document does not exclude."""
    return rewrite.member(exchange, LAST, _DELTA, None)


@fault(
    "choices.delta.message",
    of="stream",
    fails=("choices.delta.present",),
    unproven={"choices.delta.present": AFTER_DELTA},
    other_branch=_NO_DELTA,
)
def message_for_delta(exchange: Exchange) -> Exchange:
    """Chunks have message in the place of delta."""
    objects = rewrite.messages(exchange)
    for each in objects:
        for choice in _choices(each):
            choice["message"] = choice.pop("delta")
    return rewrite.with_messages(exchange, objects)


@fault(
    "choices.delta.text",
    of="stream",
    fails=("choices.delta.present",),
    unproven={"choices.delta.present": AFTER_DELTA},
    other_branch=_NO_DELTA,
)
def text_for_delta(exchange: Exchange) -> Exchange:
    """Chunks have their text in text, as in the older completions API, and no delta."""
    objects = rewrite.messages(exchange)
    for each in objects:
        for choice in _choices(each):
            delta = choice.pop("delta")
            choice["text"] = delta.get("content", "") if isinstance(delta, dict) else ""
    return rewrite.with_messages(exchange, objects)


@fault("message.role.system", of="answer", fails=("message.role.value",))
def role_system(exchange: Exchange) -> Exchange:
    """An answer has the role system."""
    return rewrite.member(exchange, 0, (*_MESSAGE, "role"), "system")


@fault("message.content.parts", of="answer", fails=("message.content.type",), other_branch=TEXT)
def content_parts(exchange: Exchange) -> Exchange:
    """content is an array of parts."""
    return rewrite.member(exchange, 0, (*_MESSAGE, "content"), [{"type": "text", "text": "Zürich"}])


@fault(
    "message.content.missing_documented",
    of="tooken.answer",
    fails=("tooken/message.content.present", "message.content.nonempty"),
    other_branch=("message.content.type", *TEXT),
)
def content_missing(exchange: Exchange) -> Exchange:
    """A message that its document shows with content has none."""
    return rewrite.no_member(exchange, 0, (*_MESSAGE, "content"))


@fault("message.content.empty", of="answer", fails=("message.content.nonempty",), other_branch=TEXT)
def content_empty(exchange: Exchange) -> Exchange:
    """A message that finishes with stop is empty, as reasoning used up the tokens."""
    return rewrite.member(exchange, 0, (*_MESSAGE, "content"), "")


@fault("message.content.empty_stream", of="stream.usage", fails=("message.content.nonempty",), other_branch=TEXT)
def content_empty_stream(exchange: Exchange) -> Exchange:
    """A stream that finishes with stop holds no text."""
    return _each_delta(exchange, "content", "")


@fault(
    "choices.finish_reason.missing",
    of="stream.usage",
    fails=("choices.finish_reason.present",),
    unproven={"choices.finish_reason.present": AFTER_FINISH, "nothing-to-examine": SEVERAL_FINISHES},
    other_branch=("choices.finish_reason.nonempty",),
)
def finish_missing(exchange: Exchange) -> Exchange:
    """[DONE] comes though no chunk has a finish_reason, as after a failure upstream."""
    return rewrite.member(exchange, LAST, _FINISH, None)


@fault(
    "choices.finish_reason.missing_done",
    of="stream",
    fails=("choices.finish_reason.present", "sse.done.present"),
    unproven={
        "choices.finish_reason.present": AFTER_FINISH,
        "nothing-to-examine": SEVERAL_FINISHES,
        "sse.done.present": AFTER_DONE,
    },
    other_branch=("choices.finish_reason.nonempty",),
)
def silent_end(exchange: Exchange) -> Exchange:
    """The stream ends amid the text, without finish_reason and without [DONE], and the transport ends cleanly."""
    return rewrite.with_events(exchange, rewrite.events(exchange)[:-2])


@fault(
    "choices.finish_reason.null",
    of="answer.tools",
    fails=("choices.finish_reason.present",),
    unproven={"choices.finish_reason.present": AFTER_FINISH},
    other_branch=("choices.finish_reason.nonempty",),
)
def finish_null(exchange: Exchange) -> Exchange:
    """finish_reason of an answer is null."""
    return rewrite.member(exchange, 0, _FINISH, None)


@fault(
    "choices.finish_reason.absent",
    of="xmsmartlink.answer",
    fails=("choices.finish_reason.present",),
    unproven={"choices.finish_reason.present": AFTER_FINISH},
    other_branch=("choices.finish_reason.type", "choices.finish_reason.values", "choices.finish_reason.nonempty"),
)
def finish_absent(exchange: Exchange) -> Exchange:
    """An answer has no finish_reason."""
    return rewrite.no_member(exchange, 0, _FINISH)


@fault(
    "choices.finish_reason.end_turn",
    of="stream.usage",
    fails=("choices.finish_reason.values",),
    other_branch=("message.content.nonempty",),
)
def finish_unheard_of(exchange: Exchange) -> Exchange:
    """finish_reason is a value of another API's."""
    return rewrite.member(exchange, LAST, _FINISH, "end_turn")


@fault("choices.finish_reason.empty", of="stream.usage", fails=("choices.finish_reason.nonempty",))
def finish_empty(exchange: Exchange) -> Exchange:
    """finish_reason is the empty string where more of the choice follows."""
    return rewrite.member(exchange, 1, _FINISH, "")


@fault(
    "choices.finish_reason.repeated",
    of="stream.usage",
    fails=("choices.finish_reason.once", "choices.finish_reason.last"),
)
def finish_repeated(exchange: Exchange) -> Exchange:
    """Every chunk of the choice has finish_reason stop."""
    return _each_choice(exchange, "finish_reason", "stop")


@fault("choices.finish_reason.twice", of="stream.usage", fails=("choices.finish_reason.once",))
def finish_twice(exchange: Exchange) -> Exchange:
    """The chunk with finish_reason is sent twice."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks[:LAST], chunks[LAST], *chunks[LAST:]])


@fault(
    "choices.finish_reason.changes",
    of="stream.tools",
    fails=("choices.finish_reason.consistent", "choices.finish_reason.tool_calls"),
    passes=("message.content.nonempty",),
    other_branch=("choices.finish_reason.called",),
)
def finish_changes(exchange: Exchange) -> Exchange:
    """A choice finishes with tool_calls, and then with stop."""
    chunks = rewrite.messages(exchange)
    changed = rewrite.put(chunks[-1], _FINISH, "stop")
    return rewrite.with_messages(exchange, [*chunks, changed])


@fault("choices.finish_reason.early", of="stream.usage", fails=("choices.finish_reason.last",))
def finish_early(exchange: Exchange) -> Exchange:
    """The last piece of text follows the chunk with finish_reason."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks[:3], chunks[4], chunks[3], *chunks[5:]])


@fault(
    "choices.finish_reason.stop_with_tools",
    of="answer.tools",
    fails=("choices.finish_reason.tool_calls",),
    passes=("message.content.nonempty",),
    other_branch=("choices.finish_reason.called",),
)
def stop_with_tools(exchange: Exchange) -> Exchange:
    """An answer with tool calls finishes with stop."""
    return rewrite.member(exchange, 0, _FINISH, "stop")


@fault(
    "choices.finish_reason.stop_with_tools_stream",
    of="stream.tools",
    fails=("choices.finish_reason.tool_calls",),
    passes=("message.content.nonempty",),
    other_branch=("choices.finish_reason.called",),
)
def stop_with_tools_stream(exchange: Exchange) -> Exchange:
    """A stream with tool calls finishes with stop."""
    return rewrite.member(exchange, -1, _FINISH, "stop")


@fault("choices.finish_reason.uncalled", of="answer.uncalled", fails=("choices.finish_reason.called",),
       other_branch=("message.content.nonempty",))  # fmt: skip
def uncalled(exchange: Exchange) -> Exchange:
    """finish_reason is tool_calls, and the answer is text."""
    return rewrite.member(exchange, 0, _FINISH, "tool_calls")


@fault("choices.finish_reason.uncalled_stream", of="stream.uncalled", fails=("choices.finish_reason.called",),
       other_branch=("message.content.nonempty",))  # fmt: skip
def uncalled_stream(exchange: Exchange) -> Exchange:
    """finish_reason of a stream is tool_calls, and every delta is text."""
    return rewrite.member(exchange, -1, _FINISH, "tool_calls")
