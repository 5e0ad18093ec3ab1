"""
The old interface: one connection for each AT instance, on the socket whose number is that of the instance.

A connection that it opens can't be suspended: the escape sequence ends it. Otherwise it is a connection as any other.
Source: reference 7; IP Easy User Guide 3.2.2.7 and 3.4 (S); TEL-OLD, TEL-LIM-01, TEL-NOT-01, TEL-NOT-05.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrunproto.at.commands import CommandTable
from atrunproto.at.errors import CommandFailed
from atrunproto.at.online import Online
from atrunproto.at.parameters import Int, Numbers, Text
from atrunproto.at.results import CME, NO_CARRIER, ResultCode, refuse
from atrunproto.at.settings import Stored, Values

from .carrier import refusedBy
from .commands import connect, conversationAt, openPort
from .conversation import KEEP_ONLINE, Conversation
from .lifecycle import Input
from .module import SocketTable

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("ipeasy old")
#: what xE910-3G products don't have (TEL-NOT-05)
whole = CommandTable("ipeasy old whole")

#: the context of the old interface
CONTEXT = 1

_INSTANCE = Int("instance", 1, 3)
_apart = refusedBy(
    "where its connId is the number of its instance (TEL-NOT-01)", lambda carrier: carrier.connId == carrier.instance
)


def _own(at: ATInstance) -> Conversation:
    """
    The connection of an instance; it is on context 1 (that another one is an error: assumed).
    """
    conversation = conversationAt(at, at.number)
    if conversation.socket.cid != CONTEXT:
        raise refuse()
    return conversation


# -- the settings that are those of #SCFG too

_OWN = "the socket whose number is the AT instance; #SCFG sets it too."


def _timing(name: str, position: int, parameter: Int, about: str) -> None:
    """
    A command that sets one value of #SCFG for the socket of its instance (TEL-NOT-06), connected or not.
    """

    def assign(at: ATInstance, value: int | None) -> None:
        if value is None:
            return
        settings = at.module.settings
        values = list(settings.get("#SCFG", at.number))
        # a packet size of 0 is the default, as in #SCFG
        values[position] = value or (300 if position == 1 else 0)
        settings.set("#SCFG", tuple(values), at.number)
        at.part(SocketTable).reconfigured(at.number)

    commands.action(name, parameter, about=about, source="reference 7", needsValue=True)(assign)
    commands.read(name)(lambda at: f"{name}: {at.module.settings.get('#SCFG', at.number)[position]}")


_timing("#PKTSZ", 1, Int("size", 0, 1500, default=None, unit="octets"), f"The packet size of {_OWN}")
_timing("#SKTTO", 2, Int("tout", 0, 65535, default=None, unit="s"), f"The inactivity timeout of {_OWN}")
_timing("#SKTCT", 3, Int("tout", 10, 1200, default=None, unit="100 ms"), f"The connection timeout of {_OWN}")
_timing("#DSTO", 4, Int("tout", 0, 255, default=None, unit="100 ms"), f"The transmission timeout of {_OWN}")


# -- the other settings

_LONGEST_NAME = 64
_ACCEPTED = "kept until the power goes, or for good by #SKTSAV; the network accepts any (A)."

for _name, _parameter, _about in (
    ("#USERID", Text("user", _LONGEST_NAME, default=""), f"The user's name for #GPRS: {_ACCEPTED}"),
    ("#PASSW", Text("pwd", _LONGEST_NAME, default="", secret=True), f"The password for #GPRS: {_ACCEPTED}"),
):
    _facts: dict[str, Any] = {"read": None} if _parameter.secret else {}
    commands.setting(
        _name, _parameter, stored=Stored.DEMAND, shared=True, about=_about, source="reference 7; TEL-OLD-10", **_facts
    )


@commands.test("#USERID")
def testUser(at: ATInstance) -> str:
    """
    The maximum length.
    """
    return f"#USERID: {_LONGEST_NAME}"


@commands.test("#PASSW")
def testPassword(at: ATInstance) -> str:
    """
    The maximum length.
    """
    return f"#PASSW: {_LONGEST_NAME}"


#: where the peer of each instance is kept
PEER = "#SKTSET values"
commands.setting(
    PEER,
    Int("type", 0, 1, default=0),
    Int("rport", 0, 65535, default=3333),
    Text("raddr", 100, default=""),
    Numbers("closure", (0, KEEP_ONLINE), default=0),
    Int("lport", 0, 65535, default=0),
    key=_INSTANCE,
    stored=Stored.DEMAND,
    shared=True,
)
_PEER = (
    Int("type", 0, 1, default=None),
    Int("rport", 0, 65535, default=None),
    Text("raddr", 100, default=None),
    Numbers("closure", (0, KEEP_ONLINE), default=0),
    Int("lport", 0, 65535, default=0),
)


def _setPeer(at: ATInstance, values: Values) -> None:
    if None in values[:3]:
        # all of the peer, or nothing
        if any(value is not None for value in values[:3]):
            raise refuse()
        return
    at.module.settings.set(PEER, values, at.number)


def _showPeer(at: ATInstance, name: str) -> str:
    kind, port, address, closure, local = at.module.settings.get(PEER, at.number)
    return f'AT{name}: {kind},{port},"{address}",{closure},{local}'


@commands.action("#SKTSET", *_PEER, needsValue=True, source="reference 7; TEL-OLD-08")
def setPeer(at: ATInstance, *values: Any) -> None:
    """
    The peer of this instance: TCP, port and host, how it closes, and the local port.
    """
    _setPeer(at, values)


@commands.read("#SKTSET")
def readPeer(at: ATInstance) -> str:
    """
    The peer; its line begins with AT.
    """
    return _showPeer(at, "#SKTSET")


@commands.action("#SKTSAV", limits=(_apart,), source="reference 7; TEL-OLD-08, TEL-NOT-01")
def save(at: ATInstance) -> None:
    """
    Keep the peer, name and password over the power; what #SCFG has too is kept anyway.
    """
    for name in (PEER, "#USERID", "#PASSW"):
        at.module.settings.save(name)


@commands.action("#SKTRST", source="reference 7")
def reset(at: ATInstance) -> None:
    """
    Return the settings of this instance's connection to the factory values; #SKTSAV keeps that (A).
    """
    settings = at.module.settings
    settings.remove(PEER, at.number)
    settings.remove("#USERID", None)
    settings.remove("#PASSW", None)
    cid = settings.get("#SCFG", at.number)[0]
    settings.set("#SCFG", (cid, *at.commands.rows["#SCFG"].factory(at.number)[1:]), at.number)
    at.part(SocketTable).reconfigured(at.number)


# -- connections


def _plain(host: str) -> str:
    """
    An address without the zeros that it may be padded with; a name as it is.
    """
    parts = host.split(".")
    return ".".join(str(int(part)) for part in parts) if all(part.isdecimal() for part in parts) else host


async def _open(at: ATInstance) -> Conversation:
    """
    Connect to the peer of #SKTSET.
    """
    conversation = _own(at)
    kind, port, host, closure, local = at.module.settings.get(PEER, at.number)
    if not host or not port:
        raise refuse()
    await connect(at, conversation, kind, port, _plain(host), closure, isOld=True, localPort=local)
    return conversation


@commands.action(
    "#SKTD",
    *_PEER,
    longest=140.0,
    noCarrier=True,
    limits=(_apart,),
    source="reference 7 (S IP Easy User Guide 3.2.2.7); TEL-OLD-01, TEL-OLD-02, TEL-NOT-01",
)
async def dial(at: ATInstance, *values: Any) -> Online:
    """
    Go online with the peer of #SKTSET, or with this one, which takes its place (A); context 1 must be active and stays.
    """
    _setPeer(at, values)
    conversation = await _open(at)
    return conversation.goOnline(at, Input.CONNECTED_ONLINE)


@commands.read("#SKTD")
def readDial(at: ATInstance) -> str:
    """
    The peer; its line begins with AT.
    """
    return _showPeer(at, "#SKTD")


@whole.action(
    "#SKTOP",
    longest=290.0,
    noCarrier=True,
    limits=(
        refusedBy("unless that is on instance 1 (TEL-NOT-05)", lambda carrier: carrier.instance != 1),
        refusedBy(
            "on context 1 or connId 1 (TEL-NOT-05)", lambda carrier: carrier.cid == CONTEXT or carrier.connId == 1
        ),
    ),
    source="reference 7 (S IP Easy User Guide 3.2.2.7); TEL-OLD-04, TEL-OLD-05, TEL-LIM-01, TEL-NOT-05",
)
async def dialAtOnce(at: ATInstance) -> Online | ResultCode:
    """
    Activate context 1 and go online with the peer of #SKTSET; at the end the context goes. On instance 1 alone.
    """
    if at.number != 1:
        raise refuse()
    surroundings = at.part(SocketTable).surroundings
    if _own(at).isAtWork:
        raise refuse(CME[551])

    def over() -> None:
        surroundings.deactivateContext(CONTEXT)

    if surroundings.address(CONTEXT) is None:
        await surroundings.activateContext(at, CONTEXT)
    online = None
    try:
        conversation = await _open(at)
        online = conversation.goOnline(at, Input.CONNECTED_ONLINE, over)
    except CommandFailed:
        return NO_CARRIER
    finally:
        if online is None:
            over()
    return online


#: what #SKTL shows: its last parameters
_LISTENING = "#SKTL values"
commands.setting(
    _LISTENING,
    Int("type", 0, 1, default=0),
    Int("port", 0, 65535, default=0),
    Numbers("closure", (0, KEEP_ONLINE), default=0),
    key=_INSTANCE,
    shared=True,
)


@commands.action(
    "#SKTL",
    Int("mode", 0, 1),
    Int("type", 0, 1),
    Int("port", 0, 65535),
    Numbers("closure", (0, KEEP_ONLINE), default=0),
    limits=(_apart,),
    source="reference 7 (S IP Easy User Guide 3.2.2.7); TEL-OLD-01, TEL-NOT-01",
)
async def listen(at: ATInstance, mode: int, kind: int, port: int, closure: int) -> None:
    """
    Listen for a caller, or for the first datagram of a peer, and go online with it unasked; or stop to.
    """
    conversation = _own(at)
    if not mode:
        conversation.stopListening()
        return
    await openPort(at, conversation, "#SKTL", port, kind, closure)
    at.module.settings.set(_LISTENING, (kind, port, closure), at.number)


@commands.read("#SKTL")
def readListen(at: ATInstance) -> str:
    """
    Whether this instance listens, and with which parameters it did last.
    """
    socket = at.part(SocketTable).socket(at.number)
    isListening = bool(socket.listeningPort and not socket.isLent and socket.conversation.isOld)
    kind, port, closure = at.module.settings.get(_LISTENING, at.number)
    return f"#SKTL: {int(isListening)},{kind},{port},{closure}"
