"""The mail servers of a dialogue: what they say that they have got."""

from __future__ import annotations

from typing import Any

import pytest

from atrunproto.testing.dialogue import Fact
from atrunproto.testing.emulated import MemoryReactor, Wire
from atrunproto.testing.link import MemoryLink
from atrunproto.testing.replaying.mailservers import Mail, MailServers, POP3Server, SMTPServer

CONTENT = b'From: "machine 245" <me@box>\r\nSubject: Alarm\r\n\r\nTank empty\r\n'
MAIL = Mail("domain.com", "me@box", ["a@b", "c@d"], CONTENT)


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ('helo=domain.com from=me@box rcpt=a@b,c@d subject="Alarm" body "Tank empty"', ""),
        ('header From contains "machine 245" body contains "empty"', ""),
        ("from=you@box", "from=you@box"),
        ("rcpt=a@b", "rcpt=a@b"),
        ('subject="Al"', "subject"),
        ('body "Tank"', "body"),
        ('body contains "full"', "body"),
        ('header From contains "you"', "header From"),
        ("whatever", "whatever"),
    ],
)
def test_lacks(text: str, lacks: str) -> None:
    """A mail that isn't as the dialogue says is told with what is wrong."""
    servers = MailServers(None)
    assert servers.lacks(text)
    servers.mails.append(MAIL)
    found = servers.lacks(text)
    assert found.startswith(lacks) or lacks in found
    assert bool(found) == bool(lacks)


def talk(kind: type[Any], servers: MailServers, *lines: bytes) -> bytes:
    """What a server says to lines."""
    clock = MemoryReactor()
    server, wire = kind(), Wire(clock)
    server.servers = servers
    wire.link = MemoryLink(clock, server, wire)
    return b"".join([wire.heard(), *(wire.say(line + b"\r\n") for line in lines)])


def test_smtp() -> None:
    """A mail is delivered as it was before its dots were doubled; orders are remembered, not what a mail says."""
    servers = MailServers(None)
    lines = (b"EHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>", b"DATA", b"", b"..dot", b"AUTH", b".", b"QUIT")
    assert talk(SMTPServer, servers, *lines).endswith(b"250 taken\r\n221 bye\r\n")
    assert servers.lacks('helo=x from=a@b rcpt=c@d body ".dot\nAUTH"') == ""
    assert servers.used("MAIL")
    assert not servers.used("AUTH")


def test_pop3() -> None:
    """A mail that was deleted is gone when the session has ended."""
    servers = MailServers(None)
    servers.take(Fact(1, "pop3", {"host": "127.0.0.1", "number": "110", "text": "me secret"}))
    servers.take(Fact(1, "pop3-mail", {"text": "A: b<CR><LF><CR><LF>.c"}))
    said = talk(POP3Server, servers, b"USER me", b"PASS secret", b"RETR 1", b"DELE 1", b"QUIT")
    assert b"\r\n\r\n..c\r\n.\r\n" in said
    assert servers.mailbox == []
    assert b"-ERR" in talk(POP3Server, servers, b"USER me", b"PASS wrong")
