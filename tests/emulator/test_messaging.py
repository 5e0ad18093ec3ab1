"""Short messages by the control interface: the world outside sends, receives, and spoils."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from atrunproto.emulator.configuration import EmulatorConfig, MessagesConfig, ModuleConfig, NetworkConfig
from atrunproto.emulator.messaging import MAX_WAITING
from atrunproto.sms.centre import MOST_EACH, Faults
from atrunproto.sms.fields import Address
from atrunproto.sms.outside import MOST_KEPT
from atrunproto.sms.tpdu import Deliver, Submit
from atrunproto.sms.userdata import UserData
from tests.emulator.controlling import ControlTestCase

MODULE, PHONE = "+390000000001", "+41790000000"
#: a message as PDU mode shows it: from +31641600986, in the default alphabet
PDU = "0791131303000010040B911346610089F60000208062917314800CC8F71D14969741F977FD07"


class MessagingTests(ControlTestCase):
    """What callers get, and what goes through the centre."""

    def setUp(self) -> None:
        self.start(MessagesConfig(delay=0))

    def start(self, messages: MessagesConfig, timeScale: float = 0.0) -> None:
        """Start a module."""
        network = NetworkConfig(messages=messages, zone=4)
        config = EmulatorConfig(timeScale=timeScale, network=network, module=[ModuleConfig()])
        self.startRack(config, seconds=datetime(2024, 3, 1, 12, tzinfo=UTC).timestamp())
        self.centre = self.rack.network.centre

    def messages(self, **query: object) -> list[dict[str, Any]]:
        """What went out."""
        found: list[dict[str, Any]] = self.done("GET", f"/network/messages?{urlencode(query)}")["messages"]
        return found

    def sent(self, body: object) -> dict[str, Any]:
        """What a phone outside gets when another one sends this to it."""
        last = self.centre.outside.last
        self.done("POST", "/network/messages", body)
        self.settle()
        (message,) = self.messages(after=last)
        return message

    def submit(self, text: str, to: str = PHONE, wantsReport: bool = False) -> None:
        """The module sends a message."""
        self.centre.submit(MODULE, Submit(Address.parse(to), UserData.of(text), wantsReport=wantsReport))
        self.settle()

    def test_receive(self) -> None:
        """A message that a module sends to a phone outside can be read there, as text and as it went."""
        self.submit("hello [you]")
        (message,) = self.messages()
        pdu = message.pop("pdu")
        expected = {
            "sequence": 1,
            "from": MODULE,
            "to": PHONE,
            "kind": "message",
            "time": "24/03/01,13:00:00+04",
            "alphabet": "GSM",
            "text": "hello [you]",
            "data": None,
            "part": None,
        }
        self.assertEqual(message, expected)
        self.assertTrue(pdu.startswith("0791934329002000"), pdu)
        self.assertEqual(self.done("GET", "/network/messages?after=1"), {"messages": [], "last": 1})

    def test_wait(self) -> None:
        """A program can wait for a message, and gets it when it comes; or nothing when its time is over."""
        pending = self.ask("GET", "/network/messages?wait=30")
        self.settle(29)
        self.assertFalse(pending.done)
        self.submit("one")
        self.assertEqual([message["text"] for message in pending.body["messages"]], ["one"])
        pending = self.ask("GET", "/network/messages?after=1&wait=30")
        self.settle(30)
        self.assertEqual(pending.body, {"messages": [], "last": 1})
        self.assertEqual(len(self.messages(wait=30)), 1, "what is there needs no waiting")

    def test_goneWhileWaiting(self) -> None:
        """Who goes away while waiting leaves nothing behind."""
        for _ in range(MAX_WAITING):
            pending = self.ask("GET", "/network/messages?wait=30")
        self.assertEqual(self.refused("GET", "/network/messages?wait=30")[0], 503)
        pending.channel.connectionLost(Failure(ConnectionDone()))
        self.assertFalse(self.ask("GET", "/network/messages?wait=30").done)
        self.settle(30)
        self.assertFalse(self.ask("GET", "/network/messages?wait=30").done)

    def test_sendText(self) -> None:
        """Text from outside goes in the alphabet in which it is shortest, from a number or from a name."""
        message = self.sent({"from": PHONE, "to": "+1234", "text": "hello"})
        self.assertEqual([message[key] for key in ("from", "alphabet", "text")], [PHONE, "GSM", "hello"])
        message = self.sent({"from": "SHOP", "to": "+1234", "text": "привет"})
        self.assertEqual([message[key] for key in ("from", "alphabet", "text")], ["SHOP", "UCS2", "привет"])

    def test_sendData(self) -> None:
        """Octets from outside go as an 8-bit message."""
        message = self.sent({"from": PHONE, "to": "+1234", "data": "41545c5130"})
        self.assertEqual([message[key] for key in ("alphabet", "text", "data")], ["8-bit", "AT\\Q0", "41545C5130"])

    def test_sendPDU(self) -> None:
        """A message unit from outside goes as it is, with its own sender and time."""
        message = self.sent({"to": "+1234", "pdu": PDU})
        self.assertEqual([message[key] for key in ("from", "text")], ["+31641600986", "How are you?"])
        self.assertEqual(message["time"], "02/08/26,19:37:41+08")

    def test_sendLong(self) -> None:
        """A long text goes in as many parts as it takes."""
        self.done("POST", "/network/messages", {"from": PHONE, "to": "+1234", "text": "x" * 200})
        self.settle()
        one, two = self.messages()
        self.assertEqual(one["text"] + two["text"], "x" * 200)
        self.assertEqual([part["part"]["number"] for part in (one, two)], [1, 2])
        self.assertEqual(one["part"]["total"], 2)
        self.assertEqual(one["part"]["reference"], two["part"]["reference"])

    def test_report(self) -> None:
        """Who sends from outside and wants a report gets it outside, with the reference that the sending gave."""
        (reference,) = self.done(
            "POST", "/network/messages", {"from": PHONE, "to": "+1234", "text": "a", "report": True}
        )["references"]
        self.settle()
        report = self.messages(after=1)[0]
        self.assertEqual([report[key] for key in ("kind", "to", "status")], ["report", PHONE, 0])
        self.assertEqual(report["reference"], reference)

    def test_validity(self) -> None:
        """A message that waits for a module which is off is given up when its time is over."""
        self.rack.modules["357000000000001"].powerOff()
        body = {"from": PHONE, "to": MODULE, "text": "a", "report": True, "validity": 600}
        self.done("POST", "/network/messages", body)
        self.settle()
        self.assertEqual(self.done("GET", "/network/centre")["underWay"], {MODULE: 1})
        self.settle(600)
        self.assertEqual([message["status"] for message in self.messages()], [0x46])
        self.assertEqual(self.done("GET", "/network/centre")["underWay"], {})

    def test_noRoom(self) -> None:
        """Who sends too much to a module that is off is told so."""
        self.rack.modules["357000000000001"].powerOff()
        body = {"from": PHONE, "to": MODULE, "text": "a"}
        for _ in range(MOST_EACH):
            self.done("POST", "/network/messages", body)
        status, text = self.refused("POST", "/network/messages", body)
        self.assertEqual((status, text), (409, f"0 of 1 parts found room for {MODULE}"))
        self.assertEqual(self.done("GET", "/network/centre")["refused"], 1)

    def test_refusedBodies(self) -> None:
        """What can't be sent is refused with the reason."""
        for body, reason in (
            ({"from": PHONE, "to": "+1234"}, "one of text, data and pdu is needed"),
            ({"from": PHONE, "to": "+1234", "text": "a", "data": "00"}, "one of text, data and pdu is needed"),
            ({"to": "+1234", "text": "a"}, "from is needed"),
            ({"from": PHONE, "to": "+1234", "pdu": PDU}, "from is needed"),
            ({"to": "+1234", "pdu": "00"}, "TP-MTI"),
            ({"to": "+1234", "pdu": "0001000B911346610089F60000A0"}, "TP-"),
            ({"to": "+1234", "pdu": "00010004912143000001E1"}, "no deliver unit"),
            ({"from": PHONE, "to": "+1234", "data": "0"}, "hexadecimal"),
            ({"from": "a name that is too long", "to": "+1234", "text": "a"}, "too long"),
            ({"from": PHONE, "to": "SHOP", "text": "a"}, "$.to"),
            ({"from": PHONE, "to": "+1234", "text": "a", "class": 0}, "class"),
            ({"from": PHONE, "to": "+1234", "text": "a" * 40_000}, "parts"),
        ):
            status, text = self.refused("POST", "/network/messages", body)
            self.assertEqual(status, 400, text)
            self.assertIn(reason, text)
        for query in ("after=x", "after=-1", "wait=61", "wait=nan", "to=1"):
            self.assertEqual(self.refused("GET", f"/network/messages?{query}")[0], 400)

    def test_faults(self) -> None:
        """Faults are set and read while the network runs; what isn't named stays."""
        shown = self.done("PATCH", "/network/centre", {"loss": 1, "delay": 2.5})
        expected = {"number": "+393492000200", "delay": 2.5, "jitter": 0, "loss": 1, "duplicate": 0, "reorder": False}
        self.assertEqual(shown, expected | {"underWay": {}, "lost": 0, "refused": 0})
        self.submit("one")
        shown = self.done("PATCH", "/network/centre", {"loss": 0, "duplicate": 1, "reorder": True})
        self.assertEqual(shown, self.done("GET", "/network/centre"))
        self.assertEqual([shown[key] for key in ("delay", "lost", "reorder")], [2.5, 1, True])
        self.submit("two")
        self.settle(2.5)
        self.assertEqual([message["text"] for message in self.messages()], ["two", "two"])
        for change in ({"loss": 1.1}, {"delay": -1}, {"jitter": 1e9}, {"lost": 0}):
            self.assertEqual(self.refused("PATCH", "/network/centre", change)[0], 400)

    def test_configuration(self) -> None:
        """The configuration says how messages fare from the start, and the time scale how long they take."""
        messages = MessagesConfig(number="+491234", delay=4, jitter=2, loss=0.1, duplicate=0.2, reorder=True, seed=5)
        self.start(messages, timeScale=0.5)
        self.assertEqual(self.centre.number, "+491234")
        self.assertEqual(self.centre.faults, Faults(2, 1, 0.1, 0.2, True))
        chances = [self.centre.random.random() for _ in range(3)]
        self.start(messages)
        self.assertEqual([self.centre.random.random() for _ in range(3)], chances)

    def test_kept(self) -> None:
        """Of the messages that went out, the last ones are kept."""
        unit = Deliver(Address.parse(PHONE), UserData.of("a"), self.centre.stamp())
        for _ in range(MOST_KEPT + 1):
            self.centre.outside.add(MODULE, PHONE, unit)
        kept = self.messages()
        self.assertEqual([kept[0]["sequence"], len(kept)], [2, MOST_KEPT])
