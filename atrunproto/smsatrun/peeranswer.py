"""
Requests and answers of SMSATRUN as the mobile's side has them: a command line to user data, parts to one answer.

Source: Running AT Commands Remotely Rev. 9, 2.1, 2.3, 2.5 (S). TEL-SMS-09 to TEL-SMS-16, TEL-SMS-40; TEL-DIG.
"""

from __future__ import annotations

from atrunproto.at.errors import CommandFailed, Misuse, PeerViolation
from atrunproto.at.peercommand import PeerCommand
from atrunproto.at.peerlines import LineReader, Response, SentLine, isConnect, reasonOf
from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.errors import SMSError
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import UserData

from .digest import MOST_PARTS, Direction, Envelope, Password, join, room

#: 8-bit, class 1, as the documents print it (TEL-DIG-09)
_DIGEST_CODING = DataCoding.of(Alphabet.OCTETS, 1)


def textOf(line: SentLine, hat: bool) -> bytes:
    """
    What a request says: HAT in place of AT wants no answer (TEL-SMS-09, TEL-SMS-10).
    """
    return b"H" + line.echo if hat else line.echo


def simple(line: SentLine, hat: bool) -> UserData:
    """
    A request that is known by its sender.

    It goes in the default alphabet if that has all of its characters; those of the extension table (C{\\}, C{^}) are
    not among them, and have the request go in 8 bits (TEL-SMS-40). So does the answer (TEL-SMS-12).

    @raise Misuse: it doesn't fit in one message (TEL-SMS-14).
    """
    octets = textOf(line, hat)
    text = octets.decode("latin-1")
    try:
        payload = Alphabet.GSM.coding.encode(text)
        isBasic = len(payload) == len(text)
    except SMSError:
        isBasic = False
    try:
        if isBasic:
            return UserData(DataCoding.of(Alphabet.GSM), payload)
        return UserData(DataCoding.of(Alphabet.OCTETS), octets)
    except SMSError as error:
        raise Misuse(f"{line.shown} must fit in one short message: {error.what}") from None


def digest(line: SentLine, hat: bool, session: int, password: Password) -> UserData:
    """
    A request that is known by its password.

    @raise Misuse: it doesn't fit in one message (TEL-SMS-14, TEL-DIG-11).
    """
    text = textOf(line, hat)
    if len(text) > room():
        raise Misuse(f"{line.shown} must fit in one short message: {len(text)} don't fit where {room()} do")
    return UserData(_DIGEST_CODING, Envelope.seal(Direction.REQUEST, session, text, password).encode())


def envelopeOf(unit: Deliver) -> Envelope | None:
    """
    A part of a digest answer, its digest unchecked; C{None}: it is none (TEL-DIG-02).
    """
    if unit.userData.coding.alphabet is not Alphabet.OCTETS:
        return None
    try:
        envelope = Envelope.decode(unit.userData.payload)
    except PeerViolation:
        return None
    return envelope if envelope.direction is Direction.RESPONSE else None


class Assembly:
    """
    The parts of one digest answer, each of which was checked.

    They come in any order; the place is what the envelope says, or where that has one segment only, the message's.

    @ivar isCutOff: the answer has as many parts as one can have.
    """

    __slots__ = ("_parts", "isCutOff")

    def __init__(self) -> None:
        self.isCutOff = False
        #: by their number, for each total that was said
        self._parts: dict[int, dict[int, Envelope]] = {}

    def add(self, unit: Deliver, envelope: Envelope) -> bytes | None:
        """
        Take a part; give the text if it was the last that was missing.

        A part that came before is not taken again.
        """
        place = unit.userData.concatenation
        number, total = envelope.segment, envelope.segments
        if total == 1 and place is not None:
            number, total = place.number, place.total
        if total > MOST_PARTS:
            return None
        parts = self._parts.setdefault(total, {})
        parts.setdefault(number, envelope)
        if len(parts) < total:
            return None
        self.isCutOff = total == MOST_PARTS
        try:
            return join([parts[each] for each in sorted(parts)])
        except PeerViolation:
            # segments of two kinds: begin again with the last one
            self._parts[total] = {number: envelope}
            return None


def read(line: SentLine, text: bytes, isCutOff: bool = False) -> Response | CommandFailed | None:
    """
    What an answer says, as an AT client would have read it.

    A call is answered by CONNECT once it is over (TEL-SMS-48).

    @param text: in Latin-1.
    @param isCutOff: the answer has as many parts as one can have, and its end may be missing (TEL-SMS-16); the result
        of the response is empty then.
    @return: C{None}: it is no answer.
    """
    reader = LineReader()
    # the end of a line that was cut off
    reader.feed(text + b"\r\n")
    command = PeerCommand(line)
    while True:
        try:
            found = reader.next(command.longest, command.echo)
        except PeerViolation:
            return None
        if found is None:
            return Response(tuple(command.lines), "") if isCutOff else None
        left = command.withoutEcho(found)
        if left is None:
            continue
        if command.endedBy(left) or isConnect(left):
            reason = None if isConnect(left) else reasonOf(left)
            if reason is not None:
                return CommandFailed(line.shown, reason)
            return Response(tuple(command.lines), left.decode("latin-1"))
        command.add(left.decode("latin-1"))


def fits(line: SentLine, answer: Response | CommandFailed) -> bool:
    """
    Whether an answer names no other commands than those of the line.
    """
    return isinstance(answer, CommandFailed) or all(line.owns(text, ()) for text in answer.lines)
