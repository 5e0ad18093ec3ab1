"""What can be chosen of a Multi-Tech modem where its guide contradicts itself or leaves something open."""

from __future__ import annotations

import pytest

from tests.multitech.modems import OK
from tests.multitech.services import END, ETX, Served


@pytest.mark.parametrize(
    ("value", "spelled", "activated"), [(0, b"Ok_Info_", b"GprsActivation"), (1, b"OK_Info_", b"GPRSActivation")]
)
def test_spelling(value: int, spelled: bytes, activated: bytes) -> None:
    """
    All information messages are spelled as host programs expect them, or as the chapters of the guide print them.

    MTS-RES-02, MTS-GAP-07, MTS-GAP-08.
    """

    def message(name: bytes) -> bytes:
        return b"\r\n" + spelled + name + b"\r\n"

    modem = Served(limits={"messages as in the chapters": value})
    assert modem.connection.endswith(message(activated))
    assert modem.do("AT#GETMAIL") == message(b"Mail") + b"From: a@b.c\r\nSubject: Hi\r\n\r\nThe letter" + END + OK
    assert modem.do("AT#GETMAIL") == message(b"NoMail")
    assert modem.do("AT#PUTMAIL") == message(b"WaitingForData")
    assert modem.type(b"text" + END) == END + OK
    begun, file = modem.move("AT#FTPGET")
    assert begun + modem.moved(file) == message(b"DataBegin") + ETX + OK
    assert modem.do("AT#OTCP=1") == message(b"WaitingForData")
    assert modem.type(ETX) == ETX + message(b"SocketClosed") + OK
    assert modem.do("AT#OUDP") == message(b"WaitingForData")
    assert modem.type(ETX) == ETX + message(b"SocketClosed") + OK
