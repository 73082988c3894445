"""llama.cpp's own HTTP server, in this process, on a port of 127.0.0.1, from the wheel `xllamacpp`.

`python -m servers.llama_cpp` serves the scripted model until it is interrupted, and prints the base URL.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
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
    """What may be changed of the server: its chat template, whether it parts reasoning from text, its port (0: any)."""

    template: Template = Template.HERMES
    reasoning: bool = True
    port: int = 0


@contextmanager
def serving(folder: Path, wanted: Settings = Settings()) -> Iterator[str]:
    """Serve the scripted model, written into a folder, and give the base URL of the API; stop at the end."""
    import xllamacpp

    file = folder / "scripted.gguf"
    file.write_bytes(model.gguf(jinja(wanted.template)))
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = wanted.port
    params.api_keys = [KEY]
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * model.CONTEXT // 4
    params.cpuparams.n_threads = 1
    params.warmup = params.ui = params.fit_params = False
    params.verbosity = 0
    formats = xllamacpp.common_reasoning_format
    params.reasoning_format = (
        formats.COMMON_REASONING_FORMAT_DEEPSEEK if wanted.reasoning else formats.COMMON_REASONING_FORMAT_NONE
    )
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


def settings(arguments: Sequence[str]) -> Settings:
    """Read a command line."""
    parser = argparse.ArgumentParser("python -m servers.llama_cpp", description="Serve a model that is a script.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--template", type=Template, choices=list(Template), default=Template.HERMES)
    parser.add_argument("--no-reasoning", action="store_true", help="leave reasoning in the text")
    given = parser.parse_args(arguments)
    return Settings(given.template, not given.no_reasoning, given.port)


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), settings(sys.argv[1:])) as url:
        print(url, flush=True)
        signal.sigwait((signal.SIGINT, signal.SIGTERM))


if __name__ == "__main__":
    _main()
