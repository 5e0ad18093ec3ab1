"""The mail servers of a dialogue: what they say that they have got."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from atrunproto.testing.dialogue import Fact
from atrunproto.testing.emulated import MemoryReactor, Wire
from atrunproto.testing.link import MemoryLink
from atrunproto.testing.replaying.mailservers import (
    Mail,
    MailServers,
    POP3Server,
    SMTPServer,
    Terms,
    partOf,
    termsOf,
)

CONTENT = b'From: "machine 245" <me@box>\r\nSubject: Alarm\r\n\r\nTank empty\r\nCaf\xc3\xa9 closed\r\n'
MAIL = Mail("domain.com", "me@box", ["a@b", "c@d"], CONTENT)


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ('helo=domain.com from=me@box rcpt=a@b,c@d subject="Alarm" body "Tank empty<CR><LF>Café closed"', ""),
        ('body "Tank empty<CR><LF>Café closed<CR><LF>"', ""),
        ('body contains "empty<CR><LF>Caf"', ""),
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


def talk(kind: type[Any], servers: MailServers, *lines: bytes, terms: str = "") -> bytes:
    """What a server says to lines."""
    clock = MemoryReactor()
    server, wire = kind(), Wire(clock)
    server.servers, server.terms = servers, termsOf(terms, kind.words, kind.whose)
    wire.link = MemoryLink(clock, server, wire)
    return b"".join([wire.heard(), *(wire.say(line + b"\r\n") for line in lines)])


def test_smtp() -> None:
    """A mail is delivered as it was before its dots were doubled; orders are remembered, not what a mail says."""
    servers = MailServers(None)
    lines = (b"EHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>", b"DATA", b"", b"..dot", b"AUTH", b".", b"QUIT")
    assert talk(SMTPServer, servers, *lines).endswith(b"250 taken\r\n221 bye\r\n")
    assert servers.lacks('helo=x from=a@b rcpt=c@d body ".dot<CR><LF>AUTH"') == ""
    assert servers.used("MAIL")
    assert not servers.used("AUTH")


def test_pop3() -> None:
    """A mail that was deleted is gone when the session has ended."""
    servers = MailServers(None)
    servers.take(Fact(1, "pop3-mail", {"text": "A: b<CR><LF><CR><LF>.c"}))
    said = talk(POP3Server, servers, b"USER me", b"PASS secret", b"RETR 1", b"DELE 1", b"QUIT")
    assert b"\r\n\r\n..c\r\n.\r\n" in said
    assert servers.mailbox == []


@pytest.mark.parametrize(
    ("kind", "text", "terms"),
    [
        (SMTPServer, "", Terms()),
        (
            SMTPServer,
            "refuses recipient@domain.com",
            Terms(None, frozenset({"RCPT"}), frozenset({"recipient@domain.com"})),
        ),
        (SMTPServer, "refuses sender me@box", Terms(None, frozenset({"MAIL"}), frozenset({"me@box"}))),
        (SMTPServer, "refuses DATA", Terms(None, frozenset({"DATA"}))),
        (SMTPServer, "refuses the password", Terms(None, frozenset({"PASS"}))),
        (POP3Server, "me secret", Terms(("me", "secret"))),
        (POP3Server, "me secret refuses RETR", Terms(("me", "secret"), frozenset({"RETR"}))),
        (POP3Server, "refuses USER", Terms(None, frozenset({"USER"}))),
    ],
)
def test_terms(kind: type[Any], text: str, terms: Terms) -> None:
    """A dialogue says whom a server knows and what it refuses, by orders or in words."""
    assert termsOf(text, kind.words, kind.whose) == terms


@pytest.mark.parametrize(
    ("terms", "refused"),
    [
        ("refuses sender a@b", b"MAIL FROM:<a@b>"),
        ("refuses sender z@z", None),
        ("refuses c@d", b"RCPT TO:<c@d>"),
        ("refuses DATA", b"DATA"),
        ("refuses message", b"."),
        ("refuses EHLO", b"EHLO x"),
    ],
)
def test_smtpRefuses(terms: str, refused: bytes | None) -> None:
    """The order that is refused gets a refusal, and no other."""
    lines = [b"EHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>", b"DATA", b"."]
    wanted = lines if refused is None else lines[: lines.index(refused) + 1]
    said = talk(SMTPServer, MailServers(None), *wanted, terms=terms)
    assert said.count(b"550 no") == (refused is not None)
    assert said.endswith(b"550 no\r\n") == (refused is not None)


@pytest.mark.parametrize("terms", ["", "me secret", "refuses user", "refuses password", "you secret", "me wrong"])
def test_smtpLogin(terms: str) -> None:
    """A login in either way is taken or refused where the dialogue says so, and is no order."""
    servers = MailServers(None)
    name, password = b64encode(b"me"), b64encode(b"secret")
    both = b"AUTH PLAIN " + b64encode(b"\0me\0secret")
    atName, isGood = terms in ("refuses user", "you secret"), terms in ("", "me secret")
    said = talk(SMTPServer, servers, b"AUTH LOGIN", name, *([] if atName else [password]), terms=terms)
    assert said.endswith(b"235 welcome\r\n" if isGood else b"535 no\r\n")
    assert said.count(b"334 ") == (1 if atName else 2)
    assert servers.orders == ["AUTH LOGIN"]
    assert talk(SMTPServer, servers, both, terms=terms).endswith(b"235 welcome\r\n" if isGood else b"535 no\r\n")


@pytest.mark.parametrize(
    ("terms", "line", "refused"),
    [
        ("me secret", b"USER you", True),
        ("me secret", b"PASS wrong", True),
        ("me secret", b"PASS secret", False),
        ("me secret refuses PASS", b"PASS secret", True),
        ("refuses STAT", b"STAT", True),
        ("refuses deletion", b"DELE 1", True),
        ("refuses connections", None, True),
    ],
)
def test_pop3Refuses(terms: str, line: bytes | None, refused: bool) -> None:
    """A stranger is refused at once, a wrong password when it comes, and an order where the dialogue says so."""
    lines = [] if line is None else [line] if line.startswith(b"USER") else [b"USER me", line]
    said = talk(POP3Server, MailServers(None), *lines, terms=terms)
    assert said.endswith(b"-ERR no\r\n") == refused
    assert said.count(b"-ERR") == refused


@pytest.mark.parametrize(
    ("cut", "part"),
    [
        ("after the first body line", b"A: b\r\nC: d\r\n\r\none\r\n"),
        ("after the header", b"A: b\r\nC: d\r\n\r\n"),
        ("in the header", b"A: b\r\n"),
        ("after C: ", b"A: b\r\nC: "),
    ],
)
def test_partOfAMail(cut: str, part: bytes) -> None:
    """The connection breaks where the dialogue says."""
    assert partOf(b"A: b\r\nC: d\r\n\r\none\r\ntwo\r\n", cut) == part


def test_close() -> None:
    """Whether somebody was connected is told when all connections are ended."""
    assert not MailServers(None).close()
