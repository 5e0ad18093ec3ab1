"""
The part of the emulator's HTTP/JSON interface that is about short messages: the world outside sends and receives.

The manual is C{docs/reference/module.md}.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime

from atrunproto.http import Call, Refusal, Route
from atrunproto.sms.alphabet import Alphabet, fromHex
from atrunproto.sms.centre import Faults, ServiceCentre
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import ALPHANUMERIC, NO_PLAN, Address, RelativeValidity
from atrunproto.sms.outside import Outgoing
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.segments import split
from atrunproto.sms.tpdu import Deliver, StatusReport, decode

from .configuration import Share, UnderWay

#: seconds that a caller can wait for a message, and callers that wait at a time
MAX_WAIT = 60.0
MAX_WAITING = 100
#: the highest sequence number that can be asked for
_MOST = 2**53
#: references of messages, and of messages in several parts
_REFERENCES = 256

_NUMBER = r"\+?[0-9*#]{1,20}"
_DESTINATION = msgspec.Meta(pattern=f"^{_NUMBER}$")


class SendRequest(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    """
    The body of C{POST /network/messages}; one of C{text}, C{data} and C{pdu} is there.

    @ivar to: a telephone number.
    @ivar sender: a telephone number, or a name of at most 11 characters; a PDU has its own.
    @ivar data: octets of an 8-bit message, in hexadecimal digits.
    @ivar pdu: a deliver unit as PDU mode shows it, the service centre's address in front.
    @ivar report: whether the sender gets a status report.
    @ivar validity: seconds that the message may wait.
    """

    to: Annotated[str, _DESTINATION]
    sender: str | None = None
    text: str | None = None
    data: str | None = None
    pdu: str | None = None
    report: bool = False
    validity: Annotated[int, msgspec.Meta(ge=0)] | None = None


class FaultsChange(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{PATCH /network/centre}; what isn't there stays.
    """

    delay: UnderWay | None = None
    jitter: UnderWay | None = None
    loss: Share | None = None
    duplicate: Share | None = None
    reorder: bool | None = None


class MessageControl:
    """
    The routes of a network's service centre.
    """

    def __init__(self, centre: ServiceCentre, clock: IReactorTime) -> None:
        self._centre = centre
        self._clock = clock
        self._reference = 0
        self._waiting = 0
        self.routes = (
            Route("GET", "/network/centre", self.show),
            Route("PATCH", "/network/centre", self.change),
            Route("GET", "/network/messages", self.receive),
            Route("POST", "/network/messages", self.send),
        )

    def show(self, call: Call) -> object:
        """
        Show the service centre.
        """
        call.query()
        centre = self._centre
        return {
            "number": centre.number,
            **{name: getattr(centre.faults, name) for name in FaultsChange.__struct_fields__},
            "underWay": centre.underWay,
            "lost": centre.lost,
            "refused": centre.refused,
        }

    def change(self, call: Call) -> object:
        """
        Change what becomes of messages from now on.
        """
        change = msgspec.structs.asdict(call.body(FaultsChange))
        self._centre.faults = Faults(
            **{name: getattr(self._centre.faults, name) if value is None else value for name, value in change.items()}
        )
        return self.show(call)

    async def receive(self, call: Call) -> object:
        """
        Give what went out behind a message; if there is nothing yet, wait for it.
        """
        query, outside = call.query("after", "wait"), self._centre.outside
        after, seconds = query.whole("after", 0, _MOST), query.seconds("wait", 0, MAX_WAIT)
        if seconds and outside.last <= after:
            await self._arrival(seconds)
        return {"messages": [self._view(message) for message in outside.after(after)], "last": outside.last}

    async def _arrival(self, seconds: float) -> None:
        """
        Wait until a message goes out, or for so long.
        """
        if self._waiting >= MAX_WAITING:
            raise Refusal(503, f"{MAX_WAITING} callers are waiting already")
        arrived: Deferred[None] = Deferred()
        stop = self._centre.outside.watch(lambda message: None if arrived.called else arrived.callback(None))
        self._waiting += 1
        try:
            await arrived.addTimeout(seconds, self._clock)
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
            stop()

    def send(self, call: Call) -> object:
        """
        Send a message to a number, in as many parts as it takes.
        """
        body = call.body(SendRequest)
        try:
            units = self._units(body)
        except SMSError as error:
            raise Refusal(400, str(error)) from None
        validity = None if body.validity is None else RelativeValidity.atLeast(body.validity)
        references: list[int] = []
        for unit in units:
            reference = self._next()
            if not self._centre.send(str(unit.origin), body.to, unit, reference, validity):
                raise Refusal(409, f"{len(references)} of {len(units)} parts found room for {body.to}")
            references.append(reference)
        return {"references": references}

    def _units(self, body: SendRequest) -> list[Deliver]:
        if [body.text, body.data, body.pdu].count(None) != 2:
            raise Refusal(400, "one of text, data and pdu is needed")
        if (body.sender is None) is (body.pdu is None):
            raise Refusal(400, "from is needed with text and data, and not with pdu")
        if body.pdu is not None:
            unit = decode(PDU.decode(body.pdu).unit)
            if not isinstance(unit, Deliver):
                raise Refusal(400, "the pdu is no deliver unit")
            return [replace(unit, wantsReport=True) if body.report else unit]
        origin = _origin(body.sender or "")
        content = fromHex(body.data) if body.data is not None else body.text or ""
        return [
            Deliver(origin, part, self._centre.stamp(), wantsReport=body.report)
            for part in split(content, reference=self._reference)
        ]

    def _next(self) -> int:
        self._reference = (self._reference + 1) % _REFERENCES
        return self._reference

    def _view(self, message: Outgoing) -> dict[str, Any]:
        unit = message.unit
        return {
            "sequence": message.sequence,
            "from": message.sender,
            "to": message.destination,
            "pdu": PDU(unit.encode(), Address.parse(self._centre.number)).encode(),
            **(_report(unit) if isinstance(unit, StatusReport) else _message(unit)),
        }


def _origin(sender: str) -> Address:
    """
    @raise SMSError: it is neither a number nor a name.
    """
    return Address.parse(sender) if re.fullmatch(_NUMBER, sender) else Address(sender, ALPHANUMERIC, NO_PLAN)


def _report(unit: StatusReport) -> dict[str, Any]:
    return {
        "kind": "report",
        "reference": unit.reference,
        "status": unit.status,
        "time": str(unit.time),
        "discharge": str(unit.discharge),
    }


def _message(unit: Deliver) -> dict[str, Any]:
    data = unit.userData
    place = data.concatenation
    return {
        "kind": "message",
        "time": str(unit.time),
        "alphabet": data.coding.alphabet.value,
        "text": data.text(),
        "data": data.payload.hex().upper() if data.coding.alphabet is Alphabet.OCTETS else None,
        "part": None if place is None else {name: getattr(place, name) for name in ("reference", "total", "number")},
    }
