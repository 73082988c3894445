"""A new endpoint in providers.yaml: a commented block, added so that what stands there already stays as it is."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from chatconform import providers
from chatconform.model import InputError, Place, Provider

_HEAD = """\
# The endpoints that chatconform tests; `chatconform doctor` says whether each is ready.
providers:
"""


def block(provider: Provider) -> str:
    """Return the lines of a provider, indented by two, with a comment on what may be changed."""
    quoted = json.dumps
    key = (
        f"    key_env: {provider.key_env}  # the name of an environment variable; a key never stands in this file"
        if provider.key_env
        else "    # key_env: MY_API_KEY  # the name of the variable that holds the key; without it no key is sent"
    )
    contract = (
        f"    contract: {provider.contract}  # its own document, besides OpenAI's contract"
        if provider.contract
        else "    # contract: mine  # a folder of schemas/ made from its own document; without it OpenAI's alone"
    )
    limits = ", ".join(f"{name}: {value}" for name, value in providers.default_limits(provider.base_url).items())
    return "\n".join(
        (
            f"  {provider.id}:",
            f"    base_url: {quoted(provider.base_url)}  # /chat/completions and /models are appended",
            f"    model: {quoted(provider.model)}",
            key,
            contract,
            "    default: true  # part of `chatconform run` without names",
            f"    cap: {provider.cap}  # or max_completion_tokens: how an answer is kept short",
            "    # headers: {X-Team: tests}  # sent with every request; ${NAME} reads the environment",
            f"    # limits: {{{limits}}}",
            "    # waivers:",
            "    #   - {check: usage.total.sum, reason: the vendor knows, until: 2027-03-31}",
            "",
        )
    )


def add(provider: Provider, file: Path, contracts: Collection[str] | None = None) -> str:
    """Return the text of a providers file with a new block at its end; of a file that is not there, a whole one.

    `contracts` are the names that its providers may have documents by (None: the shipped ones). Raises `InputError`
    where the file cannot be used, knows a provider of this id, or does not end in the list of its providers, so that
    a block at its end would mean something else.
    """
    if not file.exists():
        return _HEAD + block(provider)
    known = {each.id: each.place for each in providers.load(file, None, contracts)}
    if provider.id in known:
        problem = f"there is a provider {provider.id} already"
        raise InputError(known[provider.id], problem, "Choose another name with --id.")
    text = f"{file.read_text(encoding='utf-8').rstrip()}\n\n{block(provider)}"
    if not _ends_in(text, provider, {*known, provider.id}, file, contracts):
        remedy = "Paste the block that --print shows into the list of providers yourself."
        raise InputError(Place(str(file)), "the list of providers, written as a block, does not end this file", remedy)
    return text


def _ends_in(
    text: str, provider: Provider, ids: Collection[str], file: Path, contracts: Collection[str] | None
) -> bool:
    try:
        found = providers.parse(text, str(file), contracts)
    except InputError:
        return False
    return ids == {each.id for each in found} and found[-1].id == provider.id
