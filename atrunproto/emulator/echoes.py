"""
Echo requests of a module: real ones where the system lets this process send them, else the network answers itself.

Source: RFC 792; MTS-PING.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorSocket
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from .module import EmulatedModule

#: types of ICMP
_REPLY, _REQUEST = 0, 8
#: type, code, checksum, identifier, sequence number
_HEADER = struct.Struct("!BBHHH")
#: octets behind the header, as many as other pings send
_PAYLOAD = bytes(range(56))


def echo(module: EmulatedModule, source: str, address: str, number: int, seconds: float) -> Deferred[float | None]:
    """
    Send an echo request.

    @param number: of the request, from 1 on.
    @param seconds: how long to wait.
    @return: the seconds that the reply took, or C{None} where none came.
    """
    network = module.network
    if address not in network.echoes:
        opened = _open(source) if IReactorSocket.providedBy(network.reactor) else None
        if opened is not None:
            return _Asking(module, opened, number).ask(address, seconds)
    lost = network.echoes.get(address, frozenset() if _isNear(address) else None)
    if lost is None or number in lost:
        return deferLater(module.clock, seconds, lambda: None)
    took = min(module.duration("#PING"), seconds)
    return deferLater(module.clock, took, lambda: took)


def _isNear(address: str) -> bool:
    """
    Whether it is this machine, which always answers.
    """
    return ipaddress.IPv4Address(address).is_loopback


def _open(source: str) -> socket.socket | None:
    """
    A socket for echo requests: one that is for nothing else, or a raw one; C{None} where the system allows neither.
    """
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            opened = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
        except OSError:
            continue
        try:
            opened.setblocking(False)
            opened.bind((source, 0))
        except OSError:
            opened.close()
            continue
        return opened
    return None


def checksum(data: bytes) -> int:
    """
    The checksum of RFC 1071.
    """
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class _Asking(DatagramProtocol):
    """
    One echo request, and the wait for its reply.
    """

    noisy = False

    def __init__(self, module: EmulatedModule, opened: socket.socket, number: int) -> None:
        self._module = module
        self._number = number
        self._address = ""
        self._isRaw = opened.type == socket.SOCK_RAW
        # a ping socket puts in an identifier of its own, and tells its replies by it
        self._identifier = id(self) >> 4 & 0xFFFF
        self._began = module.clock.seconds()
        self._done: Deferred[float | None] = Deferred()
        # the port has a descriptor of its own
        self._port: Any = module.reactor.adoptDatagramPort(opened.fileno(), socket.AF_INET, self)
        opened.close()

    def ask(self, address: str, seconds: float) -> Deferred[float | None]:
        """
        Send the request.
        """
        self._address = address
        head = _HEADER.pack(_REQUEST, 0, 0, self._identifier, self._number)
        whole = _HEADER.pack(_REQUEST, 0, checksum(head + _PAYLOAD), self._identifier, self._number) + _PAYLOAD
        late = self._module.clock.callLater(seconds, self._answer, None)

        def over(result: Any) -> Any:
            if late.active():
                late.cancel()
            self._port.stopListening()
            return result

        self._done.addBoth(over)
        try:
            self._port.socket.sendto(whole, (address, 0))
        except OSError:
            # there is no way there, so no reply will come
            pass
        return self._done

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        A message of ICMP; a raw socket hears all of them, with the header of IP in front.
        """
        start = (datagram[0] & 0xF) * 4 if self._isRaw and datagram else 0
        if addr[0] != self._address or len(datagram) < start + _HEADER.size:
            return
        kind, _, _, identifier, number = _HEADER.unpack_from(datagram, start)
        if kind == _REPLY and number == self._number and (identifier == self._identifier or not self._isRaw):
            self._answer(self._module.clock.seconds() - self._began)

    def _answer(self, took: float | None) -> None:
        if not self._done.called:
            self._done.callback(took)
