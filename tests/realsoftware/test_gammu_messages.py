"""gammu sends, receives and keeps short messages through the emulated module."""

from __future__ import annotations

import re

import pytest

from atrunproto.testing.emulated import LiveModule
from tests.realsoftware.gammu import configure, fields, onPty, session
from tests.realsoftware.outside import FRIEND, textsOutside, write
from tests.realsoftware.terminal import Terminal
from tests.support import requireProgram

pytestmark = requireProgram("gammu")

PTY = onPty("./at1")
GSM, UNICODE = "Default GSM alphabet (no compression)", "Unicode (no compression)"
GREETING = "hello {[^~]} €, ÄÖÜ"
RUSSIAN = "Привет 😀"
LONG = " ".join(f"word {number}" for number in range(45))
OCTETS = b"\x81ATRUN\xff"
LINK = "http://example.net/"


def shown(listing: str) -> list[tuple[str, str, str]]:
    """Coding, status and text of each message of a listing."""
    messages = [message.split("\n\n") for message in listing.split("\nSMS message\n")[1:]]
    return [(found["Coding"], found["Status"], text) for head, text, *_ in messages for found in [fields(head)]]


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE910-EUR"])
def test_messages(product: str) -> None:
    """gammu sends texts with extension characters, in UCS2, in several parts, and octets with a header; it reads them
    one by one and all at once, keeps a draft, and deletes what has come."""
    with LiveModule(product, {1: "pty:./at1"}) as module:
        own = module.module.number
        write(module, OCTETS)
        facts, centre, folders, *sent, third, each, saved, allAgain, deleted, left = session(
            PTY,
            ("identify",),
            ("getsmsc", "1"),
            ("getsmsfolders",),
            ("sendsms", "TEXT", own, "-text", GREETING),
            ("sendsms", "TEXT", own, "-unicode", "-text", RUSSIAN),
            ("sendsms", "TEXT", own, "-len", "500", "-text", LONG),
            ("sendsms", "WAPINDICATOR", own, LINK, "Title"),
            ("sendsms", "TEXT", FRIEND, "-text", GREETING),
            ("getsms", "1", "3"),
            ("geteachsms",),
            ("savesms", "TEXT", "-folder", "2", "-unsent", "-sender", FRIEND, "-text", GREETING),
            ("getallsms",),
            ("deleteallsms", "1"),
            ("getallsms",),
        )
        assert (fields(facts)["Manufacturer"], fields(facts)["IMEI"]) == ("Telit", module.module.imei)
        assert fields(centre)["Number"] == f'"{module.network.centre.number}"'
        assert [line.split('"')[2] for line in folders.splitlines()][:2] == [
            ", SIM memory, Inbox folder",
            ", SIM memory, Outbox folder",
        ]
        assert re.findall(r"message reference=(\d+)", "".join(sent)) == ["0", "1", "2", "3", "4", "5", "6"]
        assert shown(third) == [(UNICODE, "UnRead", RUSSIAN)]
        octets, *others, link = shown(each)
        assert (octets[:2], link[:2]) == (("8-bit", "UnRead"), ("8-bit", "UnRead"))
        assert OCTETS.hex().upper() in octets[2]
        assert others == [(GSM, "UnRead", GREETING), (UNICODE, "Read", RUSSIAN), (GSM, "UnRead", LONG)]
        assert "location 8" in saved
        parts = shown(allAgain)
        assert parts[1:3] == [(GSM, "Read", GREETING), (UNICODE, "Read", RUSSIAN)]
        assert "".join(text for _, _, text in parts[3:6]) == LONG
        draft = (GSM, "UnSent", GREETING)
        assert parts[7:] == [draft]
        assert deleted == 'Deleting SMS from "Inbox" folder: *******\n'
        assert shown(left) == [draft]
        assert textsOutside(module) == [GREETING]


def test_watching() -> None:
    """gammu that watches a module shows a message when it comes; it asks for +CMTI to do so."""
    with LiveModule(ports={1: "pty:./at1"}) as module, Terminal(*configure(PTY), "monitor") as watching:
        watching.expect(rb"Enabling info about incoming SMS *: No error\..*Network state")
        for text in ("first", "second"):
            write(module, text)
            watching.expect(rb"SMS message received.*\r\n\r\n" + text.encode() + rb"\r\n")
