"""What the tests of SMSATRUN on a module share: a module with the service, and a mobile outside that writes to it."""

from __future__ import annotations

from typing import Any

from atrunproto.emulator.nvm import NVM
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address
from atrunproto.sms.segments import textOf
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import Concatenation, UserData
from atrunproto.smsatrun.digest import Direction, Envelope, Password, join
from atrunproto.testing.emulated import MemoryModule, Wire
from tests.sms.mobiles import STAMP
from tests.tcpatrun.service import PORT

MODULE, MOBILE, STRANGER = "+393460000001", "+393401112233", "+41791112233"
FIRST, SECOND = "1234567890123456", "abcdefghijklmnop"
SETUP = ('AT#SMSATWL=0,1,0,"+39*"', f'AT#SMSATWL=0,2,1,"{FIRST}"', f'AT#SMSATWL=0,3,1,"{SECOND}"')
DEFAULT, OCTETS, CLASS_0, CLASS_1, UCS2 = 0x00, 0x04, 0xF4, 0x15, 0x08
"""Codings of messages."""


class Service:
    """
    A module with a white list and the service on instance 3, and a mobile outside that writes to it.

    @ivar at: AT instance 1, on which the service was enabled.
    """

    def __init__(
        self, product: str = "GE865-QUAD", config: str = "3,1,2", by: int = 1, nvm: NVM | None = None, **facts: Any
    ) -> None:
        self.emulated = MemoryModule(product, nvm=nvm, number=MODULE, **facts)
        self.network = self.emulated.network
        self.at = self.emulated.port(by)
        self._seen = 0
        if nvm is None:
            self.do("AT+CNMI=2,1,0,0,0", f"AT#SMSATRUNCFG={config}", *SETUP, "AT#SMSATRUN=1")

    def do(self, *lines: str) -> None:
        """Run command lines locally that must succeed."""
        for line in lines:
            assert self.at.execute(line)[-1] == "OK", line

    def send(
        self, text: str | bytes, sender: str = MOBILE, coding: int = DEFAULT, place: Concatenation | None = None
    ) -> None:
        """Let a message come from the mobile, or from somebody else."""
        elements = () if place is None else (place,)
        scheme = DataCoding(coding)
        data = UserData.of(text, scheme, elements) if isinstance(text, str) else UserData(scheme, text, elements)
        assert self.network.centre.send(sender, MODULE, Deliver(Address.parse(sender), data, STAMP))
        self.emulated.advance(1)

    def sign(self, text: bytes, password: str = FIRST, session: int = 1, **facts: Any) -> None:
        """Let a digest request come."""
        self.send(digest(text, password, session), **{"coding": CLASS_1, **facts})

    def arrived(self, seconds: float = 60, to: str = MOBILE) -> list[UserData]:
        """What has come to the mobile in this time."""
        self.emulated.advance(seconds)
        outside = self.network.centre.outside
        messages = outside.after(self._seen)
        self._seen = outside.last
        assert {message.destination for message in messages} <= {to}
        units = [message.unit for message in messages]
        return [unit.userData for unit in units if isinstance(unit, Deliver)]

    def run(self, text: str | bytes, **facts: Any) -> str:
        """What the answer to a simple request says; empty if there is none."""
        self.send(text, **facts)
        return textOf(self.arrived(to=facts.get("sender", MOBILE)))

    def runSigned(self, text: bytes, password: str = FIRST, session: int = 1, **facts: Any) -> bytes:
        """What the answer to a digest request says, each part of it signed."""
        self.sign(text, password, session, **facts)
        return joined(self.arrived(to=facts.get("sender", MOBILE)), password)

    def heard(self, seconds: float = 0) -> list[str]:
        """The notices on the instance that enabled the service."""
        return self.at.after(seconds)

    def isServing(self) -> bool:
        """Whether a request is answered now."""
        return self.run("AT").endswith("OK\r\n")

    def isOn(self) -> bool:
        """Whether the module runs."""
        return self.emulated.module.isRunning

    def stored(self) -> list[str]:
        """The places of the messages that are stored."""
        self.do("AT+CMGF=1")
        return [line for line in self.at.execute('AT+CMGL="ALL"') if line.startswith("+CMGL:")]

    def overTCP(self) -> Wire:
        """A session of TCPATRUN on instance 2, beside the service."""
        self.do('AT+CGDCONT=1,"IP","internet"', "AT#SCFG=1,1,300,0,600,1", "AT#SGACT=1,1")
        self.do('AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"', 'AT#TCPATRUNAUTH=1,"user","secret"')
        self.do(f'AT#TCPATRUNCFG=1,2,{PORT},12345,"127.0.0.1",1,5,0,0,2', "AT#TCPATRUNL=1")
        self.emulated.clock.settle()
        wire = self.emulated.call(PORT)
        wire.say(b"user\rsecret\r")
        self.heard()
        return wire


def digest(text: bytes, password: str = FIRST, session: int = 1) -> bytes:
    """The user data of a digest request."""
    return Envelope.seal(Direction.REQUEST, session, text, Password(password)).encode()


def joined(parts: list[UserData], password: str = FIRST) -> bytes:
    """The text of a digest answer, after its signatures have been checked."""
    envelopes = [Envelope.decode(part.payload) for part in parts]
    assert all(envelope.signer([Password(password)]) is not None for envelope in envelopes)
    return join(envelopes) if envelopes else b""
