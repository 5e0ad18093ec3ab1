"""Echo requests of a Multi-Tech modem, and how it finds the address of a host."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from atrunproto.emulator.echoes import checksum
from atrunproto.multitech.stack import Stack
from atrunproto.testing.emulated import LiveModule
from atrunproto.testing.replaying.internet import NameServer
from tests.multitech.modems import OK, Modem, connected, failed

FIRST, SECOND, OPERATORS = "127.0.2.53", "127.0.2.54", "127.0.2.60"


def ping(modem: Modem, seconds: float = 60) -> bytes:
    """All that AT#PING answers."""
    at = modem.say("AT#PING")
    modem.memory.advance(seconds)
    return at + modem.port.heard()


def alive(name: str, milliseconds: int = 500) -> bytes:
    """The line of a reply."""
    return b'\r\n"%s" is alive : time = %d ms\r\n' % (name.encode(), milliseconds)


class Server(NameServer):
    """
    A name server.

    @ivar asked: how many questions have come.
    """

    def __init__(self, modem: Modem, address: str, **hosts: str) -> None:
        super().__init__()
        self.hosts = {name.replace("_", "."): found for name, found in hosts.items()}
        self.asked = 0
        modem.memory.clock.listenUDP(53, self, interface=address)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Count a question, and answer it."""
        self.asked += 1
        super().datagramReceived(datagram, addr)


# -- echo requests


def test_ping() -> None:
    """MTS-PING-02, MTS-PING-03, MTS-PING-04, MTS-PING-05, MTS-PING-07: four requests by
    default, one line for each reply, and OK."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"')
    assert ping(modem) == 4 * alive("127.0.2.80") + OK


def test_missed() -> None:
    """MTS-PING-06, MTS-PING-08: a request that nobody answers has a line of its own, and is no failure."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"', "AT#PINGNUM=3")
    modem.memory.network.echoes["127.0.2.80"] = frozenset({2})
    assert ping(modem) == alive("127.0.2.80") + b'\r\nNO answer from "127.0.2.80"\r\n' + alive("127.0.2.80") + OK
    modem.memory.network.echoes["127.0.2.80"] = None
    assert ping(modem) == 3 * b'\r\nNO answer from "127.0.2.80"\r\n' + OK


def test_farAway() -> None:
    """MTS-PING-06: where no true requests can be sent, an address that isn't this machine's never answers."""
    modem = connected('AT#PINGREMOTE="192.0.2.1"', "AT#PINGNUM=1")
    assert ping(modem) == b'\r\nNO answer from "192.0.2.1"\r\n' + OK


def test_delay() -> None:
    """MTS-PING-01: requests are the delay apart, a reply is waited for as long, and nothing is behind the last one."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"', "AT#PINGNUM=2", "AT#PINGDELAY=7")
    assert ping(modem, 7) == alive("127.0.2.80")
    modem.memory.advance(0.5)
    assert modem.port.heard() == alive("127.0.2.80") + OK
    modem.memory.network.echoes["127.0.2.80"] = None
    assert ping(modem, 6.9) == b""
    modem.memory.advance(0.1)
    assert modem.port.heard() == b'\r\nNO answer from "127.0.2.80"\r\n'
    modem.memory.advance(7)
    assert modem.port.heard() == b'\r\nNO answer from "127.0.2.80"\r\n' + OK


def test_withoutLink() -> None:
    """MTS-PING-09, MTS-ERR-11: without a connection nothing is sent."""
    assert Modem('AT#PINGREMOTE="127.0.2.80"').say("AT#PING") == failed(35867)


def test_withoutRemote() -> None:
    """MTS-ERR-16: somebody has to be asked."""
    modem = connected()
    assert modem.say("AT#PING") == failed(36929)
    modem.say('AT#PINGREMOTE="127.0.2.80"')
    assert ping(modem).endswith(OK)


def test_besideAnother() -> None:
    """MTS-PING-04, MTS-ERR-19: while another service runs there is no ping, and while it runs no other service."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"')
    stack = modem.module.part(Stack)
    claim = stack.claim("FTP")
    assert modem.say("AT#PING") == failed(37122)
    claim.release()
    other = modem.memory.port(2)
    modem.say("AT#PING")
    assert other.say(b"AT#PINGNUM=1\r").endswith(failed(37123))
    assert other.say(b"AT#PING\r").endswith(failed(37122))
    modem.memory.advance(10)
    assert modem.port.heard().endswith(OK)
    assert stack.service is None


@pytest.mark.parametrize("seconds", [0.2, 0.7])
def test_lost(seconds: float) -> None:
    """MTS-ERR-07, MTS-ERR-47: a connection that is lost ends the requests with one error, and nothing is behind it."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"')
    modem.say("AT#PING")
    modem.memory.advance(seconds)
    modem.port.heard()
    modem.module.contexts.lose(1)
    assert modem.port.heard() == failed(35841)
    modem.memory.advance(60)
    assert modem.port.heard() == b""
    assert modem.module.part(Stack).service is None


def test_stopped() -> None:
    """MTS-CALL-13: requests end when the connection is stopped at another port."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"')
    other = modem.memory.port(2)
    modem.say("AT#PING")
    other.execute("AT#CONNECTIONSTOP")
    assert modem.port.heard().endswith(failed(35867))


def test_portLost() -> None:
    """MTS-PING-04: requests of somebody who has unplugged are given up, and the next service may begin."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"')
    modem.say("AT#PING")
    modem.port.close()
    assert modem.module.part(Stack).service is None


def test_activity() -> None:
    """MTS-DIAL-10: requests and replies keep the connection."""
    modem = connected('AT#PINGREMOTE="127.0.2.80"', "AT#PINGNUM=2", "AT#PINGDELAY=50", "AT#PHYTIMEOUT=1")
    assert ping(modem, 109) == 2 * alive("127.0.2.80") + OK
    modem.memory.advance(2)
    assert modem.port.heard() == failed(35862)


def test_checksum() -> None:
    """MTS-PING-05: an echo request carries the checksum of RFC 1071, or nobody replies."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    assert checksum(b"\xff\xff" * 3) == 0


def _mayPing() -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except OSError:
            continue
        return True
    return False


@pytest.mark.skipif(not _mayPing(), reason="the system doesn't let this process send echo requests")
def test_real() -> None:
    """MTS-PING-05: where the system lets it, the modem sends true echo requests, and tells how long the reply took."""
    with LiveModule("MTCBA-G") as live, socket.create_connection(live.address(), timeout=20) as line:

        def say(text: str, end: bytes) -> bytes:
            line.sendall(text.encode() + b"\r")
            heard = b""
            while not heard.endswith(end):
                heard += line.recv(4096)
            return heard

        for text in ("ATE0", "AT+WOPEN=1", 'AT#APNSERV="internet"', 'AT#PINGREMOTE="127.0.0.1"', "AT#PINGNUM=1"):
            say(text, OK)
        say("AT#CONNECTIONSTART", b"Ok_Info_GprsActivation\r\n")
        # from now on a reply of the emulated network takes half a second
        live.call(setattr, live.module, "timeScale", 1.0)
        heard = say("AT#PING", OK).decode()
        reply = re.fullmatch(r'\r\n"127\.0\.0\.1" is alive : time = (\d+) ms\r\n\r\nOK\r\n', heard)
        assert reply is not None, heard
        assert int(reply[1]) < 400


# -- names


def named(*lines: str) -> Modem:
    """A modem that is connected, and will ask for C{mail.domain.com}; its operator gives no name servers."""
    modem = connected('AT#PINGREMOTE="mail.domain.com"', "AT#PINGNUM=1", *lines)
    modem.memory.network.givesNameServers = False
    return modem


HOST = {"mail_domain_com": "127.0.2.250"}


def test_primary() -> None:
    """MTS-DNS-06, MTS-DNS-08, MTS-PING-07: where the operator gives no servers the primary one is asked; and no other
    one."""
    modem = named(f'AT#DNSSERV1="{FIRST}"', f'AT#DNSSERV2="{SECOND}"')
    first, second = Server(modem, FIRST, **HOST), Server(modem, SECOND, **HOST)
    assert ping(modem) == alive("mail.domain.com") + OK
    assert (first.asked, second.asked) == (1, 0)


@pytest.mark.parametrize("isThere", [True, False])
def test_secondary(isThere: bool) -> None:
    """MTS-DNS-02: the secondary is asked if the primary doesn't answer, and if it doesn't know the name."""
    modem = named(f'AT#DNSSERV1="{FIRST}"', f'AT#DNSSERV2="{SECOND}"')
    if isThere:
        Server(modem, FIRST)
    Server(modem, SECOND, **HOST)
    assert ping(modem) == alive("mail.domain.com") + OK


@pytest.mark.parametrize("servers", [(), (FIRST,), (SECOND,), (FIRST, SECOND)])
def test_nobodyKnows(servers: tuple[str, ...]) -> None:
    """MTS-DNS-03, MTS-ERR-32, MTS-PING-09: where neither server helps the name can't be used."""
    modem = named(f'AT#DNSSERV1="{FIRST}"', f'AT#DNSSERV2="{SECOND}"')
    for address in servers:
        Server(modem, address)
    assert ping(modem) == failed(38027)


def test_noServers() -> None:
    """MTS-DNS-01, MTS-DNS-06: both servers are 0.0.0.0 at first, and then nobody is asked."""
    modem = named()
    assert modem.say("AT#VDNS") == b'#DNSSERV1: "0.0.0.0"\r\n#DNSSERV2: "0.0.0.0"\r\n' + OK
    assert modem.say("AT#PING") == failed(38027)


def test_operatorsServers() -> None:
    """MTS-DNS-04, MTS-DNS-05: the operator's servers take the place of the modem's own, which are shown as before."""
    modem = named(f'AT#DNSSERV1="{FIRST}"')
    network = modem.memory.network
    network.givesNameServers, network.nameservers = True, [OPERATORS]
    first, operators = Server(modem, FIRST, mail_domain_com="127.0.2.1"), Server(modem, OPERATORS, **HOST)
    assert ping(modem) == alive("mail.domain.com") + OK
    assert (first.asked, operators.asked) == (0, 1)
    assert modem.say("AT#VDNS") == f'#DNSSERV1: "{FIRST}"\r\n#DNSSERV2: "0.0.0.0"\r\n'.encode() + OK


def test_addressNeedsNoServer() -> None:
    """MTS-DNS-09: a dotted address is used as it is."""
    modem = named(f'AT#DNSSERV1="{FIRST}"')
    server = Server(modem, FIRST)
    modem.say('AT#PINGREMOTE="127.0.2.80"')
    assert ping(modem) == alive("127.0.2.80") + OK
    assert server.asked == 0


def test_lostWhileAsking() -> None:
    """MTS-ERR-07: a connection that is lost while servers are waited for ends the wait."""
    modem = named(f'AT#DNSSERV1="{FIRST}"', f'AT#DNSSERV2="{SECOND}"')
    modem.say("AT#PING")
    modem.memory.advance(1)
    modem.module.contexts.lose(1)
    assert modem.port.heard() == failed(35841)
    modem.memory.advance(60)
    assert modem.port.heard() == b""
