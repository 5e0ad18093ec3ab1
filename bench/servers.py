"""
What is measured; each runs in a process of its own, as do the bare Twisted programs of L{bench.bare} and
L{bench.baresockets}.

C{python -m bench.servers KIND CPU OPTIONS} prints a line of JSON when it is ready, does what the lines on its standard
input ask for, and ends with its standard input.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.protocols.basic import LineReceiver

from atrunproto.collecting import collectSeldom
from atrunproto.emulator.configuration import ModuleConfig, planModules
from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import AddressPool, Network
from atrunproto.emulator.rack import Rack
from atrunproto.fleet.executions import Order
from atrunproto.fleet.host import Host
from atrunproto.fleet.links import listener
from atrunproto.fleet.store import SQLiteStore, WorkerThread
from atrunproto.fleet.tap import BACKLOG
from atrunproto.tcpatrun.module import State, TCPATRUNService

from .bare import Bare, BareCallers, BareHost, whenTrue
from .baresockets import LineSockets, Relay

reactor: Any = _reactor

PRODUCT = "HE910-EUR"
#: the port of modules in server mode; each has an address of its own
SERVICE_PORT = 20024


def switchOn(count: int, startup: Sequence[str] = (), product: str = PRODUCT) -> list[EmulatedModule]:
    """
    Modules on one network, as C{atrun-module --count} has them; the typical durations are zero.
    """
    # a block of its own, so that two benches don't meet
    network = Network(reactor, AddressPool(f"127.{64 + os.getpid() % 128}.0.0/16"))
    config = ModuleConfig(product=product, count=count, startup=list(startup))
    rack = Rack(reactor, network, planModules([config], str), timeScale=0)
    collectSeldom()
    rack.startService()
    return list(rack.modules.values())


def serviceLines(port: int) -> list[str]:
    """
    The command lines that give a module its context and its service socket, which sends after 0.1 s (txTo=1).
    """
    return [
        'AT+CGDCONT=1,"IP","internet"',
        "AT#SCFG=1,1,300,0,600,1",
        f'AT#TCPATRUNCFG=1,2,{SERVICE_PORT},{port},"127.0.0.1",0,5,0,5,1',
        "AT#SGACT=1,1",
    ]


class Modules:
    """
    Modules with AT instances on TCP ports.
    """

    def __init__(self, count: int, instances: int = 1, product: str = PRODUCT) -> None:
        """
        @param instances: of each module, from 1 on.
        """
        modules = switchOn(count, product=product)
        factories = [module.portFactory(number) for module in modules for number in range(1, instances + 1)]
        ports = [reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port for factory in factories]
        self.facts = {"addresses": [["127.0.0.1", port] for port in ports]}


class Services:
    """
    Modules with TCPATRUN in server mode, with the automatic login.
    """

    def __init__(self, count: int, user: str, password: str) -> None:
        lines = [
            *serviceLines(1),
            f'AT#TCPATRUNAUTH=1,"{user}","{password}"',
            "AT#TCPATRUNFRWL=1,127.0.0.1,255.0.0.0",
            "AT#TCPATCMDSEQ=1",
            "AT#TCPATRUNL=1",
        ]
        self._modules = switchOn(count, lines)
        self.facts: dict[str, Any] = {}

    async def listening(self) -> list[list[Any]]:
        """
        Wait until all listen; give their addresses.
        """
        await gatherResults([module.whenOn() for module in self._modules])
        services = [module.part(TCPATRUNService) for module in self._modules]
        await whenTrue(lambda: all(service.state is State.LISTENING for service in services))
        return [[module.address(1), SERVICE_PORT] for module in self._modules]


class Callers:
    """
    Modules with TCPATRUN in client mode.
    """

    facts: dict[str, Any] = {}  # noqa: RUF012

    def dial(self, count: int, port: int) -> None:
        """
        Have modules call the host.
        """
        self._modules = switchOn(count, [*serviceLines(port), "AT#TCPATRUND=1"])


class FleetHost:
    """
    The controlling host, with a store of its own.
    """

    def __init__(self) -> None:
        collectSeldom()
        self._folder = tempfile.TemporaryDirectory(prefix="atrunproto-bench-")
        store = SQLiteStore(os.path.join(self._folder.name, "fleet.db"), WorkerThread(reactor))
        self._host = Host(reactor, store)
        self._host.startService()
        reactor.addSystemEventTrigger("before", "shutdown", self._host.stopService)
        reactor.addSystemEventTrigger("after", "shutdown", self._folder.cleanup)
        port = reactor.listenTCP(0, listener(reactor, self._host.reception, ()), backlog=BACKLOG, interface="127.0.0.1")
        self.facts = {"port": port.getHost().port}

    async def connected(self, count: int) -> None:
        """
        Wait until so many have told who they are and are stored.
        """
        await whenTrue(lambda: self._host.roster.connected >= count)
        await self._host.ledger.whenIdle()

    async def fanOut(self) -> dict[str, float]:
        """
        Run a command on all, and wait until all answers are stored.
        """
        imeis = [module.imei for module in self._host.roster]
        now = time.time()
        begun = time.perf_counter()
        job = await self._host.dispatcher.submit(Order(("AT+CSQ",), now, now + 60, None, False), imeis)
        await self._host.dispatcher.whenEnded(job.id, 60)
        seconds = time.perf_counter() - begun
        stored = await self._host.store.readJob(job.id)
        assert stored is not None
        return {"seconds": seconds, "answers": sum(execution.state == "done" for execution in stored[1])}


class Requests(LineReceiver):
    """
    The parent's requests, one a line.
    """

    delimiter = b"\n"
    subject: Any = None

    def lineReceived(self, line: bytes) -> None:
        Deferred.fromCoroutine(self._serve(line)).addErrback(self._failed)

    async def _serve(self, line: bytes) -> None:
        what, options = json.loads(line)
        answer = getattr(self.subject, what)(**options)
        if hasattr(answer, "__await__"):
            answer = await answer
        self.sendLine(json.dumps(answer).encode())  # type: ignore[no-untyped-call]

    def _failed(self, failure: Any) -> None:
        failure.printTraceback(sys.stderr)
        reactor.stop()

    def connectionLost(self, reason: Any = None) -> None:
        if reactor.running:
            reactor.stop()


KINDS = {
    kind.__name__: kind
    for kind in (Bare, Relay, LineSockets, BareHost, BareCallers, Modules, Services, Callers, FleetHost)
}


def main(kind: str, cpu: str, options: str) -> None:
    """
    Be one of the kinds, on one CPU.
    """
    os.sched_setaffinity(0, {int(cpu)})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    log = open(os.devnull, "w")  # noqa: SIM115
    # as a daemon logs: formatted, and to a file
    globalLogBeginner.beginLoggingTo([textFileLogObserver(log)], discardBuffer=True, redirectStandardIO=False)

    def ready() -> None:
        requests = Requests()
        requests.subject = KINDS[kind](**json.loads(options))
        StandardIO(requests)
        requests.sendLine(json.dumps(requests.subject.facts).encode())  # type: ignore[no-untyped-call]

    reactor.callWhenRunning(ready)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
