"""Faults of framing: lines, blocks, the end of the body, and the sentinel."""

from __future__ import annotations

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import (
    AFTER_BODY,
    AFTER_DONE,
    AFTER_EVENTS,
    AFTER_FINISH,
    AFTER_LAST_CHUNK,
    AFTER_PAYLOADS,
    AFTER_SEPARATED,
    SEVERAL_FINISHES,
    WITHIN_USAGE,
)
from chatconform.reference.faults.fault import fault

PLACE = 2
"""The block before which stray blocks are put: amid the text."""

_FINISH_LOST = {
    "sse.tail.chunk": ("sse.tail.done", *AFTER_LAST_CHUNK),
    "sse.done.present": AFTER_DONE,
    "nothing-to-examine": SEVERAL_FINISHES,
}
"""The end of the body discards the chunk with finish_reason, and [DONE] is not there."""


@fault(
    "sse.stream.html",
    of="stream.usage",
    fails=("sse.stream.events",),
    unproven={"sse.stream.events": AFTER_EVENTS},
)
def html(exchange: Exchange) -> Exchange:
    """A page of markup answers a request for a stream."""
    return rewrite.with_body(exchange, b"<!DOCTYPE html>\n<title>Sign in</title>\n")


@fault(
    "sse.stream.html_documented",
    of="tooken.stream",
    fails=("sse.stream.events",),
    unproven={"sse.stream.events": AFTER_EVENTS},
)
def html_documented(exchange: Exchange) -> Exchange:
    """A page of markup answers a request for a stream that its document promises."""
    return rewrite.with_body(exchange, b"<!DOCTYPE html>\n<title>Sign in</title>\n")


@fault(
    "sse.stream.empty_documented",
    of="tooken.stream",
    fails=("http.body.present",),
    unproven={"http.body.present": AFTER_BODY},
)
def empty_documented(exchange: Exchange) -> Exchange:
    """A stream that its document promises ends before its first byte."""
    return rewrite.with_body(exchange, b"")


@fault(
    "sse.stream.lines",
    of="stream.usage",
    fails=("sse.stream.events",),
    unproven={"sse.stream.events": AFTER_EVENTS},
)
def json_lines(exchange: Exchange) -> Exchange:
    """The chunks come as JSON lines without `data:`."""
    texts = [rewrite.as_json(chunk) for chunk in rewrite.messages(exchange)]
    return rewrite.with_body(exchange, b"".join(text + b"\n" for text in texts))


@fault(
    "sse.stream.answer",
    of="stream.usage",
    fails=("sse.stream.events",),
    unproven={"sse.stream.events": AFTER_EVENTS},
)
def one_answer(exchange: Exchange) -> Exchange:
    """One JSON answer comes in place of a stream, under the stream's media type."""
    chunk = rewrite.messages(exchange)[0]
    return rewrite.with_body(exchange, rewrite.as_json({**chunk, "object": "chat.completion"}))


@fault(
    "sse.stream.error",
    of="stream.usage",
    fails=("sse.stream.events",),
    unproven={"sse.stream.events": AFTER_EVENTS},
)
def json_error(exchange: Exchange) -> Exchange:
    """A JSON error comes under status 200 in place of a stream."""
    broken = rewrite.with_body(exchange, rewrite.as_json({"error": {"message": "no model is free"}}))
    return rewrite.with_header(broken, "Content-Type", "application/json")


@fault(
    "sse.stream.unprefixed",
    of="stream.usage",
    fails=("json.payload.valid",),
    unproven={"json.payload.valid": AFTER_PAYLOADS},
)
def pretty_unprefixed(exchange: Exchange) -> Exchange:
    """A chunk's JSON is spread over lines of which only the first begins with `data:`."""
    text = rewrite.events(exchange)[PLACE].replace(b"{", b"{\n", 1)
    return rewrite.replaced(exchange, PLACE, text)


@fault("sse.field.misspelt", of="stream.usage", fails=("sse.field.data",))
def field_misspelt(exchange: Exchange) -> Exchange:
    """The field of one chunk is named ddata."""
    return rewrite.replaced(exchange, PLACE, b"d" + rewrite.events(exchange)[PLACE])


@fault("sse.field.comment", of="stream.usage", fails=("sse.field.data",))
def field_comment(exchange: Exchange) -> Exchange:
    """A colon stands before the field of one chunk, so that it is a comment."""
    return rewrite.replaced(exchange, PLACE, b":" + rewrite.events(exchange)[PLACE])


@fault(
    "sse.separator.missing",
    of="stream.usage",
    fails=("sse.event.separated",),
    unproven={"sse.event.separated": AFTER_SEPARATED, "nothing-to-examine": ("sse.data.nonempty",)},
)
def no_blank_lines(exchange: Exchange) -> Exchange:
    """The lines of a stream follow each other without a blank line, also at the end."""
    return rewrite.with_body(exchange, b"".join(block + b"\n" for block in rewrite.events(exchange)))


@fault(
    "sse.separator.last",
    of="stream.usage",
    fails=("sse.event.separated",),
    unproven={"sse.event.separated": AFTER_SEPARATED},
)
def one_blank_line(exchange: Exchange) -> Exchange:
    """The only blank line of a stream stands at its end."""
    return rewrite.with_events(exchange, [b"\n".join(rewrite.events(exchange))])


@fault(
    "sse.separator.once",
    of="tooken.stream",
    fails=("sse.event.separated",),
    unproven={"sse.event.separated": AFTER_SEPARATED},
)
def two_joined(exchange: Exchange) -> Exchange:
    """Two chunks share one block, as no blank line stands between them."""
    found = rewrite.events(exchange)
    return rewrite.with_events(exchange, [found[0], b"\n".join(found[1:3]), *found[3:]])


@fault("sse.data.empty", of="stream.usage", fails=("sse.data.nonempty",))
def data_empty(exchange: Exchange) -> Exchange:
    """An event with empty data stands between two chunks, as a heartbeat."""
    return rewrite.inserted(exchange, PLACE, b"data:")


@fault("sse.bom.sent", of="stream.usage", fails=("sse.bom.absent",))
def bom(exchange: Exchange) -> Exchange:
    """A byte order mark stands before the first line of a stream, whose first chunk has text already."""
    first, second, *others = rewrite.messages(exchange)
    text = rewrite.value_at(second, ("choices", 0, "delta", "content"))
    early = rewrite.with_messages(exchange, [rewrite.put(first, ("choices", 0, "delta", "content"), text), *others])
    return rewrite.with_body(exchange, b"\xef\xbb\xbf" + rewrite.body_of(early))


@fault("sse.block.retry", of="stream.usage", fails=("sse.block.data",))
def retry_block(exchange: Exchange) -> Exchange:
    """A block of only `retry:` opens the stream."""
    return rewrite.inserted(exchange, 0, b"retry: 3000")


@fault("sse.block.event", of="stream.usage", fails=("sse.block.data",))
def event_block(exchange: Exchange) -> Exchange:
    """A block of only `event: ping` stands between two chunks."""
    return rewrite.inserted(exchange, PLACE, b"event: ping")


@fault("sse.block.id", of="stream.usage", fails=("sse.block.data",))
def id_block(exchange: Exchange) -> Exchange:
    """A block of only `id:` stands between two chunks."""
    return rewrite.inserted(exchange, PLACE, b"id: 7")


@fault("sse.id.comment", of="stream.usage", fails=("sse.id.blank",))
def comment_after_id(exchange: Exchange) -> Exchange:
    """A comment and a blank line follow an event that has an id."""
    found = rewrite.events(exchange)
    return rewrite.with_events(exchange, [b"id: 1\n" + found[0], b": keep-alive", *found[1:]])


@fault("sse.id.extra_blank", of="stream.usage", fails=("sse.id.blank",))
def blank_after_id(exchange: Exchange) -> Exchange:
    """Every event has an id and is followed by one blank line too many."""
    blocks = [b"id: %d\n%s\n" % (number, block) for number, block in enumerate(rewrite.events(exchange))]
    return rewrite.with_events(exchange, blocks)


@fault(
    "sse.tail.finish",
    of="stream",
    fails=("sse.tail.chunk", "sse.done.present"),
    unproven=_FINISH_LOST,
    other_branch=("choices.finish_reason.nonempty",),
)
def finish_one_newline(exchange: Exchange) -> Exchange:
    """The body ends right after the line of the chunk with finish_reason, without a blank line or [DONE]."""
    found = rewrite.events(exchange)
    return rewrite.with_body(exchange, b"\n\n".join(found[:-1]) + b"\n")


@fault(
    "sse.tail.cut_json",
    of="stream",
    fails=("sse.tail.chunk", "sse.done.present"),
    unproven=_FINISH_LOST,
    other_branch=("choices.finish_reason.nonempty",),
)
def cut_mid_json(exchange: Exchange) -> Exchange:
    """The body ends in the middle of a chunk's JSON, though the transport ends as it ought to."""
    return rewrite.with_body(exchange, b"\n\n".join(rewrite.events(exchange)[:-1])[:-20])


@fault(
    "sse.tail.usage",
    of="stream.usage",
    fails=("sse.tail.chunk", "sse.done.present"),
    unproven={"sse.tail.chunk": ("sse.tail.done", *AFTER_LAST_CHUNK), "sse.done.present": AFTER_DONE},
    other_branch=("usage.stream.complete", "usage.stream.once", *WITHIN_USAGE),
)
def usage_one_newline(exchange: Exchange) -> Exchange:
    """The body ends right after the line of the chunk with the usage, without a blank line or [DONE]."""
    found = rewrite.events(exchange)
    return rewrite.with_body(exchange, b"\n\n".join(found[:-1]) + b"\n")


@fault(
    "sse.tail.done_one_newline",
    of="stream.usage",
    fails=("sse.tail.done",),
    unproven={"nothing-to-examine": AFTER_DONE},
)
def done_one_newline(exchange: Exchange) -> Exchange:
    """The body ends after one line feed behind `data: [DONE]`."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange)[:-1])


@fault(
    "sse.tail.done_no_newline",
    of="stream.usage",
    fails=("sse.tail.done",),
    unproven={"nothing-to-examine": AFTER_DONE},
)
def done_no_newline(exchange: Exchange) -> Exchange:
    """The body ends with the bytes `data: [DONE]`."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange)[:-2])


@fault(
    "sse.done.missing",
    of="stream.usage",
    fails=("sse.done.present",),
    unproven={"sse.done.present": AFTER_DONE},
)
def done_missing(exchange: Exchange) -> Exchange:
    """The body ends after the last chunk, without [DONE]."""
    return rewrite.replaced(exchange, -1)


@fault(
    "sse.done.missing_documented",
    of="tooken.stream",
    fails=("sse.done.present",),
    unproven={"sse.done.present": AFTER_DONE},
)
def done_missing_documented(exchange: Exchange) -> Exchange:
    """A stream whose document shows [DONE] ends without it."""
    return rewrite.replaced(exchange, -1)


@fault(
    "sse.done.bare",
    of="xmsmartlink.stream",
    fails=("sse.done.present",),
    unproven={"sse.done.present": AFTER_DONE},
)
def done_bare(exchange: Exchange) -> Exchange:
    """[DONE] stands on a line without `data:`."""
    return rewrite.replaced(exchange, -1, b"[DONE]")


@fault(
    "sse.done.object",
    of="stream.usage",
    fails=("sse.done.present", "stream.payload.chunk"),
    unproven={"sse.done.present": AFTER_DONE, "stream.payload.chunk": ("usage.stream.requested",)},
)
def done_object(exchange: Exchange) -> Exchange:
    """The stream ends with a JSON object that says done, in place of [DONE]."""
    return rewrite.replaced(exchange, -1, b'data: {"done":true}')


@fault("sse.done.two_spaces", of="stream.usage", fails=("sse.done.exact",))
def done_two_spaces(exchange: Exchange) -> Exchange:
    """Two spaces stand before [DONE], so that its data begin with one."""
    return rewrite.replaced(exchange, -1, b"data:  [DONE]")


@fault("sse.done.trailing_space", of="stream.usage", fails=("sse.done.exact",))
def done_trailing_space(exchange: Exchange) -> Exchange:
    """A space stands behind [DONE]."""
    return rewrite.replaced(exchange, -1, b"data: [DONE] ")


@fault("sse.done.quoted", of="stream.usage", fails=("sse.done.exact",))
def done_quoted(exchange: Exchange) -> Exchange:
    """[DONE] stands in quotation marks."""
    return rewrite.replaced(exchange, -1, b'data: "[DONE]"')


@fault("sse.done.lower", of="stream.usage", fails=("sse.done.exact",))
def done_lower(exchange: Exchange) -> Exchange:
    """[DONE] is written in small letters."""
    return rewrite.replaced(exchange, -1, b"data: [done]")


@fault("sse.done.no_brackets", of="stream.usage", fails=("sse.done.exact",))
def done_no_brackets(exchange: Exchange) -> Exchange:
    """[DONE] is written without its brackets."""
    return rewrite.replaced(exchange, -1, b"data: DONE")


@fault("sse.done.twice", of="stream.usage", fails=("sse.done.once",))
def done_twice(exchange: Exchange) -> Exchange:
    """Two layers each write [DONE]."""
    return rewrite.inserted(exchange, len(rewrite.events(exchange)), rewrite.DONE)


@fault(
    "sse.done.chunk_after",
    of="xmsmartlink.stream",
    fails=("sse.done.last", "usage.stream.requested"),
    other_branch=(
        "usage.object.type",
        "usage.*_tokens.*",
        "usage.total.sum",
        "usage.cap.precedence",
        "usage.stream.complete",
        "usage.stream.once",
    ),
)
def usage_after_done(exchange: Exchange) -> Exchange:
    """The chunk with the usage comes after [DONE]."""
    found = rewrite.events(exchange)
    return rewrite.with_events(exchange, [*found[:-2], found[-1], found[-2]])


@fault(
    "sse.done.text_after",
    of="tooken.stream",
    fails=("sse.done.last", "choices.finish_reason.present"),
    unproven={"choices.finish_reason.present": AFTER_FINISH, "nothing-to-examine": SEVERAL_FINISHES},
    other_branch=("choices.finish_reason.nonempty",),
)
def text_after_done(exchange: Exchange) -> Exchange:
    """[DONE] comes early: the last piece of text and the finish_reason follow it."""
    found = rewrite.events(exchange)
    return rewrite.with_events(exchange, [*found[:3], found[-1], *found[3:-1]])


@fault(
    "sse.stream.only_done",
    of="stream.usage",
    fails=("sse.stream.events",),
    unproven={"sse.stream.events": AFTER_EVENTS},
)
def only_done(exchange: Exchange) -> Exchange:
    """The stream is [DONE] and nothing else."""
    return rewrite.with_events(exchange, [rewrite.DONE])
