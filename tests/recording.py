"""Recorded exchanges and providers files for tests, built as JSON and YAML: a good answer, a good stream, and edits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CREATED = 1_795_176_000
URL = "https://acme.example/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "Name a city."}]


def exchange(identifier: str, request: Any, response: Any, **members: Any) -> dict[str, Any]:
    """Return an exchange of provider acme, recorded live; `members` are set or replaced at the top."""
    return {
        "format": "chatconform.exchange/1",
        "id": identifier,
        "provider": "acme",
        "scenario": identifier.partition("@")[0],
        "origin": "live",
        "recorded_at": "2026-11-20T12:00:00Z",
        "request": {"method": "POST", "url": URL, "headers": [["Content-Type", "application/json"]], "body": request},
        "response": response,
        "end": "complete",
        **members,
    }


def responded(body: str, media_type: str = "application/json", status: int = 200) -> dict[str, Any]:
    """Return a response that came in one read."""
    return {
        "http_version": "1.1",
        "status": status,
        "headers": [["Content-Type", media_type]],
        "headers_after": 200_000,
        "body": body,
        "reads": [[210_000, len(body.encode())]],
    }


def answer(identifier: str = "answer", **members: Any) -> dict[str, Any]:
    """Return a good exchange with an answer in one piece; `members` are set or replaced in the answer."""
    said = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": CREATED,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Zürich"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14},
        **members,
    }
    body = json.dumps(said, ensure_ascii=False)
    return exchange(identifier, {"model": "m", "messages": MESSAGES}, responded(body))


def stream(identifier: str = "stream", done: str = "data: [DONE]\n\n", **members: Any) -> dict[str, Any]:
    """Return a good exchange with a streamed answer; `members` are set or replaced in every chunk."""
    deltas = [({"role": "assistant", "content": ""}, None), ({"content": "Zürich"}, None), ({}, "stop")]
    chunks = [
        {
            "id": "chatcmpl-2",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            **members,
        }
        for delta, finish in deltas
    ]
    body = "".join(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks) + done
    return exchange(
        identifier, {"model": "m", "messages": MESSAGES, "stream": True}, responded(body, "text/event-stream")
    )


def refused(identifier: str, status: int, code: str) -> dict[str, Any]:
    """Return an exchange that ended with an error object."""
    error = {"message": "No.", "type": "error", "param": None, "code": code}
    body = json.dumps({"error": error})
    return exchange(identifier, {"model": "m", "messages": MESSAGES}, responded(body, status=status))


def unreachable(identifier: str = "answer") -> dict[str, Any]:
    """Return an exchange that got no answer."""
    return exchange(identifier, {"model": "m", "messages": MESSAGES}, None, end="unreachable:refused")


def write(folder: Path, *exchanges: Mapping[str, Any]) -> Path:
    """Write one file an exchange, named by its id; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in exchanges:
        (folder / f"{each['id']}.json").write_text(json.dumps(each, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


def lines(*exchanges: Mapping[str, Any]) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in exchanges)


def providers(file: Path, *names: str, waivers: Sequence[str] = (), contract: str | None = None) -> Path:
    """Write a providers file with these providers, all of them default; the waivers are YAML, one a line from 7 on."""
    blocks = [
        f"  {name}:\n    base_url: https://{name}.example/v1\n    model: m\n    default: true\n"
        + (f"    contract: {contract}\n" if contract else "")
        + ("    waivers:\n" + "".join(f"      - {waiver}\n" for waiver in waivers) if waivers else "")
        for name in names or ("acme",)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("providers:\n" + "".join(blocks), encoding="utf-8")
    return file
