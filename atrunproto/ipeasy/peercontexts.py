"""
The packet-data contexts of a module, as its peer uses them, and what is set of its sockets before they are opened.

Source: reference 5 and 6.1; IP Easy User Guide 3.2.1 and 3.2.2 (S); TEL-ACT, TEL-CON-08, TEL-MSK-09, TEL-SCF-07,
TEL-SCF-08, TEL-LIS-01.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from atrunproto.at.errors import Misuse, PeerViolation
from atrunproto.at.peercalls import fieldsOf
from atrunproto.secret import Secret

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient

#: seconds that an activation may take (reference 5)
ACTIVATION_WAIT = 150.0


@dataclass(frozen=True, slots=True)
class Context:
    """
    A context: its number, its access point, and the login of the network where it wants one.
    """

    apn: str
    cid: int = 1
    user: str = ""
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """
    How a socket works; the defaults are those of a new module, but that every socket is tied to context 1.

    Socket 1 should stay tied to context 1, so that it can be used together with FTP and e-mail (TEL-SCF-08).

    @ivar cid: the context that it is tied to.
    @ivar packetSize: octets that are gathered before a packet leaves; 0 to 1500.
    @ivar idle: seconds without data before it is closed; 0: never.
    @ivar connecting: seconds that the far end has to take a connection, 1 to 120, in tenths.
    @ivar sending: seconds after which a smaller packet leaves, up to 25.5, in tenths; 0: never.
    """

    cid: int = 1
    packetSize: int = 300
    idle: int = 90
    connecting: float = 60.0
    sending: float = 5.0

    @property
    def text(self) -> str:
        """
        The values of C{#SCFG}.
        """
        cid, size, idle, connecting, sending = astuple(self)
        return f"{cid},{size},{idle},{round(connecting * 10)},{round(sending * 10)}"


def _quoted(text: str) -> str:
    if '"' in text:
        raise Misuse("a text of a command line can't hold a quote")
    return f'"{text}"'


async def define(client: ATClient, context: Context) -> None:
    """
    Tell the module of a context (C{+CGDCONT}).

    @raise CommandFailed: the module refuses, as while the context is active.
    """
    await client.execute(f'AT+CGDCONT={context.cid},"IP",{_quoted(context.apn)}')


async def isActive(client: ATClient, cid: int) -> bool:
    """
    Whether a context is active (C{#SGACT?}).
    """
    answer = await client.execute("AT#SGACT?")
    states = [fieldsOf(line.partition(":")[2]) for line in answer.lines]
    return [str(cid), "1"] in states


async def activate(client: ATClient, context: Context) -> str:
    """
    Activate a context that is defined, and give its address.

    @raise CommandFailed: the module or the network refuses.
    """
    line = f"AT#SGACT={context.cid},1"
    if context.user or context.password:
        password = context.password.reveal() if context.password is not None else ""
        line += f",{_quoted(context.user)},{_quoted(password)}"
    answer = await client.execute(line, timeout=ACTIVATION_WAIT)
    return addressIn(answer.lines, 0)


async def address(client: ATClient, cid: int) -> str:
    """
    The address of an active context (C{#CGPADDR}).
    """
    answer = await client.execute(f"AT#CGPADDR={cid}")
    return addressIn(answer.lines, 1)


def addressIn(lines: tuple[str, ...], place: int) -> str:
    """
    An address, in quotes or bare (TEL-CON-08).
    """
    for line in lines:
        fields = fieldsOf(line.partition(":")[2])
        if line.startswith("#") and len(fields) > place and fields[place]:
            return str(fields[place])
    raise PeerViolation("the module shows no address of its context")


async def deactivate(client: ATClient, cid: int) -> None:
    """
    Deactivate a context; every socket on it closes.
    """
    await client.execute(f"AT#SGACT={cid},0", timeout=ACTIVATION_WAIT)


async def bringUp(client: ATClient, context: Context, between: Callable[[], Awaitable[object]] | None = None) -> None:
    """
    Have a context active: it is defined and activated, unless it is active already.

    @param between: what is to be done when it is defined and, if it isn't yet, before it is activated.
    """
    isUp = await isActive(client, context.cid)
    if not isUp:
        await define(client, context)
    if between is not None:
        await between()
    if not isUp:
        await activate(client, context)


# -- sockets


async def settingsOf(client: ATClient) -> dict[int, SocketSettings]:
    """
    How each socket works (C{#SCFG?}).

    @raise PeerViolation: the module shows something else.
    """
    answer = await client.execute("AT#SCFG?")
    found = {}
    for line in answer.lines:
        try:
            connId, cid, size, idle, connecting, sending = (int(each) for each in line.partition(":")[2].split(","))
        except ValueError as error:
            raise PeerViolation("the module shows no settings of its sockets", line.encode("latin-1")) from error
        found[connId] = SocketSettings(cid, size, idle, connecting / 10, sending / 10)
    return found


async def configure(
    client: ATClient, connId: int, settings: SocketSettings | None = None, cid: int | None = None
) -> None:
    """
    Have a socket work so; it must not be open (TEL-SCF-07). A module that has stored it already isn't made to again.

    @param settings: how it is to work; C{None}: as it is set, but for its context.
    @param cid: the context that it is tied to; C{None}: as the settings say.
    @raise CommandFailed: the module refuses, as while the socket is open.
    @raise Misuse: the settings say another context.
    """
    now = (await settingsOf(client)).get(connId, SocketSettings())
    wanted = settings or now
    if cid is not None and cid != wanted.cid:
        if settings is not None:
            raise Misuse(f"socket {connId} can't be tied to context {settings.cid} and use context {cid}")
        wanted = replace(wanted, cid=cid)
    if wanted != now:
        await client.execute(f"AT#SCFG={connId},{wanted.text}")


async def admit(client: ATClient, admitted: Iterable[tuple[str, str]]) -> None:
    """
    Let callers from these addresses (address, mask) through the module's firewall (C{#FRWL}), until it is off.
    """
    for address, mask in admitted:
        await client.execute(f"AT#FRWL=1,{_quoted(address)},{_quoted(mask)}")


async def prepare(
    client: ATClient,
    connId: int,
    context: Context | None,
    settings: SocketSettings | None = None,
    admitted: Iterable[tuple[str, str]] = (),
) -> None:
    """
    Do what comes before a socket is opened, in the order of the guide: access point, socket, firewall, activation.

    @param context: the context to bring up if it isn't active, to which the socket is tied; C{None}: somebody else sees
        to that.
    @param settings: how the socket is to work; C{None}: as it is set, but for its context.
    @raise CommandFailed: the module or the network refuses.
    @raise Misuse: the settings name another context.
    """

    async def stack() -> None:
        if settings is not None or context is not None:
            await configure(client, connId, settings, None if context is None else context.cid)
        await admit(client, admitted)

    if context is None:
        await stack()
    else:
        await bringUp(client, context, stack)
