"""llama.cpp's own HTTP server, in this process, on a free port of 127.0.0.1, from the wheel `xllamacpp`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from servers import model

MODEL: Final = "scripted"
KEY: Final = "sk-fake-0123456789abcdef"
SLOTS: Final = 4
"""How many requests are answered at once."""


def is_installed() -> bool:
    """Whether the wheel is there."""
    return importlib.util.find_spec("xllamacpp") is not None


def template() -> str:
    """Return the chat template: messages with calls and reasoning in tags, and which script answers them."""
    return "".join(Path(__file__).with_name(name).read_text("utf-8") for name in ("hermes.jinja", "choice.jinja"))


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the scripted model, written into a folder, and give the base URL of the API; stop at the end."""
    import xllamacpp

    file = folder / "scripted.gguf"
    file.write_bytes(model.gguf(template()))
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
    params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_DEEPSEEK
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server
