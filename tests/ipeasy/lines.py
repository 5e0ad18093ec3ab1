"""A module whose sockets are worked by AT commands, and a host that it calls, in memory; and a live one's port."""

from __future__ import annotations

import socket

from atrunproto.ipeasy.module import SocketTable
from atrunproto.testing.emulated import PATIENCE, Host, LiveModule, MemoryModule, Wire

#: where the host listens
HOST = "127.0.0.1"
PORT = 7000
#: where the module listens
OWN = 2000


class Lines:
    """A module with an active context, its three ports, and a host."""

    def __init__(self, product: str = "GE865-QUAD", txTo: int = 1, maxTo: int = 0) -> None:
        """All sockets are on context 1, their short packets leave after C{txTo} tenths of a second."""
        self.emulated = MemoryModule(product)
        self.host: Host = self.emulated.host(PORT)
        self.at = [self.emulated.port(number) for number in (1, 2, 3)]
        self.ask('AT+CGDCONT=1,"IP","x"')
        for connId in range(1, 7):
            assert self.ask(f"AT#SCFG={connId},1,300,{maxTo},600,{txTo}") == ["OK"]
        assert self.ask("AT#SGACT=1,1")[-1] == "OK"

    def ask(self, line: str, port: int = 1) -> list[str]:
        """Run a command line on a port."""
        return self.at[port - 1].execute(line)

    def say(self, data: bytes, port: int = 1) -> bytes:
        """Send octets into a port, let a short packet leave, and give what came back."""
        return self.at[port - 1].say(data) + self.after(0.2, port)

    def after(self, seconds: float, port: int = 1) -> bytes:
        """Let time pass, and give what a port has heard."""
        self.emulated.advance(seconds)
        return self.at[port - 1].heard()

    def heard(self, port: int = 1) -> bytes:
        """What a port has heard."""
        return self.at[port - 1].heard()

    def escape(self, port: int = 1) -> bytes:
        """Send the escape sequence between silences, and give the answer."""
        self.emulated.advance(1.1)
        self.at[port - 1].say(b"+++")
        return self.after(1.1, port)

    def dial(self, connId: int = 1, mode: int = 1, closureType: int = 0, port: int = 1) -> Wire:
        """Open a connection, in command mode unless told otherwise, and give the host's end."""
        answer = self.ask(f'AT#SD={connId},0,{PORT},"{HOST}",{closureType},0,{mode}', port)
        assert answer == ["OK" if mode else "CONNECT"]
        return self.host.callers[-1]

    def suspended(self, connId: int = 1, port: int = 1) -> Wire:
        """Open a connection online and suspend it; give the host's end, which has not heard anything."""
        self.ask("AT#SKIPESC=1", port)
        wire = self.dial(connId, 0, port=port)
        assert self.escape(port) == b"\r\nOK\r\n"
        return wire

    def listen(self, connId: int = 1, own: int = OWN, closureType: int = 0, port: int = 1) -> None:
        """Admit everybody and listen."""
        assert self.ask('AT#FRWL=1,"0.0.0.0","0.0.0.0"') == ["OK"]
        assert self.ask(f"AT#SL={connId},1,{own},{closureType}", port) == ["OK"]

    def state(self, connId: int = 1) -> int:
        """The state that #SS shows, though no port may be in command mode."""
        line = self.emulated.module.part(SocketTable).describe(connId)
        return int(line.split(",")[1])


class Port:
    """The AT port of a module that is alive, with an active context."""

    def __init__(self, module: LiveModule, isFirst: bool = True) -> None:
        """Sockets 1 to 3 are on context 1, without inactivity timeout, once the first port has set them."""
        self.wire = socket.create_connection(module.address(), PATIENCE)
        self.ask("ATE0")
        if not isFirst:
            return
        self.ask('AT+CGDCONT=1,"IP","x"')
        for connId in (1, 2, 3):
            self.ask(f"AT#SCFG={connId},1,1500,0,600,1")
        self.ask("AT#SGACT=1,1")

    def ask(self, line: str, end: bytes = b"OK\r\n") -> bytes:
        """Run a command line that ends with this."""
        self.wire.sendall(line.encode() + b"\r")
        return self.until(end)

    def until(self, end: bytes) -> bytes:
        """What is heard up to this, which must come last."""
        heard = b""
        while not heard.endswith(end):
            more = self.wire.recv(65536)
            assert more, heard
            heard += more
        return heard

    def close(self) -> None:
        """Unplug."""
        self.wire.close()
