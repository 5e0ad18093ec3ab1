"""
The endpoint strings C{pty:PATH} and C{serial:DEVICE[:baudrate=115200]}, for servers (module) and clients (peer).

    - C{pty:PATH} as a server makes a pseudo terminal and C{PATH} a symbolic link to it, for as long as it listens;
      users of the terminal come and go. One protocol serves them all, as one modem port does.
    - C{pty:PATH} as a client opens such a terminal, C{serial:DEVICE} a serial device, for itself alone.
    - C{serial:DEVICE} as a server puts one protocol on the device, and a new one each time that the device comes back.
    - C{modem:PORT:host=HOST:port=NUMBER} as a client connects through the module on an AT port.
    - C{multitech:PORT:host=HOST:port=NUMBER} does so where that is a modem of Multi-Tech.

The plugins in C{twisted/plugins} make them known to C{serverFromString} and C{clientFromString}. Transports with modem
lines provide the interfaces of L{atrunproto.at.lines}.
"""

from atrunproto.endpoints._modem import ModemClientEndpoint, ModemParser, MultitechParser
from atrunproto.endpoints._parsers import PtyParser, SerialParser
from atrunproto.endpoints._pty import PtyAddress, PtyServerEndpoint
from atrunproto.endpoints._serial import (
    SerialAddress,
    SerialClientEndpoint,
    SerialServerEndpoint,
    SerialSettings,
)
from atrunproto.endpoints._tty import CannotListenOnTTY

__all__ = [
    "CannotListenOnTTY",
    "ModemClientEndpoint",
    "ModemParser",
    "MultitechParser",
    "PtyAddress",
    "PtyParser",
    "PtyServerEndpoint",
    "SerialAddress",
    "SerialClientEndpoint",
    "SerialParser",
    "SerialServerEndpoint",
    "SerialSettings",
]
