"""Recordings of the real servers, made by `chatconform record` as a child process.

`python -m servers.recording TO` makes them anew where they are shipped: TO/llama.cpp/VERSION and
TO/sglang-router/VERSION. An exchange that differs from the shipped one in ids and clocks alone is left as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from servers import gateway, llama_cpp, masking

WHEELS: Final = {"llama.cpp": "xllamacpp", "sglang-router": "sglang-router"}
"""The servers by provider id, each with the wheel that it comes from."""
COSTLY: Final = ("reasoning", "n.four", "functions.named", "functions.none")
"""What is asked beyond the ordinary plan. Left out: a prompt of a million tokens, which makes a file of 4 MB."""
SOME_NOT_SENT: Final = 3
"""The exit code of the first call where a ceiling keeps requests back, as at a gateway that refuses much."""
LIMITS: Final = "{concurrency: 1, per_minute: 6000, requests: 120, output_tokens: 20000}"
"""One request at a time: which slot answers, and so which of two choices comes first, is then the same every time."""


@contextmanager
def running(folder: Path) -> Iterator[Mapping[str, str]]:
    """Start every server, each with its files in a folder; give their base URLs by provider id."""
    folders = [folder / name for name in WHEELS]
    for each in folders:
        each.mkdir(parents=True)
    with ExitStack() as stack:
        alone, behind = (stack.enter_context(llama_cpp.serving(each)) for each in folders)
        yield {"llama.cpp": alone, "sglang-router": stack.enter_context(gateway.routing(folders[1], behind))}


def providers(urls: Mapping[str, str]) -> str:
    """Return a providers file with the servers at these URLs."""
    rest = f"model: {llama_cpp.MODEL}, key_env: SERVERS_KEY, default: true, limits: {LIMITS}"
    return "providers:\n" + "".join(f"  {name}: {{base_url: {url}, {rest}}}\n" for name, url in urls.items())


def record(folder: Path, urls: Mapping[str, str]) -> dict[str, Path]:
    """Ask the servers all that is asked, and keep it below a folder; return the recordings by provider id.

    Raises `RuntimeError` with what `chatconform record` said where it could not.
    """
    file = folder / "providers.yaml"
    file.write_text(providers(urls), encoding="utf-8")
    costly = [option for name in COSTLY for option in ("--scenario", name)]
    for options in ([], ["--resume"], ["--resume", "--costly", *costly]):
        command = [sys.executable, "-m", "chatconform", "record", "--providers", str(file), "--to", str(folder)]
        variables = {**os.environ, "SERVERS_KEY": llama_cpp.KEY}
        done = subprocess.run([*command, *options], env=variables, capture_output=True, text=True)
        if done.returncode not in ((0,) if options else (0, SOME_NOT_SENT)):
            raise RuntimeError(f"record ended with {done.returncode}: {done.stderr}")
    return {name: next((folder / name).iterdir()) for name in urls}


def _ship(to: Path) -> None:
    """Record anew, and keep of it what differs from what is shipped by more than ids and clocks."""
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "running") as urls:
        for provider, made in record(Path(name), urls).items():
            shipped = to / provider / version(WHEELS[provider])
            shipped.mkdir(parents=True, exist_ok=True)
            changed = list(masking.changed(shipped, made))
            for each in changed:
                (shipped / each).unlink(missing_ok=True)
                if (made / each).exists():
                    (shipped / each).write_bytes((made / each).read_bytes())
            named = "\n  ".join(["", *changed])
            print(f"{shipped}: {len(list(made.iterdir()))} exchanges, {len(changed)} of them changed{named}")


if __name__ == "__main__":
    _ship(Path(sys.argv[1]))
