"""
What the tests of TCPATRUN share: a module in memory whose service is ready to be enabled.
"""

from __future__ import annotations

from typing import Any

from atrunproto.testing.emulated import MemoryModule, Wire

#: where the service listens in these tests, and the port of the host
PORT, HOST_PORT = 1024, 12345


def isOpen(wire: Wire) -> bool:
    """
    Whether a connection stands.
    """
    return not wire.isClosed


class Service:
    """
    A module with a context, a login and a firewall that admits everybody; AT instance 2 is the service's.

    @ivar emulated: the module, in memory.
    @ivar at: its AT instance 1.
    """

    def __init__(self, product: str = "HE910-EUR", config: str = "", comesBack: bool = True, **facts: Any) -> None:
        """
        @param config: the parameters of #TCPATRUNCFG, if not the usual ones.
        @param comesBack: whether the context is activated automatically.
        """
        self.emulated = MemoryModule(product, **facts)
        self.at = self.emulated.port()
        self.do('AT+CGDCONT=1,"IP","internet"')
        if comesBack:
            self.do("AT#SGACTCFG=1,3,180")
        self.do("AT#SGACT=1,1")
        self.do("AT#SCFG=1,1,300,0,600,1")
        self.do('AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"')
        self.do('AT#TCPATRUNAUTH=1,"user","secret"')
        self.configure(config or f'1,2,{PORT},{HOST_PORT},"127.0.0.1",1,5,0,0,2')

    def do(self, *lines: str) -> None:
        """
        Run command lines that must succeed.
        """
        for line in lines:
            answer = self.at.execute(line)
            assert answer[-1] == "OK", (line, answer)

    def ask(self, line: str) -> list[str]:
        """
        Run a command line locally, and give the answer.
        """
        return self.at.execute(line)

    def configure(self, values: str) -> None:
        """
        Set #TCPATRUNCFG.
        """
        self.do(f"AT#TCPATRUNCFG={values}")

    def serve(self) -> Service:
        """
        Enable server mode.
        """
        self.do("AT#TCPATRUNL=1")
        self.emulated.clock.settle()
        return self

    def dial(self) -> Service:
        """
        Enable client mode.
        """
        self.do("AT#TCPATRUND=1")
        self.emulated.clock.settle()
        return self

    def call(self, source: str = "127.0.0.9") -> Wire:
        """
        Connect to the service.
        """
        return self.emulated.call(PORT, source=source)

    def login(self) -> Wire:
        """
        Connect, and log in automatically.
        """
        wire = self.call()
        assert wire.say(b"user\rsecret\r") == b""
        self.heard()
        return wire

    def heard(self) -> list[str]:
        """
        The notices on instance 1 since the last look.
        """
        return self.at.after(0)

    def after(self, seconds: float) -> list[str]:
        """
        Let time pass; give the notices of it.
        """
        return self.at.after(seconds)

    def restart(self) -> None:
        """
        Cut the power, and switch on again.
        """
        self.emulated.module.powerOff()
        self.emulated.clock.settle()
        self.emulated.switchOn()
