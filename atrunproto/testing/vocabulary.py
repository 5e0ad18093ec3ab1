"""
The words of dialogue files: ports, the directives of the body, and the facts about the surroundings.

Tables only; L{atrunproto.testing.dialogue} reads with them. An extension of the format adds its rows here. Source:
the dialogue format, Ports, Header, Directives in the body, Multi-Tech extensions.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

PORTS: Final = ("at1", "at2", "at3", "b.at1", "tcp", "sock", "sock2", "sock3", "sms", "phone")
"""All ports of the format."""

AT_PORTS: Final = ("at1", "at2", "at3", "b.at1", "sms")
"""The ports on which AT commands are typed, so that C{@given} makes sense there."""

_PORT: Final = "|".join(re.escape(port) for port in PORTS)
_IP: Final = r"\d{1,3}(?:\.\d{1,3}){3}"
_NUMBER: Final = r"\d{1,5}"
_SECONDS: Final = r"\d{1,6}(?:\.\d{1,6})?"
_HOST: Final = r"[\w.-]+"

Row: TypeAlias = tuple[str, str, str]
"""Word, how it is written (for the reader's errors), and the pattern of what follows the word."""

DIRECTIVES: Final[tuple[Row, ...]] = (
    (
        "connect",
        "PORT [from IP] [port N] [udp]",
        rf"(?P<target>{_PORT})(?: from (?P<address>{_IP}))?(?: port (?P<number>{_NUMBER}))?(?: (?P<udp>udp))?",
    ),
    ("dropped", "PORT", rf"(?P<target>{_PORT})"),
    ("listen", "PORT", rf"(?P<target>{_PORT})"),
    ("unlisten", "PORT", rf"(?P<target>{_PORT})"),
    ("accept", "PORT", rf"(?P<target>{_PORT})"),
    ("close", "PORT, smtp, pop3 or ftp", rf"(?P<target>{_PORT}|smtp|pop3|ftp)"),
    ("closed", "PORT", rf"(?P<target>{_PORT})"),
    ("vanish", "PORT", rf"(?P<target>{_PORT})"),
    ("reset", "PORT", rf"(?P<target>{_PORT})"),
    (
        "refused",
        "PORT from IP port N",
        rf"(?P<target>{_PORT})(?: from (?P<address>{_IP}))?(?: port (?P<number>{_NUMBER}))?",
    ),
    ("silent", "PORT SECONDS", rf"(?P<target>{_PORT}) (?P<seconds>{_SECONDS})"),
    ("wait", "SECONDS", rf"(?P<seconds>{_SECONDS})"),
    ("within", "SECONDS", rf"(?P<seconds>{_SECONDS})"),
    ("reboot", "[within SECONDS]", rf"(?:within (?P<seconds>{_SECONDS}))?"),
    ("power cycle", "", ""),
    ("network deactivate", "CID", r"(?P<cid>\d{1,2})"),
    ("ppp open", "", ""),
    ("ppp close", "", ""),
    ("ftp has", "PATH CONTENT", r"(?P<path>\S+)(?: (?P<content>.*))?"),
    ("ftp used", "WHAT", r"(?P<what>.+)"),
    ("ftp unused", "[WHAT]", r"(?P<what>.*)"),
    ("smtp has", "TEXT", r"(?P<text>.+)"),
    ("smtp used", "WHAT", r"(?P<what>.+)"),
    ("smtp unused", "[WHAT]", r"(?P<what>.*)"),
)
"""The directives of the body. A later word of the same beginning is the longer one: C{close} and C{closed} are two."""

FACTS: Final[tuple[Row, ...]] = (
    ("factory state", "", ""),
    ("no firewall rules", "", ""),
    ("stack closed", "", ""),
    ("not registered", "", ""),
    ("packet service detached", "", ""),
    ("link gprs", "", ""),
    ("link gsm", "", ""),
    ("sim pin", "PIN", r"(?P<pin>\d{4,8})"),
    ("operator", "NAME", r"(?P<name>.+)"),
    ("cells", "N", r"(?P<count>\d{1,2})"),
    ("number module", "N", r"(?P<msisdn>\+?\d{1,20})"),
    ("number mobile", "N", r"(?P<msisdn>\+?\d{1,20})"),
    ("smsc", "N", r"(?P<msisdn>\+?\d{1,20})"),
    ("ip", "CID A.B.C.D", rf"(?P<cid>\d{{1,2}}) (?P<address>{_IP})"),
    ("address tcp", "A.B.C.D[:PORT]", rf"(?P<address>{_IP})(?::(?P<number>{_NUMBER}))?"),
    (
        "peer",
        "sock HOST:PORT [udp]",
        rf"(?P<target>sock[23]?) (?P<host>{_HOST}):(?P<number>{_NUMBER})(?: (?P<udp>udp))?",
    ),
    ("echo", "HOST:PORT", rf"(?P<host>{_HOST}):(?P<number>{_NUMBER})"),
    ("refused", "HOST:PORT", rf"(?P<host>{_HOST}):(?P<number>{_NUMBER})"),
    ("silent", "HOST:PORT", rf"(?P<host>{_HOST}):(?P<number>{_NUMBER})"),
    ("dns-server", "ADDRESS ...", rf"(?P<address>{_IP})(?: (?P<text>.+))?"),
    ("operator-dns", "ADDRESS [ADDRESS] or none", rf"(?:none|(?P<address>{_IP})(?:,? (?P<second>{_IP}))?)"),
    ("dns silent", "", ""),
    ("dns", "NAME ADDRESS", rf"(?P<name>{_HOST}) (?P<address>{_IP})"),
    ("ping", "ADDRESS [silent or lost N]", rf"(?P<address>{_IP})(?: (?P<text>silent|lost \d+(?:(?:, ?| )\d+)*))?"),
    ("ftp-file", "PATH CONTENT", r"(?P<path>\S+)(?: (?P<content>.*))?"),
    ("ftp-cut", "PATH after CONTENT", r"(?P<path>\S+) after (?P<content>.*)"),
    ("ftp-refuses", "WHAT [PATH]", r"(?P<text>.+)"),
    (
        "ftp",
        "HOST:PORT USER PASSWORD",
        rf"(?P<host>{_HOST}):(?P<number>{_NUMBER}) (?P<user>\S+) (?P<password>\S+)",
    ),
    ("smtp", "HOST:PORT [refuses WHAT]", rf"(?P<host>{_HOST}):(?P<number>{_NUMBER})(?: (?P<text>.+))?"),
    ("pop3-mail", "TEXT", r"(?P<text>.+)"),
    ("pop3-cut", "...", r"(?P<text>.+)"),
    (
        "pop3",
        "HOST:PORT USER PASSWORD [refuses WHAT]",
        rf"(?P<host>{_HOST}):(?P<number>{_NUMBER})(?: (?P<text>.+))?",
    ),
    ("apn", "NAME ...", r"(?P<text>.+)"),
    ("gprs rejects", "...", r"(?P<text>.+)"),
    ("isp", "NUMBER ...", r"(?P<text>.+)"),
    ("caller", "...", r"(?P<text>.+)"),
    ("now:", "STATE", r"(?P<text>.+)"),
)
"""What C{@world} can say."""
