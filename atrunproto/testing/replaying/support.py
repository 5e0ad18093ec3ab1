"""
What can be replayed today.

Everything that the format knows and the emulated module doesn't do yet stands here with the service that it waits for.
Who builds a service takes its rows out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from atrunproto.testing.dialogue import Dialogue, Event

_SOCKETS: Final = "sockets by AT command"
_SMS: Final = "short messages"
_DATA: Final = "data calls and PPP"
_FTP: Final = "FTP"
_SMTP: Final = "mail"
_POP3: Final = "mail"
_CALLS: Final = "telephone calls"
_MULTITECH: Final = "the Multi-Tech family"

TOPICS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("cmdmode", "listen", "online", "sd", "send", "sh", "si", "so", "srecv", "sring"), _SOCKETS),
    **dict.fromkeys(("http", "ipfw", "old", "smtp", "pop3", "twomod"), _SOCKETS),
    "cmux": "the multiplexer",
    "dialup": _DATA,
    "ppp": _DATA,
    "digest": _SMS,
    "sms": _SMS,
    "ftp": _FTP,
    "scfgext": _SOCKETS,
    "transparent": "the transparent connection",
}
"""Topics of services that don't exist yet."""

PORTS: Final[Mapping[str, str]] = {"sms": _SMS, "phone": _CALLS}
"""Ports that nobody answers yet."""

FACTS: Final[Mapping[str, str]] = {
    "number mobile": _SMS,
    "smsc": _SMS,
    "stack closed": _MULTITECH,
    "link gprs": _MULTITECH,
    "link gsm": _MULTITECH,
    "apn": _MULTITECH,
    "gprs rejects": _MULTITECH,
    "isp": _CALLS,
    "caller": _CALLS,
    "dns": "name servers",
    "dns silent": "name servers",
    "dns-server": "name servers",
    "operator-dns": "name servers",
    "ping": "ping",
    "ftp": _FTP,
    "ftp-file": _FTP,
    "ftp-cut": _FTP,
    "ftp-refuses": _FTP,
    "smtp": _SMTP,
    "pop3": _POP3,
    "pop3-mail": _POP3,
    "pop3-cut": _POP3,
    "now:": _MULTITECH,
}
"""Facts that can't be made true yet."""

DIRECTIVES: Final[Mapping[str, str]] = {
    "ppp open": _DATA,
    "ppp close": _DATA,
    "ftp has": _FTP,
    "ftp used": _FTP,
    "ftp unused": _FTP,
    "smtp has": _SMTP,
    "smtp unused": _SMTP,
}
"""Directives that can't be obeyed yet."""

_SERVERS: Final[Mapping[str, str]] = {"smtp": _SMTP, "ftp": _FTP}


def missing(dialogue: Dialogue) -> str:
    """What a dialogue needs and doesn't exist yet, in words; empty where all is there."""
    return "; ".join(dict.fromkeys(_needs(dialogue)))


def _needs(dialogue: Dialogue) -> Iterator[str]:
    if dialogue.topic in TOPICS:
        yield f"topic {dialogue.topic} needs {TOPICS[dialogue.topic]}"
    for port in dict.fromkeys([*(given.port for given in dialogue.given), *(step.port for step in dialogue.steps)]):
        if port in PORTS:
            yield f"port {port} needs {PORTS[port]}"
    for fact in dialogue.facts:
        if fact.word in FACTS:
            yield f"@world {fact.word} needs {FACTS[fact.word]}"
    for step in dialogue.steps:
        if isinstance(step, Event):
            if step.word in DIRECTIVES:
                yield f"@{step.word} needs {DIRECTIVES[step.word]}"
            target = step.values.get("target", "")
            if target in _SERVERS or target in PORTS:
                yield f"@{step.word} {target} needs {_SERVERS.get(target) or PORTS[target]}"
