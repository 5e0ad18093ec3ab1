"""
The demonstration, C{python -m atrunproto.demo}: three emulated modules and the host that controls them.

Everything runs in one process, so nothing is left when that ends; only the command C{atrun} is a process of its own.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, cast

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.task import deferLater, react
from twisted.internet.utils import getProcessOutputAndValue
from twisted.logger import globalLogBeginner, textFileLogObserver

from atrunproto.emulator import tap as emulator
from atrunproto.emulator.configuration import EmulatorConfig, ModuleConfig
from atrunproto.emulator.rack import StartError
from atrunproto.fleet import tap as fleet
from atrunproto.fleet.config import DialConfig, HostConfig, Mode
from atrunproto.fleet.host import Host
from atrunproto.secret import Secret

HERE = "127.0.0.1"
#: the legal login of the modules in server mode
USER, PASSWORD = "me", "demo"
#: what is run on all modules
LINE = "AT+CGMM;+CSQ"
#: typical durations are shortened to this part of them
TIME_SCALE = 0.2
#: seconds until all modules must be connected, and between two looks at them
PATIENCE, LOOK = 60.0, 0.1
#: a port that is used already is replaced by the next free one of so many
PORTS_TRIED = 100
#: lines of the log that are shown when something fails
LINES_OF_LOG = 20


@dataclass(frozen=True)
class Ports:
    """
    Where things are.
    """

    step: int
    automatic: int
    listen: int
    http: int
    control: int


USUAL = Ports(step=12346, automatic=12347, listen=12345, http=8080, control=8081)


def freePorts() -> Ports:
    """
    Find a port for each purpose: the usual one, or if it is taken the next that is free.

    @raise SystemExit: there are none.
    """
    taken: set[int] = set()

    def free(usual: int) -> int:
        for port in range(usual, usual + PORTS_TRIED):
            if port not in taken and _isFree(port):
                taken.add(port)
                return port
        raise SystemExit(f"atrunproto.demo: no port from {usual} to {usual + PORTS_TRIED - 1} is free")

    return Ports(*map(free, astuple(USUAL)))


def _isFree(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HERE, port))
        except OSError:
            return False
        return True


def modules(ports: Ports, folder: Path) -> EmulatorConfig:
    """
    The three modules.
    """
    context = [
        'AT+CGDCONT=1,"IP","internet"',
        # each answer goes at once (0.1 s), and silence does not end the connection
        "AT#SCFG=1,1,300,0,600,1",
        "AT#SGACTCFG=1,3;#SGACT=1,1",
    ]
    access = [f'AT#TCPATRUNFRWL=1,"{HERE}","255.0.0.0"', f'AT#TCPATRUNAUTH=1,"{USER}","{PASSWORD}"']

    def module(product: str, *service: str) -> ModuleConfig:
        terminal = f"pty:{folder}/{product.partition('-')[0].lower()}"
        return ModuleConfig(product=product, at={"1": terminal}, startup=[*context, *service])

    return EmulatorConfig(
        address=HERE,
        control=f"tcp:{ports.control}:interface={HERE}",
        timeScale=TIME_SCALE,
        module=[
            module(
                "GE865-QUAD", f'AT#TCPATRUNCFG=1,2,{ports.step},1024,"",1,5,1', *access, "AT#TCPATRUNL=1"
            ),
            module("HE910-EUR", f'AT#TCPATRUNCFG=1,2,1024,{ports.listen},"{HERE}",1,5,0,5,1', "AT#TCPATRUND=1"),
            module(
                "GL865-QUAD", f'AT#TCPATRUNCFG=1,2,{ports.automatic},1024,"",1,5,0', *access, "AT#TCPATRUNL=1"
            ),
        ],
    )  # fmt: skip


def host(ports: Ports, folder: Path) -> HostConfig:
    """
    The host; its first dial is the module that users are to call later.
    """

    def dial(port: int, mode: Mode) -> DialConfig:
        return DialConfig(endpoint=f"tcp:{HERE}:{port}", user=USER, password=Secret(PASSWORD), mode=mode)

    return HostConfig(
        listen=[f"tcp:{ports.listen}:interface={HERE}"],
        http=f"tcp:{ports.http}:interface={HERE}",
        store=f"sqlite:///{folder}/fleet.db",
        dial=[
            DialConfig(endpoint=f"tcp:{HERE}:{ports.step}", user=USER, password=Secret(PASSWORD), mode="step"),
            DialConfig(
                endpoint=f"tcp:{HERE}:{ports.automatic}", user=USER, password=Secret(PASSWORD), mode="automatic"
            ),
        ],
    )


class Demonstration:
    """
    What runs, and what is told of it.
    """

    def __init__(self, reactor: Any, folder: Path) -> None:
        self._reactor = reactor
        self._folder = folder
        self._ports = freePorts()
        self._services = MultiService()

    async def run(self) -> None:
        """
        Show everything once.

        @raise SystemExit: something failed.
        """
        services = self._services
        fleet.addServices(services, host(self._ports, self._folder), self._reactor)
        emulator.addServices(services, modules(self._ports, self._folder), self._reactor)
        try:
            services.startService()
        except (CannotListenError, StartError) as error:
            raise SystemExit(f"atrunproto.demo: {error}") from None
        self._reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
        say("Three emulated modules and the host that controls them are starting; Ctrl-C ends everything.\n")
        await self._connected()
        await self._command("modules")
        await self._command("run", "--connected", LINE)
        # a module in server mode has one caller at a time: now it is the user's turn
        await services.getServiceNamed("dial-1").disownServiceParent()
        say("\n".join(self._advice()))

    async def _connected(self) -> None:
        controlling = self._services.getServiceNamed("host")
        assert isinstance(controlling, Host)
        wanted, seconds = 3, 0.0
        while sum(module.link is not None for module in controlling.roster) < wanted:
            if seconds > PATIENCE:
                there = ", ".join(module.model for module in controlling.roster if module.link is not None)
                raise SystemExit(f"atrunproto.demo: after {PATIENCE:g} s the host has reached: {there or 'nobody'}")
            await deferLater(self._reactor, LOOK)
            seconds += LOOK

    async def _command(self, *arguments: str) -> None:
        """
        Run C{atrun} as a user would.
        """
        say(f"$ {shlex.join(['atrun', *arguments])}")
        where = ["--url", f"http://{HERE}:{self._ports.http}", "--token-file", f"{self._folder}/fleet.db.token"]
        code = "from atrunproto.fleet.cli import main; main()"
        out, err, status = await getProcessOutputAndValue(
            sys.executable, ["-c", code, *arguments, *where], env=None, reactor=self._reactor
        )
        say((out + err).decode("utf-8", "replace"))
        if status:
            raise SystemExit(f"atrunproto.demo: atrun ended with status {status}")

    def _advice(self) -> Iterator[str]:
        ports, folder = self._ports, self._folder
        beside = Path(sys.executable).with_name("atrun")
        atrun = shlex.quote(str(beside)) if beside.exists() and shutil.which("atrun") is None else "atrun"
        yield f"""\
All three answered. Try next, in another terminal:

  The GE865 waits for a caller; log in as {USER}, password {PASSWORD}, then type AT commands:
    telnet {HERE} {ports.step}

  Each module has a local AT port on a pseudo terminal (Ctrl-A Ctrl-X leaves picocom):"""
        for name in ("ge865", "he910", "gl865"):
            yield f"    picocom {folder}/{name}"
        yield f"""
  The HE910 has called the host, and the host has called the GL865; run commands on both:
    export ATRUN_URL=http://{HERE}:{ports.http} ATRUN_TOKEN=$(cat {folder}/fleet.db.token)
    {atrun} modules
    {atrun} run --connected 'AT+CSQ' 'AT#MONI'

  Take the network away from all modules, and look what becomes of them:
    curl -X PATCH -d '{{"inService": false}}' http://{HERE}:{ports.control}/network
    curl http://{HERE}:{ports.control}/modules/357000000000002

Ctrl-C ends the modules and the host, and removes {folder}."""


def say(text: str) -> None:
    """
    Print at once, also into a pipe.
    """
    print(text, flush=True)


async def demonstrate(reactor: Any, folder: Path) -> None:
    """
    Run the demonstration until somebody ends it.

    @raise SystemExit: something failed.
    """
    await Demonstration(reactor, folder).run()
    await Deferred()


def main() -> None:
    """
    Run the demonstration in a folder that is removed at the end.

    @raise SystemExit: always, with the exit status.
    """
    from twisted.internet import reactor

    with tempfile.TemporaryDirectory(prefix="atrun-demo-") as name:
        folder = Path(name)
        with open(folder / "log", "w", encoding="utf-8") as log:
            globalLogBeginner.beginLoggingTo([textFileLogObserver(log)], redirectStandardIO=False)
            # a terminal that is closed is as good as Ctrl-C
            signal.signal(signal.SIGHUP, lambda *_: cast(Any, reactor).callFromThread(cast(Any, reactor).stop))
            try:
                react(demonstrate, (folder,))
            except SystemExit as ended:
                if ended.code:
                    log.flush()
                    say("".join((folder / "log").read_text("utf-8").splitlines(keepends=True)[-LINES_OF_LOG:]))
                raise


if __name__ == "__main__":
    main()
