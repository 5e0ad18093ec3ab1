"""The names by which Twisted finds us: two C{twistd} commands, and C{pty:}, C{serial:} and C{modem:} as endpoints."""

from twisted.application.service import ServiceMaker

from atrunproto.endpoints import ModemParser, PtyParser, SerialParser

atrunModule = ServiceMaker(
    "atrunproto emulated modules",
    "atrunproto.emulator.tap",
    "Emulated GSM modules that answer AT commands.",
    "atrun-module",
)

atrunHost = ServiceMaker(
    "atrunproto controlling host",
    "atrunproto.fleet.tap",
    "A host that runs AT commands on many modules.",
    "atrun-host",
)

modemParser = ModemParser()
ptyParser = PtyParser()
serialParser = SerialParser()
