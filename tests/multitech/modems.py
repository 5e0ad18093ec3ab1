"""A Multi-Tech modem in memory, as the tests of its commands want it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from atrunproto.testing.emulated import MemoryModule, Wire

DOCUMENTS = Path(__file__).resolve().parent.parent.parent / "docs" / "requirements"


def rowsOf(document: str) -> list[dict[str, str]]:
    """The rows of a table of the requirements."""
    with (DOCUMENTS / document).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def failed(number: int) -> bytes:
    """An error of Multi-Tech's own, octet by octet."""
    return b"\r#CME ERROR: %d\r\n" % number


OK = b"\r\nOK\r\n"


class Modem:
    """
    A modem with somebody at its first port; the stack is open, and the echo off.
    """

    def __init__(self, *lines: str, isOpen: bool = True, product: str = "MTCBA-G", **facts: Any) -> None:
        """
        @param lines: commands that are run first.
        """
        self.memory = MemoryModule(product, **facts)
        self.module = self.memory.module
        self.port: Wire = self.memory.port()
        for line in ("ATE0", *(["AT+WOPEN=1"] if isOpen else []), *lines):
            assert self.say(line).endswith(b"OK\r\n"), line

    def say(self, line: str, end: str = "\r") -> bytes:
        """What comes back for a line at once."""
        return self.port.say((line + end).encode("latin-1"))

    def read(self, name: str) -> str:
        """The value that a read shows."""
        answer = self.say(f"AT#{name}?").decode("latin-1")
        assert answer.startswith(f"#{name}: "), answer
        return answer.removeprefix(f"#{name}: ").removesuffix("\r\n\r\nOK\r\n")

    def restart(self) -> None:
        """Cut the power, give it back, and take the echo away."""
        self.module.powerOff()
        self.memory.switchOn()
        self.say("ATE0")


def connected(*lines: str, **facts: Any) -> Modem:
    """A modem that has a connection, after these commands."""
    modem = Modem('AT#APNSERV="apnserver.com"', *lines, **facts)
    assert modem.say("AT#CONNECTIONSTART") == b""
    modem.memory.advance(5)
    assert modem.port.heard().endswith(b"Ok_Info_GprsActivation\r\n")
    return modem
