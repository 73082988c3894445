"""A second decoder of event streams, one character at a time, from the text of WHATWG HTML 9.2.5-9.2.6.

It shares nothing with chatconform.wire.sse: it decodes first, and knows neither bytes, offsets nor pieces.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Oracle:
    """The buffers of section 9.2.6 and what became of them."""

    events: list[tuple[str, str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    retries: list[int] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)
    blanks_after_id: int = 0
    endings: set[str] = field(default_factory=set)
    bom: bool = False
    discarded: bool = False
    data: str = ""
    event_type: str = ""
    last_event_id: str = ""
    fields: list[str] = field(default_factory=list)


def interpret(body: bytes) -> Oracle:
    """Read a whole body."""
    oracle = Oracle()
    text = body.decode("utf-8", "replace")
    if text[:1] == "\ufeff":
        oracle.bom = True
        text = text[1:]
    line = ""
    previous = ""
    for character in text:
        if character == "\n" and previous == "\r":
            oracle.endings.discard("cr?")
            oracle.endings.add("crlf")
        elif character in "\r\n":
            settle_return(oracle)
            oracle.endings.add("cr?" if character == "\r" else "lf")
            interpret_line(oracle, line)
            line = ""
        else:
            settle_return(oracle)
            line += character
        previous = character
    settle_return(oracle)
    oracle.discarded = bool(oracle.fields) or (line != "" and line[0] != ":")
    return oracle


def settle_return(oracle: Oracle) -> None:
    """A CR that no LF followed was a line end of its own."""
    if "cr?" in oracle.endings:
        oracle.endings.discard("cr?")
        oracle.endings.add("cr")


def interpret_line(oracle: Oracle, line: str) -> None:
    """The steps for one line."""
    if line == "":
        dispatch(oracle)
    elif line[0] == ":":
        oracle.comments.append(line[1:])
    else:
        name, value, seen_colon = "", "", False
        for character in line:
            if seen_colon:
                value += character
            elif character == ":":
                seen_colon = True
            else:
                name += character
        if value[:1] == " ":
            value = value[1:]
        process_field(oracle, name, value)


def process_field(oracle: Oracle, name: str, value: str) -> None:
    """The steps for one field."""
    oracle.fields.append(name)
    match name:
        case "event":
            oracle.event_type = value
        case "data":
            oracle.data += value + "\n"
        case "id":
            if "\0" not in value:
                oracle.last_event_id = value
        case "retry":
            if value != "" and all(character in "0123456789" for character in value):
                oracle.retries.append(int(value))
        case _:
            oracle.unknown.append(name)


def dispatch(oracle: Oracle) -> None:
    """The steps for a blank line."""
    if oracle.data == "":
        if oracle.fields:
            oracle.blocks.append(oracle.fields)
        if oracle.last_event_id != "":
            oracle.blanks_after_id += 1
    else:
        oracle.events.append((oracle.event_type or "message", oracle.data[:-1], oracle.last_event_id))
    oracle.data = ""
    oracle.event_type = ""
    oracle.fields = []
