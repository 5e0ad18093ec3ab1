"""
What is measured. Each bench runs its subject and a bare Twisted program by turns and gives figures with their ratio.

What is measured of sockets stands in L{bench.sockets}, of the DLE/ETX coding in L{bench.coding}.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

from .children import CLIENT_CPU, Child
from .clients import Address, Lines, cycles
from .coding import dle
from .sockets import sockets, transparent
from .turns import Figure, Scale, beside, measured, rates

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
#: seconds for which memory settles before it is read
SETTLING = 1.0


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
                    yield from rates(
                        f"AT+CSQ, local port, {clients} client{'s' if clients > 1 else ''}, echo {echo}",
                        scale.turns,
                        lambda: measured(modules, lambda: subject.run(REQUEST, size, scale.seconds)),  # noqa: B023
                        lambda: measured(bare, lambda: plain.run(PLAIN, len(PLAIN), scale.seconds)),
                        aim,
                    )


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
            yield from rates(
                f"AT+CSQ, TCPATRUN, txTo=1, {scale.many} clients",
                scale.turns,
                lambda: measured(modules, lambda: subject.run(REQUEST, len(ANSWER), scale.seconds)),
                lambda: measured(slow, lambda: plain.run(PLAIN, len(PLAIN), scale.seconds)),
            )
        with (
            lines(addresses[:1], LOGIN + REQUEST, b"OK\r\n") as subject,
            lines(fast.facts["addresses"]) as plain,
        ):
            yield from rates(
                f"AT+CSQ, TCPATRUN, {AHEAD} ahead, #TCPATCMDSEQ=1, 1 client",
                scale.turns,
                lambda: measured(modules, lambda: subject.run(REQUEST, len(ANSWER), scale.seconds, AHEAD)),
                lambda: measured(fast, lambda: plain.run(PLAIN, len(PLAIN), scale.seconds, AHEAD)),
            )


def login(scale: Scale) -> Iterator[Figure]:
    """
    Connections to modules in server mode: automatic login, one command, close.
    """
    request = LOGIN + REQUEST
    plain = b"." * (len(request) - 1) + b"\r"
    with services(scale) as modules, Child("Bare", delay=0.1) as bare:
        addresses = [(host, port) for host, port in modules.ask("listening")]
        places = [(host, port) for host, port in bare.facts["addresses"]] * scale.many
        yield from rates(
            f"connect, login, AT+CSQ, close, txTo=1, {scale.many} clients",
            scale.turns,
            lambda: measured(modules, lambda: cycles(addresses, request, len(ANSWER), scale.seconds)),
            lambda: measured(bare, lambda: cycles(places, plain, len(plain), scale.seconds)),
        )


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


#: by name
BENCHES: dict[str, Callable[[Scale], Iterator[Figure]]] = {
    "local": local,
    "service": service,
    "login": login,
    "fleet": fleet,
    "sockets": sockets,
    "transparent": transparent,
    "dle": dle,
}
