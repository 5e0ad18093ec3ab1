"""Which module gets a short message, and when: by its number, as soon as it is in the network."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import Network
from atrunproto.emulator.products import product
from atrunproto.sms.centre import Receipt
from atrunproto.sms.fields import Address
from atrunproto.sms.tpdu import Deliver, StatusReport
from atrunproto.sms.userdata import UserData

ONE, TWO, THREE = "+390000000001", "+390000000002", "+390000000003"


class Taking(EmulatedModule):
    """A module that takes messages as long as it is in the network."""

    got: list[Deliver | StatusReport]

    def receiveMessage(self, centre: Address, unit: Deliver | StatusReport) -> Receipt:
        """Take a message."""
        if not self.radio.isRegistered:
            return Receipt.ABSENT
        self.got.append(unit)
        return Receipt.TAKEN


@pytest.fixture
def network() -> Network:
    """A network without modules."""
    return Network(Clock())


def module(network: Network, number: str) -> Taking:
    """A module that is on and registered."""
    made = Taking(product("GE865-QUAD"), network, network.reactor, number=number, timeScale=0)
    made.got = []
    made.powerOn()
    return made


def send(network: Network, number: str) -> None:
    """Send a message from outside."""
    network.centre.send("SHOP", number, Deliver(Address.parse("+41"), UserData.of("a"), network.centre.stamp()))
    network.reactor.advance(0)


def test_byNumber(network: Network) -> None:
    """A message goes to the module with that number, and leaves the network where there is none any more."""
    one, two = module(network, ONE), module(network, TWO)
    send(network, ONE)
    assert (len(one.got), len(two.got)) == (1, 0)
    three = module(network, THREE[1:])
    send(network, THREE)
    assert len(three.got) == 1
    network.leave(one)
    send(network, ONE)
    assert (len(one.got), network.centre.outside.last) == (1, 1)


def test_noIndexWithoutMessages(network: Network) -> None:
    """Modules that never send cost nothing: what finds them is made for the first message."""
    module(network, ONE)
    network.setService(False)
    network.setService(True)
    assert network._numbers is None
    send(network, TWO)
    assert list(network._numbers or ()) == [ONE[1:]]


@pytest.mark.parametrize("way", ["coverage", "power", "card"])
def test_waiting(network: Network, way: str) -> None:
    """A message for a module that is out of reach comes as soon as it has registered again."""
    one = module(network, ONE)
    if way == "coverage":
        network.setService(False)
    elif way == "power":
        one.powerOff()
    else:
        one.sim.remove()
    send(network, ONE)
    assert one.got == []
    if way == "coverage":
        network.setService(True)
    elif way == "power":
        one.powerOn()
    else:
        one.sim.insert()
    network.reactor.advance(0)
    assert len(one.got) == 1
