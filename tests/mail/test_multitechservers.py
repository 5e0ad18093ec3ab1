"""E-mail of a Multi-Tech modem to and from real servers: aiosmtpd, OpenSMTPD and Dovecot."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from atrunproto.mail.endmark import END
from atrunproto.testing.emulated import LiveModule
from tests.ftp.live import Port, digest
from tests.mail.servers import Mailbox, dovecot, opensmtpd
from tests.mail.test_realserver import authenticate, serving
from tests.multitech.live import WAITING, LiveModem
from tests.support import requireProgram

DOVECOT = requireProgram("dovecot")
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="Dovecot wants to be run by root")

SIZE = 300_000
SENT = END + b"\r\nOK\r\n"
#: what is shown of the header
HEAD = b'From: "Pump 3" <me@box>\r\nSubject: A subject'


@pytest.fixture
def modem() -> Iterator[Port]:
    """A port of a modem that is connected, and has a mail to send."""
    servers = ('SMTPSERV="127.0.0.1"', 'POP3SERV="127.0.0.1"', 'DOMAIN="here.box"')
    mail = ('SENDERADDR="me@box"', 'SENDERNAME="Pump 3"', 'REC1="you@there"', 'SUBJ1="A subject"')
    with LiveModule("MTCBA-G") as module:
        port = LiveModem(module, *(f"#{line}" for line in servers + mail))
        yield port
        port.socket.close()


@pytest.fixture
def box(modem: Port) -> Iterator[Mailbox]:
    """A mailbox that the modem knows."""
    with dovecot() as found:
        for line in (f"POP3PORT={found.port}", f'POP3UN="{found.user}"', f'POP3PW="{found.password}"'):
            assert modem.command(f"AT#{line}") == "OK"
        yield found


def send(modem: Port, body: bytes) -> bytes:
    """Send a mail; what comes back, the echo of the end included."""
    assert modem.command("AT#PUTMAIL") == WAITING
    modem.socket.sendall(body + END)
    heard = b""
    while not heard.endswith(b"OK\r\n"):
        heard += modem.socket.recv(4096)
    return heard


def fetch(modem: Port) -> bytes:
    """Fetch a mail; what is shown of it."""
    modem.socket.sendall(b"AT#GETMAIL\r")
    heard = b""
    while not heard.endswith((b"OK\r\n", b"NoMail\r\n")):
        heard += modem.socket.recv(65536)
    begin, end = b"\r\nOk_Info_Mail\r\n", END + b"\r\nOK\r\n"
    assert heard.startswith(begin), heard[:100]
    assert heard.endswith(end), heard[-100:]
    return heard[len(begin) : -len(end)]


def dotted() -> list[bytes]:
    """The lines of a mail, each of which begins with a dot, and some are no more."""
    chance = random.Random(5)
    return [b"." * chance.randrange(1, 70) + b"text" * chance.randrange(3) for _ in range(SIZE // 45)]


def doubled(lines: list[bytes]) -> bytes:
    """The lines as a host says and hears them, if each begins with a dot."""
    return b"\r\n".join(b"." + line for line in lines)


@DOVECOT
@ROOT
def test_roundTrip(modem: Port, box: Mailbox) -> None:
    """
    A mail full of dots goes from one modem's port to a server, and from a mailbox to a port, as it was typed.

    MTS-SMTP-04, MTS-POP-05, MTS-POP-08, MTS-GAP-53, MTS-GAP-71.
    """
    lines = dotted()
    body = b"\r\n".join(lines) + b"\r\n"
    with serving() as (smtp, port):
        assert modem.command(f"AT#SMTPPORT={port}") == "OK"
        assert send(modem, doubled(lines)) == SENT
    (envelope,) = smtp.envelopes
    assert envelope.mail_from == "me@box"
    assert envelope.rcpt_tos == ["you@there"]
    assert digest(envelope.content.partition(b"\r\n\r\n")[2]) == digest(body)
    box.put(envelope.content)
    box.put(b"Subject: second\r\n\r\nthe next\r\n")
    head, _, shown = fetch(modem).partition(b"\r\n\r\n")
    assert head == HEAD
    assert digest(shown) == digest(doubled(lines))
    assert len(box.mails()) == 1
    assert modem.command("AT#POP3HEADERMODE=0") == "OK"
    assert fetch(modem) == b"the next"
    assert box.mails() == []
    assert modem.command("AT#GETMAIL") == "Ok_Info_NoMail"


@requireProgram("smtpd")
@DOVECOT
@ROOT
def test_throughServers(modem: Port, box: Mailbox) -> None:
    """
    A mail full of dots goes out, through a server that delivers it to the mailbox, and comes back as it was typed.

    MTS-SMTP-07, MTS-POP-06, MTS-GAP-53.
    """
    lines = dotted()
    with opensmtpd(box) as port:
        assert modem.command(f"AT#SMTPPORT={port}") == "OK"
        assert send(modem, doubled(lines)) == SENT
        box.waitFor(1)
    head, _, shown = fetch(modem).partition(b"\r\n\r\n")
    assert head == HEAD
    assert digest(shown) == digest(doubled(lines))
    assert box.mails() == []


@DOVECOT
@ROOT
def test_wrongPassword(modem: Port, box: Mailbox) -> None:
    """A mailbox whose password is wrong stays as it is (MTS-POP-12, MTS-ERR-38)."""
    box.put(b"Subject: x\r\n\r\ny\r\n")
    assert modem.command('AT#POP3PW="wrong"') == "OK"
    assert modem.command("AT#GETMAIL") == "#CME ERROR: 38081"
    assert len(box.mails()) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("excluded", ["PLAIN", "LOGIN"])
def test_login(modem: Port, excluded: str) -> None:
    """The right password lets a mail through, the wrong one doesn't, by either way to log in (MTS-SMTP-03)."""
    options = {"auth_required": True, "auth_require_tls": False, "auth_exclude_mechanism": [excluded]}
    with serving(authenticator=authenticate, **options) as (smtp, port):
        assert modem.command(f"AT#SMTPPORT={port}") == "OK"
        assert modem.command("AT#SENDMAIL1") == "#CME ERROR: 38028"
        assert modem.command('AT#SMTPUN="me"') == modem.command('AT#SMTPPW="wrong"') == "OK"
        assert modem.command("AT#SENDMAIL1") == "#CME ERROR: 38081"
        assert modem.command('AT#SMTPPW="secret"') == "OK"
        assert modem.command("AT#SENDMAIL1") == "OK"
    assert [message["Subject"] for message in smtp.messages] == ["A subject"]
