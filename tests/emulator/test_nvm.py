"""The non-volatile memory: what survives, and what a damaged file does."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from atrunproto.emulator.nvm import NVM
from atrunproto.testing.emulated import MemoryModule


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the memory is."""
    return tmp_path / "module.nvm"


def test_settingsOutliveTheProcess(path: Path) -> None:
    """Another module on the same file has the settings of the first, profiles and services included."""
    first = MemoryModule(nvm=NVM(path))
    at, second = first.port(), first.port(2)
    for line in ('AT+CGDCONT=1,"IP","internet"', "AT#SGACTCFG=1,3", "AT#SCFG=1,1,500,0,600,1", "AT#SGACT=1,1"):
        assert at.execute(line)[-1] == "OK"
    assert second.execute("AT+CMEE=2;+CREG=1")[-1] == "OK"
    assert second.execute("AT&W")[-1] == "OK"
    assert second.execute("AT&P0")[-1] == "OK"
    again = MemoryModule(nvm=NVM(path))
    assert again.port().execute("AT#SCFG?")[0] == "#SCFG: 1,1,500,0,600,1"
    assert again.port(2).execute("AT+CMEE?;+CREG?") == ["+CMEE: 2", "+CREG: 1,1", "OK"]
    assert again.port().execute("AT+CMEE?") == ["+CMEE: 0", "OK"]
    again.advance(10)
    assert again.port().execute("AT#SGACT?") == ["#SGACT: 1,1", "OK"]


def test_profilesPerInstance() -> None:
    """Each instance has profiles of its own, of which &Y takes the base section alone and &P both at power-on."""
    emulated = MemoryModule()
    one, two = emulated.port(1), emulated.port(2)
    one.execute("AT+CMEE=1")
    two.execute("AT+CMEE=2")
    for at, rings in ((one, 3), (two, 7)):
        at.execute(f"ATS0={rings}")
        assert at.execute("AT&W1")[-1] == "OK"
    one.execute("AT&Y1")
    two.execute("AT&P1")
    for _ in range(2):
        emulated.module.powerOff()
        emulated.switchOn()
        assert one.execute("ATS0?;+CMEE?") == ["003", "+CMEE: 0", "OK"]
        assert two.execute("ATS0?;+CMEE?") == ["007", "+CMEE: 2", "OK"]


def test_volatileSettings() -> None:
    """What isn't stored anywhere has its factory value after power-off."""
    emulated = MemoryModule()
    at = emulated.port()
    at.execute("AT#MONI=7;+COPS=3,2;#ATRUNDELAY=0,5;S7=9")
    emulated.module.powerOff()
    emulated.switchOn()
    assert at.execute("AT#MONI=?;+COPS?;S7?") == ["#MONI: (6,0)", '+COPS: 0,0,"I WIND",2', "060", "OK"]


@implementer(ILogObserver)
class Events(list[LogEvent]):
    """What is logged."""

    def __call__(self, event: LogEvent) -> None:
        self.append(event)


def damaged(path: Path, content: bytes) -> tuple[NVM, list[LogEvent]]:
    """The memory that is made of a damaged file, and what was logged of it."""
    path.write_bytes(content)
    events = Events()
    globalLogPublisher.addObserver(events)
    try:
        return NVM(path), events
    finally:
        globalLogPublisher.removeObserver(events)


def envelope(values: object, checksum: int | None = None, layout: int = 1) -> bytes:
    """The content of a memory file."""
    real = zlib.crc32(json.dumps(values, sort_keys=True).encode())
    return json.dumps({"format": layout, "crc32": real if checksum is None else checksum, "values": values}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"[]",
        b"7",
        b"null",
        b'{"format": 1}',
        envelope({"a": 1}, checksum=1),
        envelope({"a": 1}, layout=99),
        envelope([1]),
        envelope({"a": 1})[:-10],
        b"[" * 100_000,
    ],
)
def test_damaged(path: Path, content: bytes) -> None:
    """A damaged file is set aside as it is, reported, and the module starts from factory values."""
    memory, events = damaged(path, content)
    assert memory.damaged is not None
    assert memory.damaged.read_bytes() == content
    assert [event["log_level"].name for event in events] == ["error"]
    assert MemoryModule(nvm=memory).port().execute("AT#SCFG?")[0] == "#SCFG: 1,1,300,90,600,50"
    assert NVM(path).damaged is None


def test_damagedAgain(path: Path) -> None:
    """A second damaged file doesn't take the place of the first."""
    first, _ = damaged(path, b"one")
    second, _ = damaged(path, b"two")
    assert first.damaged is not None
    assert second.damaged is not None
    assert (first.damaged.read_bytes(), second.damaged.read_bytes()) == (b"one", b"two")


def test_everyFlippedBitIsFound(path: Path) -> None:
    """A memory file with any one octet changed never passes for another state of the module."""
    memory = NVM(path)
    memory.put("setting #SCFG", {"1": [1, 500, 0, 600, 1]})
    good = path.read_bytes()
    chance = random.Random(1)
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << chance.randrange(8)
        loaded, _ = damaged(path, bytes(bad))
        assert loaded.get("setting #SCFG") in (None, {"1": [1, 500, 0, 600, 1]})


def test_unwritable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that can't be kept is a memory failure, and the old value is in force; the module goes on."""
    at = MemoryModule(nvm=NVM(path)).port()
    assert at.execute("AT+CMEE=2;#SCFG=1,1,400,0,600,1") == ["OK"]

    def fail(*arguments: object) -> None:
        raise OSError("no space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", fail)
    assert at.execute("AT#SCFG=1,1,500,0,600,1") == ["+CME ERROR: memory failure"]
    assert at.execute("AT&W") == ["+CME ERROR: memory failure"]
    assert at.execute("AT#SCFG?")[0] == "#SCFG: 1,1,400,0,600,1"
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".new"] == []
    monkeypatch.undo()
    assert at.execute("AT#SCFG=1,1,500,0,600,1") == ["OK"]


def test_folderMissing(tmp_path: Path) -> None:
    """A path that can't be written is told before anything starts."""
    with pytest.raises(OSError, match="missing"):
        NVM(tmp_path / "missing" / "module.nvm")


def test_killed(path: Path) -> None:
    """Killed at any moment of a write, the file holds the old or the new state, never a mixture."""
    script = (
        "import sys; from pathlib import Path; from atrunproto.emulator.nvm import NVM\n"
        "memory = NVM(Path(sys.argv[1])); print(flush=True)\n"
        "for n in range(10**9): memory.put('a', [n] * 200); memory.put('b', n)\n"
    )
    chance = random.Random(2)
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(chance.uniform(0.01, 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
        memory = NVM(path)
        assert memory.damaged is None
        one, other = memory.get("a") or [0], memory.get("b") or 0
        assert len(set(one)) == 1
        assert one[0] - other in (0, 1)


def test_otherProduct(path: Path) -> None:
    """A memory written by another product is no obstacle: what this one doesn't know is left alone."""
    at = MemoryModule("HE910-EUR", nvm=NVM(path)).port()
    for line in (
        'AT+CGDCONT=1,"IP","internet"',
        "AT#SGACT=1,1",
        "AT#BND=0,5",
        "AT+CGEQMIN=1,1",
        'AT#PDPAUTH=1,1,"u","p"',
        "AT#TCPATRUNL=1",
    ):
        assert at.execute(line)[-1] == "OK", line
    for product in ("HE863-EUR", "GE865-QUAD"):
        other = MemoryModule(product, nvm=NVM(path)).port()
        assert other.execute("AT+CGDCONT?") == ['+CGDCONT: 1,"IP","internet","",0,0', "OK"]
        assert other.execute("AT#BND?")[-1] == "OK"
