"""The HTTP/JSON interface of a daemon, as bytes on a connection in memory."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPChannel

from atrunproto.http import JSONSite


class Pending:
    """A request under way; its answer, when there is one."""

    def __init__(self, transport: StringTransport, channel: HTTPChannel) -> None:
        self.transport = transport
        self.channel = channel

    @property
    def done(self) -> bool:
        return bool(self.transport.value())

    @property
    def head(self) -> bytes:
        head: bytes = self.transport.value().partition(b"\r\n\r\n")[0]
        return head

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    @property
    def body(self) -> Any:
        content = self.transport.value().partition(b"\r\n\r\n")[2]
        if b"chunked" in self.head:
            chunks = b""
            while content:
                size, _, content = content.partition(b"\r\n")
                chunks += content[: int(size, 16)]
                content = content[int(size, 16) + 2 :]
            content = chunks
        return json.loads(content)


def send(site: JSONSite, data: bytes) -> Pending:
    """Send what may be a request on a new connection."""
    channel = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    assert channel is not None
    transport = StringTransport()
    channel.makeConnection(transport)
    channel.dataReceived(data)
    return Pending(transport, channel)


def ask(site: JSONSite, method: str, path: str, body: object = None, token: str | None = None) -> Pending:
    """Send a request; a body that isn't bytes goes as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return send(site, "\r\n".join([*lines, "", ""]).encode() + content)
