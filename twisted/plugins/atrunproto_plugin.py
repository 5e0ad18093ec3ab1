"""The names by which Twisted finds us: two C{twistd} commands, and the endpoint strings."""

from twisted.application.service import ServiceMaker

from atrunproto.endpoints import ModemParser, MultitechParser, PtyParser, SerialParser

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
multitechParser = MultitechParser()
ptyParser = PtyParser()
serialParser = SerialParser()
