"""
The client that all servers are measured with: bare sockets and epoll, so that it costs less than any of them.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

Address = tuple[str, int]

#: seconds without an answer after which a run is given up
STUCK = 20.0


class Count(NamedTuple):
    """
    What was done, and in how many seconds.
    """

    done: int
    seconds: float

    @property
    def rate(self) -> float:
        """
        How many a second.
        """
        return self.done / self.seconds


class Stuck(Exception):
    """
    A server does not answer.
    """


class Lines:
    """
    Connections that ask again as soon as they have their answer; an answer is known by its length.
    """

    def __init__(self, addresses: Iterable[Address], greeting: bytes = b"", answer: bytes = b"") -> None:
        """
        @param greeting: what each connection says first.
        @param answer: what ends the answer to it.
        """
        self._sockets: dict[int, socket.socket] = {}
        self._epoll = select.epoll()
        for address in addresses:
            connection = connected(address)
            self._sockets[connection.fileno()] = connection
            self._epoll.register(connection, select.EPOLLIN)
            if greeting:
                connection.sendall(greeting)
                heard = b""
                while not heard.endswith(answer):
                    heard += received(connection)

    def run(self, request: bytes, size: int, seconds: float, ahead: int = 1) -> Count:
        """
        Ask for some time; then wait until everything is answered.

        @param size: octets of an answer.
        @param ahead: requests under way on each connection.
        """
        sockets, poll, buffer = self._sockets, self._epoll.poll, bytearray(65536)
        got = dict.fromkeys(sockets, 0)
        for connection in sockets.values():
            connection.sendall(request * ahead)
        done, left = 0, len(sockets) * ahead
        begun = time.perf_counter()
        end = begun + seconds
        asking = True
        while left:
            events = poll(STUCK)
            if not events:
                raise Stuck(f"{left} requests have no answer")
            for handle, _ in events:
                connection = sockets[handle]
                count = connection.recv_into(buffer)
                if not count:
                    raise Stuck("a server has closed a connection")
                count += got[handle]
                while count >= size:
                    count -= size
                    done += 1
                    if asking:
                        connection.sendall(request)
                    else:
                        left -= 1
                got[handle] = count
            if asking and time.perf_counter() >= end:
                asking = False
                seconds, counted = time.perf_counter() - begun, done
        return Count(counted, seconds)

    def close(self) -> None:
        """
        Close the connections.
        """
        self._epoll.close()
        for connection in self._sockets.values():
            connection.close()


def cycles(addresses: Iterable[Address], request: bytes, size: int, seconds: float) -> Count:
    """
    Connect, ask once, and have the server close; again and again, at each address for itself.

    @raise Stuck: an answer does not come, or a connection is closed without one.
    """
    epoll = select.epoll()
    slots: dict[int, tuple[socket.socket, Address]] = {}
    got: dict[int, int] = {}

    def begin(address: Address) -> None:
        connection = connected(address)
        handle = connection.fileno()
        slots[handle], got[handle] = (connection, address), 0
        epoll.register(handle, select.EPOLLIN)
        connection.sendall(request)

    for address in addresses:
        begin(address)
    done, begun = 0, time.perf_counter()
    end = begun + seconds
    while slots:
        events = epoll.poll(STUCK)
        if not events:
            raise Stuck("a cycle has no end")
        for handle, _ in events:
            connection, address = slots[handle]
            count = len(connection.recv(65536))
            if count:
                got[handle] += count
                if got[handle] >= size:
                    connection.shutdown(socket.SHUT_WR)
                continue
            if got[handle] < size:
                raise Stuck(f"a connection was closed after {got[handle]} octets")
            del slots[handle], got[handle]
            epoll.unregister(handle)
            connection.close()
            done += 1
            if time.perf_counter() < end:
                begin(address)
    epoll.close()
    return Count(done, time.perf_counter() - begun)


class Block(NamedTuple):
    """
    What is sent through a connection again and again.

    @ivar data: as it goes in.
    @ivar arriving: octets of it as they come out.
    @ivar size: octets of it without any coding, those that count; they fill packets.
    """

    data: bytes
    arriving: int
    size: int


def stream(ways: Sequence[tuple[socket.socket, socket.socket]], seconds: float, block: Block) -> Count:
    """
    Send into the first socket of each way as much as it takes, for some time, until all has come out of the second.

    @return: the octets that came out, without any coding.
    """
    whole = len(block.data)
    # a whole block from wherever the last one was cut
    data, buffer = memoryview(block.data * 2), bytearray(1 << 18)
    poll = select.epoll()
    roles: dict[int, tuple[socket.socket, bool]] = {}
    for source, sink in ways:
        source.setblocking(False)
        poll.register(source, select.EPOLLOUT)
        poll.register(sink, select.EPOLLIN)
        roles[source.fileno()], roles[sink.fileno()] = (source, True), (sink, False)
    sent = dict.fromkeys((source for source, _ in ways), 0)
    came, sending = 0, len(ways)
    begun = time.perf_counter()
    end = begun + seconds
    while sending or came < sum(sent.values()) // whole * block.arriving:
        events = poll.poll(STUCK)
        if not events:
            raise Stuck(f"of {sum(sent.values())} octets only {came} have come out")
        isOver = time.perf_counter() >= end
        for handle, _ in events:
            connection, isSource = roles[handle]
            if not isSource:
                count = connection.recv_into(buffer)
                if not count:
                    raise Stuck("a connection was closed")
                came += count
                continue
            at = sent[connection] % whole
            if isOver and not at:
                poll.unregister(connection)
                sending -= 1
            else:
                # to the end of a block, so that none waits for its transmission timeout
                sent[connection] += connection.send(data[at : whole if isOver else at + whole])
    passed = time.perf_counter() - begun
    poll.close()
    return Count(came // block.arriving * block.size, passed)


class Step(NamedTuple):
    """
    What a script says, and what it waits for.

    @ivar awaited: connections, and how many octets come out of each.
    """

    into: socket.socket
    data: bytes
    awaited: Sequence[tuple[socket.socket, int]]


def play(scripts: Sequence[Sequence[Sequence[Step]]], seconds: float) -> Count:
    """
    Do operations, each of some steps: those of a script one after the other, again and again; all scripts at a time.

    @param scripts: no connection is in two of them.
    @return: operations.
    """
    poll, buffer = select.epoll(), bytearray(65536)
    connections: dict[int, tuple[socket.socket, Script]] = {}
    running = [Script(operations) for operations in scripts]
    for script in running:
        for connection in script.connections():
            connections[connection.fileno()] = (connection, script)
            poll.register(connection, select.EPOLLIN)
    done, left = 0, len(running)
    begun = time.perf_counter()
    end = begun + seconds
    for script in running:
        script.go()
    while left:
        events = poll.poll(STUCK)
        if not events:
            raise Stuck("an operation has no end")
        for handle, _ in events:
            connection, script = connections[handle]
            if script.received(handle, connection.recv_into(buffer)):
                done += 1
                if time.perf_counter() < end:
                    script.go()
                else:
                    left -= 1
    passed = time.perf_counter() - begun
    poll.close()
    return Count(done, passed)


class Script:
    """
    Operations under way.
    """

    def __init__(self, operations: Sequence[Sequence[Step]]) -> None:
        self._operations = operations
        self._turn = cycle(operations)
        self._steps: Iterator[Step] = iter(())
        self._missing: dict[int, int] = {}

    def connections(self) -> set[socket.socket]:
        """
        Where something is awaited.
        """
        return {each for operation in self._operations for step in operation for each, _ in step.awaited}

    def go(self) -> None:
        """
        Begin the next operation.
        """
        self._steps = iter(next(self._turn))
        self._take(next(self._steps))

    def _take(self, step: Step) -> None:
        self._missing = {connection.fileno(): size for connection, size in step.awaited}
        step.into.sendall(step.data)

    def received(self, handle: int, count: int) -> bool:
        """
        Octets have come; tell whether the operation is done.

        @raise Stuck: they were too many, or none as at the end of a connection.
        """
        missing = self._missing
        missing[handle] = missing.get(handle, 0) - count
        if missing[handle] < 0 or not count:
            raise Stuck("a server says something else")
        if not missing[handle]:
            del missing[handle]
        if missing:
            return False
        step = next(self._steps, None)
        if step is None:
            return True
        self._take(step)
        return False


def connected(address: Address) -> socket.socket:
    """
    A connection that sends without delay.
    """
    connection = socket.create_connection(address, STUCK)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def received(connection: socket.socket) -> bytes:
    """
    What has come.

    @raise Stuck: nothing comes any more.
    """
    data = connection.recv(65536)
    if not data:
        raise Stuck("a server has closed a connection")
    return data
