"""
Both sides of the AT protocols of Telit and Multi-Tech modules: the module that answers, and the host that asks.

Each protocol is a package of its own (L{atrunproto.at}, L{atrunproto.tcpatrun}, L{atrunproto.ipeasy});
L{atrunproto.emulator} composes their module sides into an emulated module, L{atrunproto.fleet} their peer sides into a
controlling host.
"""

__version__ = "0.1.0"
