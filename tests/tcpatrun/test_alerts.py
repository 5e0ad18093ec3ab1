"""What the settings of its socket do to the service, and commands that disturb it."""

from __future__ import annotations

import pytest

from atrunproto.at.online import ChannelTransport, Online
from atrunproto.ipeasy.link import CLOSING
from tests.tcpatrun.service import HOST_PORT, PORT, Service, isOpen


def test_settingsAreTheSockets() -> None:
    """#SCFG reads and sets what rules the service, and not while it is connected (TEL-ALR-01..02, TEL-CFG-06)."""
    service = Service()
    assert service.ask("AT#SCFG=1,1,500,30,300,10") == ["OK"]
    assert service.ask("AT#SCFG?")[0] == "#SCFG: 1,1,500,30,300,10"
    service.serve()
    wire = service.login()
    assert service.ask("AT#SCFG=1,1,300,90,600,50") == ["ERROR"]
    assert wire.execute("AT#SCFG=1,1,300,90,600,50") == ["ERROR"]
    wire.close()
    assert service.ask("AT#SCFG=1,1,300,90,600,50")[-1] == "OK"


@pytest.mark.parametrize("tenths", [1, 20, 255])
def test_shortAnswersWait(tenths: int) -> None:
    """Output shorter than a packet leaves when the transmission timeout has passed (TEL-ALR-03, TEL-SCF-11)."""
    service = Service()
    service.do(f"AT#SCFG=1,1,300,0,600,{tenths}")
    wire = service.serve().login()
    wire.say(b"AT\r")
    service.emulated.advance(tenths / 10 - 0.05)
    assert wire.heard() == b""
    service.emulated.advance(0.05)
    assert wire.heard() == b"\r\nOK\r\n"


def test_infiniteTimeout() -> None:
    """With an infinite transmission timeout an answer waits until a packet is full."""
    service = Service()
    service.do("AT#SCFG=1,1,16,0,600,0")
    wire = service.serve().login()
    wire.say(b"AT\r")
    service.emulated.advance(1000)
    assert wire.heard() == b""
    assert wire.say(b"AT+CSQ\r") == b"\r\nOK\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n"[:16]
    service.emulated.advance(1000)
    assert wire.heard() == b""


def test_packets() -> None:
    """A long answer leaves by packets at once, its rest at the timeout (TEL-SCF-11)."""
    service = Service()
    service.do("AT#SCFG=1,1,32,0,600,10")
    wire = service.serve().login()
    whole = (
        f"\r\n#SS: 1,1,127.0.0.1,{PORT},127.0.0.9,40001\r\n".encode()
        + b"".join(b"#SS: %d,0\r\n" % number for number in range(2, 7))
        + b"\r\nOK\r\n"
    )
    assert wire.say(b"AT#SS\r") == whole[: len(whole) // 32 * 32]
    service.emulated.advance(1)
    assert wire.heard() == whole[len(whole) // 32 * 32 :]


def test_oldSettings() -> None:
    """With connection id and instance equal, the old commands change the socket in use (TEL-NOT-06)."""
    service = Service(config=f'2,2,{PORT},{HOST_PORT},"127.0.0.1"')
    service.do("AT#SCFG=2,1,300,0,600,1")
    service.serve()
    wire = service.login()
    assert wire.execute("AT#PKTSZ=100;#SKTTO=20;#DSTO=30") == ["OK"]
    assert service.ask("AT#SCFG?")[:3] == [
        "#SCFG: 1,1,300,0,600,1",
        "#SCFG: 2,1,100,20,600,30",
        "#SCFG: 3,1,300,90,600,50",
    ]
    wire.say(b"AT\r")
    service.emulated.advance(2.9)
    assert wire.heard() == b""
    service.emulated.advance(0.2)
    assert wire.heard() == b"\r\nOK\r\n"
    service.emulated.advance(20)
    assert wire.isClosed


def test_oldSettingsElsewhere() -> None:
    """With another connection id the old commands leave the service's socket alone (TEL-NOT-06)."""
    wire = Service().serve().login()
    assert wire.execute("AT#PKTSZ=100")[-1] == "OK"
    assert wire.execute("AT#SCFG?")[:2] == ["#SCFG: 1,1,300,0,600,1", "#SCFG: 2,1,100,90,600,50"]


def test_idle() -> None:
    """Without data for the inactivity timeout the connection is closed; data begin it anew (TEL-ALR-07, TEL-SCF-12)."""
    service = Service()
    service.do("AT#SCFG=1,1,300,30,600,1")
    wire = service.serve().login()
    service.emulated.advance(29)
    assert wire.execute("AT") == ["OK"]
    service.emulated.advance(29)
    assert isOpen(wire)
    service.emulated.advance(1)
    assert wire.isClosed
    assert service.heard() == ["#TCPATRUN: <DISCONNECT>"]
    assert service.login().execute("AT") == ["OK"]


def test_vanishedHost() -> None:
    """A host that vanishes without a close holds the service until the inactivity timeout (TEL-ALR-08)."""
    service = Service()
    service.do("AT#SCFG=1,1,300,60,600,1")
    wire = service.serve().login()
    wire.say(b"AT+CGMM\r")
    wire.link.module.silent = wire.link.peer.silent = True
    service.emulated.advance(59)
    assert service.ask("AT#SS=1")[0].startswith("#SS: 1,1,")
    assert service.call("127.0.0.10").isClosed
    service.emulated.advance(2 + CLOSING)
    assert service.ask("AT#SS=1")[-2] == f"#SS: 1,4,127.0.0.1,{PORT}"
    assert service.login().execute("AT") == ["OK"]


def test_vanishedHostWithoutTimeout() -> None:
    """Without inactivity timeout only #TCPATRUNCLOSE frees such a connection (TEL-ALR-09, TEL-ALR-11)."""
    service = Service().serve()
    wire = service.login()
    wire.say(b"AT+CGMM\r")
    wire.link.module.silent = wire.link.peer.silent = True
    service.emulated.advance(1_000_000)
    assert service.ask("AT#SS=1")[0].startswith("#SS: 1,1,")
    service.do("AT#TCPATRUNCLOSE")
    service.emulated.advance(CLOSING)
    assert service.heard() == ["#TCPATRUN: <DISCONNECT>"]
    assert service.ask("AT#SS=1;#TCPATRUNL?") == [f"#SS: 1,4,127.0.0.1,{PORT}", "#TCPATRUNL: 1,1", "OK"]
    assert service.login().execute("AT") == ["OK"]


def test_closeWithoutConnection() -> None:
    """#TCPATRUNCLOSE without a connection is OK and changes nothing (TEL-ALR-11)."""
    service = Service()
    assert service.ask("AT#TCPATRUNCLOSE") == ["OK"]
    service.serve()
    assert service.ask("AT#TCPATRUNCLOSE") == ["OK"]
    assert service.login().execute("AT") == ["OK"]


@pytest.mark.parametrize(
    "command",
    [
        "+CGATT=0",
        "+CGACT=0",
        '+CGCLASS="CC"',
        "#SHDN",
        "#BND=2",
        "#BND=3",
        "Q1",
        "Q2",
        "#SIMDET=0",
        "+CFUN=2",
        "+CFUN=4",
    ],
)
@pytest.mark.parametrize("product", ["GE865-QUAD", "HE910-EUR"])
def test_blocking(command: str, product: str) -> None:
    """Each of these stops the exchange of commands and answers for good (TEL-NOT-07)."""
    service = Service(product).serve()
    wire = service.login()
    wire.say(b"AT" + command.encode() + b"\r")
    service.emulated.advance(5)
    wire.heard()
    wire.say(b"AT\r")
    service.emulated.advance(3600)
    assert wire.heard() == b""
    if command[0] != "Q":
        other = service.call("127.0.0.10")
        assert other.say(b"user\rsecret\rAT\r") == b""
        assert other.isClosed


@pytest.mark.parametrize("command", ["+CGATT?", "+CGATT=1", '+CGCLASS="B"', "#BND=0", "Q0", "+CFUN=1", "#SIMDET=1"])
def test_harmless(command: str) -> None:
    """The same commands with other values leave the exchange as it is."""
    wire = Service("GE865-QUAD").serve().login()
    assert wire.execute(f"AT{command}")[-1] == "OK"
    assert wire.execute("AT") == ["OK"]


def test_resetDuringDataCall() -> None:
    """ATZ is an error while a data call is up on another instance than the service's (TEL-NOT-09)."""
    service = Service().serve()
    wire = service.login()
    third = service.emulated.module.instance(3)
    port = service.emulated.port(3)
    assert wire.execute("ATZ") == ["OK"]

    class Call:
        def makeConnection(self, transport: ChannelTransport) -> None:
            pass

        def dataReceived(self, data: bytes) -> None:
            pass

        def connectionLost(self, reason: object) -> None:
            pass

    third._goOnline(Online(Call()))  # type: ignore[arg-type]
    assert port.heard() == b"\r\nCONNECT\r\n"
    assert wire.execute("ATZ") == ["ERROR"]
    assert service.ask("ATZ")[-1] == "ERROR"
    port.close()
    assert wire.execute("ATZ") == ["OK"]


def test_resetOnTheGSMContext() -> None:
    """ATZ is an error over a service on the GSM context, which is a data call itself (TEL-NOT-10, TEL-EXT-14)."""
    service = Service("GE865-QUAD", comesBack=False)
    service.do("AT#SGACT=1,0", 'AT#GSMCONT=0,"IP","*99#"', "AT#SCFG=1,0,300,0,600,1")
    assert service.ask("AT#SGACT=0,1") == ["#SGACT: 127.0.0.1", "OK"]
    wire = service.serve().login()
    assert wire.execute("AT") == ["OK"]
    assert wire.execute("ATZ") == ["ERROR"]


def test_firstContextCommand() -> None:
    """#GPRS works over a service on another context; on context 1 it would act on the service's own (TEL-NOT-04)."""
    service = Service(config=f'4,2,{PORT},{HOST_PORT},"127.0.0.1"')
    service.do("AT#SGACT=1,0", 'AT+CGDCONT=2,"IP","other"', "AT#SGACT=2,1", "AT#SCFG=4,2,300,0,600,1", "AT#TCPATRUNL=1")
    wire = service.emulated.call(PORT, "127.0.0.1")
    wire.say(b"user\rsecret\r")
    assert wire.execute("AT#GPRS=1") == ["+IP: 127.0.0.2", "OK"]
    assert wire.execute("AT#GPRS=0") == ["OK"]
    own = Service().serve().login()
    assert own.execute("AT#GPRS=1") == ["ERROR"]
    assert own.execute("AT") == ["OK"]


def test_shutDown() -> None:
    """#SHDN over the service is answered; then the module is off, and stays it."""
    service = Service().serve()
    wire = service.login()
    assert wire.execute("AT#SHDN") == ["OK"]
    service.emulated.advance(3600)
    assert wire.isClosed
    assert service.at.say(b"AT\r") == b""
    service.emulated.switchOn()
    service.after(20)
    assert service.login().execute("AT") == ["OK"]


def test_linesForNobody() -> None:
    """Over-long lines and garbage on the service are answered by ERROR at most, and the session goes on."""
    service = Service().serve()
    wire = service.login()
    wire.say(b"AT" + b"x" * 100_000 + b"\r")
    service.emulated.advance(1)
    assert wire.heard() == b"\r\nERROR\r\n"
    wire.say(bytes(range(256)) * 100 + b"\r")
    service.emulated.advance(1)
    wire.heard()
    assert wire.execute("AT") == ["OK"]


def test_octetByOctet() -> None:
    """Lines that arrive octet by octet, ended in the manner of Telnet, are run like any other."""
    service = Service().serve()
    wire = service.call()
    for octet in b"user\r\nsecret\r\0AT+CGMM\r\nAT\r\0":
        wire.say(bytes([octet]))
        service.emulated.advance(0.2)
    assert wire.heard() == b""
    service.emulated.advance(1)
    assert wire.execute("AT+CGMM") == ["HE910", "OK"]
