"""smsd of smstools, a daemon that carries short messages between folders and a modem, with an emulated module."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atrunproto.sms.centre import Faults
from atrunproto.testing.emulated import LiveModule
from tests.realsoftware.outside import FRIEND, textsOutside, waitUntil, write
from tests.realsoftware.terminal import PATIENCE
from tests.support import requireProgram

pytestmark = requireProgram("smsd")

#: messages in each direction
MANY = 100
#: seconds in which they must have gone and come
LONGEST = 60.0

FOLDERS = ("outgoing", "checked", "incoming", "failed", "sent", "report")
SETTINGS = """\
devices = GSM1,GSM2
loglevel = 7
delaytime = 1
delaytime_mainprocess = 1
incoming_utf8 = yes
logfile = smsd.log
infofile = {folder}/smsd.running
pidfile = {folder}/smsd.pid
{folders}
[GSM1]
device = {folder}/at1
init = AT+CNMI=2,1,0,2
outgoing = no
incoming = yes
report = yes
check_memory_method = 31
[GSM2]
device = {folder}/at2
incoming = no
check_network = 0
"""


@contextmanager
def smsd() -> Iterator[None]:
    """
    Run it in the current folder.

    It reads messages on one AT port of the module and sends them on another.
    """
    folder = Path.cwd()
    for name in FOLDERS:
        Path(name).mkdir()
    folders = "\n".join(f"{name} = {folder}/{name}" for name in FOLDERS)
    Path("smsd.conf").write_text(SETTINGS.format(folder=folder, folders=folders))
    with Path("smsd.out").open("wb") as out:
        process = subprocess.Popen(["smsd", "-t", "-c", "smsd.conf"], stdout=out, stderr=out)
    try:
        yield
        assert process.poll() is None, Path("smsd.out").read_text()
    finally:
        process.terminate()
        process.wait(PATIENCE)


def count(folder: str) -> int:
    """How many files a folder has."""
    return len(os.listdir(folder))


def body(path: Path) -> str:
    """The text of a message in a file."""
    return path.read_text().split("\n\n", 1)[1].rstrip("\n")


def post(folder: str, number: int, header: str = "") -> None:
    """Put a message for somebody outside into a folder."""
    Path("new").write_text(f"To: {FRIEND[1:]}\n{header}\nout {number}")
    Path("new").rename(Path(folder, f"{number:03}"))


def test_manyMessages() -> None:
    """A hundred messages go out and a hundred come in while the store of thirty is full, and the network delays,
    doubles and reorders the second half: none is lost, none comes oftener than the network brought it."""
    with LiveModule(ports={1: "pty:./at1", 2: "pty:./at2"}) as module, smsd():
        centre = module.network.centre
        centre.random.seed(4)
        texts = [f"in {number}: [{'€' * (number % 40)}]" for number in range(MANY)]
        write(module, *texts[: MANY // 2])
        # what its checker has passed already, since that takes it half a second each
        for number in range(MANY - 2):
            post("checked", number)
        post("outgoing", MANY - 2)
        post("outgoing", MANY - 1, "Report: yes\n")
        waitUntil(lambda: count("incoming") >= MANY // 2, LONGEST)
        assert Counter(map(body, Path("incoming").iterdir())) == Counter(texts[: MANY // 2])

        centre.faults = Faults(delay=0.2, jitter=2.0, duplicate=0.2, reorder=True)
        brought = MANY // 2 + write(module, *texts[MANY // 2 :])
        assert MANY < brought < MANY + MANY // 2
        waitUntil(lambda: count("incoming") >= brought and count("sent") == MANY and count("report"), LONGEST)

        came = Counter(map(body, Path("incoming").iterdir()))
        assert set(came) == set(texts)
        assert (came.total(), max(came.values())) == (brought, 2)
        assert (count("failed"), centre.refused, module.call(lambda: dict(centre.underWay))) == (0, 0, {})
        # those that left among the second half may have been doubled too, but smsd has sent each once
        assert set(textsOutside(module)) == {f"out {number}" for number in range(MANY)}
        (report,) = (path.read_text() for path in Path("report").iterdir())
    log = Path("smsd.log").read_text()
    references = re.findall(r"SMS sent, Message_id: (\d+),", log)
    assert references == [str(number) for number in range(MANY)]
    wanted = re.search(r"^Message_id: \d+$", Path(f"sent/{MANY - 1:03}").read_text(), re.MULTILINE)
    assert wanted is not None
    assert f"{wanted[0]}\n" in report
    assert "Status: 0,Ok" in report
    assert "GSM1: Used memory is 30, list:" in log
    assert not re.findall(r"GSM\d: .*\b(?:ERROR|[Ff]ailed|not ready)\b.*", log)
