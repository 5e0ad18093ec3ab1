"""The services of a Multi-Tech modem side by side: each is there, and each ends its data phase by its mark."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.multitech.modems import OK, failed
from tests.multitech.services import END, ETX, NAME, SERVER, Served

WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n" + OK


# -- each service, from its command to its last word


def gprs(modem: Served) -> None:
    """The bearer: an address, and the message."""
    assert modem.connection == b"\r\n127.0.0.1\r\n\r\nOk_Info_GprsActivation\r\n"


def ppp(modem: Served) -> None:
    """What PPP is told; there are no data calls yet that it would be for."""
    assert modem.say("AT#VPPP").startswith(b'#ISPUN: ""\r\n#ISPPW: ""\r\n#PPPMODE: 1\r\n')


def ping(modem: Served) -> None:
    """Echo requests, each answered."""
    assert modem.do("AT#PING").count(f'"{NAME}" is alive : time ='.encode()) == 4


def dns(modem: Served) -> None:
    """A name that is known, and one that isn't."""
    assert modem.say('AT#PINGREMOTE="nobody.example"') == OK
    assert modem.do("AT#PING") == failed(38027)
    modem.memory.network.hosts["nobody.example"] = SERVER
    assert modem.do("AT#PING").endswith(OK)


def smtp(modem: Served) -> None:
    """A mail that is delivered."""
    assert modem.do("AT#SENDMAIL1") == OK
    assert [mail.content.partition(b"\r\n\r\n")[2] for mail in modem.mail.mails] == [b"The letter\r\n"]


def pop3(modem: Served) -> None:
    """A mail that is fetched."""
    shown = b"\r\nOk_Info_Mail\r\nFrom: a@b.c\r\nSubject: Hi\r\n\r\nThe letter"
    assert modem.do("AT#GETMAIL") == shown + END + OK
    assert modem.mail.mailbox == []


def ftp(modem: Served) -> None:
    """A file that is fetched, and one that is stored."""
    begun, file = modem.move("AT#FTPGET")
    file.say(b"one")
    assert begun + modem.moved(file) == b"\r\nOk_Info_DataBegin\r\none" + ETX + OK
    begun, file = modem.move("AT#FTPPUT")
    assert begun + modem.type(b"two" + ETX) + modem.moved(file) == WAITING + ETX + OK
    assert file.heard() == b"two"


def tcp(modem: Served) -> None:
    """A server that is called, and a caller that is waited for."""
    assert modem.do("AT#OTCP=1") + modem.type(b"one" + ETX) == WAITING + ETX + CLOSED
    assert modem.tcp.callers[-1].heard() == b"one"
    modem.listen("AT#LTCPSTART=2")
    caller = modem.call()
    assert modem.wait() + modem.type(b"two" + ETX) == WAITING + ETX + CLOSED
    assert caller.heard() == b"two"


def udp(modem: Served) -> None:
    """A peer that is spoken to, and one whose datagram is waited for."""
    assert modem.do("AT#OUDP") + modem.type(b"one" + ETX) == WAITING + ETX + CLOSED
    modem.listen("AT#LUDPSTART")
    modem.datagrams.say(b"two", "127.0.0.1", 5001)
    assert modem.wait() + modem.type(b"three" + ETX) == WAITING + b"two" + ETX + CLOSED
    assert [data for data, _ in modem.datagrams.heard] == [b"one", b"three"]


@pytest.mark.parametrize("service", [gprs, ppp, ping, dns, smtp, pop3, ftp, tcp, udp], ids=lambda each: each.__name__)
def test_everyService(service: Callable[[Served], None]) -> None:
    """The stack has each service that the guide names, and it does what it is for (MTS-OPEN-05)."""
    modem = Served()
    service(modem)
    assert modem.say("AT#PINGNUM=4") == OK


# -- the marks


def fetching(modem: Served) -> Callable[[], object]:
    """A file that comes; the server ends it."""
    _, file = modem.move("AT#FTPGET")
    file.say(b"half")
    assert modem.wait() == b"half"

    def end() -> None:
        file.close()
        modem.ftp.say(b"226 done")

    return end


def showing(modem: Served) -> Callable[[], object]:
    """A mail that comes; the server ends it."""
    server = modem.memory.host(1100, SERVER)
    modem.say("AT#POP3PORT=1100")
    modem.say("AT#POP3HEADERMODE=0")
    modem.say("AT#GETMAIL")
    for line in (b"+OK", b"+OK", b"+OK", b"+OK 1 99", b"+OK\r\n\r\nhalf"):
        server.callers[-1].say(line + b"\r\n")
    assert modem.wait() == b"\r\nOk_Info_Mail\r\nhalf"

    def end() -> None:
        for line in (b".", b"+OK", b"+OK"):
            server.callers[-1].say(line + b"\r\n")

    return end


def calling(modem: Served) -> Callable[[], object]:
    """A TCP session; the server ends it."""
    assert modem.do("AT#OTCP=1") == WAITING
    return modem.tcp.callers[-1].close


def called(modem: Served) -> Callable[[], object]:
    """A TCP session that a peer has begun, and ends."""
    modem.listen("AT#LTCPSTART=2")
    caller = modem.call()
    assert modem.wait() == WAITING
    return caller.close


def speaking(modem: Served) -> Callable[[], object]:
    """A UDP session, which nobody ends but the host, or the loss of the connection."""
    assert modem.do("AT#OUDP") == WAITING
    return lambda: modem.module.contexts.lose(1)


#: how a data phase begins, the mark of its end, and what is told behind that when all went well
PHASES = [
    (fetching, ETX, OK),
    (showing, END, OK),
    (calling, ETX, CLOSED),
    (called, ETX, CLOSED),
    (speaking, ETX, failed(35841)),
]


@pytest.mark.parametrize("isLost", [False, True], ids=["ended", "lost"])
@pytest.mark.parametrize(("begin", "mark", "told"), PHASES, ids=[begin.__name__ for begin, _, _ in PHASES])
def test_marks(begin: Callable[[Served], Callable[[], object]], mark: bytes, told: bytes, isLost: bool) -> None:
    """
    Where the modem ends a data phase its mark comes first, be it the end or an error; what it was is told behind it,
    and nothing after that.

    MTS-RES-11, MTS-RES-12, MTS-ERR-49.
    """
    modem = Served()
    end = begin(modem)
    if isLost:
        modem.module.contexts.lose(1)
    else:
        end()
    assert modem.wait() == mark + (failed(35841) if isLost else told)
    assert modem.do("AT") == OK
