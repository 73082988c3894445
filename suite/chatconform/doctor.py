"""Whether providers can be asked from here: the configuration, the keys, the way to them, and what they say first.

Only words of ours, status codes and host names are said, so that no key is repeated, whoever echoes it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from chatconform.capture import capture as capturing
from chatconform.capture.transport import Limits, Message, Received, Transport
from chatconform.model import InputError, Provider, Response
from chatconform.providers import is_loopback
from chatconform.wire import media, strict_json

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_OTHERS_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_LIMITS = Limits(total_s=20, idle_s=10, body_bytes=1 << 20)
_UNREACHABLE = {
    "dns": "the name cannot be resolved; look at the host of base_url, and at this machine's resolver",
    "refused": "nothing listens there; look at the host and the port of base_url, and whether the server runs",
    "tls": "TLS cannot be agreed on; a private authority's certificate belongs into SSL_CERT_FILE, and a server "
    "without TLS has a base_url of http://",
    "proxy": "the proxy refused; look at the proxy variables above",
    "timeout": "no connection came about in time; a firewall may swallow the packets",
}
_EXPLAINED = {
    "tkhub": "its page prints /v1/v1/chat/completions in one place (001_3d2513934720930c.txt:11), and once /v1 in its "
    "heading (lines 3-8); the base URL has /v1 once, and a doubled one is refused in providers.yaml",
}
"""What is odd about the address that a document gives."""


class State(StrEnum):
    """How much a remark matters."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at. `about` is a provider's id, or the environment."""

    about: str
    state: State
    says: str


def look(providers: Sequence[Provider], environ: Mapping[str, str]) -> list[Remark]:
    """Look at the environment and at every provider. Each that has its key is sent one GET for its list of models."""
    environ = capturing.Hidden(environ)
    remarks = list(_environment(environ))
    is_usable = not any(remark.state is State.PROBLEM for remark in remarks)
    ready: list[Provider] = []
    for provider in providers:
        found = [*_address(provider), *_key(provider, environ)]
        if is_usable and not any(remark.state is State.PROBLEM for remark in found):
            ready.append(provider)
        remarks += found
    return [*remarks, *asyncio.run(_reach_all(ready, environ))] if ready else remarks


def _environment(environ: Mapping[str, str]) -> Iterator[Remark]:
    about = "environment"
    for name in _PROXIES:
        value = environ.get(name) or environ.get(name.lower())
        if value:
            shown = value if name == "NO_PROXY" else _host(value)
            yield Remark(about, State.NOTE, f"{name} is set: {shown}")
    for name in _CERTIFICATES:
        value = environ.get(name)
        if value and Path(value).exists():
            yield Remark(about, State.NOTE, f"{name} is set: {value}")
        elif value:
            yield Remark(about, State.PROBLEM, f"{name} names {value}, which is not there; correct it, or unset it")
    if not any(environ.get(name) for name in _CERTIFICATES):
        for name in _OTHERS_CERTIFICATES:
            if environ.get(name):
                yield Remark(about, State.NOTE, f"{name} is set, and is not read here: set SSL_CERT_FILE to the same")


def _host(url: str) -> str:
    """Return the host and the port of a URL, without a user or a password."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "a value that is no URL"


def _address(provider: Provider) -> Iterator[Remark]:
    url = urlsplit(provider.base_url)
    yield Remark(provider.id, State.OK, f"{provider.place}: {provider.base_url}, model {provider.model}")
    if url.scheme == "http" and not is_loopback(provider.base_url):
        yield Remark(provider.id, State.NOTE, "base_url is http://: the key and the texts travel in the clear")
    if not re.search(r"/v\d+\w*$", url.path):
        said = f"base_url does not end in /v1; requests go to {provider.base_url}/chat/completions as it stands"
        yield Remark(provider.id, State.NOTE, said)
    if provider.contract in _EXPLAINED:
        yield Remark(provider.id, State.NOTE, _EXPLAINED[provider.contract])


def _key(provider: Provider, environ: Mapping[str, str]) -> Iterator[Remark]:
    name = provider.key_env
    if name is None:
        yield Remark(provider.id, State.OK, "no key is sent: key_env is absent")
        return
    value = environ.get(name, "")
    problem = _wrong_with(value)
    if problem is None:
        try:
            capturing.credentials(provider, environ)
        except InputError as error:
            problem = f"{error.problem}; {error.remedy}"
    if problem is None:
        yield Remark(provider.id, State.OK, f"{name} is set")
    else:
        yield Remark(provider.id, State.PROBLEM, f"{name}: {problem}")


def _wrong_with(key: str) -> str | None:
    """Say what is wrong with a key, without the key."""
    if not key:
        return "it is not set; put the key into it"
    if key != key.strip() or key[0] in "\"'" or key[-1] in "\"'":
        return "the key begins or ends with white space or a quotation mark, as when copied with it; take it off"
    if key.lower().startswith("bearer "):
        return "the key begins with Bearer, which is sent anyway; leave it off"
    return None


async def _reach_all(providers: Sequence[Provider], environ: Mapping[str, str]) -> list[Remark]:
    async with Transport() as transport:
        found = await asyncio.gather(*(_reach(transport, provider, environ) for provider in providers))
    return [remark for remarks in found for remark in remarks]


async def _reach(transport: Transport, provider: Provider, environ: Mapping[str, str]) -> list[Remark]:
    message = _question(provider, capturing.credentials(provider, environ))
    received = await transport.exchange(message, _LIMITS)
    return [Remark(provider.id, state, says) for state, says in _told(provider, received)]


def _question(provider: Provider, credentials: capturing.Credentials) -> Message:
    bearer = (("Authorization", f"Bearer {credentials.key}"),) if credentials.key else ()
    return Message("GET", f"{provider.base_url}/models", (*credentials.headers, *bearer))


def _told(provider: Provider, received: Received) -> Iterable[tuple[State, str]]:
    """Say what came of asking for the list of models."""
    response = received.response
    if response is None:
        kind, _, why = received.end.partition(":")
        remedy = _UNREACHABLE.get(why, "look at the host and the port of base_url")
        return [(State.PROBLEM, f"{kind}{f' ({why})' if why else ''}: {remedy}")]
    if received.end != "complete":
        return [(State.PROBLEM, f"status {response.status}, and then the answer broke off: {received.end}")]
    if response.status in (401, 403):
        remedy = f"look whether {provider.key_env} holds the right key" if provider.key_env else "name key_env"
        return [(State.PROBLEM, f"status {response.status}: the key is refused; {remedy}")]
    if 300 <= response.status < 400:
        host = _host(media.header(response.headers, "Location") or "")
        return [(State.PROBLEM, f"status {response.status}: it redirects to {host}; redirects are not followed")]
    if response.status != 200:
        return [(State.NOTE, f"reached; its list of models has status {response.status}")]
    return _models(provider, response)


def _models(provider: Provider, response: Response) -> Iterable[tuple[State, str]]:
    value = strict_json.parse(response.body).object
    data = value.get("data") if value else None
    if not isinstance(data, list):
        said = "what answers is no list of models but something else, a page perhaps; look at the path of base_url"
        return [(State.PROBLEM, f"reached, and {said}")]
    if provider.model in [model.get("id") for model in data if isinstance(model, dict)]:
        return [(State.OK, f"reached; its list of {len(data)} models has {provider.model}")]
    return [(State.NOTE, f"reached; its list of {len(data)} models does not have {provider.model}")]
