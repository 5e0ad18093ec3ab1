"""The listings of the manual are run as a reader would run them, and print what the pages say."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from atrunproto.testing.emulated import LiveModule
from tests.ftp.servers import pyftpdlib
from tests.mail.servers import dovecot
from tests.mail.test_multitechservers import DOVECOT
from tests.mail.test_multitechservers import ROOT as ROOT_USER
from tests.mail.test_realserver import serving
from tests.programs import PATIENCE, ROOT, environment

DOCS = ROOT / "docs"
LISTINGS = DOCS / "listings"
INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)


def printed(*words: str, where: Path) -> str:
    """What a listing prints; it must end by itself, and well."""
    done = subprocess.run(
        [sys.executable, str(LISTINGS / words[0]), *words[1:]],
        cwd=where,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@contextmanager
def running(*words: str, where: Path) -> Iterator[str]:
    """A listing that runs until it is stopped; gives the first line that it prints."""
    program = subprocess.Popen(
        [sys.executable, str(LISTINGS / words[0]), *words[1:]],
        cwd=where,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        yield program.stdout.readline()
    finally:
        program.terminate()
        program.communicate(timeout=PATIENCE)


def commandsOf(page: str) -> list[Sequence[str]]:
    """The commands that a page has its reader type, without C{python} in front."""
    lines = re.findall(r"^ *\$ python (.*?)( &)?$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line) for line, _ in lines]


def test_embedded(tmp_path: Path) -> None:
    """A Twisted program of one page answers AT commands on any endpoint, and another one asks them."""
    serve, ask = commandsOf("howto/embed-an-at-instance.md")
    with running(*serve, where=tmp_path) as said:
        assert said == "listening at unix:./thermometer\n"
        assert printed(*ask, where=tmp_path) == (LISTINGS / "ask.txt").read_text(encoding="utf-8")


def test_addedCommand(tmp_path: Path) -> None:
    """A command of one's own, on a product of one's own, is parsed, checked, stored and run like the others."""
    expected = (LISTINGS / "add_command.txt").read_text(encoding="utf-8")
    assert printed("add_command.py", where=tmp_path) == expected


def test_serviceCentre(tmp_path: Path) -> None:
    """A service centre serves phones of one's own, with a clock that is set by hand, and faults that repeat."""
    expected = (LISTINGS / "service_centre.txt").read_text(encoding="utf-8")
    assert printed("service_centre.py", where=tmp_path) == expected


def test_throughModem(tmp_path: Path) -> None:
    """A Twisted program talks to a host through a modem because its endpoint string says so."""
    with socket.create_server(("127.0.0.1", 0)) as host, LiveModule() as module:

        def answer() -> None:
            connection, _ = host.accept()
            with connection, connection.makefile("rwb") as lines:
                lines.write(b"you said " + lines.readline())
                lines.flush()
                lines.read()

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        at = "tcp\\:{}\\:{}".format(*module.address())
        there = f"host=127.0.0.1:port={host.getsockname()[1]}:apn=internet"
        said = printed("through_modem.py", f"modem:{at}:{there}", "hello", where=tmp_path)
        assert said == "you said hello\n"


def test_filesThroughModem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program puts a file on a server and mails a listing, all through a modem."""
    readings = tmp_path / "mine" / "readings.csv"
    readings.parent.mkdir()
    readings.write_bytes(b"1,2,3\r\n" * 1000)
    with pyftpdlib(tmp_path) as server, serving() as (box, mailPort), LiveModule() as module:
        monkeypatch.setenv("FTP_PASSWORD", server.password)
        at = "tcp:{}:{}".format(*module.address())
        servers = f"127.0.0.1:{server.port}", server.user, f"127.0.0.1:{mailPort}"
        said = printed("files_through_modem.py", at, *servers, "you@example.org", str(readings), where=tmp_path)
        assert said == "7000 octets are on the server\nthe message is sent\n"
        there = server.folder.parent / readings.name
        assert there.read_bytes() == readings.read_bytes()
    assert box.messages[0]["Subject"] == "What is on the server"
    assert "readings.csv" in box.messages[0].as_string()


def test_multitech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program connects a Multi-Tech modem, and sees whether a host answers (MTS-OPEN-04, MTS-REG-05)."""
    monkeypatch.setenv("APN_PASSWORD", "s3cret")
    with LiveModule("MTCBA-G") as module:
        at = "tcp:{}:{}".format(*module.address())
        said = printed("multitech.py", at, "internet", "user", "127.0.0.1", where=tmp_path)
    assert re.fullmatch(r"my address is 127[0-9.]+\n(?:127\.0\.0\.1 answers\n){2}", said), said


@DOVECOT
@ROOT_USER
def test_filesThroughMultitech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program puts a file on a server, mails that, and reads a mailbox, through a Multi-Tech modem (MTS-FTP-21)."""
    readings = tmp_path / "mine" / "readings.csv"
    readings.parent.mkdir()
    readings.write_bytes(b"1,2,3\r\n" * 1000)
    # what is so already is spared its second of silence
    texts = {"APNSERV": "internet", "FTPSERV": "127.0.0.1", "SMTPSERV": "127.0.0.1", "POP3SERV": "127.0.0.1"}
    texts |= {"FTPUN": "user", "FTPPW": "secret", "POP3UN": "user", "POP3PW": "secret", "DOMAIN": "example.org"}
    startup = ["AT+WOPEN=1", "AT#FTPMODE=1", *(f'AT#{name}="{value}"' for name, value in texts.items())]
    with (
        pyftpdlib(tmp_path) as server,
        serving() as (smtp, port),
        dovecot() as box,
        LiveModule("MTCBA-G", startup=startup) as module,
    ):
        box.put(b"Subject: one\r\n\r\nwell done\r\n")
        monkeypatch.setenv("MODEM_PASSWORD", server.password)
        assert (server.user, server.password) == (box.user, box.password)
        at = "tcp:{}:{}".format(*module.address())
        servers = [f"127.0.0.1:{number}" for number in (server.port, port, box.port)]
        words = (at, *servers, server.user, "you@example.org", str(readings))
        said = printed("files_through_multitech.py", *words, where=tmp_path)
        assert said == "7000 octets are on the server\nthe mail is sent\na mail says: well done\n"
        assert (server.folder.parent / readings.name).read_bytes() == readings.read_bytes()
        assert box.mails() == []
    assert smtp.messages[0].get_content().strip() == "readings.csv is on the server."


def test_atOverSMS(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program runs commands on a module by short message, through a modem (TEL-SMS-01, TEL-SMS-06)."""
    page = (DOCS / "howto/at-over-sms.md").read_text(encoding="utf-8")
    number = "+390000000002"
    (password, words) = re.findall(r"^ *\$ SMSATRUN_PASSWORD=(\S+) python \S+ \S+ (.*)$", page, re.MULTILINE)[0]
    startup = re.findall(r"^ *(AT#SMSATWL=.*|AT#SMSATRUN=1)$", page, re.MULTILINE)
    monkeypatch.setenv("SMSATRUN_PASSWORD", password)
    expected = (LISTINGS / "at_over_sms.txt").read_text(encoding="utf-8")
    with (
        LiveModule(number="+390000000001") as gateway,
        LiveModule(beside=gateway, imei="357000000000002", number=number, startup=startup),
    ):
        at = "tcp:{}:{}".format(*gateway.address())
        assert printed("at_over_sms.py", at, *shlex.split(words), where=tmp_path) == expected


def test_everyListingIsShown() -> None:
    """No listing is left over that no page shows, and no page shows one that isn't there."""
    shown = {
        (page.parent / name).resolve()
        for page in DOCS.rglob("*.md")
        if "_build" not in page.parts
        for name in INCLUDED.findall(page.read_text(encoding="utf-8"))
    }
    assert shown >= set(LISTINGS.iterdir())
    assert all(each.exists() for each in shown)
