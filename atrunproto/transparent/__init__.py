"""The sockets of Multi-Tech modems, which code what passes through the AT port by DLE and ETX."""
