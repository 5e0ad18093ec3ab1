"""E-mail by AT command, against a server whose every word the test decides."""

from __future__ import annotations

from typing import Any

import pytest

from atrunproto.emulator.nvm import NVM
from atrunproto.mail.session import LINES, TIMEOUT
from atrunproto.mail.surroundings import CONNECTING
from atrunproto.testing.emulated import Host, MemoryModule, Wire

SERVER = "127.0.0.5"
MESSAGE = 'AT#EMAILD="you@there","Hello"'


def ready(product: str = "HE910-EUR", nvm: NVM | None = None) -> tuple[MemoryModule, Wire]:
    """A module that knows its server, and its first port."""
    emulated = MemoryModule(product, nvm=nvm)
    emulated.network.hosts["mail.box"] = SERVER
    at = emulated.port()
    assert at.execute('AT+CGDCONT=1,"IP","x"') == ["OK"]
    assert at.execute('AT#ESMTP="mail.box"') == ["OK"]
    assert at.execute('AT#EADDR="me@box"') == ["OK"]
    return emulated, at


def opened(product: str = "HE910-EUR") -> tuple[MemoryModule, Wire, Host]:
    """The same with the context open, and the server."""
    emulated, at = ready(product)
    assert at.execute("AT#EMAILACT=1") == ["OK"]
    return emulated, at, emulated.host(25, SERVER)


def typed(at: Wire, line: str, body: bytes = b"text") -> bytes:
    """Give a command and its body; what the module says to that."""
    assert at.say(line.encode() + b"\r").endswith(b"\r\n> ")
    return at.say(body + b"\x1a")


def serve(host: Host, *answers: bytes) -> bytes:
    """Let the server say its lines one after the other, each to what the module has said; give all that it said."""
    (server,) = host.callers
    return b"".join(server.say(answer + b"\r\n") for answer in answers)


def lines(at: Wire) -> list[str]:
    """What the module has said since the last look."""
    return [line for line in at.heard().decode("latin-1").split("\r\n") if line]


TAKEN = (b"220 here", b"250 box", b"250 ok", b"250 ok", b"354 go", b"250 taken", b"221 bye")


def test_factory() -> None:
    """Nothing is set at first; the test forms tell the longest values, and the password can't be read."""
    at = MemoryModule().port()
    assert at.execute("AT#ESMTP?;#EADDR?;#EUSER?") == ['#ESMTP: ""', '#EADDR: ""', '#EUSER: ""', "OK"]
    assert at.execute("AT#ESMTP=?;#EPASSW=?") == ["#ESMTP: 100", "#EPASSW: 100", "OK"]
    assert at.execute("AT#EPASSW?") == ["ERROR"]
    assert at.execute("AT#EMAILMSG") == ["#EMAILMSG: ", "OK"]


def test_saved() -> None:
    """#ESAV keeps the settings over a restart, and what was set later is lost; #ERST resets them for good."""
    nvm = NVM()
    _, at = ready(nvm=nvm)
    assert at.execute('AT#ESAV;#EADDR="other@box"') == ["OK"]
    again = MemoryModule(nvm=nvm).port()
    assert again.execute("AT#ESMTP?;#EADDR?") == ['#ESMTP: "mail.box"', '#EADDR: "me@box"', "OK"]
    assert again.execute("AT#ERST;#ESMTP?") == ['#ESMTP: ""', "OK"]
    assert MemoryModule(nvm=nvm).port().execute("AT#ESMTP?") == ['#ESMTP: ""', "OK"]


def test_sent() -> None:
    """A message without a login goes through the steps of the guide and is answered OK (TEL-EXA-03)."""
    _, at, host = opened()
    typed(at, MESSAGE, b".first\r\n.\r\nlast")
    said = serve(host, *TAKEN)
    assert said.split(b"\r\n") == [
        b"EHLO module",
        b"MAIL FROM:<me@box>",
        b"RCPT TO:<you@there>",
        b"DATA",
        b"From: me@box",
        b"To: you@there",
        b"Subject: Hello",
        b"",
        b"..first",
        b"..",
        b"last",
        b".",
        b"QUIT",
        b"",
    ]
    assert lines(at) == ["OK"]
    assert at.execute("AT#EMAILMSG") == ["#EMAILMSG: 221 bye", "OK"]
    assert at.execute("AT#EMAILACT?") == ["#EMAILACT: 1", "OK"]


def test_boundToTheContext() -> None:
    """The server sees the caller at the address of the module's context."""
    _, at, host = opened()
    typed(at, MESSAGE)
    transport: Any = host.callers[0].transport
    assert transport.getPeer().host == "127.0.0.1"


def test_opensAndCloses() -> None:
    """#SEMAIL opens the context when the body is there and closes it after the message, sent or not."""
    emulated, at = ready()
    host = emulated.host(25, SERVER)
    assert at.say(b'AT#SEMAIL="you@there","Hi"\r').endswith(b"> ")
    assert emulated.module.address(1) is None
    at.say(b"text\x1a")
    emulated.advance(2)
    assert emulated.module.address(1) == "127.0.0.1"
    serve(host, *TAKEN)
    assert lines(at) == ["OK"]
    assert emulated.module.address(1) is None
    at.say(b'AT#SEMAIL="you@there","Hi"\r')
    at.say(b"text\x1a")
    emulated.advance(2)
    host.callers.pop(0)
    serve(host, b"554 go away", b"221 bye")
    assert lines(at)[-1] == "ERROR"
    assert emulated.module.address(1) is None


def test_someoneElsesContext() -> None:
    """#SEMAIL doesn't take over a context that is open already."""
    _, at, _ = opened()
    at.execute("AT+CMEE=1")
    assert at.execute('AT#SEMAIL="you@there","Hi"') == ["+CME ERROR: 553"]
    assert at.execute("AT#EMAILACT?") == ["#EMAILACT: 1", "OK"]


def test_notWithTheGSMContext() -> None:
    """#SEMAIL doesn't work while the circuit-switched context is up."""
    _, at = ready("GE865-QUAD")
    at.execute('AT#GSMCONT=0,"IP","123";#SCFG=1,0,300,90,600,50')
    assert at.execute("AT#SGACT=0,1")[-1] == "OK"
    assert typed(at, 'AT#SEMAIL="you@there","Hi"').endswith(b"\r\nERROR\r\n")


@pytest.mark.parametrize("line", [MESSAGE, 'AT#SMTPCL="you@there","Hi",0'])
def test_needsTheContext(line: str) -> None:
    """Where the context isn't open there is no prompt."""
    _, at = ready()
    at.execute("AT+CMEE=1")
    assert at.execute(line) == ["+CME ERROR: 556"]


@pytest.mark.parametrize("spoil", ['#ESMTP=""', '#EADDR=""', '#EADDR="a b"'])
def test_notSetUp(spoil: str) -> None:
    """Without a server or a sender there is no prompt."""
    _, at, _ = opened()
    assert at.execute(f"AT+CMEE=1;{spoil}") == ["OK"]
    assert at.execute(MESSAGE) == ["+CME ERROR: 550"]


def test_unknownCommand() -> None:
    """#ESENDEXT is in no document, so it is unknown."""
    assert MemoryModule().port().execute("AT#ESENDEXT=1") == ["ERROR"]


def test_givenUp() -> None:
    """ESC at the prompt sends nothing."""
    _, at, host = opened()
    at.say(MESSAGE.encode() + b"\r")
    assert at.say(b"text\x1b").endswith(b"\r\nOK\r\n")
    assert host.callers == []


@pytest.mark.parametrize(
    ("product", "command", "kept"),
    [("HE910-EUR", "#EMAILD", 1500), ("GM862-QUAD", "#EMAILD", 1024), ("HE910-EUR", "#SEMAIL", 1024)],
)
def test_limits(product: str, command: str, kept: int) -> None:
    """What the body has too much is lost, and the older software takes less."""
    emulated, at = ready(product)
    host = emulated.host(25, SERVER)
    if command == "#EMAILD":
        at.execute("AT#EMAILACT=1")
    typed(at, f'AT{command}="you@there","Hi"', b"%" * 2000)
    emulated.advance(2)
    assert serve(host, *TAKEN).count(b"%") == kept


def test_cut() -> None:
    """Address and subject are cut to 100 characters."""
    _, at, host = opened()
    typed(at, f'AT#EMAILD="{"a" * 120}","{"s" * 120}"')
    said = serve(host, *TAKEN)
    assert b"RCPT TO:<" + b"a" * 100 + b">\r\n" in said
    assert b"Subject: " + b"s" * 100 + b"\r\n" in said


@pytest.mark.parametrize(
    "answers",
    [
        (b"554 no", b"221 bye"),
        (b"220 here", b"250 box", b"550 who?", b"221 bye"),
        (b"220 here", b"250 box", b"250 ok", b"550 nobody here", b"221 bye"),
        (b"220 here", b"250 box", b"250 ok", b"250 ok", b"451 full", b"221 bye"),
        (b"220 here", b"250 box", b"250 ok", b"250 ok", b"354 go", b"554 spam", b"221 bye"),
        (b"hello?",),
        (b"220 " + b"%" * 20000,),
    ],
)
def test_refused(answers: tuple[bytes, ...]) -> None:
    """Whatever the server doesn't like ends in error 550, and the next message has its chance."""
    _, at, host = opened()
    at.execute("AT+CMEE=1")
    typed(at, MESSAGE)
    serve(host, *answers)
    assert lines(at) == ["+CME ERROR: 550"]
    assert host.callers[0].isClosed
    host.callers.clear()
    typed(at, MESSAGE)
    serve(host, *TAKEN)
    assert lines(at) == ["OK"]


def test_oldServer() -> None:
    """A server that knows no EHLO is greeted by HELO, unless it has to take a login."""
    _, at, host = opened()
    typed(at, MESSAGE)
    assert b"HELO module\r\n" in serve(host, TAKEN[0], b"502 what?", *TAKEN[1:])
    assert lines(at) == ["OK"]
    at.execute('AT#EUSER="me"')
    host.callers.clear()
    typed(at, MESSAGE)
    serve(host, TAKEN[0], b"502 what?", b"221 bye")
    assert lines(at) == ["ERROR"]


def test_silentServer() -> None:
    """A server that takes the connection and never says a word is given up, on the module's own time."""
    emulated, at, host = opened()
    typed(at, MESSAGE)
    emulated.advance(TIMEOUT - 1)
    assert lines(at) == []
    emulated.advance(2)
    assert lines(at) == ["ERROR"]
    assert host.callers[0].isClosed


def test_unreachable() -> None:
    """A server that can't be reached, refuses the connection, or has no name is an error."""
    emulated, at = ready()
    at.execute("AT#EMAILACT=1")
    assert typed(at, MESSAGE).endswith(b"\r\nERROR\r\n")
    emulated.clock.unreachable.add(SERVER)
    typed(at, MESSAGE)
    emulated.advance(CONNECTING - 1)
    assert lines(at) == []
    emulated.advance(2)
    assert lines(at) == ["ERROR"]
    at.execute('AT#ESMTP="nowhere"')
    assert typed(at, MESSAGE).endswith(b"\r\nERROR\r\n")


def test_chattyServer() -> None:
    """A server that never comes to an end is cut off."""
    _, at, host = opened()
    typed(at, MESSAGE)
    serve(host, *[b"220-more"] * (LINES + 1))
    assert lines(at) == ["ERROR"]


def test_contextEnds() -> None:
    """When the context ends the message ends with it."""
    emulated, at, host = opened()
    typed(at, MESSAGE)
    serve(host, b"220 here")
    emulated.module.contexts.lose(1)
    assert lines(at) == ["ERROR"]
    assert host.callers[0].isClosed


def test_oneAtATime() -> None:
    """While a message is on its way another instance can't send one."""
    emulated, at, _ = opened()
    typed(at, MESSAGE)
    assert emulated.port(2).execute(MESSAGE) == ["ERROR"]


def test_unplugged() -> None:
    """Who leaves while the message is on its way has not sent it."""
    emulated, at, host = opened()
    typed(at, MESSAGE)
    serve(host, b"220 here")
    at.close()
    assert host.callers[0].isClosed
    assert emulated.port(2).say(MESSAGE.encode() + b"\r").endswith(b"> ")


def test_contextAndGPRS() -> None:
    """#GPRS=0 leaves what #EMAILACT has opened and answers OK; #EMAILACT=0 won't close what #GPRS has opened."""
    _, at = ready()
    assert at.execute("AT#EMAILACT?") == ["#EMAILACT: 0", "OK"]
    assert at.execute("AT#EMAILACT=0") == ["OK"]
    assert at.execute("AT#EMAILACT=1") == ["OK"]
    assert at.execute("AT#GPRS=0;#EMAILACT?") == ["#EMAILACT: 1", "OK"]
    assert at.execute("AT#EMAILACT=0;#EMAILACT?") == ["#EMAILACT: 0", "OK"]
    assert at.execute("AT#GPRS=1")[-1] == "OK"
    assert at.execute("AT#EMAILACT=0") == ["ERROR"]
    assert at.execute("AT#GPRS=0;#EMAILACT?") == ["#EMAILACT: 0", "OK"]


def attaching(kind: int) -> tuple[MemoryModule, Wire, Host]:
    """A module that is online for an attachment."""
    emulated, at, host = opened()
    typed(at, f'AT#SMTPCL="you@there","Hi",{kind},"data.bin"', b"see there")
    head = serve(host, *TAKEN[:5])
    assert b'filename="data.bin"' in head
    assert lines(at) == ["CONNECT"]
    return emulated, at, host


def escape(emulated: MemoryModule, at: Wire) -> list[str]:
    """Leave online mode."""
    emulated.advance(2)
    at.say(b"+++")
    emulated.advance(2)
    return lines(at)


def test_attachment() -> None:
    """An attachment is typed online until +++, which isn't part of it; the answer of the server can be read."""
    emulated, at, host = attaching(2)
    at.say(b"\0\1\2" * 19)
    assert escape(emulated, at) == ["NO CARRIER"]
    asked = at.say(b"AT#EMAILMSG\r")
    assert b"#EMAILMSG:" not in asked
    sent = host.callers[0].heard() + serve(host, b"250 taken", b"221 bye")
    assert sent.startswith(b"AAEC" * 19 + b"\r\n\r\n--")
    assert sent.endswith(b"--\r\n.\r\nQUIT\r\n")
    assert lines(at) == ["#EMAILMSG: 221 bye", "OK"]


def test_attachmentLost() -> None:
    """When the server goes during the attachment, online mode ends."""
    _, at, host = attaching(1)
    host.callers[0].close()
    assert lines(at) == ["NO CARRIER"]


def test_attachmentRefused() -> None:
    """A server that breaks in on an attachment ends it."""
    _, at, host = attaching(1)
    serve(host, b"421 shutting down")
    assert lines(at) == ["NO CARRIER"]
    assert host.callers[0].isClosed


def test_attachmentUnplugged() -> None:
    """Without the escape sequence nothing is delivered: the server sees no end of the message."""
    _, at, host = attaching(1)
    at.say(b"half of it")
    at.close()
    assert host.callers[0].isClosed
    assert b"\r\n.\r\n" not in host.callers[0].heard()


def test_attachmentNeverAnswered() -> None:
    """A server that doesn't answer the complete message is given up after the same time as ever."""
    emulated, at, host = attaching(2)
    emulated.advance(10 * TIMEOUT)
    assert not host.callers[0].isClosed
    assert escape(emulated, at) == ["NO CARRIER"]
    emulated.advance(TIMEOUT)
    assert host.callers[0].isClosed


def test_attachmentNotRead() -> None:
    """A server that reads no more of an attachment holds the terminal back, and after a while it is given up."""
    emulated, at, host = attaching(1)
    server: Any = host.callers[0].transport
    server.pauseProducing()
    at.say(b"x" * 1_000_000)
    emulated.advance(TIMEOUT / 2)
    server.resumeProducing()
    emulated.advance(TIMEOUT)
    assert lines(at) == []
    assert host.callers[0].heard().count(b"x") == 1_000_000
    server.pauseProducing()
    at.say(b"x" * 1_000_000)
    emulated.advance(TIMEOUT + 1)
    assert lines(at) == ["NO CARRIER"]


@pytest.mark.parametrize("arguments", ['1,"f",1', '2,"f",0', f'2,"{"f" * 51}",1', "3"])
def test_wrongAttachment(arguments: str) -> None:
    """Text isn't sent in base64 nor data as they are, and names have their limit."""
    _, at, _ = opened()
    assert at.execute(f'AT#SMTPCL="you@there","Hi",{arguments}') == ["ERROR"]
