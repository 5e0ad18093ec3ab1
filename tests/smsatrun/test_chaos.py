"""Anything in any order: whatever has happened to a module, it serves commands by SMS again when all is well again."""

from __future__ import annotations

import random

import pytest

from atrunproto.sms.centre import Faults
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import UserData
from atrunproto.smsatrun.module import QUEUED, SMSATRUNService
from atrunproto.testing.emulated import Wire
from tests.disturbing import disturbed
from tests.sms.mobiles import STAMP

from .service import CLASS_1, MOBILE, MODULE, STRANGER, Service, digest

COMMANDS = (
    "AT",
    "HAT+CSQ",
    "AT#SMSATRUN=0",
    "AT#SMSATRUN=1",
    "AT#SMSATRUN=0;#SMSATRUN=1",
    "AT#SMSATRUNCFG=1,1,1",
    "AT#SMSATRUNCFG=2,0,2",
    "AT#SMSATRUNCFG=3,1,5",
    "AT#SMSATWL=1,1",
    'AT#SMSATWL=0,1,0,"+39*"',
    "AT#ENAEVMONI=1",
    "AT#ENAEVMONI=0",
    "AT#ATRUNDELAY=1,3",
    "AT#ATRUNDELAY=1,0",
    "AT+COPS=?",
    "AT+COPS=2",
    "AT+COPS=0",
    "AT+CFUN=4",
    "AT+CFUN=1",
    'AT+CGCLASS="CG"',
    'AT+CGCLASS="B"',
    "AT+CGSMS=0",
    "AT+CGSMS=1",
    "AT#REBOOT",
    "AT#SHDN",
    "AT#BND=3",
    "AT+CMUX=0",
    "AT#SIMDET=0",
    "AT#SIMDET=2",
    'AT+CLCK="FD",1,"1234"',
    'AT+CLCK="FD",0,"1234"',
    'AT+CMGS="+393401112233"',
    "AT+CMGW=20",
    'AT+CMGF=1;+CMGL="ALL"',
    "AT+CMGD=1,4",
    "AT+CNMI=2,2",
    "AT#MONI=7;#MONI;#MONI;#MONI",
    "AT#SGACT=1,1",
    'AT#SD=1,0,2000,"127.0.0.1"',
    "AT#TCPATRUNL=1",
    "AT#TCPATRUNL=0",
    "ATQ1",
    "ATQ0",
    "ATV0",
    "ATZ",
    "ATE1",
)


def disturb(service: Service, wires: list[Wire], chance: random.Random) -> None:
    """Let one thing happen."""
    network = service.network
    wire, line = chance.choice(wires), chance.choice(COMMANDS)
    match chance.randrange(24):
        case kind if disturbed(service.emulated, kind):
            pass
        case 7:
            wire.close()
        case 8:
            wires.append(service.emulated.port(chance.randint(1, 3)))
        case 9:
            network.centre.faults = Faults(
                chance.choice([0, 3]), chance.choice([0, 10]), chance.choice([0, 0.3]), chance.choice([0, 0.3])
            )
        case 10:
            wire.say(b"hello\x1a")
        case 11 | 12 | 13 | 14 | 15 | 16:
            network.centre.send(MOBILE, MODULE, Deliver(Address.parse(MOBILE), UserData.of(line), STAMP))
        case 17 | 18:
            data = UserData(DataCoding(CLASS_1), digest(line.encode()))
            network.centre.send(STRANGER, MODULE, Deliver(Address.parse(STRANGER), data, STAMP))
        case _:
            wire.say(line.encode() + b"\r")
    service.emulated.advance(chance.choice([0.0, 0.0, 0.05, 1.0, 5.0, 61.0, 1000.0]))
    del wires[1:-8]


@pytest.mark.parametrize("seed", range(40))
def test_worksAgain(seed: int) -> None:
    """After any disturbances a restart with everything in place brings a service that serves."""
    chance = random.Random(seed)
    service = Service(
        chance.choice(["HE910-EUR", "GE865-QUAD"]),
        config=f"{chance.choice([2, 3])},1,{chance.choice([1, 2, 60])}",
        timeScale=chance.choice([0.0, 1.0]),
    )
    service.do('AT+CGDCONT=1,"IP","internet"')
    emulated = service.emulated
    emulated.host(2000)
    wires = [service.at, emulated.port(2), emulated.port(3)]
    for _ in range(60):
        disturb(service, wires, chance)
        assert len(emulated.module.part(SMSATRUNService)._waiting) <= QUEUED
    emulated.module.powerOff()
    service.network.centre.stop()
    emulated.advance(11)
    assert emulated.clock.getDelayedCalls() == []
    service.network.setService(True)
    service.network.centre.faults = Faults()
    emulated.module.sim.insert()
    emulated.module.memory.put("SMSATRUN", None)
    emulated.module.memory.put("TCPATRUN", None)
    emulated.switchOn()
    service.at = emulated.port()
    service.at.execute("AT#BND=0")
    service.at.execute('AT+CLCK="FD",0,"1234"')
    service.do("AT#SIMDET=2", "AT+CFUN=1", "AT+COPS=0", 'AT+CGCLASS="B"', "AT+CGSMS=1", "AT#ATRUNDELAY=1,0")
    service.do("AT#ENAEVMONI=0", "AT#SMSATRUNCFG=3,1,2", 'AT#SMSATWL=0,1,0,"+39*"', "AT#SMSATRUN=1", "AT+CMGD=1,4")
    emulated.advance(30)
    service._seen = service.network.centre.outside.last
    assert service.isServing()
