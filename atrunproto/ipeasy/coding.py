"""
Base64 between a DTE and the peer of its socket: what goes out is encoded, what comes in is decoded.

Source: reference 6.1 (#BASE64), which doesn't say how 1 and 2 differ. Assumed: 1 breaks what it encodes into lines as
MIME does (RFC 2045), 2 doesn't (RFC 3548); in what is decoded either skips whatever isn't of the alphabet.
"""

from __future__ import annotations

from base64 import b64encode, encodebytes
from binascii import a2b_base64

#: what to do: nothing, base64 in lines of 76 characters, base64 without line breaks
PLAIN, LINES, UNBROKEN = range(3)

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_SKIPPED = bytes(set(range(256)) - set(_ALPHABET))


class Coding:
    """
    The coding of one connection, each way.

    It holds up to three characters of a group whose rest is still to come.
    """

    __slots__ = ("_decoding", "_encoding", "_held")

    def __init__(self, encoding: int, decoding: int) -> None:
        """
        @param encoding: L{PLAIN}, L{LINES} or L{UNBROKEN}, for what goes out.
        @param decoding: the same for what comes in.
        """
        self._encoding = encoding
        self._decoding = decoding
        self._held = b""

    def fitting(self, size: int) -> int:
        """
        The size of packets of up to this one that follow each other without padding.
        """
        return size if self._encoding == PLAIN else max(size - size % 3, 3)

    def encode(self, packet: bytes) -> bytes:
        """
        Encode a packet; one that doesn't fill its last group ends with padding.
        """
        if self._encoding == PLAIN:
            return packet
        return b64encode(packet) if self._encoding == UNBROKEN else encodebytes(packet).replace(b"\n", b"\r\n")

    def decode(self, data: bytes) -> bytes:
        """
        Decode more of a stream; after padding it begins anew.
        """
        if self._decoding == PLAIN:
            return data
        *ended, rest = (self._held + data.translate(None, _SKIPPED)).split(b"=")
        full = len(rest) - len(rest) % 4
        self._held = rest[full:]
        return b"".join(map(_last, ended)) + a2b_base64(rest[:full])

    def decodeDatagram(self, data: bytes) -> bytes:
        """
        Decode a datagram, which is complete in itself.
        """
        self._held = b""
        return self.decode(data) if self._decoding == PLAIN else self.decode(data + b"=")


def _last(group: bytes) -> bytes:
    """
    What padding ends: groups of which the last may have two characters or three; one alone says nothing.
    """
    if len(group) % 4 == 1:
        group = group[:-1]
    return a2b_base64(group + b"=" * (-len(group) % 4))
