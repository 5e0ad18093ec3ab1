"""The special message that enables the service, in the form that we give it."""

from __future__ import annotations

import pytest

from atrunproto.at.errors import Misuse
from atrunproto.emulator.nvm import NVM
from atrunproto.sms.fields import ALPHANUMERIC, NO_PLAN, Address
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import Concatenation, UserData
from atrunproto.smsatrun.activation import Activation
from atrunproto.smsatrun.digest import Password
from atrunproto.testing.emulated import MemoryModule
from tests.sms.mobiles import STAMP

from .service import FIRST, MOBILE, MODULE, SECOND, STRANGER, Service

SERVER = "+390000112"
FORM = Activation(SERVER, "RUN {password} {number}")


def service(activation: Activation | None = FORM) -> Service:
    """A module on which nothing is set, and the service is off."""
    made = Service(nvm=NVM(), isOn=False)
    made.emulated.module.activation = activation
    made.emulated.switchOn()
    return made


def test_enables() -> None:
    """The message of the server enables the service, with its password and number (TEL-SMS-52)."""
    module = service()
    module.send(f"RUN {FIRST} {MOBILE}", sender=SERVER)
    assert module.at.execute("AT#SMSATRUN?;#SMSATWL?")[:3] == [
        "#SMSATRUN: 1,1",
        f'#SMSATWL: 1,"{FIRST}"',
        f'#SMSATWL: 0,"{MOBILE}"',
    ]
    assert module.run("AT") == "\r\nOK\r\n"
    assert module.runSigned(b"AT", sender=STRANGER) == b"\r\nOK\r\n"
    assert module.stored() == []


def test_ownPassword() -> None:
    """A form without places brings the password that is configured, and no number (TEL-SMS-52)."""
    module = service(Activation("+39*", "RUN!", Password(SECOND)))
    module.send("RUN!", sender=SERVER)
    module.send("RUN!", sender=SERVER)
    assert module.at.execute("AT#SMSATWL?")[:2] == [f'#SMSATWL: 1,"{SECOND}"', "#SMSATWL: "]
    assert module.runSigned(b"AT", SECOND) == b"\r\nOK\r\n"
    assert module.run("AT") == ""


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        (f"RUN {FIRST} {MOBILE}", STRANGER),
        (f"RUN {FIRST}x {MOBILE}", SERVER),
        (f"RUN {FIRST} {MOBILE} ", SERVER),
        (f"RUN {FIRST} anna", SERVER),
        (f"RUNS{FIRST} {MOBILE}", SERVER),
    ],
)
def test_others(text: str, sender: str) -> None:
    """Another message, or another sender's, enables nothing and is an ordinary one (TEL-SMS-52)."""
    module = service()
    module.send(text, sender=sender)
    assert module.at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]
    assert len(module.stored()) == 1


def test_part() -> None:
    """A part of a longer message enables nothing."""
    module = service()
    module.send(f"RUN {FIRST} {MOBILE}", sender=SERVER, place=Concatenation(1, 2, 1))
    assert len(module.stored()) == 1


def test_none() -> None:
    """From the factory no message enables the service (TEL-SMS-52)."""
    module = service(None)
    module.send(f"RUN {FIRST} {MOBILE}", sender=SERVER)
    assert module.at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]


def test_noRoom() -> None:
    """Where the white list has no room for what it brings, the message changes nothing."""
    module = service()
    module.do(f'AT#SMSATWL=0,1,1,"{SECOND}"', f'AT#SMSATWL=0,2,1,"{SECOND[::-1]}"')
    module.send(f"RUN {FIRST} {MOBILE}", sender=SERVER)
    assert module.at.execute("AT#SMSATRUN?;#SMSATWL=2,3") == ["#SMSATRUN: 0,0", "#SMSATWL: ", "OK"]


def test_noPassword() -> None:
    """A message whose password has characters that no digest is made of changes nothing (TEL-SMS-52)."""
    module = service()
    module.send(f"RUN {FIRST[1:]}\u0394 {MOBILE}", sender=SERVER)
    assert module.at.execute("AT#SMSATRUN?;#SMSATWL=2,1") == ["#SMSATRUN: 0,0", "#SMSATWL: ", "OK"]


def test_nameLikeANumber() -> None:
    """A name that reads like the number of the server enables nothing (TEL-SMS-52)."""
    module = service()
    name = Address(SERVER, ALPHANUMERIC, NO_PLAN)
    unit = Deliver(name, UserData.of(f"RUN {FIRST} {MOBILE}"), STAMP)
    module.network.centre.send(SERVER, MODULE, unit)
    module.emulated.advance(1)
    assert module.at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]
    assert len(module.stored()) == 1


def test_onInstanceOne() -> None:
    """Where the service is to run on instance 1, its notices come to another one."""
    module = service()
    second = module.emulated.port(2)
    module.do("AT#SMSATRUNCFG=1,1,5")
    module.send(f"RUN {FIRST} {MOBILE}", sender=SERVER)
    assert module.run("AT") == "\r\nOK\r\n"
    assert second.after(0) == ["#SMSATRUN: AT"]


@pytest.mark.parametrize(
    ("sender", "text"),
    [("anna", "RUN {password}"), ("+39*", "RUN"), ("+39*", "{password}{password}"), ("+39*", "{password} {name}")],
)
def test_wrongForm(sender: str, text: str) -> None:
    """A form that can't work is refused when it is made."""
    with pytest.raises(Misuse):
        Activation(sender, text)


def test_secret() -> None:
    """The password of a form isn't shown."""
    assert SECOND not in repr(Activation("+39*", "RUN", Password(SECOND)))


def test_beforeAnyUse() -> None:
    """A module in a product without the service has no such message."""
    module = MemoryModule("HE863-EUR", isOn=False)
    module.module.activation = FORM
    module.switchOn()
    assert module.port().execute("AT#SMSATRUN?") == ["ERROR"]
