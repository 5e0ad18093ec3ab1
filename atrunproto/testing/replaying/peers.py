"""
The peers round the module: who they are, where they listen, and from where they connect.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol

from atrunproto.testing.dialogue import Dialogue, Event, Fact, octetsOf
from atrunproto.testing.quietclock import QuietClock
from atrunproto.testing.replaying.ports import DatagramPeer, Echo, Listener, Peer, Port, closed

_NAMED_NET: Final = "127.80.0."
"""Where hosts that a dialogue knows by name only get their addresses."""

_PEERS: Final = ("tcp", "sock", "sock2", "sock3")


class Peers:
    """
    All peers of one dialogue.

    @ivar hosts: the addresses of the names in the dialogue.
    """

    def __init__(self, reactor: Any, quiet: QuietClock, dialogue: Dialogue, files: Path) -> None:
        """
        @param files: a folder that the FTP server may make for its files.
        """
        self._files = files
        self.hosts: dict[str, str] = {}
        self._dialogue = dialogue
        self._reactor = reactor
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._services: list[IListeningPort] = []
        self._ports: dict[str, Port] = {}
        self._tcp: Fact | None = None
        datagrams = {fact.values["target"] for fact in dialogue.facts if fact.word == "peer" and "udp" in fact.values}
        datagrams |= {
            step.values["target"] for step in dialogue.steps if isinstance(step, Event) and "udp" in step.values
        }
        for name in _PEERS:
            self._ports[name] = (DatagramPeer if name in datagrams else Peer)(name, quiet, reactor)

    def start(self) -> None:
        """
        Make the facts true that are about peers.

        @raise CannotListenError: an address is in use, or a port number isn't for this user.
        """
        for fact in self._dialogue.facts:
            self._take(fact)

    def _take(self, fact: Fact) -> None:
        if fact.word == "address tcp":
            self._tcp = fact
            return
        if fact.word == "ftp-file":
            self._write(fact.values["path"], octetsOf(fact.values["content"]))
            return
        if fact.word not in ("peer", "echo", "silent", "refused", "ftp"):
            return
        host, number = self.address(fact.values["host"]), int(fact.values["number"])
        if fact.word == "echo":
            self._serve(host, number, Echo)
        elif fact.word == "ftp":
            self._serveFiles(host, number, fact.values["user"], fact.values["password"])
        elif fact.word == "silent":
            self._serve(host, number, Protocol)
        elif fact.word == "peer":
            peer = self._ports[fact.values["target"]]
            if isinstance(peer, DatagramPeer):
                peer.bind(host, number)
            elif isinstance(peer, Peer):
                self._listen(peer, host, number)

    def port(self, name: str) -> Port:
        """A peer by its name."""
        return self._ports[name]

    def address(self, host: str) -> str:
        """The address of a host; a name gets one the first time."""
        if host.replace(".", "").isdigit():
            return host
        return self.hosts.setdefault(host, f"{_NAMED_NET}{len(self.hosts) + 1}")

    def connect(self, peer: Port, event: Event, host: str, number: int) -> None:
        """Let a peer connect to the module, from the address that the dialogue or its header gives."""
        source = event.values.get("address")
        if source is None and peer.name == "tcp" and self._tcp is not None:
            source = self._tcp.values["address"]
        number = int(event.values.get("number", number))
        if isinstance(peer, DatagramPeer):
            peer.open(host, number, source or "127.0.0.1")
        elif isinstance(peer, Peer):
            peer.connect(host, number, source)

    def listen(self, peer: Port) -> None:
        """Let a peer wait for the module, at the address that the header gives."""
        if not isinstance(peer, Peer) or peer.name != "tcp" or self._tcp is None or "number" not in self._tcp.values:
            raise OSError(f"no address and port number is given for {peer.name} to listen on")
        self._listen(peer, self._tcp.values["address"], int(self._tcp.values["number"]))

    def unlisten(self, peer: Port) -> None:
        """Let a peer wait no more."""
        for place, listener in list(self._listeners.items()):
            if peer in listener.peers:
                del self._listeners[place]
                listener.stop()

    def stop(self) -> list[Deferred[None]]:
        """End everything; what is given fires when nobody listens any more."""
        for port in self._ports.values():
            port.stop()
        listening = [listener.stop() for listener in self._listeners.values()]
        return [*listening, *map(closed, self._services)]

    def _serve(self, host: str, number: int, protocol: type[Protocol]) -> None:
        self._services.append(self._reactor.listenTCP(number, Factory.forProtocol(protocol), interface=host))

    def _serveFiles(self, host: str, number: int, user: str, password: str) -> None:
        # to import it installs the reactor, and few dialogues need it
        from atrunproto.testing.replaying.ftpserver import ftpFactory

        self._files.mkdir(exist_ok=True)
        factory = ftpFactory(self._files, user, password)
        self._services.append(self._reactor.listenTCP(number, factory, interface=host))

    def _write(self, path: str, content: bytes) -> None:
        place = self._place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def _place(self, path: str) -> Path:
        """
        Where a file of the FTP server is.

        @raise OSError: not within its folder.
        """
        place = (self._files / path.lstrip("/")).resolve()
        if not place.is_relative_to(self._files.resolve()):
            raise OSError(f"{path} is not within the files of the FTP server")
        return place

    def stored(self, path: str) -> bytes | None:
        """A file on the FTP server, if it is there."""
        place = self._place(path)
        return place.read_bytes() if place.is_file() else None

    def _listen(self, peer: Peer, host: str, number: int) -> None:
        place = host, number
        if place not in self._listeners:
            self._listeners[place] = Listener(self._reactor, host, number)
        if peer not in self._listeners[place].peers:
            self._listeners[place].peers.append(peer)
