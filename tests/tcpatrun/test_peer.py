"""Both ends of TCPATRUN together, over real loopback sockets."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet import reactor as globalReactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from atrunproto.at.errors import CommandFailed, LinkLost
from atrunproto.at.peer import ATClient
from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import AddressPool, Network
from atrunproto.emulator.products import product
from atrunproto.secret import Secret
from atrunproto.tcpatrun.module import State, TCPATRUNService
from atrunproto.tcpatrun.peer import LoginFailed, TCPATRUNDialler, TCPATRUNListener, logIn
from atrunproto.tcpatrun.peerlogin import Login
from tests.support import ownBlock

reactor: Any = globalReactor

PORT = 11024


class Stage(TestCase):
    """
    Emulated modules in a network of their own.
    """

    timeout = 20

    def setUp(self) -> None:
        self.network = Network(reactor, AddressPool(f"{ownBlock()}.0/24"))
        self.modules: list[EmulatedModule] = []

    async def tearDown(self) -> None:  # type: ignore[override]
        for module in self.modules:
            module.powerOff()
        await self.network.close()
        # the sockets of both ends are told of the close in the next turns of the reactor
        await deferLater(reactor, 0.05)

    async def module(self, *lines: str, auth: int = 0, host: int = PORT, retries: int = 0) -> EmulatedModule:
        module = EmulatedModule(
            product("GE865-QUAD"),
            self.network,
            reactor,
            startup=(
                'AT+CGDCONT=1,"IP","internet";#SCFG=1,1,300,0,600,1',
                "AT#SGACT=1,1",
                f'AT#TCPATRUNCFG=1,2,{PORT},{host},"127.0.0.1",1,5,{auth},{retries},1',
                'AT#TCPATRUNFRWL=1,"127.0.0.0","255.255.255.0"',
                'AT#TCPATRUNAUTH=1,"testuser","testpassw"',
                *lines,
            ),
            timeScale=0,
        )
        self.modules.append(module)
        module.powerOn()
        await module.whenOn()
        await deferLater(reactor, 0)
        return module

    def endpoint(self, module: EmulatedModule) -> TCP4ClientEndpoint:
        address = module.contexts.address(1)
        assert address is not None
        return TCP4ClientEndpoint(reactor, address, PORT)


def login(password: str = "testpassw", stepByStep: bool | None = None) -> Login:
    return Login("testuser", Secret(password), stepByStep)


class ServerModeTests(Stage):
    """
    The host connects to the module.
    """

    async def test_bothModes(self) -> None:
        """A host gets a ready client from a module in either login mode (TEL-AUT-03, TEL-AUT-07, TEL-SRV-05)."""
        for auth in (0, 1):
            module = await self.module("AT#TCPATRUNL=1", auth=auth)
            client = await logIn(reactor, self.endpoint(module), login(stepByStep=bool(auth)))
            assert (await client.execute("AT+CREG?")).lines == ("+CREG: 0,1",)
            client.close()
            await client.whenLost()

    async def test_unknownMode(self) -> None:
        """A host that isn't told the mode finds step-by-step out by the prompt (TEL-AUT-12)."""
        module = await self.module("AT#TCPATRUNL=1", auth=1)
        client = await logIn(reactor, self.endpoint(module), login())
        assert (await client.execute("AT+CGMM")).lines == ("GE865",)
        client.close()
        await client.whenLost()

    async def test_refused(self) -> None:
        """A wrong password ends the attempt with an error that says so, in both modes (TEL-AUT-05, TEL-AUT-08)."""
        for auth in (0, 1):
            module = await self.module("AT#TCPATRUNL=1", auth=auth)
            with pytest.raises(LoginFailed) as caught:
                await logIn(reactor, self.endpoint(module), login("wrong", stepByStep=bool(auth)))
            assert "wrong" not in str(caught.value)

    async def test_typedCalls(self) -> None:
        """The client of a service knows the service's own commands, with their limits (TEL-FWR-05)."""
        module = await self.module("AT#TCPATRUNL=1")
        client = await logIn(reactor, self.endpoint(module), login(stepByStep=False))
        values = await client.read("#TCPATRUNCFG")
        assert values[:3] == (1, 2, PORT)
        with pytest.raises(CommandFailed):
            await client.call("#TCPATRUNFRWL", 2)
        client.close()
        await client.whenLost()

    async def test_comesBack(self) -> None:
        """A dialler that has lost its module gets to it again after a pause (TEL-PY-07, TEL-SRV-03)."""
        module = await self.module("AT#TCPATRUNL=1")
        clock = Clock()
        met: list[ATClient] = []
        waiting: list[Deferred[ATClient]] = [Deferred()]

        def onClient(client: ATClient, peer: IAddress) -> None:
            met.append(client)
            waiting[-1].callback(client)

        dialler = TCPATRUNDialler(
            clock, self.endpoint(module), login(stepByStep=False), onClient, retryPolicy=lambda n: 7
        )
        dialler.startService()
        first = await waiting[-1]
        waiting.append(Deferred())
        first.close()
        await first.whenLost()
        await deferLater(reactor, 0.05)
        assert len(met) == 1
        clock.advance(7)
        second = await waiting[-1]
        assert (await second.execute("AT")).result == "OK"
        stopped = dialler.stopService()
        await stopped

    def met(self, client: ATClient, peer: IAddress) -> None:
        """No client is to be had."""
        raise AssertionError(f"{peer} has let us in")

    async def test_refusedAndAgain(self) -> None:
        """A dialler whose login is refused tries again after a pause, and has no error of its own (TEL-PY-07)."""
        module = await self.module("AT#TCPATRUNL=1")
        clock = Clock()
        pauses: list[int] = []
        paused: Deferred[None] = Deferred()

        def pause(failures: int) -> float:
            pauses.append(failures)
            if len(pauses) == 2:
                reactor.callLater(0.05, paused.callback, None)
            else:
                reactor.callLater(0.05, clock.advance, 7)
            return 7

        dialler = TCPATRUNDialler(
            clock, self.endpoint(module), login("wrong", stepByStep=False), self.met, retryPolicy=pause
        )
        dialler.startService()
        await paused
        assert pauses == [1, 2]
        await dialler.stopService()
        assert clock.getDelayedCalls() == []

    async def test_stoppedAtLogin(self) -> None:
        """A dialler that is stopped while it logs in closes the connection."""
        module = await self.module("AT#TCPATRUNL=1")
        clock = Clock()
        dialler = TCPATRUNDialler(clock, self.endpoint(module), login(), self.met)
        dialler.startService()
        await deferLater(reactor, 0.05)
        assert clock.getDelayedCalls() != []
        await dialler.stopService()
        assert clock.getDelayedCalls() == []
        await deferLater(reactor, 0.05)
        client = await logIn(reactor, self.endpoint(module), login(stepByStep=False))
        client.close()
        await client.whenLost()

    async def test_shutDown(self) -> None:
        """After AT#SHDN the link is lost, and the next command was never sent (TEL-NOT-07)."""
        module = await self.module("AT#TCPATRUNL=1")
        client = await logIn(reactor, self.endpoint(module), login(stepByStep=False))
        module.powerOff()
        await client.whenLost()
        with pytest.raises(LinkLost) as caught:
            await client.execute("AT")
        assert not caught.value.sent


class ClientModeTests(Stage):
    """
    The module connects to the host.
    """

    async def listen(self, onClient: Any) -> Any:
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(TCPATRUNListener(reactor, onClient))
        self.addCleanup(port.stopListening)
        return port

    async def test_several(self) -> None:
        """Several modules call one port, and are told apart by their answers (TEL-CLI-01, TEL-CLI-03, TEL-CLI-07)."""
        clients: list[ATClient] = []
        everybody: Deferred[None] = Deferred()

        def onClient(client: ATClient, peer: IAddress) -> None:
            clients.append(client)
            if len(clients) == 3:
                everybody.callback(None)

        port = await self.listen(onClient)
        for number in range(3):
            module = await self.module("AT#TCPATRUND=1", host=port.getHost().port)
            module.imei = f"35700000000000{number}"
        await everybody
        imeis = {(await client.execute("AT+CGSN")).lines[0] for client in clients}
        assert imeis == {f"35700000000000{number}" for number in range(3)}
        for client in clients:
            client.close()
            await client.whenLost()

    async def test_hostFirst(self) -> None:
        """The host listens before the service is enabled; else the module gives up by its own count (TEL-CLI-02)."""
        gone = await self.listen(lambda client, peer: None)
        number = gone.getHost().port
        await gone.stopListening()
        module = await self.module("AT#TCPATRUND=1", host=number)
        service = module.part(TCPATRUNService)
        while service.state is State.DIALLING:
            await deferLater(reactor, 0.01)
        assert service.state is State.GAVE_UP


class Stranger(Protocol):
    """
    Something that listens and is no module.
    """

    def connectionMade(self) -> None:
        self.transport.write(b"HTTP/1.0 400 Bad Request\r\n" * 100)  # type: ignore[union-attr]


class StrangerTests(TestCase):
    """
    What is no module at all.
    """

    timeout = 20

    async def test_noModule(self) -> None:
        """A peer that talks without a login prompt is refused at once."""

        class Strangers(Factory):
            noisy = False

            def buildProtocol(self, addr: IAddress | None) -> Any:
                return Stranger()

        port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Strangers())
        self.addCleanup(port.stopListening)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        with pytest.raises(LoginFailed):
            await logIn(reactor, endpoint, login(stepByStep=True))
        await deferLater(reactor, 0.05)
