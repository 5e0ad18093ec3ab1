"""
An e-mail message as it goes over the wire, made piece by piece so that an attachment of any size needs no memory.

Source: reference 9; RFC 5321 4.5.2 (transparency), RFC 2045 and 2046 (the form of an attachment).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

#: octets of an attachment in one line of base64 (RFC 2045 6.8)
_LINE = 57


@dataclass(frozen=True, slots=True)
class Attachment:
    """
    How an attachment is named and sent.

    @ivar isText: as lines of text; else in base64.
    """

    filename: str
    isText: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """
    A message; octets that are not ASCII pass as they are.

    The modules write neither date nor number of the message; the server adds them (A).

    @ivar boundary: what parts body and attachment.
    """

    sender: str
    recipient: str
    subject: str
    body: bytes
    attachment: Attachment | None = None
    boundary: str = ""

    def head(self) -> bytes:
        """
        All that comes before the attachment, or the whole message where there is none.
        """
        lines = [f"From: {self.sender}", f"To: {self.recipient}", f"Subject: {self.subject}"]
        if self.attachment is None:
            return _joined(lines) + b"\n" + self.body
        kind, encoding = ("text/plain", "8bit") if self.attachment.isText else ("application/octet-stream", "base64")
        filename = self.attachment.filename.replace("\\", "_").replace('"', "_")
        lines += ["MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{self.boundary}"', ""]
        lines += [f"--{self.boundary}", "Content-Type: text/plain", "Content-Transfer-Encoding: 8bit", ""]
        part = [
            f"\n--{self.boundary}",
            f"Content-Type: {kind}",
            f"Content-Transfer-Encoding: {encoding}",
            f'Content-Disposition: attachment; filename="{filename}"',
            "",
        ]
        return _joined(lines) + self.body + _joined(part)

    def tail(self) -> bytes:
        """
        What follows the attachment.
        """
        return f"\n--{self.boundary}--\n".encode("ascii")


def isAddress(text: str) -> bool:
    """
    Whether SMTP can say this address as it is.
    """
    return bool(text) and text.isascii() and text.isprintable() and not set(text) & set("<> ")


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("latin-1")


class Lines:
    """
    Makes lines of SMTP out of text in chunks of any size: CR, LF and CR LF end a line, a dot at its begin is doubled.
    """

    def __init__(self) -> None:
        self._atStart = True
        self._afterCR = False

    def take(self, data: bytes) -> bytes:
        """
        The octets to send for these.
        """
        if self._afterCR and data[:1] == b"\n":
            data = data[1:]
            self._afterCR = False
        if not data:
            return b""
        self._afterCR = data.endswith(b"\r")
        text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        dot = b"." if self._atStart and text[:1] == b"." else b""
        self._atStart = text.endswith(b"\n")
        return dot + text.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")

    def end(self) -> bytes:
        """
        The lone dot that ends the message.
        """
        return b".\r\n" if self._atStart else b"\r\n.\r\n"


class Base64:
    """
    Encodes data in chunks of any size as lines of base64.
    """

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> bytes:
        """
        The whole lines that are complete with these.
        """
        data = self._rest + data
        whole = len(data) - len(data) % _LINE
        self._rest = data[whole:]
        return b"".join(b64encode(data[at : at + _LINE]) + b"\n" for at in range(0, whole, _LINE))

    def end(self) -> bytes:
        """
        The rest.
        """
        rest, self._rest = self._rest, b""
        return b64encode(rest)
