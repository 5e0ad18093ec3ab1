"""
The commands of the sockets: their settings, their connections and their status.

Source: reference 6.1 to 6.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.error import CannotListenError, ConnectError, ConnectionRefusedError, DNSLookupError, TimeoutError

from atrunproto.admission import changed, dotted, quad
from atrunproto.at.commands import CommandTable
from atrunproto.at.editing import RawPrompt, TextPrompt
from atrunproto.at.errors import Abandoned, CommandFailed
from atrunproto.at.online import Online
from atrunproto.at.parameters import Int, Numbers, Text
from atrunproto.at.results import CME, NO_CARRIER, ResultCode, refuse
from atrunproto.at.settings import Key, Stored, Values

from .buffer import Place
from .conversation import KEEP_ONLINE, Conversation
from .lifecycle import Input, State
from .module import SOCKETS, Firewall, SocketTable

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("ipeasy")
#: what the 2G and HE863 families have in their own form
classic = CommandTable("ipeasy classic")
#: the same on xE910-3G, whose form knows datagrams, and what that family has besides
xE910 = CommandTable("ipeasy xE910")

_CONN_ID = Int("connId", 1, SOCKETS)
#: factory binding of the sockets: 1 to 3 on context 1, 4 to 6 on context 2
_FACTORY: dict[int, Values] = {connId: (1 if connId <= 3 else 2, 300, 90, 600, 50) for connId in range(1, SOCKETS + 1)}


def _checkSocket(at: ATInstance, values: Values, key: Key) -> None:
    """
    A socket at work can't be changed (TEL-SCF-06), nor the tie to a context that comes back by itself (TEL-EXT-13).
    """
    assert key is not None
    sockets = at.part(SocketTable)
    if sockets.isConnected(key):
        raise refuse(CME[551])
    cid = at.module.settings.get("#SCFG", key)[0]
    if values[0] != cid and (not sockets.isFree(key) or (cid and at.module.settings.get("#SGACTCFG values", cid)[0])):
        raise refuse(CME[551])


commands.setting(
    "#SCFG",
    Int("cid", 0, 5, default=1, required=True),
    Int("pktSz", 0, 1500, default=300, required=True, unit="octets", absent=0),
    Int("maxTo", 0, 65535, default=90, required=True, unit="s"),
    Int("connTo", 10, 1200, default=600, required=True, unit="100 ms"),
    Int("txTo", 0, 255, default=50, required=True, unit="100 ms"),
    key=_CONN_ID,
    factories=_FACTORY,
    stored=Stored.NVM,
    shared=True,
    check=_checkSocket,
    about="The context, packet size and timeouts of a socket.",
    source="reference 6.1 (S IP Easy User Guide 3.2.1.2)",
)


# -- extended settings

for _table, _modes in ((classic, 2), (xE910, 3)):
    _table.setting(
        "#SCFGEXT",
        Int("srMode", 0, _modes, default=0, required=True),
        Int("recvDataMode", 0, 1, default=0, required=True),
        Int("keepalive", 0, 240, default=0, required=True, unit="min"),
        Int("ListenAutoRsp", 0, 1, default=0),
        Int("sendDataMode", 0, 1, default=0),
        key=_CONN_ID,
        stored=Stored.NVM,
        shared=True,
        about="How a socket announces and shows data, its keepalive, and whether it answers callers by itself.",
        source="reference 6.1 (S IP Easy User Guide 4.2.2); TEL-CMD-06 to TEL-CMD-15",
    )
commands.setting(
    "#SCFGEXT2",
    Int("bufferStart", 0, 1, default=0, required=True),
    Int("abortConnAttempt", 0, 1, default=0),
    Int("unused_B", 0, 0, default=0),
    Int("unused_C", 0, 0, default=0),
    Int("noCarrierMode", 0, 2, default=0),
    key=_CONN_ID,
    stored=Stored.NVM,
    shared=True,
    about="When the transmission timeout begins, whether a character aborts an attempt, and the form of NO CARRIER.",
    source="reference 6.1",
)


# -- connections


def conversationAt(at: ATInstance, connId: int) -> Conversation:
    """
    What goes on at a socket, unless a service has it.

    @raise CommandFailed: one has.
    """
    socket = at.part(SocketTable).socket(connId)
    if socket.isLent:
        raise refuse(CME[551])
    return socket.conversation


#: why a connection can't be opened, by the first that fits (reference 6.3)
_FAILURES = (
    (DNSLookupError, CME[558]),
    (TimeoutError, CME[559]),
    (ConnectionRefusedError, CME[560]),
    (CannotListenError, CME[557]),
)

_CLOSURE = Numbers("closureType", (0, KEEP_ONLINE), default=0)
_ONLINE, _COMMAND = 0, 1
#: <txProt>
TCP, UDP = 0, 1


@commands.action(
    "#SD",
    _CONN_ID,
    Int("txProt", 0, 1),
    Int("rPort", 1, 65535),
    Text("IPaddr", 100),
    _CLOSURE,
    Int("lPort", 0, 65535, default=0),
    Int("connMode", 0, 1, default=0),
    longest=140.0,
    noCarrier=True,
    source="reference 6.3 (S IP Easy User Guide 3.2.1.4); TEL-SD, TEL-CMD-03",
)
async def dial(
    at: ATInstance, connId: int, protocol: int, port: int, host: str, closureType: int, localPort: int, mode: int
) -> Online | None:
    """
    Open a connection, and go online with it or stay in command mode.
    """
    conversation = conversationAt(at, connId)
    await connect(at, conversation, protocol, port, host, closureType, localPort=localPort, online=mode == _ONLINE)
    if mode == _COMMAND:
        conversation.inCommandMode(at, Input.CONNECTED_COMMAND)
        return None
    return conversation.goOnline(at, Input.CONNECTED_ONLINE)


async def connect(
    at: ATInstance,
    conversation: Conversation,
    protocol: int,
    port: int,
    host: str,
    closureType: int,
    isOld: bool = False,
    localPort: int = 0,
    online: bool = True,
) -> None:
    """
    Connect a socket, for the command to go on with.

    @param closureType: for TCP; with UDP there is no peer that closes.
    @param localPort: for UDP; 0: any (TEL-EXT-17).
    @param online: whether the command is to go online with it.
    @raise CommandFailed: it can't be connected.
    """
    if online:
        checkOnline(at)
    socket = conversation.socket
    if conversation.isAtWork:
        raise refuse(CME[551])
    if socket.address is None:
        raise refuse(CME[556])
    conversation.dialling(at, 0 if protocol == UDP else closureType, isOld)
    if protocol == UDP:
        dialled = socket.dialDatagrams(host, port, conversation, localPort)
    else:
        dialled = socket.dial(host, port, conversation)
    try:
        link = await at.abortable(dialled, bool(_extended2(at, socket.connId)[1]))
    except (ConnectError, CannotListenError, OSError) as error:
        raise refuse(next((reason for kind, reason in _FAILURES if isinstance(error, kind)), CME[562])) from error
    finally:
        if conversation.link is None:
            conversation.failed()
    if link is None or conversation.link is None:
        raise refuse(CME[562])
    if online:
        try:
            checkOnline(at)
        except CommandFailed:
            # another socket has gone online meanwhile
            conversation.shut()
            raise


def checkOnline(at: ATInstance) -> None:
    """
    Where a product can't have so many sockets online at once, refuse one more (TEL-LIM-04, TEL-CON-54).
    """
    if not at.part(SocketTable).mayGoOnline:
        raise refuse(CME[551])


def _extended2(at: ATInstance, connId: int) -> Values:
    return at.module.settings.get("#SCFGEXT2", connId)


@commands.action("#SO", _CONN_ID, noCarrier=True, source="reference 6.3 (S IP Easy User Guide 3.2.1.5); TEL-SO")
def resume(at: ATInstance, connId: int) -> Online | ResultCode:
    """
    Go online with a suspended connection; what waited comes first.
    """
    conversation = conversationAt(at, connId)
    if conversation.state in (State.CLOSED, State.DRAINING):
        return NO_CARRIER
    if conversation.state not in (State.SUSPENDED, State.PENDING) or conversation.owner != at.number:
        raise refuse(CME[566])
    checkOnline(at)
    return conversation.goOnline(at, Input.RESUME)


@commands.action("#SH", _CONN_ID, longest=10.0, source="reference 6.3 (S IP Easy User Guide 3.2.1.6); TEL-SH")
def shut(at: ATInstance, connId: int) -> None:
    """
    Close a connection, refuse a caller, end listening; OK too where there is nothing to close.
    """
    conversation = conversationAt(at, connId)
    if conversation.isConnected and conversation.owner != at.number:
        # by the instance that opened it (TEL-EXT-17)
        raise refuse(CME[551])
    conversation.shut()


@commands.action(
    "#SL",
    _CONN_ID,
    Int("listenState", 0, 1),
    Int("listenPort", 0, 65535),
    _CLOSURE,
    source="reference 6.3 (S IP Easy User Guide 3.2.2.2); TEL-LIS",
)
async def listen(at: ATInstance, connId: int, state: int, port: int, closureType: int) -> None:
    """
    Begin or end to listen for callers.
    """
    conversation = conversationAt(at, connId)
    if state:
        await openPort(at, conversation, "#SL", port, closureType=closureType)
    else:
        conversation.stopListening()


async def openPort(
    at: ATInstance, conversation: Conversation, by: str, port: int, protocol: int = TCP, closureType: int = 0
) -> None:
    """
    Let a socket listen.

    @param by: the command: #SL, #SLUDP or #SKTL.
    @param closureType: for TCP; with UDP there is no peer that closes.
    @raise CommandFailed: it can't.
    """
    socket, isTaken = conversation.socket, at.part(SocketTable).isListening(port, forDatagrams=protocol == UDP)
    if port == 0:
        raise refuse()
    if conversation.isAtWork or isTaken:
        raise refuse(CME[564] if isTaken else CME[551])
    if socket.address is None:
        raise refuse(CME[556])
    rules = at.part(Firewall).rules
    # at work before the port is free, lest another instance takes the socket meanwhile
    conversation.listening(at, by, 0 if protocol == UDP else closureType)
    try:
        if protocol == UDP:
            await socket.listenDatagrams(port, rules, conversation.heard)
        else:
            await socket.listen(port, rules, lambda peer: conversation.called(), lambda: None)
    except CannotListenError as error:
        conversation.stopListening()
        raise refuse(CME[557]) from error
    if conversation.state is not State.LISTENING:
        # ended meanwhile
        socket.stopListening()


commands.test("#SL")(lambda at: "#SL: (1-6),(0,1),(1-65535),(0,255)")


@commands.read("#SL")
def readListen(at: ATInstance) -> list[str]:
    """
    The sockets that listen: connId, port, closure type (the form: assumed).
    """
    return at.part(SocketTable).listeners()


@commands.action(
    "#SLUDP",
    _CONN_ID,
    Int("listenState", 0, 1),
    Int("listenPort", 0, 65535),
    source="reference 6.3 (S IP Easy User Guide 3.2.2.3); TEL-LIS-10",
)
async def listenDatagrams(at: ATInstance, connId: int, state: int, port: int) -> None:
    """
    Begin or end to wait for the first datagram of a peer.
    """
    conversation = conversationAt(at, connId)
    if state:
        await openPort(at, conversation, "#SLUDP", port, UDP)
    else:
        conversation.stopListening()


@commands.read("#SLUDP")
def readListenDatagrams(at: ATInstance) -> list[str]:
    """
    The sockets that wait for a peer's first datagram, or talk with it: connId, port (the form: assumed).
    """
    return at.part(SocketTable).datagramListeners()


@commands.action(
    "#SA", _CONN_ID, Int("connMode", 0, 1, default=0), noCarrier=True, source="reference 6.3; TEL-LIS-06, TEL-CMD-04"
)
def accept(at: ATInstance, connId: int, mode: int) -> Online | None:
    """
    Take a caller, online or in command mode.
    """
    conversation = conversationAt(at, connId)
    if conversation.state is not State.INCOMING:
        raise refuse(CME[551])
    if mode == _COMMAND:
        conversation.inCommandMode(at, Input.ACCEPT_COMMAND)
        return None
    checkOnline(at)
    return conversation.goOnline(at, Input.ACCEPT_ONLINE)


@commands.action(
    "#FRWL",
    Int("action", 0, 2, default=None),
    Text("ip_address", 15, default=None),
    Text("net_mask", 15, default=None),
    needsValue=True,
    source="reference 6.1 (S IP Easy User Guide 3.2.2.1); TEL-IFW",
)
def changeFirewall(at: ATInstance, action: int | None, address: str | None, mask: str | None) -> None:
    """
    Add or remove a rule that admits callers to listening sockets.
    """
    if action is None:
        if address is not None or mask is not None:
            raise refuse()
        return
    firewall = at.part(Firewall)
    try:
        firewall.change(changed(firewall.rules, action, address, mask))
    except ValueError:
        raise refuse() from None


@commands.read("#FRWL")
def readFirewall(at: ATInstance) -> list[str]:
    """
    The rules, one a line.
    """
    return [f'#FRWL: "{address}","{mask}"' for address, mask in at.part(Firewall).rules]


commands.test("#FRWL")(lambda at: "#FRWL: (0-2)")


# -- command mode


@classic.action("#SRECV", _CONN_ID, Int("maxByte", 1, 1500), source="reference 6.5; TEL-CMD-21, TEL-EXT-20")
def receive(at: ATInstance, connId: int, count: int) -> list[str]:
    """
    Read waiting data.
    """
    conversation = _readableAt(at, connId)
    data = conversation.read(count)
    return [f"#SRECV: {connId},{len(data)}", conversation.show(data)]


@xE910.action(
    "#SRECV",
    _CONN_ID,
    Int("maxByte", 1, 1500),
    Int("UDPInfo", 0, 1, default=0),
    source="reference 6.5; TEL-CMD-21, TEL-EXT-20",
)
def receiveFrom(at: ATInstance, connId: int, count: int, info: int) -> list[str]:
    """
    Read waiting data; with 1 those of one datagram, with its origin and how much of it is left.
    """
    conversation = _readableAt(at, connId)
    portion = conversation.readDatagram(count) if info else None
    if portion is None:
        # a connection has no datagrams, and its data are shown as ever (A)
        return receive(at, connId, count)
    data, (host, port), left = portion
    return [f"#SRECV: {host},{port},{connId},{len(data)},{left}", conversation.show(data)]


def _readableAt(at: ATInstance, connId: int) -> Conversation:
    """
    What goes on at a socket where data wait.

    @raise CommandFailed: none do.
    """
    conversation = conversationAt(at, connId)
    if not conversation.pending or conversation.state not in (State.PENDING, State.DRAINING):
        raise refuse(CME[555])
    return conversation


def _connectedAt(at: ATInstance, connId: int, place: Place | None) -> Conversation:
    """
    What goes on at a socket that can send.

    @raise CommandFailed: it has no connection, or one that goes to its peer alone though a place is given.
    """
    conversation = conversationAt(at, connId)
    if not conversation.isConnected or (place is not None and not conversation.speaksUDP):
        raise refuse(CME[551])
    return conversation


async def _sendText(at: ATInstance, connId: int, place: Place | None = None) -> None:
    """
    Send what is typed at a prompt up to ^Z; ESC drops it.
    """
    conversation = _connectedAt(at, connId, place)
    limit = at.module.limit("sent")
    hexadecimal = conversation.socket.extension.sendDataMode
    try:
        data = await at.prompt(TextPrompt(2 * limit if hexadecimal else limit))
    except Abandoned:
        return
    if hexadecimal:
        try:
            data = bytes.fromhex(data.decode("latin-1").strip())
        except ValueError:
            raise refuse() from None
    await conversation.send(data, place)


async def _sendCounted(at: ATInstance, connId: int, count: int, place: Place | None = None) -> None:
    """
    Send exactly so many octets, whatever they are.
    """
    conversation = _connectedAt(at, connId, place)
    await conversation.send(await at.prompt(RawPrompt(count)), place)


_COUNT = Int("bytestosend", 1, 1500)
_PLACE = (Text("remoteIP", 15), Int("remotePort", 1, 65535))

#: the names that the guide for HE863 uses as well (TEL-CON-26)
synonyms = CommandTable("ipeasy synonyms")

for _table, _text, _counted in ((commands, "#SSEND", "#SSENDEXT"), (synonyms, "#SEND", "#SENDEXT")):
    _table.action(_text, _CONN_ID, longest=180.0, source="reference 6.5; TEL-CMD-16 to TEL-CMD-20")(_sendText)
    _table.action(
        _counted,
        _CONN_ID,
        _COUNT,
        longest=180.0,
        counted=True,
        source="reference 6.5; TEL-CMD-19",
    )(_sendCounted)


def _place(address: str, port: int) -> Place:
    """
    Where a datagram goes.

    @raise CommandFailed: the address isn't a dotted one; names are not resolved here.
    """
    number = quad(address)
    if number is None:
        raise refuse()
    return dotted(number), port


@xE910.action("#SSENDUDP", _CONN_ID, *_PLACE, longest=180.0, source="reference 6.5")
async def sendTextTo(at: ATInstance, connId: int, address: str, port: int) -> None:
    """
    Send what is typed at a prompt up to ^Z as a datagram, to the peer or anybody else; ESC drops it.
    """
    await _sendText(at, connId, _place(address, port))


@xE910.action("#SSENDUDPEXT", _CONN_ID, _COUNT, *_PLACE, longest=180.0, counted=True, source="reference 6.5")
async def sendCountedTo(at: ATInstance, connId: int, count: int, address: str, port: int) -> None:
    """
    Send a datagram of exactly so many octets, whatever they are, to the peer or anybody else.
    """
    await _sendCounted(at, connId, count, _place(address, port))
