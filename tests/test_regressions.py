"""docs/regressions.md, followed to the letter, with the server that it is about."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from dataclasses import replace

from pages import follow
from servers import llama_cpp, wheels

THEIRS = "http://127.0.0.1:8080/v1"


def test_a_change_of_the_server_is_caught_named_and_attributed_as_the_page_says(shell, tmp_path):
    wheels.need("xllamacpp")
    urls: dict[str, str] = {}
    with ExitStack() as running:

        def serve(command: str) -> None:
            """Serve what a command line of the page does, in the place of what is served, on the port of the first."""
            running.close()
            wanted = llama_cpp.settings(shlex.split(command.partition("servers.llama_cpp")[2]))
            port = int(urls[THEIRS].rpartition(":")[2].removesuffix("/v1")) if urls else 0
            urls[THEIRS] = running.enter_context(llama_cpp.serving(tmp_path, replace(wanted, port=port)))

        narrow = replace(shell, environment={**shell.environment, "COLUMNS": "80"})
        follow("regressions.md", narrow, urls, serve)
    assert urls
