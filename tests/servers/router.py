"""`python -m servers.router UPSTREAM PORT METRICS_PORT`: `sglang-router` on 127.0.0.1, until standard input is closed.

It holds the interpreter while it runs, so nothing in Python can end it; the kernel does. Standard input is the reading
end of a pipe, and when the last process that can write to it is gone, however it went, the kernel sends SIGIO, whose
default is to end the process.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys

from sglang_router.router import Router
from sglang_router.router_args import RouterArgs


def _end_with(pipe: int) -> None:
    """Have this process ended when the other end of a pipe is closed; end it if that has happened already."""
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        sys.exit("standard input is closed")


if __name__ == "__main__":
    _end_with(sys.stdin.fileno())
    _, upstream, port, metrics = sys.argv
    here = {"host": "127.0.0.1", "port": int(port), "prometheus_host": "127.0.0.1", "prometheus_port": int(metrics)}
    Router.from_args(RouterArgs(worker_urls=[upstream], log_level="warn", **here)).start()
