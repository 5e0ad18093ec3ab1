"""Packet-data contexts and their quality of service."""

from __future__ import annotations

import pytest

from atrunproto.emulator.network import AddressPool
from atrunproto.testing.emulated import MemoryModule, Wire

DEFINE = 'AT+CGDCONT=1,"IP","internet"'


def ready(product: str = "HE910-EUR", contexts: int = 1) -> tuple[MemoryModule, Wire]:
    """A module with this many contexts defined, and its first port."""
    emulated = MemoryModule(product)
    at = emulated.port()
    for cid in range(1, contexts + 1):
        assert at.execute(f'AT+CGDCONT={cid},"IP","apn{cid}"')[-1] == "OK"
    return emulated, at


# -- definition


def test_define() -> None:
    """A context is defined with all its parameters and read back (TEL-CTX-01)."""
    at = MemoryModule().port()
    assert at.execute('AT+CGDCONT=1,"IP","ibox.tim.it","0.0.0.0",0,0') == ["OK"]
    assert at.execute('AT+CGDCONT=3,"IP","APN","127.0.0.5",1,1') == ["OK"]
    assert at.execute("AT+CGDCONT?") == [
        '+CGDCONT: 1,"IP","ibox.tim.it","0.0.0.0",0,0',
        '+CGDCONT: 3,"IP","APN","127.0.0.5",1,1',
        "OK",
    ]
    assert at.execute("AT+CGDCONT=?") == ['+CGDCONT: (1-5),"IP",,,(0,1),(0,1)', "OK"]
    before = at.execute("AT+CGDCONT?")
    assert at.execute("AT+CGDCONT=") == ["OK"]
    assert at.execute("AT+CGDCONT?") == before
    assert at.execute("AT+CGDCONT=1") == ["OK"]
    assert at.execute("AT+CGDCONT?")[:-1] == ['+CGDCONT: 3,"IP","APN","127.0.0.5",1,1']


@pytest.mark.parametrize("values", ['1,"IP","internet.wind.biz"', '1,"IP","ibox.tim.it","0.0.0.0"', '1,"IP"'])
def test_shortForms(values: str) -> None:
    """Trailing parameters may be left off (TEL-CTX-02)."""
    at = MemoryModule().port()
    assert at.execute(f"AT+CGDCONT={values}") == ["OK"]
    assert at.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.1", "OK"]


@pytest.mark.parametrize(
    "values",
    ['0,"IP"', '6,"IP"', '1,"PPP"', '1,"IP","a","1.2.3"', '1,"IP","a","1.2.3.256"', '1,"IP","a","",2', '1,"IP",“a”'],
)
def test_badDefinition(values: str) -> None:
    """A sixth context, another type or a bad address is an error, and nothing is defined (TEL-CTX-03, TEL-GEN-08)."""
    at = MemoryModule().port()
    assert at.say(f"AT+CGDCONT={values}\r".encode()).endswith(b"\r\nERROR\r\n")
    assert at.execute("AT+CGDCONT?") == ["OK"]


def test_definitionNeedsSim() -> None:
    """Without a card, and in use, a context can't be changed."""
    emulated, at = ready()
    at.execute("AT+CMEE=1")
    at.execute("AT#SGACT=1,1")
    assert at.execute('AT+CGDCONT=1,"IP","other"') == ["+CME ERROR: 3"]
    emulated.module.sim.remove()
    assert at.execute('AT+CGDCONT=1,"IP","other"') == ["+CME ERROR: 10"]


def test_showAddress() -> None:
    """The address of a context is shown, empty as long as it isn't active (TEL-CTX-04)."""
    _, at = ready(contexts=2)
    at.execute("AT#SGACT=1,1")
    assert at.execute("AT+CGPADDR=1,2") == ['+CGPADDR: 1,"127.0.0.1"', '+CGPADDR: 2,""', "OK"]
    assert at.execute("AT#CGPADDR=") == ['#CGPADDR: 1,"127.0.0.1"', '#CGPADDR: 2,""', "OK"]
    assert at.execute("AT#CGPADDR=1,5") == ['#CGPADDR: 1,"127.0.0.1"', "OK"]
    assert at.execute("AT+CGPADDR=?") == ["+CGPADDR: (1,2)", "OK"]
    assert at.execute("AT+CGPADDR") == at.execute("AT+CGPADDR?") == ["ERROR"]
    at.execute("AT+CMEE=1")
    assert at.execute("AT#CGPADDR") == ["+CME ERROR: 3"]


# -- activation


def test_activate() -> None:
    """Activation answers the bare address, deactivation only OK (TEL-ACT-01, TEL-ACT-02, TEL-CFG-04)."""
    _, at = ready()
    assert at.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.1", "OK"]
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,1", "OK"]
    assert at.execute("AT#SGACT=1,0") == ["OK"]
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]
    assert at.execute("AT#SGACT=?")[0].startswith("#SGACT: (0-5),(0,1)")


def test_activateTwice() -> None:
    """An active context can't be activated again, a second one being activated meanwhile either."""
    emulated, at = ready()
    at.execute("AT+CMEE=2")
    other = emulated.port(3)
    at.say(b"AT#SGACT=1,1\r")
    assert other.execute("AT#SGACT=1,1") == ["ERROR"]
    assert at.after(5) == ["#SGACT: 127.0.0.1", "OK"]
    assert at.execute("AT#SGACT=1,1") == ["+CME ERROR: context already activated"]


def test_failures() -> None:
    """What can't be activated is an error with its cause: undefined, rejected, no service, no card (TEL-ACT-02)."""
    emulated, at = ready()
    at.execute("AT+CMEE=1")
    assert at.execute("AT#SGACT=2,1") == ["ERROR"]
    emulated.network.rejects.add("apn1")
    assert at.execute("AT#SGACT=1,1") == ["+CME ERROR: 567"]
    emulated.network.rejects.clear()
    emulated.network.setService(False)
    assert at.execute("AT#SGACT=1,1") == ["+CME ERROR: 30"]
    emulated.network.setService(True)
    emulated.module.sim.remove()
    assert at.execute("AT#SGACT=1,1") == ["+CME ERROR: 10"]
    for bad in ("1", "1,2", "6,1", '1,1,"user"', "", '1,1,"u","p","x"'):
        assert at.execute(f"AT#SGACT={bad}") == ["ERROR"], bad


def test_untied() -> None:
    """A context to which no socket is tied can neither be activated nor deactivated (TEL-ACT-03, TEL-EXT-14)."""
    _, at = ready(contexts=4)
    assert at.execute("AT#SGACT=4,1") == ["ERROR"]
    assert at.execute("AT#SGACT=4,0") == ["ERROR"]
    assert at.execute("AT#SCFG=3,4,300,90,600,50") == ["OK"]
    assert at.execute("AT#SGACT=4,1") == ["#SGACT: 127.0.0.1", "OK"]


def test_twoAtMost() -> None:
    """Two contexts of five are active together, a third is refused until one ends (TEL-ACT-04, TEL-CTX-03)."""
    _, at = ready(contexts=5)
    for socket, cid in ((3, 3), (4, 4), (5, 5)):
        assert at.execute(f"AT#SCFG={socket},{cid},300,90,600,50") == ["OK"]
    assert at.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.1", "OK"]
    assert at.execute("AT#SGACT=5,1") == ["#SGACT: 127.0.0.2", "OK"]
    assert at.execute("AT#SGACT=3,1") == ["ERROR"]
    assert at.execute("AT+CGACT=1,3") == ["ERROR"]
    assert at.execute("AT#SGACT=1,0") == ["OK"]
    assert at.execute("AT+CGACT=1,3") == ["OK"]
    assert at.execute("AT#SGACT=4,1") == ["ERROR"]
    assert at.execute("AT#SGACT=3,1") == ["#SGACT: 127.0.0.1", "OK"]
    assert at.execute("AT#SGACT?;+CGACT?")[:5] == [f"#SGACT: {cid},{int(cid in (3, 5))}" for cid in range(1, 6)]


def test_credentials() -> None:
    """User name and password go with the activation, as a pair (TEL-ACT-07, TEL-CON-39)."""
    _, at = ready()
    assert at.execute('AT#SGACT=1,1,"EASY GPRS","EASY GPRS"') == ["#SGACT: 127.0.0.1", "OK"]


def test_deactivationEndsWhatDependsOnIt() -> None:
    """With its context a service loses its port, and the address is free for another (TEL-ACT-05)."""
    emulated, at = ready()
    for line in ("AT#SGACT=1,1", 'AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"', "AT#TCPATRUNL=1"):
        assert at.execute(line)[-1] == "OK"
    wire = emulated.call(1024)
    assert at.execute("AT#SS=1")[-2].startswith("#SS: 1,1,")
    at.execute("AT#SGACT=1,0")
    assert wire.isClosed
    assert at.execute("AT#SS=1")[-2] == "#SS: 1,0"
    beside = MemoryModule(beside=emulated).port()
    beside.execute(DEFINE)
    assert beside.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.1", "OK"]


def test_externalActivation() -> None:
    """+CGACT activates and ends contexts for other uses, all of them if none is named."""
    _, at = ready(contexts=2)
    assert at.execute("AT+CGACT=1") == ["OK"]
    assert at.execute("AT+CGACT?;#SGACT?") == ["+CGACT: 1,1", "+CGACT: 2,1", "#SGACT: 1,0", "#SGACT: 2,0", "OK"]
    assert at.execute("AT+CGACT=0") == ["OK"]
    assert at.execute("AT+CGACT?") == ["+CGACT: 1,0", "+CGACT: 2,0", "OK"]
    assert at.execute("AT+CGACT=1,3") == ["ERROR"]


def test_staticAddress() -> None:
    """A static address of the pool is granted while it is free, with leading zeros too; another one is not."""
    emulated, at = ready()
    at.execute('AT+CGDCONT=1,"IP","a","127.000.000.055"')
    assert at.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.55", "OK"]
    other = MemoryModule(beside=emulated).port()
    other.execute('AT+CGDCONT=1,"IP","a","127.0.0.55"')
    assert other.execute("AT#SGACT=1,1") == ["ERROR"]
    other.execute('AT+CGDCONT=1,"IP","a","10.0.0.1"')
    assert other.execute("AT#SGACT=1,1") == ["ERROR"]
    other.execute('AT+CGDCONT=1,"IP","a","000.000.000.000"')
    assert other.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.1", "OK"]


def test_poolRunsOut() -> None:
    """When no address is left an activation fails; one that is given back is given out again."""
    emulated = MemoryModule()
    emulated.network.pool = AddressPool("127.9.0.0/30")
    ports = [emulated.port(), *(MemoryModule(beside=emulated).port() for _ in range(2))]
    for at in ports:
        at.execute(DEFINE)
    assert [at.execute("AT#SGACT=1,1")[0] for at in ports] == ["#SGACT: 127.9.0.1", "#SGACT: 127.9.0.2", "ERROR"]
    ports[0].execute("AT#SGACT=1,0")
    assert ports[2].execute("AT#SGACT=1,1") == ["#SGACT: 127.9.0.1", "OK"]


def test_abort() -> None:
    """With #SGACTCFGEXT any character aborts an activation, which leaves nothing behind."""
    emulated, at = ready()
    at.execute("AT#SGACTCFGEXT=1,1")
    at.say(b"AT#SGACT=1,1\r")
    assert at.say(b"x") == b"\r\nNO CARRIER\r\n"
    emulated.advance(10)
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]
    assert at.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.1", "OK"]


def test_firstContext() -> None:
    """#GPRS opens and closes context 1 with an answer of its own."""
    _, at = ready()
    assert at.execute("AT#GPRS?") == ["#GPRS: 0", "OK"]
    assert at.execute("AT#GPRS=1") == ["+IP: 127.0.0.1", "OK"]
    assert at.execute("AT#GPRS?;#SGACT?") == ["#GPRS: 1", "#SGACT: 1,1", "OK"]
    assert at.execute("AT#GPRS=0;#GPRS?") == ["#GPRS: 0", "OK"]


def test_gsmContext() -> None:
    """The GSM context is activated as cid 0, excludes the others, and ends with the registration (TEL-EXT-14)."""
    emulated, at = ready("GE865-QUAD")
    assert at.execute("AT#SCFG=6,0,300,90,600,50") == ["OK"]
    assert at.execute("AT#SGACT=0,1") == ["ERROR"]
    assert at.execute('AT#GSMCONT=0,"IP","*99***1#"') == ["OK"]
    assert at.execute("AT#SGACT=0,1") == ["#SGACT: 127.0.0.1", "OK"]
    assert at.execute("AT#SGACT=1,1") == ["ERROR"]
    assert at.execute("AT#CGPADDR=0") == ['#CGPADDR: 0,"127.0.0.1"', "OK"]
    assert at.execute("AT+CGATT=0") == ["OK"]
    assert 0 in emulated.module.contexts.active
    emulated.network.setService(False)
    assert emulated.module.contexts.active == {}


@pytest.mark.parametrize("line", ["AT#SGACT=1,1", "AT#SGACT=0,1", "AT+CGACT=1,1", "AT#GPRS=1"])
def test_networkLostMeanwhile(line: str) -> None:
    """A context whose network is lost while it is being activated is not active."""
    emulated, at = ready("GE865-QUAD")
    at.execute('AT#SCFG=6,0,300,90,600,50;#GSMCONT=0,"IP","*99#"')
    at.execute("AT+CMEE=1")
    at.say(line.encode() + b"\r")
    emulated.network.setService(False)
    assert at.after(10) == ["+CME ERROR: 30"]
    assert at.execute("AT#SGACT?;+CGACT?") == ["#SGACT: 1,0", "+CGACT: 1,0", "OK"]
    assert emulated.module.contexts.active == {}


# -- automatic activation


def automatic(values: str = "1,3") -> tuple[MemoryModule, Wire]:
    """A module whose context 1 is active, and activated automatically from now on."""
    emulated, at = ready()
    assert at.execute(f"AT#SGACTCFG={values}") == ["OK"]
    at.execute("AT#SGACT=1,1")
    return emulated, at


def test_automaticSettings() -> None:
    """Attempts, delay and notice are set, read and limited (TEL-EXT-13)."""
    at = MemoryModule().port()
    assert at.execute("AT#SGACTCFG?") == [*(f"#SGACTCFG: {cid},0,180,0" for cid in range(1, 6)), "OK"]
    assert at.execute("AT#SGACTCFG=2,15,3600,1") == ["OK"]
    assert at.execute("AT#SGACTCFG=2,4") == ["OK"]
    assert at.execute("AT#SGACTCFG?")[1] == "#SGACTCFG: 2,4,3600,1"
    for bad in ("0,1", "6,1", "1,16", "1,1,179", "1,1,3601", "1,1,180,2", "1", ""):
        assert at.execute(f"AT#SGACTCFG={bad}") == ["ERROR"], bad
    assert at.execute("AT#SGACTCFG=?") == ["#SGACTCFG: (1-5),(0-15),(180-3600),(0,1)", "OK"]


@pytest.mark.parametrize("loss", ["context", "service", "sim", "power", "operator"])
def test_comesBackByItself(loss: str) -> None:
    """After network loss, SIM removal or a restart the context is active again without a command (TEL-CFG-05)."""
    emulated, at = automatic()
    module, network = emulated.module, emulated.network
    if loss == "context":
        module.contexts.lose(1)
    elif loss == "service":
        network.setService(False)
        emulated.advance(500)
        network.setService(True)
    elif loss == "sim":
        module.sim.remove()
        emulated.advance(500)
        module.sim.insert()
    elif loss == "power":
        module.powerOff()
        emulated.switchOn()
    else:
        at.execute("AT+COPS=2")
        at.execute("AT+COPS=0")
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]
    emulated.advance(5)
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,1", "OK"]


def test_notByItself() -> None:
    """Ended by its user, or without the setting, a context stays ended (TEL-CFG-05)."""
    emulated, at = automatic()
    at.execute("AT#SGACT=1,0")
    emulated.advance(5000)
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]
    at.execute("AT#SGACT=1,1")
    at.execute("AT#SGACTCFG=1,0")
    emulated.module.contexts.lose(1)
    emulated.advance(5000)
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]


def test_automaticAttempts() -> None:
    """As many attempts as configured are made, at the configured pace (TEL-EXT-13)."""
    emulated, at = automatic("1,3,200")
    emulated.network.rejects.add("apn1")
    emulated.module.contexts.lose(1)
    emulated.advance(2 + 2 * 200)
    emulated.network.rejects.clear()
    emulated.advance(5000)
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]
    at.execute("AT#SGACT=1,1")
    emulated.network.rejects.add("apn1")
    emulated.module.contexts.lose(1)
    emulated.advance(2 + 200)
    emulated.network.rejects.clear()
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]
    emulated.advance(200)
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,1", "OK"]


def test_automaticNotice() -> None:
    """Where the notice is on, each automatic activation is announced with the address (TEL-EXT-13)."""
    emulated, at = automatic("1,3,180,1")
    other = emulated.port(2)
    emulated.module.contexts.lose(1)
    assert at.after(5) == ["#SGACT: 127.0.0.1"]
    assert other.heard() == b""


def test_tieIsFixed() -> None:
    """With automatic activation the tie of a socket to that context can't be changed, all else can (TEL-EXT-13)."""
    _, at = automatic()
    at.execute("AT#SGACT=1,0")
    assert at.execute("AT#SCFG=1,2,300,90,600,50") == ["ERROR"]
    assert at.execute("AT#SCFG=1,1,500,90,600,50") == ["OK"]
    assert at.execute("AT#SCFG=4,3,300,90,600,50") == ["OK"]
    at.execute("AT#SGACTCFG=1,0")
    assert at.execute("AT#SCFG=1,2,300,90,600,50") == ["OK"]


# -- quality of service


@pytest.mark.parametrize("name", ["+CGQMIN", "+CGQREQ"])
def test_quality(name: str) -> None:
    """
    The minimum and the requested profile take each class in its range and refuse the next one.

    TEL-QOS-01..07, TEL-QOS-10.
    """
    at = MemoryModule("GE865-QUAD").port()
    assert at.execute(f"AT{name}=1,2,0,0,5,4") == ["OK"]
    assert at.execute(f"AT{name}?") == [f"{name}: 1,2,0,0,5,4", "OK"]
    assert at.execute(f"AT{name}=?") == [f'{name}: "IP",(0-3),(0-4),(0-5),(0-9),(0-18,31)', "OK"]
    for position, highest in enumerate((3, 4, 5, 9)):
        for value in range(highest + 2):
            given = [0, 0, 0, 0, 0]
            given[position] = value
            expected = ["OK"] if value <= highest else ["ERROR"]
            assert at.execute(f"AT{name}=2,{','.join(map(str, given))}") == expected, given
    for value in range(33):
        expected = ["OK"] if value <= 18 or value == 31 else ["ERROR"]
        assert at.execute(f"AT{name}=2,0,0,0,0,{value}") == expected, value
    assert at.execute(f"AT{name}?")[1] == f"{name}: 2,0,0,0,0,31"
    assert at.execute(f"AT{name}=6,0,0,0,0,0") == ["ERROR"]
    assert at.execute(f"AT{name}=1;{name}=3,1;{name}?") == [f"{name}: 2,0,0,0,0,31", f"{name}: 3,1,0,0,0,0", "OK"]


UPLINK = [*range(64), *range(64, 569, 8), *range(576, 8641, 64)]
DOWNLINK = [*UPLINK, *range(8700, 16001, 100)]
ERRORS = ("0E0", "1E1", "1E2", "7E3", "1E3", "1E4", "1E5", "1E6")
BIT_ERRORS = ("0E0", "5E2", "1E2", "5E3", "4E3", "1E3", "1E4", "1E5", "1E6", "6E8")
SUGGESTED = '1,4,0,0,0,0,2,0,"0E0","0E0",3,0,0'
THREE_G: list[tuple[str, int, list[object], list[object]]] = [
    ("TEL-QOS-12", 1, [*range(5)], [5]),
    ("TEL-QOS-13", 2, [*UPLINK], [65, 570, 8700, 8641]),
    ("TEL-QOS-14", 3, [*DOWNLINK], [65, 570, 8750, 16100]),
    ("TEL-QOS-13", 4, [*UPLINK], [65, 570, 8700]),
    ("TEL-QOS-14", 5, [*DOWNLINK], [65, 8641, 8750, 16100]),
    ("TEL-QOS-15", 6, [0, 1, 2], [3]),
    ("TEL-QOS-16", 7, [0, *range(10, 1501), 1502, 1510, 1520], [*range(1, 10), 1501, 1503, 1519, 1521]),
    ("TEL-QOS-17", 8, [f'"{each}"' for each in ERRORS], ['"2E2"', '"5E2"', '"6E8"', '""', "1"]),
    ("TEL-QOS-18", 9, [f'"{each}"' for each in BIT_ERRORS], ['"1E7"', '"7E3"', '"1E1"', '""']),
    ("TEL-QOS-19", 10, [0, 1, 2, 3], [4]),
    (
        "TEL-QOS-20",
        11,
        [0, *range(10, 151, 10), *range(200, 951, 50), *range(1000, 4001, 50)],
        [5, 155, 160, 210, 4050],
    ),
    ("TEL-QOS-21", 12, [0, 1, 2, 3], [4]),
]


@pytest.mark.parametrize(("row", "position", "good", "bad"), THREE_G, ids=[f"{row} {at}" for row, at, _, _ in THREE_G])
@pytest.mark.parametrize("name", ["+CGEQMIN", "+CGEQREQ"])
def test_quality3G(name: str, row: str, position: int, good: list[object], bad: list[object]) -> None:
    """
    Both 3G profiles take each value that the document lists at its place, and no other.

    TEL-QOS-11..21, TEL-QOS-23.
    """
    at = MemoryModule("HE863-EUR").port()
    given = SUGGESTED.split(",")
    for value in good[:: max(1, len(good) // 150)]:
        given[position] = str(value)
        assert at.execute(f"AT{name}={','.join(given)}") == ["OK"], value
        assert at.execute(f"AT{name}?") == [f"{name}: {','.join(given)}", "OK"]
    kept = list(given)
    for value in bad:
        given[position] = str(value)
        assert at.execute(f"AT{name}={','.join(given)}") == ["ERROR"], value
    assert at.execute(f"AT{name}?") == [f"{name}: {','.join(kept)}", "OK"]


def test_suggested3G() -> None:
    """The suggested minimum profile is that of the defaults (TEL-QOS-22)."""
    at = MemoryModule("HE910-EUR").port()
    assert at.execute(f"AT+CGEQMIN={SUGGESTED};+CGEQMIN=2,4;+CGEQMIN?") == [
        f"+CGEQMIN: {SUGGESTED}",
        f"+CGEQMIN: 2{SUGGESTED[1:]}",
        "OK",
    ]
    assert at.execute("AT+CGEQMIN=1,4,0,0,0,0,2,0,0E0,0E0,3,0,0")[-1] == "OK"
    assert MemoryModule("GE865-QUAD").port().execute("AT+CGEQMIN?") == ["ERROR"]
