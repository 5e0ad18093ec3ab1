"""python-gsmmodem-new, a library that sends short messages and waits for those that come, with the emulated module."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest
from gsmmodem.modem import GsmModem

from atrunproto.sms.centre import Faults
from atrunproto.sms.module import ShortMessages
from atrunproto.testing.emulated import LiveModule
from tests.realsoftware.outside import FRIEND, textsOutside, waitUntil, write
from tests.realsoftware.terminal import PATIENCE

GREETING = "hello {[^~]} \N{EURO SIGN}"
RUSSIAN = "Привет"
#: seconds that a message is under way; what comes while the library waits for an answer, it takes for that answer
DELAY = 0.2
LONG = "0123456789" * 31


class Client:
    """A module, and the library that holds its AT port."""

    def __init__(self) -> None:
        self.module = LiveModule(ports={1: "pty:./at1"})
        self.module.network.centre.faults = Faults(delay=DELAY)
        self.messages: Queue[Any] = Queue()
        self.reports: Queue[Any] = Queue()
        self.modem: Any = GsmModem(
            "./at1", smsReceivedCallbackFunc=self.messages.put, smsStatusReportCallback=self.reports.put
        )
        self.modem.connect()

    def close(self) -> None:
        """End both, when the library has done with what it was told: each notice has a thread of its own."""
        for thread in threading.enumerate():
            if "HandleModemNotification" in thread.name:
                thread.join(PATIENCE)
        self.modem.close()
        self.module.close()


@pytest.fixture
def client() -> Iterator[Client]:
    """The library with a module."""
    client = Client()
    yield client
    client.close()


def test_send(client: Client) -> None:
    """The library sends a text in one part and in UCS2, waiting until each is delivered, and then one in parts."""
    for text in (GREETING, RUSSIAN):
        sent = client.modem.sendSms(FRIEND, text, waitForDeliveryReport=True, deliveryTimeout=PATIENCE)
        assert sent.status == sent.DELIVERED
    # of reports that come one upon the other it would miss some
    client.modem.write("AT+CNMI=2,1,0,0")
    client.modem.sendSms(FRIEND, LONG)
    waitUntil(lambda: len(textsOutside(client.module)) == 5, PATIENCE)
    first, second, *parts = textsOutside(client.module)
    assert (first, second, "".join(parts)) == (GREETING, RUSSIAN, LONG)


def test_receive(client: Client) -> None:
    """What comes is handed to the library's callback at once, and deleted then."""
    messages = client.module.module.part(ShortMessages)
    for text in (GREETING, RUSSIAN):
        write(client.module, text)
        message = client.messages.get(timeout=PATIENCE)
        assert (message.number, message.text) == (FRIEND, text)
        waitUntil(lambda: client.module.call(lambda: len(messages.store())) == 0, PATIENCE)


def test_report(client: Client) -> None:
    """Of a message for which nobody waited the library tells later that it is delivered."""
    sent = client.modem.sendSms(FRIEND, GREETING)
    assert sent.status == sent.ENROUTE
    report = client.reports.get(timeout=PATIENCE)
    assert (report.reference, report.number) == (sent.reference, FRIEND)
    assert sent.status == sent.DELIVERED
