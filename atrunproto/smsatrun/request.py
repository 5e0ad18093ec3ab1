"""
A message that is a command, and the messages that answer it.

Source: Running AT Commands Remotely Rev. 9, 2.1, 2.3, 2.5.2 (S); reference 3.3, 3.4. TEL-SMS-02 to TEL-SMS-16, TEL-DIG.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from atrunproto.at.bearer import BearerKind
from atrunproto.at.errors import PeerViolation
from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address
from atrunproto.sms.segments import split
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import Concatenation, UserData

from .digest import MOST_PARTS, Envelope, Password, respond
from .whitelist import WhiteList

#: octets of an answer that can count: fifteen parts in the default alphabet, 153 characters each
LONGEST_ANSWER = MOST_PARTS * 153

_SILENT = b"H"
#: what a command is: one line; what follows its end is no part of it (A)
_LINE = re.compile(rb"H?AT[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Signature:
    """
    What a digest request was signed with, and what tells its answer from others.
    """

    password: Password
    session: int


@dataclass(frozen=True, slots=True)
class Request:
    """
    One command line that has come in a message.

    @ivar text: as it was received, up to the end of the line.
    @ivar coding: that of the message, and of its answer (TEL-SMS-12).
    @ivar signature: of a digest request; C{None} for a simple one.
    """

    sender: Address
    text: bytes = field(repr=False)
    coding: DataCoding
    signature: Signature | None = None

    @classmethod
    def recognise(cls, unit: Deliver, whiteList: WhiteList) -> Request | None:
        """
        See whether a message is a command; C{None}: it is an ordinary one (TEL-SMS-21, TEL-SMS-23).

        One with a user data header is none: it is a part, or is for some port (that all headers count is assumed).
        """
        coding, data = unit.userData.coding, unit.userData
        if data.elements or coding.isCompressed or coding.alphabet is Alphabet.UCS2:
            return None
        text, signature = _plain(data), None
        if coding.alphabet is Alphabet.OCTETS:
            try:
                envelope = Envelope.decode(data.payload)
            except PeerViolation:
                pass
            else:
                password = envelope.signer(whiteList.passwords) if envelope.isRequest else None
                if password is not None:
                    text, signature = envelope.text, Signature(password, envelope.session)
        line = _LINE.match(text)
        if line is None:
            return None
        if signature is None and not (unit.origin.isNumber and whiteList.admits(str(unit.origin))):
            return None
        return cls(unit.origin, line[0], coding, signature)

    @property
    def kind(self) -> BearerKind:
        """
        How it came.
        """
        return BearerKind.SMS_SIMPLE if self.signature is None else BearerKind.SMS_DIGEST

    @property
    def line(self) -> bytes:
        """
        The command line.
        """
        return self.text.removeprefix(_SILENT)

    @property
    def wantsAnswer(self) -> bool:
        """
        Whether its answer goes back: not to C{HAT} (TEL-SMS-10), and not where nobody can be answered.
        """
        return not self.text.startswith(_SILENT) and self.sender.isNumber

    def answer(self, output: bytes, reference: int) -> tuple[UserData, ...]:
        """
        What the messages of the answer carry, at most fifteen; what doesn't fit in them is cut off (TEL-SMS-16).

        @param output: all that the command line has said, up to the final result (TEL-SMS-37).
        @param reference: of the parts, if there are several.
        """
        reference &= 0xFF
        if self.signature is None:
            content = output if self.coding.alphabet is Alphabet.OCTETS else _inGSM(output)
            return split(content, self._answerCoding, reference, most=MOST_PARTS, cutOff=True)
        envelopes = respond(self.signature.session, output, self.signature.password)
        return tuple(
            UserData(
                self._answerCoding,
                envelope.encode(),
                (Concatenation(reference, len(envelopes), number),) if len(envelopes) > 1 else (),
            )
            for number, envelope in enumerate(envelopes, 1)
        )

    @property
    def _answerCoding(self) -> DataCoding:
        """
        The request's; an indication that something waits is answered by a plain message.
        """
        return self.coding if self.coding.waiting is None else DataCoding.of(self.coding.alphabet)


def _plain(data: UserData) -> bytes:
    """
    The text of a simple request, as a command line has it.

    The module knows no extension table: an escape is a blank (23.038 6.2.1), so C{\\} and C{^} come in octets alone
    (TEL-SMS-40).
    """
    if data.coding.alphabet is Alphabet.OCTETS:
        return data.payload
    text = Alphabet.GSM.coding.decode(data.payload.replace(b"\x1b", b" "), strict=False)
    return text.encode("latin-1", "replace")


def _inGSM(output: bytes) -> str:
    """
    An answer in the default alphabet; what isn't there is C{?} (A).
    """
    coding = Alphabet.GSM.coding
    return coding.decode(coding.encode(output.decode("latin-1"), strict=False))
