"""
The user data of a digest message: a header with a digest over the text, made with a password that both sides know.

Octets only; how they become a message is L{atrunproto.sms}'s affair.
A response of several parts goes out as concatenated messages, each with a header, a digest and a piece of text of its
own (TEL-DIG-08).
Source: Running AT Commands Remotely Rev. 9, 2.1, 2.3 (S). TEL-DIG-01 to TEL-DIG-14.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import md5

from atrunproto.at.errors import Misuse, PeerViolation
from atrunproto.secret import Secret

#: characters of a password, no more and no fewer (TEL-SMS-34)
PASSWORD_LENGTH = 16
#: octets of 8-bit user data in one message
USER_DATA_LENGTH = 140
#: octets of a user data header with nothing but a concatenation, its reference of 8 bits (23.040 9.2.3.24.1)
CONCATENATION_LENGTH = 6
#: parts of a response; what is beyond is cut off (TEL-SMS-16)
MOST_PARTS = 15

_DIGEST_LENGTH = 24
_HEADER_LENGTH = 6 + _DIGEST_LENGTH
_TRANSACTION = 0


class Direction(Enum):
    """
    What the first three octets say.
    """

    REQUEST = b"\xd0\xd0\xd0"
    RESPONSE = b"\xd1\xd1\xd1"


class Password(Secret):
    """
    A password of the white list, of exactly 16 characters (TEL-SMS-34), which are Latin-1 (A).
    """

    __slots__ = ()

    def __init__(self, text: str) -> None:
        """
        @raise Misuse: it has more or fewer characters, or one that isn't in Latin-1.
        """
        if len(text) != PASSWORD_LENGTH or max(text) > "\xff":
            raise Misuse(f"a password has {PASSWORD_LENGTH} characters of Latin-1")
        super().__init__(text)


def room(header: int = 0) -> int:
    """
    The octets of text in one message: 110 without a user data header (TEL-DIG-11).

    @param header: the octets of the user data header.
    """
    return USER_DATA_LENGTH - header - _HEADER_LENGTH


def digestOf(password: Password, text: bytes) -> bytes:
    """
    The digest over a text, 24 octets of Base64 (TEL-DIG-03); the text counts as it is carried (TEL-DIG-06).
    """
    return _hashed(_hashed(password.reveal().encode("latin-1")) + b":" + _hashed(text))


def _hashed(octets: bytes) -> bytes:
    return b64encode(md5(octets, usedforsecurity=False).digest())


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    The user data of one digest message (TEL-DIG-01, TEL-DIG-02).

    @ivar session: 0 to 255; the response repeats the request's (TEL-DIG-07).
    @ivar digest: as it was carried, right or wrong.
    @ivar transaction: 0 in all that is documented.
    @ivar segment: which part this is, from 1.
    @ivar segments: of how many, at most 15.
    """

    direction: Direction
    session: int
    text: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    transaction: int = _TRANSACTION
    segment: int = 1
    segments: int = 1

    @classmethod
    def seal(
        cls,
        direction: Direction,
        session: int,
        text: bytes,
        password: Password,
        segment: int = 1,
        segments: int = 1,
    ) -> Envelope:
        """
        An envelope with the digest that belongs to its text.

        @raise Misuse: the text, or a number, is larger than its place (TEL-DIG-11).
        """
        if not (0 <= session <= 0xFF and 1 <= segment <= segments <= MOST_PARTS):
            raise Misuse("a session has 0 to 255, a segment 1 to 15")
        if len(text) > room():
            raise Misuse(f"{len(text)} octets of text, {room()} at most")
        return cls(direction, session, text, digestOf(password, text), segment=segment, segments=segments)

    def encode(self) -> bytes:
        """
        The octets; in the fifth, the number of segments is in front of the segment (A).
        """
        head = bytes([self.transaction, self.segments << 4 | self.segment, self.session])
        return self.direction.value + head + self.digest + self.text

    @classmethod
    def decode(cls, octets: bytes) -> Envelope:
        """
        Read user data; the digest isn't looked at, see L{signer}.

        @raise PeerViolation: they are no envelope. Nothing else is raised, and neither digest nor text is shown.
        """
        if len(octets) < _HEADER_LENGTH:
            raise PeerViolation("too short for a digest message", octets[:6])
        try:
            direction = Direction(octets[:3])
        except ValueError:
            raise PeerViolation("no digest message", octets[:6]) from None
        transaction, place, session = octets[3:6]
        segments, segment = divmod(place, 16)
        if not 1 <= segment <= segments:
            raise PeerViolation("no such segment", octets[:6])
        digest, text = octets[6:_HEADER_LENGTH], octets[_HEADER_LENGTH:]
        return cls(direction, session, text, digest, transaction, segment, segments)

    def signer(self, passwords: Iterable[Password]) -> Password | None:
        """
        The password with which the digest was made, or C{None} if it was none of these (TEL-DIG-12, TEL-DIG-13).
        """
        right = [each for each in passwords if hmac.compare_digest(digestOf(each, self.text), self.digest)]
        return right[0] if right else None

    @property
    def isRequest(self) -> bool:
        """
        It has the form of a request: one segment, transaction 0 (TEL-DIG-01, TEL-SMS-14).
        """
        return self.direction is Direction.REQUEST and (self.transaction, self.segments) == (_TRANSACTION, 1)


def respond(session: int, text: bytes, password: Password) -> tuple[Envelope, ...]:
    """
    The envelopes of a response, each with a digest over its own piece (TEL-DIG-08).

    If there are several, each leaves room for a concatenation header; a text longer than 15 of them is cut off.

    @param session: the request's (TEL-DIG-07).
    """
    size = room() if len(text) <= room() else room(CONCATENATION_LENGTH)
    pieces = [text[at : at + size] for at in range(0, len(text), size)][:MOST_PARTS] or [b""]
    return tuple(
        Envelope.seal(Direction.RESPONSE, session, piece, password, number, len(pieces))
        for number, piece in enumerate(pieces, 1)
    )


def join(parts: Sequence[Envelope]) -> bytes:
    """
    The text of a response whose digests have been checked.

    The segments may come in any order; if each says to be the only one, as the printed layout has it, they are taken
    as they come, since then only the messages were numbered.

    @raise PeerViolation: they aren't the parts of one response, or not all.
    """
    if not parts or {(part.direction, part.session) for part in parts} != {(Direction.RESPONSE, parts[0].session)}:
        raise PeerViolation("not the parts of one response")
    if any(part.segments != 1 for part in parts):
        parts = sorted(parts, key=lambda part: part.segment)
        if [(part.segment, part.segments) for part in parts] != [(n, len(parts)) for n in range(1, len(parts) + 1)]:
            raise PeerViolation("segments of the response are missing or double")
    return b"".join(part.text for part in parts)
