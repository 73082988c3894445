"""A request as the reference endpoint received it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

from chatconform.model import JsonObject, JsonValue, Request
from chatconform.reference import rewrite
from chatconform.wire import asked as requests
from chatconform.wire import strict_json
from chatconform.wire.asked import Asked
from chatconform.wire.media import header
from chatconform.wire.strict_json import Document

ROOT: Final = "/v1"
CHAT: Final = f"{ROOT}/chat/completions"
MODELS: Final = f"{ROOT}/models"
_SCHEME: Final = "bearer "


@dataclass(frozen=True)
class Received:
    """One request. Its `body` is the exact bytes; `seen` counts the equal requests that came before it."""

    request: Request
    seen: int = 0

    @property
    def path(self) -> str:
        """The path, without a slash at its end."""
        return urlsplit(self.request.url).path.rstrip("/")

    @property
    def is_chat(self) -> bool:
        """Whether it asks for a chat completion."""
        return self.path == CHAT and self.request.method == "POST"

    @property
    def key(self) -> str | None:
        """The credential (RFC 6750 section 2.1); None where there is none."""
        value = header(self.request.headers, "Authorization") or ""
        return value[len(_SCHEME) :].strip() or None if value.lower().startswith(_SCHEME) else None

    @property
    def raw(self) -> bytes:
        """The bytes of the body."""
        return self.request.body if isinstance(self.request.body, bytes) else b""

    @cached_property
    def document(self) -> Document:
        """The body as JSON."""
        return strict_json.parse(self.raw)

    @cached_property
    def body(self) -> JsonObject:
        """The body's JSON object; an empty one where the body is none."""
        return self.document.object or {}

    @cached_property
    def asked(self) -> Asked:
        """What is asked."""
        return requests.read(self.request, looks_streamed=False)

    def with_header(self, name: str, value: str | None) -> Received:
        """Return the request with one field set, or without it where the value is None."""
        others = tuple(pair for pair in self.request.headers if pair[0].lower() != name.lower())
        fields = others if value is None else (*others, (name, value))
        return Received(replace(self.request, headers=fields), self.seen)

    def with_body(self, body: JsonValue) -> Received:
        """Return the request with another JSON body."""
        return Received(replace(self.request, body=rewrite.as_json(body)), self.seen)

    def with_members(self, **members: JsonValue) -> Received:
        """Return the request with members of its JSON object set; those that are None are left out."""
        body = {**self.body, **members}
        return self.with_body({name: value for name, value in body.items() if value is not None})
