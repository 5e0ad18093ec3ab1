"""The old interface: one connection for each instance, which the escape sequence ends."""

from __future__ import annotations

import pytest

from atrunproto.at.commands import CommandSet, Invocation
from atrunproto.ipeasy import old
from atrunproto.ipeasy.peer import IPEasyClientEndpoint, IPEasyServerEndpoint
from atrunproto.ipeasy.peercontexts import Context
from atrunproto.testing.contract import End
from atrunproto.testing.emulated import Host, MemoryModule, Wire
from tests.ipeasy.lines import OWN, Lines
from tests.ipeasy.modems import FAR, PORT, Modem, factoryOf
from tests.tcpatrun.service import Service


def ready(product: str = "GE865-QUAD") -> tuple[MemoryModule, Wire, Host]:
    """A module with a defined context, its first port, and a host to call."""
    emulated = MemoryModule(product)
    at = emulated.port()
    assert at.execute('ATE0+CMEE=1;+CGDCONT=1,"IP","x"')[-1] == "OK"
    return emulated, at, emulated.host(80)


def online(at: Wire) -> Wire:
    """Open a connection with #SKTD."""
    assert at.execute('AT#SKTD=0,80,"127.0.0.1"') == ["CONNECT"]
    return at


def escape(emulated: MemoryModule, at: Wire) -> list[str]:
    """Leave online mode by the escape sequence; give what comes."""
    emulated.advance(2)
    at.say(b"+++")
    return at.after(2)


def test_dialogue() -> None:
    """#SKTD connects to its peer with the first context, and data flow both ways (TEL-OLD-01, TEL-OLD-07)."""
    emulated, at, host = ready()
    assert at.execute('AT#SKTD=0,80,"127.0.0.1"') == ["+CME ERROR: 556"]
    assert at.execute("AT#GPRS=1") == ["+IP: 127.0.0.1", "OK"]
    online(at)
    at.say(b"hello")
    emulated.advance(6)
    assert host.callers[0].heard() == b"hello"
    assert host.callers[0].say(b"world") == b""
    assert at.heard() == b"world"


def test_escapeEnds() -> None:
    """The escape sequence ends the connection for good; the context stays (TEL-OLD-02, TEL-OLD-09)."""
    emulated, at, host = ready()
    at.execute("AT#GPRS=1")
    online(at)
    assert escape(emulated, at) == ["NO CARRIER"]
    assert host.callers[0].isClosed
    assert at.execute("AT#SS=1;#GPRS?") == ["#SS: 1,0", "#GPRS: 1", "OK"]
    assert at.execute("AT#SO=1") == ["NO CARRIER"]


def test_unplugged() -> None:
    """Without a terminal there is no connection either: it can't be suspended (TEL-OLD-02)."""
    emulated, at, host = ready()
    at.execute("AT#GPRS=1")
    online(at).close()
    emulated.advance(1)
    assert host.callers[0].isClosed


def test_peerCloses() -> None:
    """When the peer closes, the terminal sees NO CARRIER, and the instance can call again."""
    _, at, host = ready()
    at.execute("AT#GPRS=1")
    online(at)
    host.callers[0].close()
    assert at.after(1) == ["NO CARRIER"]
    online(at)


def test_threeAtOnce() -> None:
    """Each of the three instances has a connection of its own, and each escape ends one (TEL-OLD-03)."""
    emulated, at, host = ready()
    at.execute("AT#GPRS=1")
    ports = [at, emulated.port(2), emulated.port(3)]
    for port in ports:
        online(port)
    assert escape(emulated, ports[1])[-1] == "NO CARRIER"
    assert [caller.isClosed for caller in host.callers] == [False, True, False]


def test_failures() -> None:
    """A peer that refuses, or that nobody knows, is the same error as for #SD."""
    _, at, _ = ready()
    at.execute("AT#GPRS=1")
    assert at.execute('AT#SKTD=0,81,"127.0.0.1"') == ["+CME ERROR: 560"]
    assert at.execute('AT#SKTD=0,80,"nobody.example"') == ["+CME ERROR: 558"]
    assert at.execute("AT#SKTSET=0") == ["ERROR"]
    assert at.execute("AT#SS=1")[0] == "#SS: 1,0"


def test_otherContext() -> None:
    """It is on context 1; a socket that is tied to another one is an error."""
    _, at, _ = ready()
    at.execute("AT#SCFG=1,2,300,90,600,50")
    assert at.execute('AT#SKTD=0,80,"127.0.0.1"') == ["ERROR"]


def test_peerIsKept() -> None:
    """#SKTSET sets the peer of an instance, #SKTSAV keeps it, #SKTRST forgets it (TEL-OLD-08)."""
    emulated, at, _ = ready()
    factory = 'AT#SKTSET: 0,3333,"",0,0'
    assert at.execute("AT#SKTSET?") == [factory, "OK"]
    assert at.execute('AT#SKTSET=0,1024,"123.255.020.001"') == ["OK"]
    at.execute('AT#USERID="me";#PASSW="secret"')
    shown = 'AT#SKTSET: 0,1024,"123.255.020.001",0,0'
    assert at.execute("AT#SKTSET?;#SKTD?") == [shown, shown.replace("SET", "D"), "OK"]
    assert emulated.port(2).execute("AT#SKTSET?")[0] == factory
    emulated.module.powerOff()
    emulated.switchOn()
    assert at.execute("AT#SKTSET?") == ["AT#SKTSET?", factory, "OK"][1:]
    at.execute('AT#SKTSET=0,1024,"10.0.0.1",255,7;#USERID="me";#SKTSAV')
    emulated.module.powerOff()
    emulated.switchOn()
    assert at.execute("AT#SKTSET?;#USERID?") == ['AT#SKTSET: 0,1024,"10.0.0.1",255,7', '#USERID: "me"', "OK"]
    at.execute("AT#PKTSZ=512;#SKTRST")
    assert at.execute("AT#SKTSET?;#USERID?;#PKTSZ?") == [factory, '#USERID: ""', "#PKTSZ: 300", "OK"]


def test_credentials() -> None:
    """Name and password have a longest form, and the password is never shown (TEL-OLD-10)."""
    _, at, _ = ready()
    assert at.execute("AT#USERID=?;#PASSW=?") == ["#USERID: 64", "#PASSW: 64", "OK"]
    assert at.execute("AT#PASSW?") == ["ERROR"]
    assert at.execute(f'AT#USERID="{"x" * 65}"')[-1] != "OK"


def test_paddedAddress() -> None:
    """An address may be padded with zeros, as the guide prints it; #SKTD without a peer takes that of #SKTSET."""
    _, at, host = ready()
    at.execute('AT#GPRS=1;#SKTSET=0,80,"127.000.000.001"')
    assert at.execute("AT#SKTD") == ["CONNECT"]
    assert len(host.callers) == 1


def test_namedByQuery() -> None:
    """The address that #QDNS finds becomes that of the peer."""
    emulated, at, _ = ready()
    emulated.network.hosts["host.example"] = "127.0.0.1"
    at.execute('AT#SKTSET=0,80,"x";#QDNS="host.example"')
    assert at.execute("AT#SKTSET?") == ['AT#SKTSET: 0,80,"127.0.0.1",0,0', "OK"]
    at.execute("AT#GPRS=1")
    assert at.execute("AT#SKTD") == ["CONNECT"]


def test_contextLost() -> None:
    """When the context ends, the connection does, and the terminal sees NO CARRIER."""
    emulated, at, host = ready()
    at.execute("AT#GPRS=1")
    online(at)
    emulated.module.contexts.lose(1)
    assert at.after(1) == ["NO CARRIER"]
    assert host.callers[0].isClosed


def test_keepsOnline() -> None:
    """With closure type 255 the terminal stays online after the peer has closed, until the escape sequence."""
    emulated, at, host = ready()
    at.execute("AT#GPRS=1")
    assert at.execute('AT#SKTD=0,80,"127.0.0.1",255') == ["CONNECT"]
    host.callers[0].close()
    assert at.after(5) == []
    assert escape(emulated, at) == ["NO CARRIER"]
    online(at)


# -- listening


def listening() -> tuple[MemoryModule, Wire]:
    """A module that listens for one caller."""
    emulated, at, _ = ready()
    at.execute("AT#GPRS=1")
    assert at.execute('AT#FRWL=1,"0.0.0.0","0.0.0.0"') == ["OK"]
    assert at.execute("AT#SKTL?") == ["#SKTL: 0,0,0,0", "OK"]
    assert at.execute("AT#SKTL=1,0,2000") == ["OK"]
    assert at.execute("AT#SKTL?") == ["#SKTL: 1,0,2000,0", "OK"]
    return emulated, at


def test_caller() -> None:
    """A caller is told by its address and taken unasked; the escape ends it and the listening (TEL-OLD-01)."""
    emulated, at = listening()
    caller = emulated.call(2000, source="127.0.0.9")
    assert at.after(0) == ["+CONN FROM: 127.0.0.9", "CONNECT"]
    caller.say(b"hello")
    assert at.heard() == b"hello"
    assert escape(emulated, at) == ["NO CARRIER"]
    assert caller.isClosed
    assert at.execute("AT#SKTL?") == ["#SKTL: 0,0,2000,0", "OK"]
    assert emulated.call(2000).isClosed


def test_callerComesTooSoon() -> None:
    """A caller that comes while a command runs is sent away, and the next one is taken."""
    emulated, at = listening()
    at.say(b"AT+COPS=?\r")
    assert emulated.call(2000).isClosed
    emulated.advance(20)
    at.heard()
    assert not emulated.call(2000).isClosed
    assert at.after(0)[-1] == "CONNECT"


def test_callerBeyondTheLimit() -> None:
    """On HE863 a caller is sent away while another socket is online, and taken once it is not (TEL-CON-54)."""
    lines = Lines("HE863-EUD")
    lines.ask('AT#FRWL=1,"0.0.0.0","0.0.0.0"')
    assert lines.ask(f"AT#SKTL=1,0,{OWN}") == ["OK"]
    wire = lines.dial(4, 0, port=2)
    assert lines.emulated.call(OWN).isClosed
    wire.close()
    assert lines.after(0) == b""
    assert not lines.emulated.call(OWN).isClosed
    assert lines.after(0).endswith(b"CONNECT\r\n")


def test_stopListening() -> None:
    """#SKTL=0 ends the listening."""
    emulated, at = listening()
    assert at.execute("AT#SKTL=0,0,2000") == ["OK"]
    assert emulated.call(2000).isClosed


def test_listeningLost() -> None:
    """When the context ends, the terminal hears that the listening is over."""
    emulated, at = listening()
    emulated.module.contexts.lose(1)
    assert at.after(0) == ["#SKTL: ABORTED"]
    assert at.execute("AT#SKTL?")[0] == "#SKTL: 0,0,2000,0"


# -- both at once


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE863-EUR"])
def test_openAtOnce(product: str) -> None:
    """#SKTOP activates context 1; its end takes that away, and the suspended sockets (TEL-OLD-05, TEL-OLD-09)."""
    emulated, at, host = ready(product)
    at.execute('AT#SKTSET=0,80,"127.0.0.1"')
    assert at.execute("AT#SKTOP") == ["CONNECT"]
    other = emulated.port(2)
    assert other.execute('AT#SD=2,0,80,"127.0.0.1",0,0,1') == ["OK"]
    assert escape(emulated, at) == ["NO CARRIER"]
    assert at.execute("AT#GPRS?;#SS=1;#SS=2") == ["#GPRS: 0", "#SS: 1,0", "#SS: 2,0", "OK"]
    assert [caller.isClosed for caller in host.callers] == [True, True]


def test_openFails() -> None:
    """When #SKTOP can't connect, it says NO CARRIER, and the context goes too."""
    _, at, _ = ready()
    at.execute('AT#SKTSET=0,81,"127.0.0.1"')
    assert at.execute("AT#SKTOP") == ["NO CARRIER"]
    assert at.execute("AT#GPRS?") == ["#GPRS: 0", "OK"]


def test_peerOfOpenCloses() -> None:
    """The context goes too when it is the peer that closes (TEL-OLD-05)."""
    _, at, host = ready()
    at.execute('AT#SKTSET=0,80,"127.0.0.1"')
    assert at.execute("AT#SKTOP") == ["CONNECT"]
    host.callers[0].close()
    assert at.after(1) == ["NO CARRIER"]
    assert at.execute("AT#GPRS?") == ["#GPRS: 0", "OK"]


def test_firstInstanceOnly() -> None:
    """#SKTOP works on the first instance alone (TEL-OLD-04, TEL-LIM-01)."""
    emulated, at, _ = ready()
    at.execute('AT#SKTSET=0,80,"127.0.0.1"')
    assert emulated.port(2).execute("AT#SKTOP") == ["AT#SKTOP", "ERROR"][1:]
    assert at.execute("AT#SKTOP") == ["CONNECT"]


def test_notOnUMTS() -> None:
    """Products of the xE910-3G family don't have #SKTOP (TEL-NOT-05)."""
    _, at, _ = ready("HE910-EUR")
    assert at.execute("AT#SKTOP=?")[-1] != "OK"


# -- over TCPATRUN


def over(instance: int, connId: int, cid: int = 1) -> Wire:
    """A connection to the service, which is configured so."""
    service = Service("GE865-QUAD", comesBack=False)
    service.do('AT+CGDCONT=2,"IP","other"', f"AT#SCFG={connId},{cid},300,0,600,1")
    if cid == 2:
        service.do("AT#SGACT=1,0", "AT#SGACT=2,1")
    service.configure(f'{connId},{instance},1024,12345,"127.0.0.1",1,5,0,0,2')
    assert service.emulated.port(3).execute("AT#TCPATRUNL=1") == ["OK"]
    return service.login()


@pytest.mark.parametrize(("instance", "connId", "answer"), [(1, 1, "ERROR"), (1, 2, "OK"), (2, 2, "ERROR")])
def test_apart(instance: int, connId: int, answer: str) -> None:
    """Over TCPATRUN #SKTSAV, #SKTL and #SKTD need a service whose connId isn't its instance (TEL-NOT-01)."""
    wire = over(instance, connId)
    assert wire.execute("AT#SKTSAV")[-1] == answer
    assert wire.execute("AT#SKTL?")[-1] == answer
    assert wire.execute("AT#SKTD?")[-1] == answer


@pytest.mark.parametrize(("cid", "answer"), [(1, "ERROR"), (2, "OK")])
def test_contextOfTheService(cid: int, answer: str) -> None:
    """Over TCPATRUN #GPRS needs the service on another context than 1 (TEL-NOT-04)."""
    wire = over(2, 4, cid)
    assert wire.execute("AT#GPRS=1")[-1] == answer


@pytest.mark.parametrize(
    ("instance", "connId", "cid", "answer"),
    [(1, 4, 2, "NO CARRIER"), (2, 4, 2, "ERROR"), (1, 4, 1, "ERROR"), (1, 1, 2, "ERROR")],
)
def test_openOverTheService(instance: int, connId: int, cid: int, answer: str) -> None:
    """Over TCPATRUN #SKTOP needs the service on instance 1, another context and another connId (TEL-NOT-05)."""
    wire = over(instance, connId, cid)
    assert wire.execute("AT#SKTOP")[-1] == answer


# -- the host


def test_hostUsesTheNewOnes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoints connect and listen by the newer commands alone (TEL-OLD-06, TEL-OLD-11)."""
    modem, near, far = Modem(isActive=False), End(), End()
    said: set[str] = set()
    prepare = CommandSet.prepare

    def prepared(commands: CommandSet, body: bytes) -> object:
        found = prepare(commands, body)
        said.update(each.row.name for each in found if isinstance(each, Invocation))
        return found

    monkeypatch.setattr(CommandSet, "prepare", prepared)
    modem.serve(far)
    context = Context("internet")
    modem.result(IPEasyClientEndpoint(modem.client, 1, FAR, PORT, context).connect(factoryOf(near)))
    near.transport.loseConnection()
    modem.clock.advance(20)
    modem.result(IPEasyServerEndpoint(modem.client, 2, 1024, context).listen(factoryOf()))
    assert {"#SGACT", "#SD", "#SL"} <= said
    assert not said & {*old.commands.rows, *old.whole.rows, "#GPRS"}
