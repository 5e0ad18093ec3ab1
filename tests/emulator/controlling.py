"""Requests to the control interface of an emulator in memory."""

from __future__ import annotations

from typing import Any

from twisted.application.service import MultiService
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from atrunproto.emulator.configuration import EmulatorConfig
from atrunproto.emulator.control import MAX_BODY, Control
from atrunproto.emulator.rack import Rack
from atrunproto.emulator.tap import addServices
from atrunproto.http import JSONSite
from atrunproto.secret import Secret
from tests.requests import Pending, ask


class ControlTestCase(SynchronousTestCase):
    """An emulator with its control interface; time stands still but for C{settle}."""

    rack: Rack

    def startRack(self, config: EmulatorConfig, token: Secret | None = None, seconds: float = 0) -> None:
        """Start the modules at this time of the clock."""
        self.reactor = MemoryReactorClock()
        self.reactor.advance(seconds)
        rack = addServices(MultiService(), config, self.reactor).getServiceNamed("rack")
        assert isinstance(rack, Rack)
        self.rack = rack
        self.site = JSONSite(Control(rack, token).resource, self.reactor, MAX_BODY)
        rack.startService()
        self.settle()

    def settle(self, seconds: float = 0) -> None:
        """Let everything happen that is due then."""
        self.reactor.advance(seconds)
        for _ in range(20):
            self.reactor.advance(0)

    def ask(self, method: str, path: str, body: object = None) -> Pending:
        """Send a request."""
        pending = ask(self.site, method, path, body)
        self.settle()
        return pending

    def done(self, method: str, path: str, body: object = None) -> Any:
        """Send a request that is to work, and give its body."""
        pending = self.ask(method, path, body)
        self.assertEqual(pending.status, 200, pending.body)
        return pending.body

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Send a request that is to be refused, and give status and text."""
        pending = self.ask(method, path, body)
        self.assertEqual(list(pending.body), ["error"])
        return pending.status, pending.body["error"]
