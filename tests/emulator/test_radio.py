"""Registration, signal, operators, the SIM card, and the notices of them."""

from __future__ import annotations

import pytest

from atrunproto.at.errors import Misuse
from atrunproto.emulator.network import AddressPool, Operator
from atrunproto.testing.emulated import MemoryModule


def test_registrationNotices() -> None:
    """Loss and return of the network are told where +CREG and +CGREG ask for it, with the place in mode 2."""
    emulated = MemoryModule("GE865-QUAD")
    one, two, three = (emulated.port(number) for number in (1, 2, 3))
    one.execute("AT+CREG=1")
    two.execute("AT+CREG=2;+CGREG=2")
    emulated.network.setService(False)
    assert one.after(0) == ["+CREG: 2"]
    assert two.after(0) == ["+CREG: 2", "+CGREG: 2"]
    emulated.network.setService(True)
    assert one.after(5) == ["+CREG: 1"]
    assert two.after(0) == ['+CREG: 1,"55FA","1298"', '+CGREG: 1,"55FA","1298"']
    assert three.heard() == b""
    assert two.execute("AT+CREG?") == ['+CREG: 2,1,"55FA","1298"', "OK"]


def test_noticesWaitForTheAnswer() -> None:
    """A notice that comes while a command runs follows its result, never stands within."""
    emulated = MemoryModule()
    port = emulated.port()
    port.execute("AT+CREG=1")
    port.say(b"AT+COPS=?\r")
    emulated.network.setService(False)
    emulated.network.setService(True)
    lines = port.after(20)
    assert lines[1] == "OK"
    assert lines[2:] == ["+CREG: 2", "+CREG: 1"]


def test_operators() -> None:
    """Automatic, manual and no registration, by +COPS; the choice survives a restart."""
    emulated = MemoryModule("GE865-QUAD")
    port = emulated.port()
    assert port.execute("AT+COPS?;+CREG?") == ['+COPS: 0,0,"I WIND"', "+CREG: 0,1", "OK"]
    assert port.execute("AT+COPS=1,2,22201")[-1] == "OK"
    emulated.advance(5)
    assert port.execute("AT+COPS?;+CREG?") == ['+COPS: 1,2,"22201"', "+CREG: 0,5", "OK"]
    emulated.module.powerOff()
    emulated.switchOn()
    assert port.execute("AT+COPS?") == ['+COPS: 1,0,"I TIM"', "OK"]
    assert port.execute("AT+COPS=1,2,99999") == ["ERROR"]
    assert port.execute("AT+COPS=2")[-1] == "OK"
    assert port.execute("AT+COPS?;+CREG?;+CSQ") == ["+COPS: 2", "+CREG: 0,0", "+CSQ: 99,99", "OK"]
    assert port.execute("AT+COPS=4,2,99999")[-1] == "OK"
    emulated.advance(5)
    assert port.execute("AT+COPS?") == ['+COPS: 4,2,"22288"', "OK"]


def test_forbiddenOperator() -> None:
    """An operator that refuses the card is listed as such, and manual registration with it fails."""
    emulated = MemoryModule()
    emulated.network.operators.append(Operator("NO", "22299", forbidden=True))
    port = emulated.port()
    assert '(3,"NO",,"22299")' in port.execute("AT+COPS=?")[0]
    port.execute("AT+CMEE=1")
    assert port.execute('AT+COPS=1,0,"NO"') == ["+CME ERROR: 32"]
    assert port.execute("AT+CREG?") == ["+CREG: 0,3", "OK"]


@pytest.mark.parametrize("fun", [0, 2, 4])
def test_functionality(fun: int) -> None:
    """Without transmitter the module is off the network, with it it returns."""
    emulated = MemoryModule()
    port = emulated.port()
    assert port.execute(f"AT+CFUN={fun}") == ["OK"]
    assert port.execute("AT+CFUN?;+CREG?;+CGATT?") == [f"+CFUN: {fun}", "+CREG: 0,0", "+CGATT: 0", "OK"]
    assert port.execute("AT+CFUN=1") == ["OK"]
    emulated.advance(5)
    assert port.execute("AT+CREG?;+CGATT?") == ["+CREG: 0,1", "+CGATT: 1", "OK"]


def test_packetService() -> None:
    """The packet service is left and joined by +CGATT and +CGCLASS."""
    emulated = MemoryModule()
    port = emulated.port()
    port.execute("AT+CGREG=1")
    assert port.execute("AT+CGATT=0") == ["OK"]
    assert port.after(0) == ["+CGREG: 0"]
    assert port.execute("AT+CGATT?;+CREG?") == ["+CGATT: 0", "+CREG: 0,1", "OK"]
    assert port.execute("AT+CGATT=1") == ["OK"]
    assert port.after(0) == ["+CGREG: 1"]
    assert port.execute('AT+CGCLASS="CC"')[-1] == "OK"
    port.after(0)
    assert port.execute("AT+CGATT?;+CGCLASS?") == ["+CGATT: 0", '+CGCLASS: "CC"', "OK"]


def test_signal() -> None:
    """Signal strength is what the world says; without any there is no network."""
    emulated = MemoryModule()
    port = emulated.port()
    emulated.module.radio.rssi = 7
    assert port.execute("AT+CSQ") == ["+CSQ: 7,0", "OK"]
    emulated.module.radio.rssi = 99
    emulated.module.radioChanged()
    assert port.execute("AT+CSQ;+CREG?") == ["+CSQ: 99,99", "+CREG: 0,2", "OK"]


def test_cells() -> None:
    """#MONI and #SERVINFO show cells in the form of the product's technology."""
    gsm, umts = MemoryModule("GE865-QUAD").port(), MemoryModule("HE910-EUR").port()
    assert gsm.execute("AT#MONI")[0].startswith("#MONI: I WIND BSIC:75 RxQual:0 LAC:55FA Id:1298 ARFCN:983")
    assert umts.execute("AT#MONI")[0].startswith("#MONI: I WIND PSC:75")
    assert gsm.execute("AT#SERVINFO")[0] == '#SERVINFO: 983,-72,"I WIND","22288",75,55FA,00,1,,"II",01,6'
    assert umts.execute("AT#SERVINFO")[0].startswith('#SERVINFO: 983,-72,"I WIND","22288",75,55FA,64')
    assert gsm.execute("AT#MONI=1;#MONI") == ["#MONI: Adj Cell1 [LAC:D5BD Id:5265] ARFCN:59 PWR:-70dbm", "OK"]
    assert gsm.execute("AT#MONI=8") == ["ERROR"]


def test_survey() -> None:
    """A survey takes a while, and then describes each carrier; a range of channels leaves others out."""
    emulated = MemoryModule("GE865-QUAD")
    at = emulated.port()
    assert at.say(b"AT#CSURV=700,980\r") == b"AT#CSURV=700,980\r"
    heard = b"".join(line.encode() + b"|" for line in at.after(19))
    assert heard == b""
    assert at.after(2) == [
        "Network survey started...",
        "arfcn: 736 bsic: 70 rxLev: -83 ber: 0.00 mcc: 222 mnc: 88 lac: 22010 cellId: 7459 cellStatus: CELL_SUITABLE"
        " numArfcn: 1 arfcn: 736 numChannels: 1 array: 736",
        "arfcn: 979 bsic: 72 rxLev: -78 ber: 0.00 mcc: 222 mnc: 88 lac: 22010 cellId: 4761 cellStatus: CELL_SUITABLE"
        " numArfcn: 1 arfcn: 979 numChannels: 1 array: 979",
        "Network survey ended",
        "OK",
    ]
    assert at.execute("AT#CSURVC=736,736")[1] == "736,70,-83,0.00,222,88,22010,7459,0,1,736,1,736"
    assert len(at.execute("AT#CSURV")) == 3 + len(emulated.network.home.cells)
    for arguments in ("=1", "=9,1", "=0,1024", "=,5"):
        assert at.execute(f"AT#CSURV{arguments}") == ["ERROR"]
    assert at.execute('AT#GSMCONT=0,"IP","*99#";#SCFG=1,0,300,0,600,1;#SGACT=0,1')[-1] == "OK"
    assert at.execute("AT#CSURV") == ["ERROR"]
    assert at.execute("AT#SGACT=0,0") == ["OK"]
    emulated.network.setService(False)
    assert at.execute("AT#CSURV") == ["Network survey started...", "Network survey ended", "OK"]


def test_pin() -> None:
    """A locked card keeps the module off the network until its PIN; three wrong ones ask for the PUK."""
    emulated = MemoryModule(isOn=False)
    emulated.module.sim.pin = "1234"
    emulated.module.powerOn()
    emulated.advance(10)
    port = emulated.port()
    port.execute("AT+CMEE=1")
    assert port.execute("AT+CPIN?;+CREG?") == ["+CPIN: SIM PIN", "+CREG: 0,0", "OK"]
    assert port.execute("AT+CIMI") == ["+CME ERROR: 11"]
    assert [port.execute("AT+CPIN=0000") for _ in range(3)] == [["+CME ERROR: 16"]] * 3
    assert port.execute("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert port.execute("AT+CPIN=1234") == ["+CME ERROR: 12"]
    assert port.execute("AT+CPIN=11111111,4321") == ["+CME ERROR: 16"]
    assert port.execute("AT+CPIN=12345678,4321") == ["OK"]
    emulated.advance(5)
    assert port.execute("AT+CPIN?;+CREG?") == ["+CPIN: READY", "+CREG: 0,1", "OK"]
    assert port.execute("AT+CPIN=4321") == ["+CME ERROR: 3"]


def test_pinAfterPowerCycle() -> None:
    """A card with a PIN asks for it again after each power-on."""
    emulated = MemoryModule(isOn=False)
    emulated.module.sim.pin = "1234"
    emulated.module.powerOn()
    emulated.advance(10)
    port = emulated.port()
    assert port.execute("AT+CPIN=1234") == ["OK"]
    emulated.module.powerOff()
    emulated.module.powerOn()
    emulated.advance(10)
    assert port.execute("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]


def test_simNotices() -> None:
    """Removal and insertion of the card are told where #QSS asks for it."""
    emulated = MemoryModule()
    one, two, three = (emulated.port(number) for number in (1, 2, 3))
    one.execute("AT#QSS=1")
    two.execute("AT#QSS=2")
    emulated.module.sim.remove()
    emulated.module.sim.insert()
    assert one.after(0) == ["#QSS: 0", "#QSS: 1"]
    assert two.after(0) == ["#QSS: 0", "#QSS: 3"]
    assert three.heard() == b""
    assert two.execute("AT#QSS?;#SIMDET?") == ["#QSS: 2,3", "#SIMDET: 2,1", "OK"]


def test_twoModulesOneNetwork() -> None:
    """Modules of one network lose and find it together, and have different addresses."""
    one = MemoryModule()
    two = MemoryModule("GE865-QUAD", beside=one)
    ports = [one.port(), two.port()]
    for port in ports:
        port.execute('AT+CGDCONT=1,"IP","x"')
    assert [port.execute("AT#SGACT=1,1")[0] for port in ports] == ["#SGACT: 127.0.0.1", "#SGACT: 127.0.0.2"]
    one.network.setService(False)
    assert [port.execute("AT+CREG?")[0] for port in ports] == ["+CREG: 0,2", "+CREG: 0,2"]


@pytest.mark.parametrize("text", ["", "x", "127.0.0.1/33", "10.0.0.0/8", "::1", "127.0.0.256"])
def test_badPools(text: str) -> None:
    """A pool of addresses that isn't one on loopback is refused, and named."""
    with pytest.raises(Misuse, match=text or "''"):
        AddressPool(text)


def test_pool() -> None:
    """Addresses are given out lowest first, each once, and again when they have come back."""
    pool = AddressPool("127.64.0.0/16")
    taken = [pool.claim() for _ in range(300)]
    assert taken[0] == "127.64.0.1"
    assert taken[299] == "127.64.1.44"
    assert len(set(taken)) == 300
    pool.free("127.64.0.7")
    assert pool.claim("127.64.0.8") is None
    assert [pool.claim(), pool.claim()] == ["127.64.0.7", "127.64.1.45"]
    assert pool.claim("127.65.0.1") is None
    assert pool.claim("127.64.9.9") == "127.64.9.9"
