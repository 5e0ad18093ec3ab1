"""gnokii, which drives a phone or modem by AT commands, with the emulated module on the other end."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from atrunproto.testing.emulated import LiveModule
from tests.realsoftware.outside import FRIEND, textsOutside, write
from tests.realsoftware.terminal import PATIENCE
from tests.support import requireProgram

pytestmark = requireProgram("gnokii")

SETTINGS = "[global]\nport=./at1\nmodel=AT\nconnection=serial\nuse_locking=no\n"
GREETING = "hello {[^~]} \N{EURO SIGN}"
LONG = "0123456789" * 31


@pytest.fixture(params=["GE865-QUAD", "HE910-EUR"])
def module(request: pytest.FixtureRequest) -> Iterator[LiveModule]:
    """A module of the second or third generation on a pseudo terminal."""
    with LiveModule(request.param, {1: "pty:./at1"}) as module:
        yield module


def gnokii(*arguments: str, typed: str = "") -> str:
    """Run it, which must succeed; give what it prints behind its version."""
    Path("gnokiirc").write_text(SETTINGS)
    # where it keeps a log, or else complains
    Path(".cache/gnokii").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["gnokii", "--config", "gnokiirc", *arguments],
        input=typed.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(Path.cwd())},
    )
    text = done.stdout.decode()
    assert done.returncode == 0, text
    return text.partition("\n")[2]


def texts(listing: str) -> list[str]:
    """The texts of the messages that it shows."""
    return re.findall(r"^(?:Text|Linked \(\d/\d\)):\n(.*)$", listing, re.MULTILINE)


def test_identify(module: LiveModule) -> None:
    """gnokii finds manufacturer, model, software version and IMEI."""
    found = dict(re.findall(r"^(\S.*?) *: (.*)$", gnokii("--identify"), re.MULTILINE))
    product = module.module.product
    assert (found["Manufacturer"], found["Model"]) == ("Telit", product.model)
    assert (found["Revision"], found["IMEI"]) == (product.software, module.module.imei)


def test_messages(module: LiveModule) -> None:
    """gnokii sends short and long messages, reads what has come, keeps a draft and deletes."""
    own = module.module.number
    write(module, GREETING, "Привет")
    assert gnokii("--sendsms", FRIEND, typed=GREETING) == "Send succeeded with reference 0!\n"
    assert gnokii("--sendsms", own, typed=LONG) == "Message sent in 3 parts with reference numbers: 1 2 3\n"
    assert textsOutside(module) == [GREETING]
    read = gnokii("--getsms", "SM", "1", "5", "-d")
    assert re.findall(r"^\d\. Inbox Message \((.*)\)$", read, re.MULTILINE) == ["Unread"] * 5
    first, second, *parts = texts(read)
    assert (first, second, "".join(parts)) == (GREETING, "Привет", LONG)
    assert read.count("(message deleted)") == 5
    assert "Saved to 1!" in gnokii("--savesms", typed="kept")
    status = gnokii("--showsmsfolderstatus")
    assert re.findall(r"^ *\d (\S.*?) +SM +(\d+)$", status, re.MULTILINE) == [("SIM card", "1")]
