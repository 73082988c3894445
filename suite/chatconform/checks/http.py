"""What HTTP carries: status, media type, content coding, and whether the body came whole."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, answers, bodies, check, requests, streams
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Where
from chatconform.wire.media import header
from chatconform.wire.stream import error_in, is_stranger
from chatconform.wire.transcript import Transcript


def _media_types(transcript: Transcript) -> int | Reason:
    """A recorder that kept no headers, or a page that prints none, says nothing about the media type."""
    return Reason.RECORDER if not transcript.headers and transcript.exchange.origin.is_transcribed else 1


HELD = ("timeout", "limit:total_s")
"""How an exchange ends where nothing more came for as long as a run waits."""


def is_held(transcript: Transcript) -> bool:
    """Whether a stream came to its [DONE], and the connection then stayed open."""
    return transcript.exchange.end in HELD and bool(transcript.sentinels) and not transcript.after_done


def _endings(transcript: Transcript) -> int | Reason:
    """Count the end; of a line that is held after [DONE] `sse.done.closed` speaks."""
    if is_held(transcript):
        return Reason.OTHER_BRANCH
    return Reason.BUDGET if transcript.exchange.end.startswith("limit:") or transcript.is_shortened else 1


def _codings(transcript: Transcript) -> int | Reason:
    if transcript.decoded_by_recorder:
        return Reason.RECORDER
    if transcript.coding_limit:
        return Reason.BUDGET
    return len(transcript.codings) or Reason.OTHER_BRANCH


@check("http.body.complete", level=MUST, over=requests, examines=_endings, cites=("RFC 9112 section 8", "TRN-06"))
def body_complete(transcript: Transcript) -> Iterator[Finding]:
    """The body comes whole: the connection ends where HTTP says that the message ends.

    Breaks: clients raise in the middle of an answer, or take half an answer for a whole one.
    Fix: send the last chunk (or all that Content-Length announces) and close the connection after it.
    """
    if transcript.ended_early:
        end = len(transcript.body)
        length = header(transcript.headers, "content-length") or ""
        promised = f" of {length} bytes" if length.isdecimal() and not transcript.codings else ""
        got = f"{end:,} bytes, and then the exchange ended as: {transcript.exchange.end}"
        yield transcript.spot((end, end), got, f"a whole message{promised}")


@check(
    "http.content_encoding.decodes",
    level=MUST,
    over=requests,
    examines=_codings,
    cites="RFC 9110 section 8.4",
)
def content_encoding_decodes(transcript: Transcript) -> Iterator[Finding]:
    """A body that is declared to be coded decodes.

    Breaks: clients raise a decoding error before they see a single byte of the answer.
    Fix: name in Content-Encoding only what was applied to the body.
    """
    if transcript.coding_fault:
        yield transcript.spot((0, len(transcript.body)), transcript.coding_fault, "a body coded as declared")


@check(
    "http.body.present",
    level=MUST,
    over=requests,
    needs=("http.body.complete", "http.content_encoding.decodes"),
    cites=("OpenAI API reference", "TRN-04"),
)
def body_present(transcript: Transcript) -> Iterator[Finding]:
    """A successful answer has a body.

    Breaks: clients raise a JSON error on nothing, or return an empty stream without a word.
    Fix: answer with a completion, or with an error and its status.
    """
    if not transcript.body or transcript.body.isspace():
        yield transcript.spot((0, len(transcript.body)), "an empty body", "a completion")


@check(
    "http.body.utf8",
    level=MUST,
    over=requests,
    needs="http.body.present",
    cites=("RFC 8259 section 8.1", "WHATWG HTML 9.2.5", "TRN-09"),
)
def body_utf8(transcript: Transcript) -> Iterator[Finding]:
    """The body is UTF-8.

    Breaks: openai-python raises UnicodeDecodeError; others show replacement characters in the text.
    Fix: cut texts between characters, never within one, and encode them as UTF-8.
    """
    if transcript.stream:
        spans = transcript.stream.invalid_utf8
    else:
        document = transcript.document
        fault = document.fault if document else None
        spans = ((fault.offset, fault.offset + 1),) if fault and fault.problem == "not UTF-8" else ()
    for span in spans:
        yield transcript.spot(span, transcript.body[slice(*span)].hex(" "), "a well-formed UTF-8 sequence")


@check(
    "http.media_type.json",
    level=MUST,
    over=bodies,
    examines=_media_types,
    needs="json.body.valid",
    cites=("RFC 9110 section 8.3", "HDR-03"),
)
def media_type_json(transcript: Transcript) -> Iterator[Finding]:
    """A JSON answer is labelled application/json.

    Breaks: openai-node returns the text as a string, and LangChain.js raises on it.
    Fix: send Content-Type: application/json.
    """
    if transcript.media_type is None or not transcript.media_type.is_json:
        yield Finding(transcript.content_type() or "no Content-Type", "application/json", at="Content-Type")


@check(
    "http.media_type.event_stream",
    level=SHOULD,
    over=streams,
    examines=_media_types,
    needs="sse.stream.events",
    cites=("WHATWG HTML 9.2.3", "HDR-01", "HDR-02"),
)
def media_type_event_stream(transcript: Transcript) -> Iterator[Finding]:
    """A streamed answer is labelled text/event-stream.

    Breaks: browsers refuse the stream; proxies buffer it or wrap it again.
    Fix: send Content-Type: text/event-stream.
    """
    if transcript.media_type is None or not transcript.media_type.is_event_stream:
        yield Finding(transcript.content_type() or "no Content-Type", "text/event-stream", at="Content-Type")


@check(
    "http.charset.utf8",
    level=SHOULD,
    over=streams,
    examines=_media_types,
    needs="sse.stream.events",
    cites="WHATWG HTML 9.2.5",
)
def charset_utf8(transcript: Transcript) -> Iterator[Finding]:
    """A streamed answer names no charset other than utf-8.

    Breaks: an event stream is always UTF-8, but clients that obey the header decode the text as something else.
    Fix: leave the charset parameter out, or say utf-8.
    """
    charset = transcript.media_type.parameters.get("charset", "utf-8") if transcript.media_type else "utf-8"
    if charset.lower() not in ("utf-8", "utf8"):
        yield Finding(f"charset={charset}", "no charset, or utf-8", at="Content-Type")


def _error(answer: Transcript) -> Where | None:
    document = answer.document
    value = document.object if document else None
    return error_in(0, value, "") if value else None


@check(
    "http.answer.completion",
    level=MUST,
    over=answers,
    needs="json.body.object",
    cites=("OpenAI API reference", "TRN-12"),
)
def answer_completion(answer: Transcript) -> Iterator[Finding]:
    """An answer is a completion.

    Breaks: every measured client raises on an answer without choices.
    Fix: answer with the completion itself, outside of any envelope, and with failures as an error and its status.
    """
    value = answer.document.object if answer.document else None
    if value is not None and is_stranger(value) and not _error(answer):
        yield answer.finding(Where(0), "a completion: id, object, created, model, choices")


@check(
    "http.status.error",
    level=MUST,
    over=answers,
    needs="http.answer.completion",
    cites=("OpenAI API reference", "ERR-01", "TRM-09"),
)
def status_error(answer: Transcript) -> Iterator[Finding]:
    """An answer that is an error has a status of 400 or above.

    Breaks: clients take it for a completion and raise far from the cause, without the error's message.
    Fix: send the error with its own status: 400, 401, 404, 429, 500.
    """
    where = _error(answer)
    if where:
        yield answer.finding(where, "a status of 400 or above", f"status {answer.status} with an error")


@check(
    "http.answer.single",
    level=MUST,
    over=answers,
    needs="http.body.present",
    cites=("OpenAI API reference", "TRN-02"),
)
def answer_single(transcript: Transcript) -> Iterator[Finding]:
    """A request without stream: true is not answered by an event stream.

    Breaks: SDKs return the raw text as a string, or raise a JSON error.
    Fix: stream only where the request says "stream": true.
    """
    if transcript.body.lstrip().startswith((b"data:", b"event:")):
        yield transcript.spot((0, len(transcript.body)), "an event stream", "one JSON object")
