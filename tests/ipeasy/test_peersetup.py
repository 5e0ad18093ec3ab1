"""What the peer sets before it opens a socket, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectError

from atrunproto.at.errors import Misuse, PeerViolation
from atrunproto.ipeasy.peer import IPEasyClientEndpoint, IPEasyServerEndpoint
from atrunproto.ipeasy.peercommand import CommandClientEndpoint, CommandServerEndpoint, CommandSockets
from atrunproto.ipeasy.peercontexts import Context, SocketSettings, configure, prepare, settingsOf
from atrunproto.testing.contract import End
from tests.ipeasy.modems import FAR, PORT, Caller, Modem, factoryOf

INTERNET = Context("internet")
#: the commands whose order matters
ORDERED = {"+CGDCONT", "#SCFG", "#FRWL", "#SGACT", "#SD", "#SL", "#SA"}
ADMITTED = [("127.0.0.0", "255.0.0.0")]


class Watched(Modem):
    """A module whose context isn't active; what the client says to it is written down.

    @ivar said: the names of those whose order matters.
    """

    def __init__(self) -> None:
        super().__init__(isActive=False)
        self.said: list[str] = []
        execute, connect = self.client.execute, self.client.connect

        def note(line: str) -> None:
            name, equals, _ = line.removeprefix("AT").partition("=")
            if equals and name in ORDERED:
                self.said.append(name)

        def executing(line: str, *values: Any, **named: Any) -> Any:
            note(line)
            return execute(line, *values, **named)

        def connecting(line: str, *values: Any, **named: Any) -> Any:
            note(line)
            return connect(line, *values, **named)

        client: Any = self.client
        self.client = Spy(client, executing, connecting)  # type: ignore[assignment]

    def run(self, work: Any) -> Any:
        """What a coroutine comes to."""
        return self.result(Deferred.fromCoroutine(work))


class Spy:
    """A client whose commands are heard."""

    def __init__(self, client: Any, execute: Any, connect: Any) -> None:
        self._client = client
        self.execute = execute
        self.connect = connect

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def dialling(modem: Modem, **facts: Any) -> Any:
    return IPEasyClientEndpoint(modem.client, 1, FAR, PORT, **facts)


def diallingCommand(modem: Modem, **facts: Any) -> Any:
    return CommandClientEndpoint(CommandSockets(modem.client), 1, FAR, PORT, **facts)


@pytest.mark.parametrize("endpoint", [dialling, diallingCommand])
def test_outgoing(endpoint: Any) -> None:
    """Access point, stack, context, connection, data, close: the guide's order; the context stays up (TEL-MSK-09)."""
    modem, near, far = Watched(), End(), End()
    modem.serve(far)
    settings = SocketSettings(packetSize=512, idle=30, connecting=30.0, sending=1.0)
    modem.result(endpoint(modem, context=INTERNET, settings=settings).connect(factoryOf(near)))
    assert modem.said == ["+CGDCONT", "#SCFG", "#SGACT", "#SD"]
    other = modem.plug(2)[0]
    assert modem.result(other.execute("AT#SCFG?")).lines[0] == "#SCFG: 1,1,512,30,300,10"
    near.write(b"there")
    far.write(b"back")
    modem.clock.advance(5)
    assert (near.received, far.received) == (b"back", b"there")
    near.transport.loseConnection()
    modem.clock.advance(10)
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)
    assert modem.ask("AT#SGACT?")[0] == "#SGACT: 1,1"
    # again: what is set already isn't set again
    modem.said.clear()
    modem.serve(End(), port=PORT + 1)
    again = IPEasyClientEndpoint(modem.client, 1, FAR, PORT + 1, INTERNET, settings)
    modem.result(again.connect(factoryOf(End())))
    assert modem.said == ["#SD"]


def listening(modem: Modem, **facts: Any) -> Any:
    return IPEasyServerEndpoint(modem.client, 1, PORT, **facts)


def listeningCommand(modem: Modem, **facts: Any) -> Any:
    return CommandServerEndpoint(CommandSockets(modem.client), 1, PORT, **facts)


@pytest.mark.parametrize("endpoint", [listening, listeningCommand])
def test_incoming(endpoint: Any) -> None:
    """Access point, stack, firewall, context, listening, callers, data, close: the guide's order (TEL-LIS-01)."""
    modem, near, far = Watched(), End(), End()
    settings = SocketSettings(idle=0)
    serving = endpoint(modem, context=INTERNET, settings=settings, admitted=ADMITTED)
    port = modem.result(serving.listen(factoryOf(near, End())))
    assert modem.said == ["+CGDCONT", "#SCFG", "#FRWL", "#SGACT", "#SL"]
    address = port.getHost()
    modem.clock.connectTCP(address.host, address.port, Caller(far))
    modem.clock.advance(5)
    assert modem.said[5:] == ["#SA"]
    near.write(b"back")
    far.write(b"there")
    modem.clock.advance(5)
    assert (near.received, far.received) == (b"there", b"back")
    near.transport.loseConnection()
    modem.clock.advance(20)
    assert len(far.losses) == 1
    assert modem.ask("AT#SGACT?")[0] == "#SGACT: 1,1"
    # the next caller is waited for
    assert modem.ask("AT#SS=1")[0].startswith("#SS: 1,4,")
    modem.result(port.stopListening())
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


@pytest.mark.parametrize("endpoint", [listening, listeningCommand])
def test_callerGone(endpoint: Any) -> None:
    """A caller that goes before it is taken doesn't end the listening: the next one is served (TEL-LIS-01)."""
    modem, near, far = Watched(), End(), End()
    port = modem.result(endpoint(modem, context=INTERNET, admitted=ADMITTED).listen(factoryOf(near)))
    address, gone = port.getHost(), End()
    modem.clock.connectTCP(address.host, address.port, Caller(gone))
    taking = modem.link.module.write

    def write(data: bytes) -> None:
        taking(data)
        if b"#SS: 1,5" in data:
            # between the look at the socket and the taking
            modem.link.module.write = taking  # type: ignore[method-assign]
            gone.transport.abortConnection()

    modem.link.module.write = write  # type: ignore[method-assign]
    modem.clock.advance(20)
    assert len(gone.losses) == 1
    modem.clock.connectTCP(address.host, address.port, Caller(far))
    modem.clock.advance(5)
    far.write(b"there")
    modem.clock.advance(5)
    assert near.received == b"there"


def test_beforeOpening() -> None:
    """A socket is set before it is opened; one that is open isn't touched, and that is an error (TEL-SCF-07)."""
    modem = Watched()
    modem.serve(End())
    modem.result(dialling(modem, context=INTERNET, settings=SocketSettings()).connect(factoryOf(End())))
    assert modem.said.index("#SCFG") < modem.said.index("#SD")
    other = modem.plug(2)[0]
    busy = IPEasyClientEndpoint(other, 1, FAR, PORT, INTERNET, SocketSettings(idle=7))
    with pytest.raises(ConnectError):
        modem.result(busy.connect(factoryOf(End())))
    with pytest.raises(CannotListenError):
        modem.result(IPEasyServerEndpoint(other, 1, PORT, None, (), SocketSettings(idle=7)).listen(factoryOf()))
    settings = modem.result(Deferred.fromCoroutine(settingsOf(other)))
    assert settings[1] == SocketSettings()


def test_firstContext() -> None:
    """Socket 1 is tied to context 1, whatever it was tied to, unless the program says otherwise (TEL-SCF-08)."""
    assert SocketSettings().cid == Context("internet").cid == 1
    modem = Watched()
    modem.ask("AT#SCFG=1,3,512,30,300,100")
    modem.said.clear()
    modem.serve(End())
    modem.result(dialling(modem, context=INTERNET).connect(factoryOf(End())))
    assert modem.said == ["+CGDCONT", "#SCFG", "#SGACT", "#SD"]
    other = modem.plug(2)[0]
    settings = modem.result(Deferred.fromCoroutine(settingsOf(other)))
    # the rest is as it was
    assert settings[1] == SocketSettings(1, 512, 30, 30.0, 10.0)


def test_otherContext() -> None:
    """A program may tie a socket to another context, but not to one and use another."""
    modem = Watched()
    context = Context("other", 2)
    modem.run(prepare(modem.client, 4, context))
    assert modem.run(settingsOf(modem.client))[4].cid == 2
    with pytest.raises(Misuse):
        modem.run(prepare(modem.client, 4, context, SocketSettings(cid=1)))
    modem.run(configure(modem.client, 5, SocketSettings(3)))
    assert modem.run(settingsOf(modem.client))[5] == SocketSettings(3)


def test_nonsense() -> None:
    """A module that shows something else for its sockets is not believed."""

    class Odd:
        async def execute(self, line: str) -> Any:
            return type("Answer", (), {"lines": ("#SCFG: 1,1,x",)})

    with pytest.raises(PeerViolation):
        Modem().result(Deferred.fromCoroutine(settingsOf(Odd())))  # type: ignore[arg-type]
