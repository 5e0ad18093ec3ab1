"""E-mail through a module by the peer's driver, to a real server: aiosmtpd."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from atrunproto.at import peeronline
from atrunproto.at.errors import CommandFailed, Misuse
from atrunproto.at.peertransfer import TransferBroken
from atrunproto.emulator.contexts import Contexts
from atrunproto.mail.peer import Account, Attachment, MailClient, MailError, NoContext, NotTaken
from atrunproto.secret import Secret
from tests.mail.test_realserver import Box, authenticate, serving, text
from tests.peers import Program

SIZE = 300_000


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A program and its module; both leave online mode after short silences."""
    monkeypatch.setattr(peeronline, "ESCAPE_GUARD", 0.6)
    made = Program(isActive=False)
    made.ask('AT+CGDCONT=1,"IP","internet"')
    yield made
    made.close()


def configured(host: Program, port: int, **login: Any) -> MailClient:
    """A driver whose module knows the server."""
    mail = MailClient(host.client)
    host.run(mail.configure(Account(f"127.0.0.1:{port}", "me@box", **login)))
    return mail


def test_message(host: Program) -> None:
    """A message arrives with sender, recipient, subject and text, alone or while the context is open (TEL-SCF-08)."""
    body = b"one\r\n.two\r\n.\r\nfour"
    with serving() as (box, port):
        mail = configured(host, port)
        host.run(mail.open())
        host.run(mail.send("you@there", "A subject", body))
        assert host.run(mail.message()).startswith("2")
        host.run(mail.close())
        host.run(mail.sendAlone("you@there", "Alone", b"text"))
        with pytest.raises(NoContext):
            host.run(mail.send("you@there", "No context", b"text"))
    first, second = box.messages
    assert (first["From"], first["To"], first["Subject"]) == ("me@box", "you@there", "A subject")
    assert text(first).rstrip("\n").encode() == body.replace(b"\r\n", b"\n")
    assert (second["Subject"], text(second).strip()) == ("Alone", "text")


def test_settings(host: Program) -> None:
    """Server, sender and user can be read back, stored and forgotten; the password can't be read."""
    mail = MailClient(host.client)
    account = Account("smtp.example", "me@box", "me", Secret("hidden"))
    host.run(mail.configure(account, stored=True))
    assert host.run(mail.account()) == Account("smtp.example", "me@box", "me")
    host.run(mail.reset())
    assert host.run(mail.account()) == Account("", "")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_login(host: Program, caplog: pytest.LogCaptureFixture) -> None:
    """The right password lets a message through, a wrong one is told, and neither is ever shown (TEL-EXA-04)."""
    caplog.set_level(logging.DEBUG)
    options = {"auth_required": True, "auth_require_tls": False}
    with serving(authenticator=authenticate, **options) as (box, port):
        mail = configured(host, port, user="me", password=Secret("hidden"))
        host.run(mail.open())
        with pytest.raises(NotTaken) as failed:
            host.run(mail.send("you@there", "A subject", b"wrong"))
        assert failed.value.reply
        account = Account(f"127.0.0.1:{port}", "me@box", "me", Secret("secret"))
        host.run(mail.configure(account))
        host.run(mail.send("you@there", "A subject", b"right"))
        with pytest.raises(CommandFailed) as refused:
            host.run(mail.configure(Account("", "", "", Secret("hidden" * 20))))
    assert [text(message).strip() for message in box.messages] == ["right"]
    shown = f"{failed.value!r} {failed.value.__cause__!r} {refused.value!r} {account!r} {caplog.text}"
    assert "hidden" not in shown
    assert "secret" not in shown


@pytest.mark.parametrize("isText", [False, True])
def test_attachment(host: Program, isText: bool) -> None:
    """An attachment arrives octet by octet, as text or as data (TEL-EXA-03)."""
    dice = random.Random(3)
    data = b"\r\n".join(b"." * dice.randrange(70) for _ in range(SIZE // 40)) if isText else dice.randbytes(SIZE)
    heard: list[int] = []
    with serving() as (box, port):
        mail = configured(host, port)
        host.run(mail.open())
        for source in (data, BytesIO(data)):
            attachment = Attachment(source, "the file.bin", isText)
            sent = host.run(mail.sendWith("you@there", "Data", b"see the file", attachment, heard.append))
            assert sent == heard[-1] == len(data)
        host.run(mail.send("you@there", "After", b"text"))
    assert len(box.messages) == 3
    for message in box.messages[:2]:
        body, attached = message.iter_parts()
        assert body.get_content().strip() == "see the file"
        assert attached.get_filename() == "the file.bin"
        assert attached.get_payload(decode=True) == data


def test_refused(host: Program) -> None:
    """A recipient whom the server doesn't know is told with the server's words, with an attachment too."""
    with serving() as (box, port):
        mail = configured(host, port)
        host.run(mail.open())
        with pytest.raises(NotTaken):
            host.run(mail.send("nobody@there", "A subject", b"text"))
        with pytest.raises(NotTaken):
            host.run(mail.sendWith("nobody@there", "A subject", b"text", Attachment(b"x", "x")))
    assert box.messages == []
    with pytest.raises(NotTaken):
        host.run(mail.send("you@there", "A subject", b"nobody listens"))
    with pytest.raises(MailError):
        host.run(mail.send("no address", "A subject", b"text"))


def test_refusedAtTheEnd(host: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that the server refuses when it has all of it is told, if that is its last word."""

    async def refuse(self: Box, server: Any, session: Any, envelope: Any) -> str:
        return "554 not this one"

    async def leave(self: Box, server: Any, session: Any, envelope: Any) -> str:
        server.transport.abort()
        return "221 bye"

    monkeypatch.setattr(Box, "handle_DATA", refuse)
    monkeypatch.setattr(Box, "handle_QUIT", leave, raising=False)
    with serving() as (_, port):
        mail = configured(host, port)
        host.run(mail.open())
        for work in (
            lambda: mail.send("you@there", "A subject", b"text"),
            lambda: mail.sendWith("you@there", "A subject", b"text", Attachment(b"x", "x")),
        ):
            with pytest.raises(NotTaken) as failed:
                host.run(work())
            assert failed.value.reply == "554 not this one"


def test_broken(host: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A context that goes in the midst of an attachment is told, and the message isn't delivered."""
    monkeypatch.setattr(peeronline, "ESCAPE_ANSWER", 1.0)
    with serving() as (box, port):
        mail = configured(host, port)
        host.run(mail.open())
        off: list[int] = []

        def heard(octets: int) -> None:
            if not off:
                off.append(octets)
                host.module.module.part(Contexts).lose(1)

        with pytest.raises(TransferBroken):
            host.run(mail.sendWith("you@there", "Data", b"text", Attachment(b"x" * SIZE, "x"), heard))
    assert box.messages == []


@pytest.mark.parametrize(
    ("recipient", "subject", "body"),
    [
        ("y" * 101, "s", b"b"),
        ("you@there", "s" * 101, b"b"),
        ("you@there", "s\rDATA", b"b"),
        ('you"@there', "s", b"b"),
        ("you@there", "s", b"b" * 1025),
        ("you@there", "s", b"b\x1ab"),
        ("you@there", "s", b"b\x1bb"),
        ("you@there", "s", b"b\x08b"),
    ],
)
def test_tooMuch(host: Program, recipient: str, subject: str, body: bytes) -> None:
    """What a module would cut, or take for something else, is refused before anything is sent."""
    mail = MailClient(host.client)
    with pytest.raises(Misuse):
        host.run(mail.send(recipient, subject, body))
