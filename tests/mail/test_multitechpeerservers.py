"""E-mail by the driver of a Multi-Tech modem's host, to and from real servers: aiosmtpd and Dovecot."""

from __future__ import annotations

import random
from collections.abc import Iterator
from email import message_from_bytes, policy
from io import BytesIO

import pytest

from atrunproto.at.peertransfer import TooLong
from atrunproto.mail.multitechpeer import MultitechMailbox, MultitechMailClient, Sender
from atrunproto.multitech.peererrors import CannotConnect, LoginRefused, Refused
from atrunproto.secret import Secret
from tests.ftp.live import digest
from tests.mail.servers import Mailbox, dovecot
from tests.mail.test_multitechservers import DOVECOT, ROOT
from tests.mail.test_realserver import authenticate, serving, text
from tests.peers import MultitechProgram

SIZE = 300_000


@pytest.fixture
def host() -> Iterator[MultitechProgram]:
    """A program whose modem is connected."""
    made = MultitechProgram()
    yield made
    made.close()


def sender(port: int, password: str = "") -> Sender:
    """A sender, with a login where there is a password."""
    return Sender("127.0.0.1", "me@here.box", "me", Secret(password), "Pump 3", port=port)


def fetching(host: MultitechProgram, box: Mailbox, password: str = "") -> MultitechMailbox:
    """A driver that knows a mailbox."""
    return MultitechMailbox(host.modem, "127.0.0.1", box.user, Secret(password or box.password), box.port)


@DOVECOT
@ROOT
def test_roundTrip(host: MultitechProgram) -> None:
    """
    A mail full of dots arrives as it was given, and comes back so from a mailbox, which is empty then.

    MTS-SMTP-07, MTS-POP-05, MTS-POP-06, MTS-POP-07, MTS-POP-08, MTS-GAP-53, MTS-GAP-71.
    """
    chance = random.Random(5)
    body = b"\r\n".join(b"." * chance.randrange(70) + b"text" * chance.randrange(3) for _ in range(SIZE // 40))
    passed: list[int] = []
    with serving() as (smtp, port), dovecot() as box:
        mail = MultitechMailClient(host.modem, sender(port))
        recipients = ["you@there", "and@you"]
        assert host.run(mail.send(recipients, "A subject", BytesIO(body), "copy@there", passed.append)) == len(body)
        assert (passed, passed[-1]) == (sorted(passed), len(body))
        (envelope,) = smtp.envelopes
        assert (envelope.mail_from, envelope.rcpt_tos) == ("me@here.box", [*recipients, "copy@there"])
        assert digest(envelope.content.partition(b"\r\n\r\n")[2]) == digest(body + b"\r\n")
        box.put(envelope.content)
        box.put(b"Subject: second\r\n\r\nthe next\r\n")
        fetched = fetching(host, box)
        passed.clear()
        first = host.run(fetched.get(passed.append))
        assert first is not None
        assert len(first) == passed[-1]
        message = message_from_bytes(first, policy=policy.default)
        assert (message["From"], message["Subject"]) == ("Pump 3 <me@here.box>", "A subject")
        assert digest(first.partition(b"\r\n\r\n")[2]) == digest(body)
        sink = BytesIO()
        assert host.run(fetched.getTo(sink)) == len(sink.getvalue())
        assert sink.getvalue() == b"Subject: second\r\n\r\nthe next"
        assert box.mails() == []
        assert host.run(fetched.get()) is None


@DOVECOT
@ROOT
def test_tooLong(host: MultitechProgram) -> None:
    """A mail that is too long is told, and gone all the same; the next one comes (MTS-POP-08, MTS-POP-10)."""
    with dovecot() as box:
        box.put(b"Subject: long\r\n\r\n" + b"line\r\n" * 100_000)
        box.put(b"Subject: short\r\n\r\ntext\r\n")
        fetched = fetching(host, box)
        with pytest.raises(LoginRefused):
            host.run(fetching(host, box, "wrong").get())
        with pytest.raises(TooLong):
            host.run(fetched.get(limit=1000))
        assert host.run(fetched.get()) == b"Subject: short\r\n\r\ntext"
        assert box.mails() == []


def test_stored(host: MultitechProgram) -> None:
    """A mail that the modem keeps is sent as it was stored, more than once (MTS-SMTP-15)."""
    with serving() as (smtp, port):
        mail = MultitechMailClient(host.modem, sender(port))
        host.run(mail.store(2, ["you@there", "and@you"], "Kept", "one\n.\nthree"))
        for _ in range(2):
            host.run(mail.sendStored(2))
    for message in smtp.messages:
        assert (message["To"], message["Subject"], text(message).strip()) == (
            "you@there, and@you",
            "Kept",
            "one\n.\nthree",
        )


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_refused(host: MultitechProgram) -> None:
    """What the server refuses is told by its kind, and the next mail passes (MTS-SMTP-03, MTS-SMTP-11)."""
    with serving(authenticator=authenticate, auth_required=True, auth_require_tls=False) as (smtp, port):
        mail = MultitechMailClient(host.modem, sender(port, "secret"))
        with pytest.raises(LoginRefused):
            host.run(MultitechMailClient(host.modem, sender(port, "wrong")).send("you@there", "No", b"text"))
        with pytest.raises(Refused):
            host.run(mail.send(["you@there", "nobody@there"], "No", b"text"))
        host.run(mail.send("you@there", "Yes", b"text"))
    assert [message["Subject"] for message in smtp.messages] == ["Yes"]
    with pytest.raises(CannotConnect):
        host.run(mail.send("you@there", "No", b"text"))
