"""What goes to a provider and must not be written: its key, and what its headers read from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chatconform.model import Headers, InputError, Provider
from chatconform.recordings.forms import SHORTEST_KEY
from chatconform.recordings.redact import Secrets

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_VALUE = re.compile(r"[!-~]+(?:[ \t]+[!-~]+)*")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key (None where there is none) and the headers of one provider; `secrets` overwrites what is in them."""

    key: str | None = field(default=None, repr=False)
    headers: Headers = field(default=(), repr=False)
    secrets: Secrets = field(default_factory=lambda: Secrets(()))


class Hidden(dict[str, str]):
    """Values by the name of their variable; no traceback shows them."""

    def __repr__(self) -> str:
        return f"{sorted(self)}"


def credentials(provider: Provider, environ: Mapping[str, str]) -> Credentials:
    """Return a provider's key, and its headers with `${NAME}` read from the environment.

    Raises `InputError` for a variable that is not set, for a value that a header cannot carry, and for one of
    fewer than 16 characters: it could not be told from other text, and so not be kept out of the recording.
    """
    require_unshown(provider, environ)
    values = _values(provider, environ)
    del environ  # a traceback that shows the variables of each frame would show all of it
    error = next((error for name in values if (error := _unusable(name, values, provider))), None)
    if error is not None:
        raise error
    return Credentials(
        values.get(provider.key_env or ""),
        tuple((name, _REFERENCE.sub(lambda found: values[found[1]], text)) for name, text in provider.headers.items()),
        Secrets(values.values()),
    )


def require_unshown(provider: Provider, environ: Mapping[str, str]) -> None:
    """Raise `InputError` where `base_url` or `model`, which everybody is shown, holds the value of a key."""
    for name, value in _values(provider, environ).items():
        shown = f"{provider.base_url} {provider.model}".encode("utf-8", "surrogatepass")
        if len(value) >= SHORTEST_KEY and Secrets([value]).found_whole(shown):
            del environ, value
            remedy = "Take it out: both are shown and recorded. The key is sent as Authorization."
            raise InputError(provider.place, f"base_url or model holds the value of {name} itself", remedy)


def _values(provider: Provider, environ: Mapping[str, str]) -> Hidden:
    read = {name for text in provider.headers.values() for name in _REFERENCE.findall(text)}
    key = {provider.key_env} if provider.key_env and environ.get(provider.key_env) else set()
    return Hidden({name: environ.get(name, "") for name in sorted(read | key)})


def _unusable(name: str, values: Hidden, provider: Provider) -> InputError | None:
    """Return why a value cannot be sent, or not be hidden; without a word of it."""
    if not values[name]:
        problem, remedy = f"a header of {provider.id} reads the variable {name}, which is not set", f"Set {name}."
    elif not _VALUE.fullmatch(values[name]):
        problem = f"the value of {name} holds a character that a header cannot carry, such as a line break"
        remedy = "Set it to the key alone: ASCII, without white space around it."
    elif len(values[name]) < SHORTEST_KEY:
        problem = f"the value of {name} has fewer than {SHORTEST_KEY} characters, too few to be kept out of reports"
        remedy = "Check the variable. What is no secret can stand in providers.yaml as it is."
    else:
        return None
    return InputError(provider.place, problem, remedy)
