"""llama.cpp's own HTTP server, in this process, on a free port of 127.0.0.1, from the wheel `xllamacpp`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from servers import model
from servers.template import Template, jinja

MODEL: Final = "scripted"
KEY: Final = "sk-fake-0123456789abcdef"
SLOTS: Final = 4
"""How many requests are answered at once."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a test may change of the server: its chat template, and whether it parts reasoning from text."""

    template: Template = Template.HERMES
    reasoning: bool = True


@contextmanager
def serving(folder: Path, settings: Settings = Settings()) -> Iterator[str]:
    """Serve the scripted model, written into a folder, and give the base URL of the API; stop at the end."""
    import xllamacpp

    file = folder / "scripted.gguf"
    file.write_bytes(model.gguf(jinja(settings.template)))
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [KEY]
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * model.CONTEXT // 4
    params.cpuparams.n_threads = 1
    params.warmup = params.ui = params.fit_params = False
    params.verbosity = 0
    formats = xllamacpp.common_reasoning_format
    params.reasoning_format = (
        formats.COMMON_REASONING_FORMAT_DEEPSEEK if settings.reasoning else formats.COMMON_REASONING_FORMAT_NONE
    )
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server
