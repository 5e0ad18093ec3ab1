"""
The sockets of one module: what passes through them online, of both vendors, and commands that send and receive.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from atrunproto.multitech.coding import codingOf
from atrunproto.transparent.module import FRAME

from .children import Child
from .clients import STUCK, Address, Block, Step, connected, play, received, stream
from .coding import BLOCK, text
from .turns import Figure, Scale, Turn, atLeast, compare, measured, rates

#: AT instances of a module, each of which can be online
INSTANCES = 3
#: sockets of a module
SOCKETS = 6
#: octets of a packet of a socket, by the factory
PACKET = 300
MEGABYTE = 1e6
#: pairs of sockets: the end on the AT port, and the server's
Ways = list[tuple[socket.socket, socket.socket]]
_ONLINE, _COMMAND = 0, 1
TO_PORT, TO_SERVER = "Internet to AT port", "AT port to Internet"
#: what ends the answer to a command that succeeds
_DONE = tuple(end + b"\r\n" for end in (b"OK", b"CONNECT", b"GprsActivation", b"WaitingForData"))


class Doors:
    """
    Connections to the AT ports of one module, or to a bare program that stands for it; and what it connects to.
    """

    def __init__(self, stack: ExitStack, addresses: Sequence[Address], server: socket.socket) -> None:
        """
        @param stack: closes them.
        @param addresses: of the AT ports.
        @param server: what the sockets of the module connect to.
        """
        self._stack = stack
        self._server = server
        self.ports = [stack.enter_context(connected((host, number))) for host, number in addresses]

    def ask(self, port: int, line: str) -> None:
        """
        Run a command line that succeeds.
        """
        self.ports[port].sendall(line.encode() + b"\r")
        heard = b""
        while not heard.endswith(_DONE):
            heard += received(self.ports[port])

    def accept(self) -> socket.socket:
        """
        The server's end of a new connection.
        """
        far = self._stack.enter_context(self._server.accept()[0])
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return far


class EasyDoors(Doors):
    """
    Those of a module with IP Easy sockets.
    """

    def setUp(self) -> None:
        """
        Have the context active and all sockets on it.
        """
        for port in range(len(self.ports)):
            self.ask(port, "ATE0")
        self.ask(0, 'AT+CGDCONT=1,"IP","x"')
        for connId in range(1, SOCKETS + 1):
            self.ask(0, f"AT#SCFG={connId},1,{PACKET},90,600,50")
        self.ask(0, "AT#SGACT=1,1")

    def dial(self, port: int, connId: int, mode: int) -> socket.socket:
        """
        Open a connection, and give the server's end.
        """
        self.ask(port, f'AT#SD={connId},0,{self._server.getsockname()[1]},"127.0.0.1",0,0,{mode}')
        return self.accept()


class TransparentDoors(Doors):
    """
    That of a Multi-Tech modem.
    """

    def setUp(self) -> None:
        """
        Connect the modem.
        """
        for line in ("ATE0", "AT+WOPEN=1", 'AT#APNSERV="x"', "AT#CONNECTIONSTART"):
            self.ask(0, line)

    def open(self, dleMode: int) -> socket.socket:
        """
        Open a connection, and give the server's end.
        """
        values = {"TCPSERV": '"127.0.0.1"', "TCPPORT": self._server.getsockname()[1], "DLEMODE": dleMode}
        for name, value in values.items():
            self.ask(0, f"AT#{name}=1,{value}")
        self.ask(0, "AT#OTCP=1")
        return self.accept()


@contextmanager
def listening() -> Iterator[tuple[ExitStack, socket.socket]]:
    """
    The server, and what is closed before it.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as stack:
        server.settimeout(STUCK)
        yield stack, server


def sockets(scale: Scale) -> Iterator[Figure]:
    """
    The sockets of one module, online and in command mode.
    """
    for count in (1, INSTANCES):
        yield from _online(scale, count)
    for count in (1, SOCKETS):
        yield from _inCommandMode(scale, count)


def transparent(scale: Scale) -> Iterator[Figure]:
    """
    What passes through the online socket of a Multi-Tech modem in both directions, coded and as it is.
    """
    size = FRAME * (BLOCK // FRAME)
    octets = random.Random(5).randbytes(size)
    for kind, data, dleMode in (("random octets", octets, 1), ("text", text(size), 1), ("random octets", octets, 0)):
        coded = codingOf(dleMode).encode(data)
        plain = Block(data, size, size)
        with (
            listening() as (stack, server),
            Child("Modules", count=1, product="MTCBA-G") as modem,
            Child("Relay", target=server.getsockname()[1], size=FRAME) as relay,
        ):
            doors = TransparentDoors(stack, modem.facts["addresses"], server)
            doors.setUp()
            subject = (modem, [(doors.ports[0], doors.open(dleMode))])
            bare = (relay, relayed(stack, relay, server, 1), plain)
            for direction, toServer, block in (
                (TO_PORT, False, plain._replace(arriving=len(coded))),
                (TO_SERVER, True, plain._replace(data=coded)),
            ):
                name = f"{direction}, DLEMODE {dleMode}, {kind}"
                yield from _throughput(name, scale, (*subject, block), bare, toServer, 0.5)


def relayed(stack: ExitStack, relay: Child, server: socket.socket, count: int) -> Ways:
    """
    Connections through the bare relay.
    """
    ways: Ways = []
    for _ in range(count):
        doors = Doors(stack, relay.facts["addresses"], server)
        ways.append((doors.ports[0], doors.accept()))
    return ways


def _online(scale: Scale, count: int) -> Iterator[Figure]:
    """
    What passes through online sockets, each on an AT instance of its own, in both directions.
    """
    size = PACKET * (BLOCK // PACKET)
    block = Block(bytes(size), size, size)
    with (
        listening() as (stack, server),
        Child("Modules", count=1, instances=INSTANCES) as modules,
        Child("Relay", target=server.getsockname()[1], size=PACKET) as relay,
    ):
        doors = EasyDoors(stack, modules.facts["addresses"][:count], server)
        doors.setUp()
        subject = [(near, doors.dial(number, number + 1, _ONLINE)) for number, near in enumerate(doors.ports)]
        bare = relayed(stack, relay, server, count)
        for direction, toServer in ((TO_PORT, False), (TO_SERVER, True)):
            name = f"{direction}, {count} online"
            yield from _throughput(name, scale, (modules, subject, block), (relay, bare, block), toServer, 0.8)


def _throughput(
    name: str,
    scale: Scale,
    subject: tuple[Child, Ways, Block],
    bare: tuple[Child, Ways, Block],
    toServer: bool,
    least: float,
) -> Iterator[Figure]:
    """
    MB a second one way, and the CPU time for each.
    """

    def run(child: Child, ways: Ways, block: Block) -> Turn:
        turned = ways if toServer else [(far, near) for near, far in ways]
        return measured(child, lambda: stream(turned, scale.seconds, block))

    one, other, ratio = compare(scale.turns, lambda: run(*subject), lambda: run(*bare))
    yield atLeast(Figure(name, one.rate / MEGABYTE, "MB/s", other.rate / MEGABYTE, ratio.rate), least)
    yield Figure(name, one.cost * MEGABYTE, "us/MB", other.cost * MEGABYTE, ratio.cost)


def _sending(near: socket.socket, far: socket.socket, connId: int) -> list[Step]:
    """
    Send a packet by command.
    """
    return [
        Step(near, b"AT#SSENDEXT=%d,%d\r" % (connId, PACKET), ((near, len(b"\r\n> ")),)),
        Step(near, bytes(PACKET), ((near, len(b"\r\nOK\r\n")), (far, PACKET))),
    ]


def _receiving(near: socket.socket, far: socket.socket, connId: int) -> list[Step]:
    """
    Hear of a packet, and fetch it by command.
    """
    answer = len(b"\r\n#SRECV: %d,%d\r\n\r\n\r\nOK\r\n" % (connId, PACKET)) + PACKET
    return [
        Step(far, bytes(PACKET), ((near, len(b"\r\nSRING: %d\r\n" % connId)),)),
        Step(near, b"AT#SRECV=%d,%d\r" % (connId, PACKET), ((near, answer),)),
    ]


def _inCommandMode(scale: Scale, count: int) -> Iterator[Figure]:
    """
    Commands that send and receive: one connection, and all sockets of a module, as many on each AT instance.
    """
    with (
        listening() as (stack, server),
        Child("Modules", count=1, instances=INSTANCES) as modules,
        Child("LineSockets") as lines,
    ):
        used = min(count, INSTANCES)
        places = (modules.facts["addresses"][:used], lines.facts["addresses"] * used)
        both = [(child, EasyDoors(stack, where, server)) for child, where in zip((modules, lines), places, strict=True)]
        # of each, by AT port: near end, far end and number of its sockets
        ways: list[list[list[tuple[socket.socket, socket.socket, int]]]] = []
        for _, doors in both:
            doors.setUp()
            ways.append([[] for _ in range(used)])
            for number in range(count):
                port = number % used
                ways[-1][port].append((doors.ports[port], doors.dial(port, number + 1, _COMMAND), number + 1))

        def turn(
            which: int, operation: Callable[[socket.socket, socket.socket, int], list[Step]]
        ) -> Callable[[], Turn]:
            scripts = [[operation(*way) for way in port] for port in ways[which]]
            return lambda: measured(both[which][0], lambda: play(scripts, scale.seconds))

        for command, operation in (("#SSENDEXT", _sending), ("SRING, #SRECV", _receiving)):
            name = f"{command}, {count} in command mode"
            yield from rates(name, scale.turns, turn(0, operation), turn(1, operation))
