"""E-mail of a module to a real server: aiosmtpd."""

from __future__ import annotations

import hashlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from atrunproto.testing.emulated import LiveModule

PATIENCE = 20.0
SIZE = 300_000


class Box:
    """Keeps what comes; one address doesn't exist here."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take a recipient, or refuse it."""
        if address.startswith("nobody@"):
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a message."""
        self.envelopes.append(envelope)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 kept"


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """One user is known."""
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"me", b"secret")
    return AuthResult(success=known, handled=False)


@contextmanager
def serving(**options: Any) -> Iterator[tuple[Box, int]]:
    """A real server, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


class Terminal:
    """A program on the AT port of a module."""

    def __init__(self, module: LiveModule) -> None:
        self._line = socket.create_connection(module.address(), timeout=PATIENCE)

    def send(self, data: bytes) -> None:
        """Send octets."""
        self._line.sendall(data)

    def run(self, line: str) -> str:
        """Give a command line; its final result."""
        return self.say(line.encode() + b"\r")

    def say(self, data: bytes) -> str:
        """Send octets, and read up to the next final result or prompt."""
        self._line.sendall(data)
        heard = b""
        while not heard.endswith((b"\r\nOK\r\n", b"ERROR\r\n", b"\r\n> ", b"CONNECT\r\n", b"NO CARRIER\r\n")):
            more = self._line.recv(4096)
            assert more, heard
            heard += more
        return heard.strip().splitlines()[-1].decode()

    def close(self) -> None:
        """Hang up."""
        self._line.close()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal on a module whose context is open."""
    with LiveModule("HE910-EUR") as module:
        found = Terminal(module)
        found.run("ATE0S12=20")
        found.run('AT+CGDCONT=1,"IP","x"')
        found.run('AT#EADDR="me@box"')
        yield found
        found.close()


def mail(terminal: Terminal, recipient: str, body: bytes) -> str:
    """Send a message; the result."""
    assert terminal.run(f'AT#EMAILD="{recipient}","A subject"') == ">"
    return terminal.say(body + b"\x1a")


def text(message: EmailMessage) -> str:
    """The body of a message."""
    content: str = message.get_content()
    return content.replace("\r\n", "\n")


def test_message(terminal: Terminal) -> None:
    """A message arrives with its sender, recipient and subject, and its lines that begin with dots are whole."""
    body = b"one\r\n.two\r\n..\r\n.\r\nfive"
    with serving() as (box, port):
        terminal.run(f'AT#ESMTP="127.0.0.1:{port}"')
        assert terminal.run("AT#EMAILACT=1") == "OK"
        assert mail(terminal, "you@there", body) == "OK"
        assert mail(terminal, "nobody@there", body) == "ERROR"
        assert terminal.run("AT#EMAILACT=0") == "OK"
        assert terminal.run('AT#SEMAIL="you@there","Alone"') == ">"
        assert terminal.say(b"text\x1a") == "OK"
    first, second = box.messages
    assert (first["From"], first["To"], first["Subject"]) == ("me@box", "you@there", "A subject")
    assert text(first).rstrip("\n") == body.decode().replace("\r\n", "\n")
    assert box.envelopes[0].rcpt_tos == ["you@there"]
    assert second["Subject"] == "Alone"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("method", ["LOGIN", "PLAIN"])
def test_login(terminal: Terminal, method: str) -> None:
    """The right password lets a message through, the wrong one doesn't, nor no login at all (TEL-EXA-04)."""
    exclude = {"LOGIN": ["PLAIN"], "PLAIN": ["LOGIN"]}[method]
    options = {"auth_required": True, "auth_require_tls": False, "auth_exclude_mechanism": exclude}
    with serving(authenticator=authenticate, **options) as (box, port):
        terminal.run(f'AT#ESMTP="127.0.0.1:{port}"')
        terminal.run("AT#EMAILACT=1")
        assert mail(terminal, "you@there", b"no login") == "ERROR"
        terminal.run('AT#EUSER="me"')
        terminal.run('AT#EPASSW="wrong"')
        assert mail(terminal, "you@there", b"wrong") == "ERROR"
        terminal.run('AT#EPASSW="secret"')
        assert mail(terminal, "you@there", b"right") == "OK"
    assert [text(message).rstrip() for message in box.messages] == ["right"]


def test_noLoginOffered(terminal: Terminal) -> None:
    """Where a login is wanted and the server has none, nothing is sent."""
    with serving() as (box, port):
        terminal.run(f'AT#ESMTP="127.0.0.1:{port}"')
        terminal.run("AT#EMAILACT=1")
        terminal.run('AT#EUSER="me"')
        assert mail(terminal, "you@there", b"text") == "ERROR"
    assert box.messages == []


def attach(terminal: Terminal, kind: int, data: bytes) -> None:
    """Send a message with an attachment."""
    assert terminal.run(f'AT#SMTPCL="you@there","Data",{kind},"the file.bin",{kind - 1}') == ">"
    assert terminal.say(b"see the file\x1a") == "CONNECT"
    terminal.send(data)
    # the guard time in front of the escape sequence, 0.4 s, is the terminal's to keep
    time.sleep(1.0)
    assert terminal.say(b"+++") == "NO CARRIER"
    assert terminal.run("AT#EMAILMSG") == "OK"


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (2, lambda chance: chance.randbytes(SIZE)),
        (1, lambda chance: b"\r\n".join(b"." * chance.randrange(70) for _ in range(SIZE // 40))),
    ],
    ids=["data", "text"],
)
def test_attachment(terminal: Terminal, kind: int, make: Callable[[random.Random], bytes]) -> None:
    """An attachment arrives octet by octet, as data in base64 and as text full of dots."""
    data = make(random.Random(3))
    with serving() as (box, port):
        terminal.run(f'AT#ESMTP="127.0.0.1:{port}"')
        terminal.run("AT#EMAILACT=1")
        attach(terminal, kind, data)
    (message,) = box.messages
    body, attachment = message.iter_parts()
    assert body.get_content().strip() == "see the file"
    assert attachment.get_filename() == "the file.bin"
    arrived = attachment.get_payload(decode=True)
    assert isinstance(arrived, bytes)
    assert hashlib.sha256(arrived).digest() == hashlib.sha256(data).digest()
