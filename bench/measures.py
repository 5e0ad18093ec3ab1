"""
What is measured. Each bench runs its subject and a bare Twisted program by turns and gives figures with their ratio.
"""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from .children import CLIENT_CPU, Child
from .clients import STUCK, Address, Count, Lines, connected, cycles, received, stream

ECHO_OFF, ECHO_ON = b"ATE0\r", b"ATE1\r"
REQUEST = b"AT+CSQ\r"
ANSWER = b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
USER, PASSWORD = "user", "password"
LOGIN = f"{USER}\r{PASSWORD}\r".encode()
#: a line as long as the answer, for the bare server
PLAIN = b"." * (len(ANSWER) - 1) + b"\r"
#: requests under way on a connection when they are sent ahead
AHEAD = 500
#: modules from which on memory and time of the fleet have an aim
AGREED = 10_000
#: online sockets at a time
AT_ONCE = 6
#: octets of a packet of a socket, by the factory
PACKET = 300
#: pairs of sockets: the end on the AT port, and the server's
Ways = list[tuple[socket.socket, socket.socket]]
#: seconds for which memory settles before it is read
SETTLING = 1.0


class Figure(NamedTuple):
    """
    One result.

    @ivar baseline: the same of the bare program; C{None}: there is none.
    @ivar ratio: to the baseline, the median of the ratios of each turn.
    @ivar aim: what it should be, in words; empty: nothing was agreed.
    @ivar met: whether it is.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Scale:
    """
    How much is done.

    @ivar seconds: of one turn.
    @ivar turns: the figures are their medians.
    @ivar many: clients at a time, where there are many.
    @ivar fleets: numbers of modules.
    """

    seconds: float = 2.0
    turns: int = 5
    many: int = 100
    fleets: tuple[int, ...] = (1_000, 10_000)


QUICK = Scale(0.5, 3, 100, (1_000,))


class Turn(NamedTuple):
    """
    One turn of a client against a server: how many a second, and the server's CPU time for each in microseconds.
    """

    rate: float
    cost: float


def measured(server: Child, run: Callable[[], Count]) -> Turn:
    """
    Run a client, and see what the server uses meanwhile.
    """
    before = server.cpu()
    count = run()
    return Turn(count.rate, (server.cpu() - before) / count.done * 1e6)


def compare(turns: int, subject: Callable[[], Turn], bare: Callable[[], Turn]) -> tuple[Turn, Turn, Turn]:
    """
    Run both by turns, the first pair unmeasured.

    @return: the medians of the subject, of the bare program, and of the ratios.
    """
    subject(), bare()
    pairs = [(subject(), bare()) for _ in range(turns)]
    ratios = [Turn(s.rate / b.rate, s.cost / b.cost) for s, b in pairs]
    return _median([s for s, _ in pairs]), _median([b for _, b in pairs]), _median(ratios)


def _median(turns: list[Turn]) -> Turn:
    return Turn(median(turn.rate for turn in turns), median(turn.cost for turn in turns))


@contextmanager
def lines(addresses: list[Address], greeting: bytes = b"", answer: bytes = b"") -> Iterator[Lines]:
    """
    Connections for a while.
    """
    connections = Lines([(host, port) for host, port in addresses], greeting, answer)
    try:
        yield connections
    finally:
        connections.close()


def local(scale: Scale) -> Iterator[Figure]:
    """
    Round trips on local AT ports over TCP: one client, and many with a module each.
    """
    for clients, aim in ((1, 0.7), (scale.many, 0.5)):
        with Child("Modules", count=clients) as modules, Child("Bare") as bare:
            for echo, greeting, size in (
                ("off", ECHO_OFF, len(ANSWER)),
                ("on", ECHO_ON, len(REQUEST) + len(ANSWER)),
            ):
                with (
                    lines(modules.facts["addresses"], greeting, b"OK\r\n") as subject,
                    lines(bare.facts["addresses"] * clients) as plain,
                ):
                    one, other, ratio = compare(
                        scale.turns,
                        lambda: measured(modules, lambda: subject.run(REQUEST, size, scale.seconds)),  # noqa: B023
                        lambda: measured(bare, lambda: plain.run(PLAIN, len(PLAIN), scale.seconds)),
                    )
                name = f"AT+CSQ, local port, {clients} client{'s' if clients > 1 else ''}, echo {echo}"
                yield Figure(name, one.rate, "/s", other.rate, ratio.rate, f"ratio >= {aim}", ratio.rate >= aim)
                yield Figure(name, one.cost, "us CPU", other.cost, ratio.cost)


def services(scale: Scale) -> Child:
    """
    Modules with TCPATRUN in server mode.
    """
    return Child("Services", count=scale.many, user=USER, password=PASSWORD)


def service(scale: Scale) -> Iterator[Figure]:
    """
    Commands over TCPATRUN in server mode: one after the other, which txTo=1 paces, and sent ahead.
    """
    with services(scale) as modules, Child("Bare", delay=0.1) as slow, Child("Bare") as fast:
        addresses = modules.ask("listening")
        with (
            lines(addresses, LOGIN + REQUEST, b"OK\r\n") as subject,
            lines(slow.facts["addresses"] * scale.many) as plain,
        ):
            one, other, ratio = compare(
                scale.turns,
                lambda: measured(modules, lambda: subject.run(REQUEST, len(ANSWER), scale.seconds)),
                lambda: measured(slow, lambda: plain.run(PLAIN, len(PLAIN), scale.seconds)),
            )
        name = f"AT+CSQ, TCPATRUN, txTo=1, {scale.many} clients"
        yield Figure(name, one.rate, "/s", other.rate, ratio.rate)
        yield Figure(name, one.cost, "us CPU", other.cost, ratio.cost)
        with (
            lines(addresses[:1], LOGIN + REQUEST, b"OK\r\n") as subject,
            lines(fast.facts["addresses"]) as plain,
        ):
            one, other, ratio = compare(
                scale.turns,
                lambda: measured(modules, lambda: subject.run(REQUEST, len(ANSWER), scale.seconds, AHEAD)),
                lambda: measured(fast, lambda: plain.run(PLAIN, len(PLAIN), scale.seconds, AHEAD)),
            )
        name = f"AT+CSQ, TCPATRUN, {AHEAD} ahead, #TCPATCMDSEQ=1, 1 client"
        yield Figure(name, one.rate, "/s", other.rate, ratio.rate)
        yield Figure(name, one.cost, "us CPU", other.cost, ratio.cost)


def login(scale: Scale) -> Iterator[Figure]:
    """
    Connections to modules in server mode: automatic login, one command, close.
    """
    request = LOGIN + REQUEST
    plain = b"." * (len(request) - 1) + b"\r"
    with services(scale) as modules, Child("Bare", delay=0.1) as bare:
        addresses = [(host, port) for host, port in modules.ask("listening")]
        places = [(host, port) for host, port in bare.facts["addresses"]] * scale.many
        one, other, ratio = compare(
            scale.turns,
            lambda: measured(modules, lambda: cycles(addresses, request, len(ANSWER), scale.seconds)),
            lambda: measured(bare, lambda: cycles(places, plain, len(plain), scale.seconds)),
        )
    name = f"connect, login, AT+CSQ, close, txTo=1, {scale.many} clients"
    yield Figure(name, one.rate, "/s", other.rate, ratio.rate)
    yield Figure(name, one.cost, "us CPU", other.cost, ratio.cost)


class Fleet(NamedTuple):
    """
    What a host with many callers was seen to do.

    @ivar memory: octets for each, of the callers and of the host.
    @ivar cost: microseconds of CPU time for each connection, of the callers and of the host.
    @ivar seconds: of a fan-out, the median.
    @ivar share: microseconds of CPU time for each command of a fan-out, of the callers and of the host.
    """

    rate: float
    memory: tuple[float, float]
    cost: tuple[float, float]
    seconds: float
    share: tuple[float, float]


def together(callersKind: str, hostKind: str, count: int, turns: int) -> Fleet:
    """
    Have callers connect to a host, then fan a command out to them.
    """
    with Child(hostKind, CLIENT_CPU) as host, Child(callersKind) as callers:
        both = (callers, host)
        before = [child.cpu() for child in both]
        begun = time.perf_counter()
        callers.ask("dial", count=count, port=host.facts["port"])
        host.ask("connected", count=count)
        rate = count / (time.perf_counter() - begun)
        cost = [(child.cpu() - used) / count * 1e6 for child, used in zip(both, before, strict=True)]
        time.sleep(SETTLING)
        memory = [child.grown() / count for child in both]
        seconds, share = [], []
        for _ in range(turns + 1):
            before = [child.cpu() for child in both]
            result = host.ask("fanOut")
            if result["answers"] != count:
                raise RuntimeError(f"{result['answers']} of {count} have answered")
            seconds.append(result["seconds"])
            share.append([(child.cpu() - used) / count * 1e6 for child, used in zip(both, before, strict=True)])
        # the first one warms up
        callersShare, hostShare = zip(*share[1:], strict=True)
        return Fleet(
            rate,
            (memory[0], memory[1]),
            (cost[0], cost[1]),
            median(seconds[1:]),
            (median(callersShare), median(hostShare)),
        )


def fleet(scale: Scale) -> Iterator[Figure]:
    """
    Modules in client mode, all in one process, and the host in another: memory, connecting, and one command for all.
    """
    for count in scale.fleets:
        _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files < count + 100:
            yield Figure(f"{count} modules: skipped, {files} open files allowed", 0, "")
            continue
        bare = together("BareCallers", "BareHost", count, scale.turns)
        seen = together("Callers", "FleetHost", count, scale.turns)
        agreed = count >= AGREED
        name = f"{count} modules"
        yield beside(f"{name}, connect and identify", seen.rate, "/s", bare.rate)
        for index, side, most in ((0, "emulator", 10_000), (1, "host", 4_000)):
            yield beside(f"{name}, {side}, each", seen.memory[index], "B", bare.memory[index], most if agreed else None)
            yield beside(f"{name}, {side}, connect and identify", seen.cost[index], "us CPU", bare.cost[index])
        yield beside(f"{name}, AT+CSQ to all, stored", seen.seconds, "s", bare.seconds, 1.5 if agreed else None)
        for index, side in enumerate(("emulator", "host")):
            yield beside(f"{name}, {side}, AT+CSQ to all", seen.share[index], "us CPU", bare.share[index])


def beside(name: str, value: float, unit: str, bare: float, most: float | None = None) -> Figure:
    """
    A figure that was measured once, and its baseline.

    @param most: what it should be at most; C{None}: nothing was agreed.
    """
    ratio = value / bare if bare else None
    if most is None:
        return Figure(name, value, unit, bare, ratio)
    return Figure(name, value, unit, bare, ratio, f"<= {most:,} {unit}", value <= most)


@contextmanager
def online(modules: Child, relay: Child, server: socket.socket, count: int) -> Iterator[tuple[Ways, Ways]]:
    """
    Connections through online sockets, one on each module, and as many through the relay: near end and far end.
    """
    ways: list[list[tuple[socket.socket, socket.socket]]] = [[], []]
    port = server.getsockname()[1]
    dial = (ECHO_OFF, b'AT+CGDCONT=1,"IP","x"\r', b"AT#SGACT=1,1\r", b'AT#SD=1,0,%d,"127.0.0.1"\r' % port)
    try:
        for addresses, lines, found in (
            (modules.facts["addresses"], dial, ways[0]),
            (relay.facts["addresses"] * count, (), ways[1]),
        ):
            for host, number in addresses[:count]:
                near = connected((host, number))
                for line in lines:
                    near.sendall(line)
                    heard = b""
                    while not heard.endswith((b"OK\r\n", b"CONNECT\r\n")):
                        heard += received(near)
                found.append((near, server.accept()[0]))
        yield ways[0], ways[1]
    finally:
        for near, far in (*ways[0], *ways[1]):
            near.close()
            far.close()


def sockets(scale: Scale) -> Iterator[Figure]:
    """
    What passes through online sockets, each on an AT port of its own, in both directions.
    """
    for count in (1, AT_ONCE):
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            Child("Modules", count=count) as modules,
            Child("Relay", target=server.getsockname()[1], size=PACKET) as relay,
        ):
            server.settimeout(STUCK)
            with online(modules, relay, server, count) as (subject, bare):
                for direction, toServer in (("Internet to AT port", False), ("AT port to Internet", True)):
                    yield _throughput(
                        f"{direction}, {count} online", scale, (modules, subject), (relay, bare), toServer
                    )


def _throughput(
    name: str, scale: Scale, subject: tuple[Child, Ways], bare: tuple[Child, Ways], toServer: bool
) -> Figure:
    """
    MB a second one way.
    """

    def run(child: Child, ways: Ways) -> Turn:
        turned = ways if toServer else [(far, near) for near, far in ways]
        return measured(child, lambda: stream(turned, scale.seconds, PACKET))

    one, other, ratio = compare(scale.turns, lambda: run(*subject), lambda: run(*bare))
    return Figure(name, one.rate / 1e6, "MB/s", other.rate / 1e6, ratio.rate, "ratio >= 0.8", ratio.rate >= 0.8)


#: by name
BENCHES: dict[str, Callable[[Scale], Iterator[Figure]]] = {
    "local": local,
    "service": service,
    "login": login,
    "fleet": fleet,
    "sockets": sockets,
}
