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
from atrunproto.testing.replaying.datagrams import Address, DatagramEcho, DatagramPlace
from atrunproto.testing.replaying.ftpscript import Script
from atrunproto.testing.replaying.ports import Echo, Listener, Peer, Port, closed

_NAMED_NET: Final = "127.80.0."
"""Where hosts that a dialogue knows by name only get their addresses."""

_PEERS: Final = ("tcp", "sock", "sock2", "sock3")


class Peers:
    """
    All peers of one dialogue.

    @ivar hosts: the addresses of the names in the dialogue.
    @ivar ftp: what happens with the FTP server.
    """

    def __init__(self, reactor: Any, quiet: QuietClock, dialogue: Dialogue, files: Path) -> None:
        """
        @param files: a folder that the FTP server may make for its files.
        """
        self._files = files
        self.hosts: dict[str, str] = {}
        self.ftp = Script()
        self._dialogue = dialogue
        self._reactor = reactor
        self._places: dict[tuple[type, str, int], Listener | DatagramPlace] = {}
        self._services: list[IListeningPort] = []
        self._tcp: Fact | None = None
        self._ports = {name: Peer(name, quiet, reactor) for name in _PEERS}

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
            self._write(fact.values["path"], octetsOf(fact.values.get("content", "")))
            return
        if fact.word == "ftp-cut":
            self.ftp.cuts[fact.values["path"].lstrip("/")] = octetsOf(fact.values["content"])
            return
        if fact.word == "ftp-refuses":
            self.ftp.refuse(fact.values["text"])
            return
        if fact.word not in ("peer", "echo", "silent", "refused", "ftp"):
            return
        host, number = self.address(fact.values["host"]), int(fact.values["number"])
        if fact.word == "echo":
            self._serve(host, number, Echo)
            self._services.append(self._reactor.listenUDP(number, DatagramEcho(), interface=host))
        elif fact.word == "ftp":
            self._serveFiles(host, number, fact.values["user"], fact.values["password"])
        elif fact.word == "silent":
            self._serve(host, number, Protocol)
        elif fact.word == "peer":
            self._wait(self._ports[fact.values["target"]], host, number, "udp" in fact.values)

    def port(self, name: str) -> Peer:
        """A peer by its name."""
        return self._ports[name]

    def address(self, host: str) -> str:
        """The address of a host; a name gets one the first time."""
        if host.replace(".", "").isdigit():
            return host
        return self.hosts.setdefault(host.lower(), f"{_NAMED_NET}{len(self.hosts) + 1}")

    def connect(self, peer: Port, event: Event, host: str, number: int) -> None:
        """Let a peer connect to the module, from the address that the dialogue or its header gives."""
        assert isinstance(peer, Peer)
        source = event.values.get("address")
        if source is None and peer.name == "tcp" and self._tcp is not None:
            source = self._tcp.values["address"]
        number = int(event.values.get("number", number))
        if "udp" in event.values:
            peer.stop()
            DatagramPlace(self._reactor, source or "127.0.0.1", 0).call(peer, (host, number))
        else:
            peer.connect(host, number, source)

    @property
    def speaker(self) -> Address | None:
        """From where the module has sent datagrams to a peer."""
        places = (place for place in self._places.values() if isinstance(place, DatagramPlace))
        return next((address for place in places for address in place.speakers), None)

    def listen(self, peer: Port, number: int = 0) -> None:
        """
        Let a peer wait for the module where the header says that it is.

        @param number: the port number, where the header gives an address alone.
        @raise OSError: the header doesn't say where.
        """
        places = [fact for fact in self._dialogue.facts if fact.word == "peer" and fact.values["target"] == peer.name]
        if peer.name == "tcp" and self._tcp is not None and (number or "number" in self._tcp.values):
            self._wait(self._ports["tcp"], self._tcp.values["address"], int(self._tcp.values.get("number", number)))
        elif not places:
            raise OSError(f"no address and port number is given for {peer.name} to listen on")
        for fact in places:
            self._take(fact)

    def unlisten(self, peer: Port) -> None:
        """Let a peer wait no more."""
        for key, place in list(self._places.items()):
            place.peers = [each for each in place.peers if each is not peer]
            if not place.peers:
                del self._places[key]
                place.stop()

    def stop(self) -> list[Deferred[None]]:
        """End everything; what is given fires when nobody listens any more."""
        for port in self._ports.values():
            port.stop()
        listening = [place.stop() for place in self._places.values()]
        return [*listening, *map(closed, self._services)]

    def _serve(self, host: str, number: int, protocol: type[Protocol]) -> None:
        self._services.append(self._reactor.listenTCP(number, Factory.forProtocol(protocol), interface=host))

    def _serveFiles(self, host: str, number: int, user: str, password: str) -> None:
        # to import it installs the reactor, and few dialogues need it
        from atrunproto.testing.replaying.ftpserver import ftpFactory

        self._files.mkdir(exist_ok=True)
        factory = ftpFactory(self._files, user, password, self.ftp)
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

    def _wait(self, peer: Peer, host: str, number: int, onlyDatagrams: bool = False) -> None:
        """Let a peer wait for connections and for datagrams, beside those that wait there already."""
        for kind in (DatagramPlace,) if onlyDatagrams else (Listener, DatagramPlace):
            key = kind, host, number
            if key not in self._places:
                self._places[key] = kind(self._reactor, host, number)
            if peer not in self._places[key].peers:
                self._places[key].peers.append(peer)
