"""
Opens many connections that never say a word: C{python silent.py PORT COUNT}.

Prints a line when all are open, and ends with its standard input.
"""

from __future__ import annotations

import resource
import socket
import sys


def main(port: int, count: int) -> None:
    """Open them, a few thousand from each address of loopback."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    opened = []
    for number in range(count):
        source = f"127.0.1.{1 + number // 5000}", 0
        opened.append(socket.create_connection(("127.0.0.1", port), 30, source))
    print(f"{len(opened)} open", flush=True)  # noqa: T201
    sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
