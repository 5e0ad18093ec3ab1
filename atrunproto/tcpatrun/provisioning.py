"""
The command lines that make a module reachable by TCPATRUN, in the order that the documents ask for.

Source: Running AT Commands Remotely Rev. 9, 3.1 to 3.3, 3.6 and 3.9 (S).
TEL-CFG-18, TEL-ALR-04 to TEL-ALR-06, TEL-QOS-08.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atrunproto.at.errors import Misuse

from .peerlogin import Login

#: the packet size below which the documents discourage (TEL-ALR-06)
SMALLEST_PACKET = 300

#: what to do when a context can't be activated with a minimum profile in force (TEL-QOS-09)
QUALITY_HINT = "the network may not grant the minimum quality of service: lower +CGQMIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """
    What a module is to be set to.

    @ivar apn: access point name of the context.
    @ivar serverPort: where the module listens; used in server mode.
    @ivar host: where the module calls, with a port; C{None}: server mode.
    @ivar logins: names and passwords, for server mode.
    @ivar admitted: (address, mask) of the hosts let in, for server mode.
    @ivar sending: transmission timeout in 100 ms; the smallest keeps no answer back (TEL-ALR-04).
    @ivar idle: seconds without data after which the connection is closed; 0: never.
    @ivar retries: attempts of the context and of the service to come back.
    @ivar minimum: the minimum quality of service; the suggested one asks for nothing (TEL-QOS-08).
    """

    apn: str
    connId: int = 1
    cid: int = 1
    instance: int = 2
    serverPort: int = 1024
    host: tuple[str, int] | None = None
    logins: Sequence[Login] = ()
    admitted: Sequence[tuple[str, str]] = ()
    packetSize: int = SMALLEST_PACKET
    sending: int = 1
    idle: int = 600
    commandMinutes: int = 5
    retries: int = 5
    retryMinutes: int = 2
    minimum: Sequence[int] = (0, 0, 0, 0, 0)

    def lines(self) -> Iterator[str]:
        """
        The command lines: context, socket, service, firewall and login first; activation and service last (TEL-CFG-18).

        @raise Misuse: the settings would cut the module off.
        """
        if self.host is None and not (self.logins and self.admitted):
            raise Misuse("server mode needs a login and an admitted host, or nobody can get in")
        address, port = self.host or ("", 1024)
        yield f'AT+CGDCONT={self.cid},"IP","{self.apn}"'
        yield f"AT+CGQMIN={self.cid},{','.join(str(value) for value in self.minimum)}"
        yield f"AT#SCFG={self.connId},{self.cid},{self.packetSize},{self.idle},600,{self.sending}"
        stepByStep = int(any(login.stepByStep for login in self.logins))
        retries = f"{self.retries},{self.retryMinutes}"
        service = f'{self.connId},{self.instance},{self.serverPort},{port},"{address}"'
        yield f"AT#TCPATRUNCFG={service},1,{self.commandMinutes},{stepByStep},{retries}"
        if self.host is None:
            for address, mask in self.admitted:
                yield f'AT#TCPATRUNFRWL=1,"{address}","{mask}"'
            for login in self.logins:
                yield f'AT#TCPATRUNAUTH=1,"{login.user}","{login.password.reveal()}"'
        yield f"AT#SGACTCFG={self.cid},{self.retries}"
        yield f"AT#SGACT={self.cid},1"
        yield f"AT#TCPATRUN{'L' if self.host is None else 'D'}=1"

    def hint(self, line: str) -> str:
        """
        What may be the matter when a module refuses one of the lines; empty where nothing is known.
        """
        demanding = any(self.minimum)
        return QUALITY_HINT if demanding and line.startswith("AT#SGACT=") else ""

    def cautions(self) -> list[str]:
        """
        What the documents advise against.
        """
        found = []
        if self.sending == 0:
            found.append("a transmission timeout of 0 holds answers back without end (TEL-ALR-05)")
        if self.packetSize < SMALLEST_PACKET:
            found.append(f"a packet size under {SMALLEST_PACKET} is discouraged (TEL-ALR-06)")
        if self.idle == 0:
            found.append("without an inactivity timeout a vanished host holds the service until #TCPATRUNCLOSE")
        return found
