"""Links: who calls, how a module is identified, and what happens to callers that are none."""

from __future__ import annotations

import ipaddress

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from atrunproto.at.errors import CommandTimeout
from atrunproto.fleet.links import CLOSE_SECONDS, IDENTIFY_SECONDS, AllowList, Reached, addressText
from atrunproto.fleet.store import ModuleRecord

from .doubles import IDENTIFY, IMEI, OTHER, FakeClient, Fleet


class IdentificationTests(SynchronousTestCase):
    """A caller becomes a module by its IMEI."""

    def setUp(self) -> None:
        self.fleet = Fleet(self.mktemp())
        self.addCleanup(lambda: self.fleet.store.close())

    def imeis(self) -> list[str]:
        return [module.imei for module in self.fleet.host.roster]

    def test_oneLine(self) -> None:
        """A module is asked for IMEI, model and revision at once, and is known by them (TEL-CLI-03, TEL-CLI-07)."""
        client = self.fleet.call()
        self.assertEqual(client.lines, [IDENTIFY])
        client.answer(IMEI, "HE910", "12.00.004")
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        self.assertEqual(
            module.record(),
            ModuleRecord(
                IMEI,
                "HE910",
                "12.00.004",
                "10.0.0.5:40000",
                Reached.DIAL_IN,
                self.fleet.clock.seconds(),
                self.fleet.clock.seconds(),
            ),
        )

    def test_oneByOne(self) -> None:
        """A module that refuses the concatenated line is asked one by one."""
        client = self.fleet.call()
        client.refuse()
        for answer in (IMEI, "GE865", "10.00.002"):
            client.answer(answer)
        self.assertEqual(client.lines, [IDENTIFY, "AT+CGSN", "AT+CGMM", "AT+CGMR"])
        self.assertEqual(self.imeis(), [IMEI])

    def test_oddAnswer(self) -> None:
        """An IMEI with prefix or quotation marks is understood; a name is cut and cleaned before it is shown."""
        self.fleet.call().answer(f'+CGSN: "{IMEI}"', "HE\x1b[31m910" + "x" * 1000, "")
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        self.assertEqual(module.model, ("HE[31m910" + "x" * 1000)[:64])

    def test_noModule(self) -> None:
        """A caller whose answer has no IMEI is sent away."""
        client = self.fleet.call()
        client.answer("SSH-2.0-OpenSSH_9.2", "a", "b")
        self.assertTrue(client.aborted)
        self.assertEqual(self.imeis(), [])

    def test_silence(self) -> None:
        """A caller that says nothing is sent away after a time, also if it stretches it by refusing."""
        client = self.fleet.call()
        self.assertEqual(client.timeouts, [IDENTIFY_SECONDS])
        self.fleet.clock.advance(IDENTIFY_SECONDS - 1)
        client.refuse()
        self.assertEqual(client.timeouts[1:], [1])
        client.fail(CommandTimeout("AT+CGSN", 1))
        self.assertTrue(client.aborted)

    def test_manyStrangers(self) -> None:
        """Callers that never say who they are displace each other, the oldest first, and no module."""
        module = self.fleet.connect()
        strangers = [self.fleet.call(port) for port in range(1000)]
        self.assertEqual([s.aborted for s in strangers], [True] * 900 + [False] * 100)
        self.assertFalse(module.aborted)
        other = self.fleet.connect(OTHER)
        self.assertFalse(other.aborted)
        self.assertEqual(self.imeis(), [IMEI, OTHER])

    def test_goneBeforeAnswer(self) -> None:
        """A caller that goes before it is known leaves nothing behind."""
        self.fleet.call().lose()
        self.assertEqual(self.imeis(), [])
        self.successResultOf(self.fleet.host.reception.stop())

    def test_replaced(self) -> None:
        """A module that calls again replaces its older connection, which is closed."""
        older = self.fleet.connect()
        self.fleet.clock.advance(60)
        newer = self.fleet.connect(port=40001)
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        assert module.link is not None
        self.assertTrue(older.aborted)
        self.assertFalse(newer.aborted)
        self.assertIs(module.link.client, newer)
        self.assertEqual((module.address, self.fleet.host.roster.connected), ("10.0.0.5:40001", 1))
        self.assertEqual(module.lastSeen - module.firstSeen, 60)

    def test_disconnected(self) -> None:
        """A module that goes stays known, and is seen last when it went."""
        client = self.fleet.connect()
        self.fleet.clock.advance(5)
        client.lose()
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        self.assertIsNone(module.link)
        self.assertEqual((module.lastSeen - module.firstSeen, self.fleet.host.roster.connected), (5, 0))

    def test_dialledOut(self) -> None:
        """A module that the host has called is shown as such."""
        client = FakeClient()
        self.fleet.host.reception.dialledOut(client, IPv4Address("TCP", "10.0.0.9", 12345))
        client.answer(IMEI, "HE910", "12.00.004")
        module = self.fleet.host.roster.get(IMEI)
        assert module is not None
        self.assertEqual((module.reached, module.address), (Reached.DIAL_OUT, "10.0.0.9:12345"))


class EndTests(SynchronousTestCase):
    """How a host ends."""

    def test_links(self) -> None:
        """A host that ends closes its links, those of strangers too, and does not wait long for a peer that is gone."""
        fleet = Fleet(self.mktemp())
        module, stranger, gone = fleet.connect(), fleet.call(), fleet.connect(OTHER)
        gone.halfOpen = True
        stopped = fleet.host.stopService()
        self.assertEqual((module.closed, stranger.closed, gone.closed), (True, True, True))
        fleet.clock.advance(CLOSE_SECONDS)
        self.assertTrue(gone.aborted)
        self.assertFalse(module.aborted)
        fleet.settle()
        self.successResultOf(stopped)
        self.assertEqual(fleet.clock.getDelayedCalls(), [])


class AllowListTests(SynchronousTestCase):
    """Who may call in."""

    def test_networks(self) -> None:
        """Callers from elsewhere than the allowed networks get no protocol, so their connection is closed at once."""
        factory = AllowList(
            Factory.forProtocol(Protocol), [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
        )
        for host in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
            kind = IPv6Address if ":" in host else IPv4Address
            self.assertIsInstance(factory.buildProtocol(kind("TCP", host, 1)), Protocol)
        for host in ("11.0.0.1", "::ffff:11.0.0.1", "2001:db8::1"):
            kind = IPv6Address if ":" in host else IPv4Address
            self.assertIsNone(factory.buildProtocol(kind("TCP", host, 1)))
        self.assertIsNone(factory.buildProtocol(UNIXAddress(None)))

    def test_addressText(self) -> None:
        """Addresses are written as people write them."""
        self.assertEqual(addressText(IPv4Address("TCP", "10.0.0.5", 1)), "10.0.0.5:1")
        self.assertEqual(addressText(IPv6Address("TCP", "fd00::1", 1)), "[fd00::1]:1")
