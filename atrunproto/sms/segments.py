"""
Messages that are longer than one: what is written is split, what is read is joined.

Source: 3GPP 23.040 9.2.3.24.1 and 9.2.3.24.8.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Generic, TypeVar

from .alphabet import Alphabet, alphabetFor
from .datacoding import DataCoding
from .errors import SMSError, requireRange
from .userdata import Concatenation, UserData, capacity

#: parts that a concatenation can count
MOST_PARTS = 255
#: incomplete messages that are kept; the one begun first makes room
MOST_KEPT = 64
#: seconds from its first part on that a message is waited for (A): as long as a service centre retries by default
LONGEST_WAIT = 24 * 3600.0

_ESCAPE = 0x1B
_HIGH_SURROGATES = range(0xD8, 0xDC)


def split(
    content: str | bytes,
    coding: DataCoding | None = None,
    reference: int = 0,
    isWide: bool = False,
    most: int = MOST_PARTS,
    cutOff: bool = False,
) -> tuple[UserData, ...]:
    """
    The fewest user data that carry a text or octets; a single one has no header.

    @param coding: what to write it in; C{None} chooses the alphabet in which it is shortest.
    @param reference: the same in all parts, 0 to 255, or to 65535 if C{isWide}.
    @param most: how many parts there may be, 2 to 255.
    @param cutOff: what doesn't fit in them is left out, and not an error.
    @raise SMSError: it needs more parts, or has what isn't in the alphabet.
    """
    requireRange("parts", most, MOST_PARTS, first=2)
    if isinstance(content, str):
        coding = coding or DataCoding.of(alphabetFor(content))
        payload = coding.alphabet.coding.encode(content)
    else:
        coding = coding or DataCoding.of(Alphabet.OCTETS)
        payload = content
    if len(payload) <= capacity(coding):
        return (UserData(coding, payload),)
    room = capacity(coding, (Concatenation(reference, 1, 1, isWide),))
    pieces = _pieces(payload, room, coding.alphabet)
    if len(pieces) > most:
        if not cutOff:
            raise SMSError(f"{len(pieces)} parts are needed, {most} allowed", "TP-UD")
        del pieces[most:]
    return tuple(
        UserData(coding, piece, (Concatenation(reference, len(pieces), number, isWide),))
        for number, piece in enumerate(pieces, 1)
    )


def _pieces(payload: bytes, room: int, alphabet: Alphabet) -> list[bytes]:
    pieces, at = [], 0
    while at < len(payload):
        end = _cut(payload, at + room, alphabet)
        pieces.append(payload[at:end])
        at = end
    return pieces


def _cut(payload: bytes, at: int, alphabet: Alphabet) -> int:
    """
    Where to cut: here, or just in front of a character that would be cut in two.
    """
    if at >= len(payload):
        return len(payload)
    if alphabet is Alphabet.GSM:
        return at - (payload[at - 1] == _ESCAPE)
    if alphabet is Alphabet.UCS2:
        at -= at % 2
        return at - 2 * (payload[at - 2] in _HIGH_SURROGATES)
    return at


def textOf(parts: Iterable[UserData]) -> str:
    """
    The text of a whole message, parts in their order; what is no character is a mark.

    A character that its sender has cut in two is put together again.
    """
    runs = groupby(parts, lambda part: part.coding.alphabet)
    return "".join(
        alphabet.coding.decode(b"".join(part.payload for part in run), strict=False) for alphabet, run in runs
    )


_Part = TypeVar("_Part")


@dataclass(slots=True)
class _Message(Generic[_Part]):
    """
    A message of several parts, and since when there is something of it.
    """

    begun: float
    parts: dict[int, _Part] = field(default_factory=dict)


class Reassembler(Generic[_Part]):
    """
    Joins the parts of messages, which come in any order and perhaps twice.

    A part is whatever the user has of it (a L{atrunproto.sms.tpdu.Deliver}, say); equal ones are the same.
    A message that has been whole is remembered like one that isn't yet, so a repeated part doesn't begin it anew.
    """

    def __init__(self, most: int = MOST_KEPT, longest: float = LONGEST_WAIT) -> None:
        """
        @param most: how many messages are kept.
        @param longest: seconds that one is kept, from its first part on.
        """
        self._most = most
        self._longest = longest
        #: in the order in which they were begun
        self._messages: dict[tuple[Hashable, int, int, bool], _Message[_Part]] = {}

    def __len__(self) -> int:
        """
        How many messages are kept.
        """
        return len(self._messages)

    def add(self, sender: Hashable, place: Concatenation, part: _Part, now: float) -> tuple[_Part, ...] | None:
        """
        Take a part; give all in their order if it was the last that was missing.

        A part that differs from the one that had its place belongs to another message, which takes the older one's.

        @param sender: whose it is; references are the sender's own.
        @param now: seconds on any clock that only goes forward.
        """
        self._forget(now)
        key = (sender, place.reference, place.total, place.isWide)
        message = self._messages.get(key)
        if message is not None and place.number in message.parts:
            if message.parts[place.number] == part:
                return None
            del self._messages[key]
            message = None
        if message is None:
            if len(self._messages) >= self._most:
                del self._messages[next(iter(self._messages))]
            message = self._messages[key] = _Message(now)
        message.parts[place.number] = part
        if len(message.parts) < place.total:
            return None
        return tuple(message.parts[number] for number in sorted(message.parts))

    def _forget(self, now: float) -> None:
        while self._messages:
            oldest = next(iter(self._messages))
            if now - self._messages[oldest].begun < self._longest:
                return
            del self._messages[oldest]
