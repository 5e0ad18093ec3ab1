"""Anything in any order: whatever has happened to a module, its service works again when all is well again."""

from __future__ import annotations

import random

import pytest

from atrunproto.testing.emulated import Wire
from tests.disturbing import disturbed
from tests.tcpatrun.service import HOST_PORT, PORT, Service

COMMANDS = (
    "AT#TCPATRUNL=1",
    "AT#TCPATRUNL=0",
    "AT#TCPATRUND=1",
    "AT#TCPATRUND=0",
    "AT#TCPATRUNL=0;#TCPATRUNL=1",
    "AT#TCPATRUND=0;#TCPATRUND=1",
    "AT#TCPATRUNCLOSE",
    f'AT#TCPATRUNCFG=1,1,{PORT},{HOST_PORT},"127.0.0.1",1,1,0,2,1',
    f'AT#TCPATRUNCFG=2,3,{PORT},{HOST_PORT},"127.0.0.99",1,5,1,0,1',
    f'AT#TCPATRUNCFG=4,2,{PORT},{HOST_PORT},"nowhere.example.com",0,5,0,5,1',
    "AT#TCPATCMDSEQ=1",
    "AT#TCPATCMDSEQ=0",
    "AT#ATRUNDELAY=0,3",
    "AT#ATRUNDELAY=0,0",
    "AT#SGACT=1,1",
    "AT#SGACT=1,0",
    "AT#SGACT=2,1",
    "AT+CGACT=0",
    "AT+CGATT=0",
    "AT+CGATT=1",
    "AT+CFUN=4",
    "AT+CFUN=1",
    "AT+COPS=2",
    "AT+COPS=0",
    "AT+COPS=?",
    "AT#SIMDET=0",
    "AT#SIMDET=2",
    "AT#REBOOT",
    "AT#SHDN",
    "AT#TCPATRUNFRWL=2",
    'AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"',
    "AT#SCFG=1,1,16,5,10,0",
    "AT#SCFG=1,1,300,0,600,1",
    "AT#SS;#TCPATRUNL?;#TCPATRUND?",
    "ATZ",
    "ATQ1",
    "ATQ0",
)


def disturb(service: Service, wires: list[Wire], chance: random.Random) -> None:
    """Let one thing happen."""
    clock = service.emulated.clock
    wire = chance.choice(wires)
    line = chance.choice(COMMANDS).encode() + b"\r"
    match chance.randrange(20):
        case kind if disturbed(service.emulated, kind):
            pass
        case 7 | 8:
            wires.append(service.call())
            wires[-1].say(chance.choice([b"user\rsecret\r", b"user\r", b"x\rx\r", b"user\rsecret\r" + line]))
        case 9:
            wire.close()
        case 10 if hasattr(wire, "link"):
            wire.link.peer.silent = wire.link.module.silent = True
        case 11:
            clock.unreachable ^= {"127.0.0.1"}
        case 12:
            wires.append(service.emulated.port(chance.randint(1, 3)))
        case 13:
            if ("127.0.0.1", HOST_PORT) in clock.listening:
                clock.listening.pop(("127.0.0.1", HOST_PORT)).stopListening()
            else:
                host = service.emulated.host(HOST_PORT, stays=chance.random() < 0.5)
                wires.extend(host.callers)
        case _:
            wire.say(line)
    service.emulated.advance(chance.choice([0.0, 0.0, 0.05, 1.0, 5.0, 61.0, 1000.0]))
    del wires[1:-8]


@pytest.mark.parametrize("seed", range(60))
def test_worksAgain(seed: int) -> None:
    """After any disturbances a restart with everything in place brings a service that serves."""
    chance = random.Random(seed)
    service = Service(chance.choice(["HE910-EUR", "GE865-QUAD"]), timeScale=chance.choice([0.0, 1.0]))
    service.do('AT+CGDCONT=2,"IP","other"')
    wires = [service.at, service.emulated.port(3)]
    for _ in range(60):
        disturb(service, wires, chance)
    emulated = service.emulated
    emulated.module.powerOff()
    emulated.advance(11)
    assert emulated.clock.getDelayedCalls() == []
    assert [place for place in emulated.clock.listening if place[1] == PORT] == []
    emulated.network.setService(True)
    emulated.module.sim.insert()
    emulated.clock.unreachable.clear()
    emulated.module.memory.put("TCPATRUN", None)
    emulated.switchOn()
    service.at = emulated.port()
    service.do(
        "AT+CFUN=1",
        'AT+CGCLASS="B"',
        "AT#SGACTCFG=1,0",
        "AT#SCFG=1,1,300,0,600,1",
        f'AT#TCPATRUNCFG=1,2,{PORT},{HOST_PORT},"127.0.0.1",1,5,0,0,2',
        "AT#TCPATRUNFRWL=2",
        'AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"',
        "AT#TCPATRUNL=1",
    )
    service.ask("AT+COPS=0")
    emulated.advance(20)
    service.ask("AT#SGACT=1,1")
    address = service.ask("AT#CGPADDR=1")[0].split('"')[1]
    wire = emulated.call(PORT, address)
    wire.say(b"user\rsecret\r")
    assert wire.execute("AT+CSQ") == ["+CSQ: 20,0", "OK"]
    assert service.ask("AT#TCPATRUNL?;#TCPATRUND?")[-3:] == ["#TCPATRUNL: 1,1", "#TCPATRUND: 0,0", "OK"]
