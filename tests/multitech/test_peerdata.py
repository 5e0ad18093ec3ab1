"""The data of one command of a Multi-Tech modem, at their host."""

from __future__ import annotations

from typing import Any

import pytest

from atrunproto.at.errors import CommandFailed
from atrunproto.multitech.coding import Coded
from atrunproto.multitech.errors import Message
from atrunproto.multitech.peerdata import RESULT_WAIT, DataSession, Way
from atrunproto.testing.contract import End
from tests.multitech.hosts import Scripted

BEGIN, WAITING = "\r\nOk_Info_DataBegin\r\n", "\r\nOk_Info_WaitingForData\r\n"
OK, FAILED = "\r\nOK\r\n", "\r#CME ERROR: 37966\r\n"


class Talk:
    """Data whose modem a test plays."""

    def __init__(self, way: Way, message: Message, announcement: str) -> None:
        self.modem = Scripted({"AT#DATA": announcement})
        self.near = End()
        self.session = DataSession(self.modem.modem, Coded(), message, lambda: self.near, way)
        self.modem.do(self.session.open("AT#DATA", 10))

    def comes(self, *pieces: str) -> None:
        """The modem says something, and a second passes."""
        for piece in pieces:
            self.modem.comes(piece)
        self.modem.clock.advance(1)

    def said(self) -> bytes:
        """What the host has said."""
        said: bytes = self.modem.transport.value()
        self.modem.transport.clear()
        return said

    def ask(self, line: str) -> Any:
        """Give a command, and what is said for it at once."""
        self.modem.client.execute(line).addErrback(lambda _: None)
        return self.said()


def taking() -> Talk:
    """Data that only the modem sends."""
    return Talk(Way.IN, Message.DATA_BEGIN, BEGIN)


def sending(way: Way = Way.OUT) -> Talk:
    """Data that the host sends."""
    return Talk(way, Message.WAITING_FOR_DATA, WAITING)


def test_resultInTheMidst() -> None:
    """What is dropped may look like a result and pause there, and is none without its end (MTS-RES-12, MTS-FTP-12)."""
    talk = taking()
    talk.near.transport.abortConnection()
    assert talk.ask("AT#VSTATE") == b""
    talk.comes("text" + OK)
    talk.comes("more" + FAILED)
    assert talk.said() == b""
    talk.comes("\x03" + OK)
    assert talk.said() == b"AT#VSTATE\r"


@pytest.mark.parametrize(("way", "end"), [(Way.OUT, FAILED), (Way.OUT, "\x03" + FAILED), (Way.BOTH, "\x03" + FAILED)])
def test_leftOver(way: Way, end: str) -> None:
    """What was under way when the data ended may be in the command line, so the next command isn't put behind it."""
    talk = sending(way)
    talk.near.write(b"text")
    assert talk.said() == b"text"
    talk.comes(end)
    assert talk.near.losses[0].check(CommandFailed)
    assert talk.ask("AT#VSTATE") == b"\x1bAT\r"
    talk.comes(OK)
    assert talk.said() == b"AT#VSTATE\r"


@pytest.mark.parametrize("way", [Way.OUT, Way.BOTH])
@pytest.mark.parametrize("end", [OK, "\x03" + OK])
def test_nothingLeftOver(way: Way, end: str) -> None:
    """Where the modem has taken all there is no doubt, and the next command follows at once (MTS-GAP-54)."""
    talk = sending(way)
    talk.near.write(b"text")
    talk.near.transport.loseConnection()
    talk.modem.clock.advance(0.1)
    assert talk.said() == b"text\x03"
    talk.comes(end)
    assert talk.ask("AT#VSTATE") == b"AT#VSTATE\r"


@pytest.mark.parametrize("pieces", [0, 3])
def test_muteWhileDropping(pieces: int) -> None:
    """Data that are given up may take as long as they like, but not a modem that goes mute (MTS-FTP-11)."""
    talk = taking()
    talk.near.transport.abortConnection()
    for _ in range(pieces):
        talk.modem.clock.advance(RESULT_WAIT - 2)
        talk.comes("text")
    assert talk.ask("AT#VSTATE") == b""
    talk.modem.clock.advance(RESULT_WAIT)
    assert talk.said() == b"\x1bAT\r"
