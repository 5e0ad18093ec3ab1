"""Options and configuration of the host, good and bad."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import MultiService
from twisted.python.usage import UsageError

from atrunproto import __version__
from atrunproto.fleet.config import DialConfig, readConfig
from atrunproto.fleet.tap import EXAMPLES, Options, addServices, withBacklog
from atrunproto.secret import Secret
from atrunproto.smsatrun.digest import Password
from atrunproto.token import TokenError, makeToken, readToken


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, since the defaults are relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parse(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(list(arguments))
    return options


def test_defaults() -> None:
    """What isn't said is as the manual says: loopback, a file in this folder, a minute."""
    config = parse("--listen", "tcp:12345").config
    assert (config.listen, config.http, config.store) == (
        ["tcp:12345"],
        "tcp:8080:interface=127.0.0.1",
        "sqlite:///fleet.db",
    )
    assert (config.deadline, config.maxStrangers, config.allow, config.dial, config.local) == (60, 8192, [], [], [])


def test_file(folder: Path) -> None:
    """A file says the same as options; an option replaces its value, or is added to its list."""
    (folder / "me.password").write_text("fr0m file\n")
    (folder / "host.toml").write_text("""
listen = ["tcp:12345"]
allow = ["10.0.0.0/8"]
local = ["serial:/dev/ttyUSB0:baudrate=9600"]
store = "sqlite:///other.db"
token-file = "other.token"
deadline = 5
max-strangers = 10

[[dial]]
endpoint = "tcp:127.0.0.1:1"
user = "me"
password = "in the file"
mode = "step"

[[dial]]
endpoint = "tcp:127.0.0.1:2"
password-file = "me.password"
""")
    config = parse(
        "--config", "host.toml", "--listen", "tcp:2", "--deadline", "7.5", "--allow", "::1", "--local", "pty:at1"
    ).config
    assert (config.listen, config.allow) == (["tcp:12345", "tcp:2"], ["10.0.0.0/8", "::1"])
    assert config.local == ["serial:/dev/ttyUSB0:baudrate=9600", "pty:at1"]
    assert (config.store, config.tokenFile, config.deadline, config.maxStrangers) == (
        "sqlite:///other.db",
        "other.token",
        7.5,
        10,
    )
    first, second = config.dial
    assert (first.user, first.mode, first.readPassword().reveal()) == ("me", "step", "in the file")
    assert (second.user, second.mode, second.readPassword().reveal()) == ("", None, "fr0m file")
    assert "in the file" not in repr(config)


def test_smsGateway(folder: Path) -> None:
    """Modules that are known by their number stand in the file, with or without IMEI and password."""
    (folder / "digest.password").write_text("1234567890123456\n")
    (folder / "host.toml").write_text("""
sms-gateway = "tcp:127.0.0.1:1"

[[module]]
number = "+393351234567"

[[module]]
number = "+393357654321"
imei = "356938035643809"
password-file = "digest.password"
""")
    config = parse("--config", "host.toml", "--sms-gateway", "tcp:127.0.0.1:2").config
    first, second = (module.mobile() for module in config.module)
    assert config.smsGateway == "tcp:127.0.0.1:2"
    assert (first.number, first.imei, first.password) == ("+393351234567", "", None)
    assert (second.imei, second.password) == ("356938035643809", Password("1234567890123456"))
    assert "1234567890123456" not in repr(config)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("number = '0335'", "0335: a telephone number is international"),
        ("number = '+39335123'\nimei = '12'", r"\+39335123: an IMEI has 14 to 16 digits"),
        ("number = '+39335123'\npassword = 'short'", r"\+39335123: a password has 16 characters"),
        ("number = '+39335123'\npassword-file = 'none'", r"\+39335123: password-file: .*none"),
    ],
)
def test_badModule(folder: Path, lines: str, message: str) -> None:
    """A module of the file that cannot be used is named by its number (TEL-SMS-34)."""
    (folder / "host.toml").write_text(f"sms-gateway = 'tcp:127.0.0.1:1'\n[[module]]\n{lines}\n")
    with pytest.raises(UsageError, match=rf"--config: \[\[module\]\] {message}"):
        parse("--config", "host.toml")


def test_dial(folder: Path) -> None:
    """A module to be called is one option, with its login."""
    (folder / "p").write_text("x")
    config = parse("--dial", "tcp:10.0.0.5:12345,user=me,password-file=p,mode=automatic").config
    assert config.dial == [
        DialConfig(endpoint="tcp:10.0.0.5:12345", user="me", passwordFile="p", mode="automatic"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --listen or --dial, --local or --sms-gateway"),
        (["--listen", "12345x"], "--listen: '12345x' cannot be used"),
        (["--listen", "tcp:many"], "--listen: 'tcp:many' cannot be used"),
        (["--listen", "tcp:1", "--allow", "10.0.0.0/99"], "--allow: '10.0.0.0/99' is neither"),
        (["--listen", "tcp:1", "--http", "gopher:70"], "--http: 'gopher:70' cannot be used"),
        (["--listen", "tcp:1", "--store", "fleet.db"], "--store: 'fleet.db' cannot be used: a store URL is sqlite"),
        (["--listen", "tcp:1", "--store", "sqlite:////nowhere/at/all.db"], "--store: /nowhere/at is no folder"),
        (["--listen", "tcp:1", "--deadline", "soon"], "--deadline: Expected `float`, got `str`"),
        (["--listen", "tcp:1", "--deadline", ""], "--deadline: Expected `float`, got `str`"),
        (["--listen", "tcp:1", "--deadline", "0"], "--deadline: Expected `float` > 0"),
        (["--listen", "tcp:1", "--max-strangers", "0"], "--max-strangers: Expected `int` >= 1"),
        (["--dial", "tcp:127.0.0.1"], "--dial: 'tcp:127.0.0.1' cannot be used"),
        (["--dial", "tcp:127.0.0.1:1,usr=x"], "--dial: unknown key 'usr': did you mean 'user'"),
        (["--dial", "tcp:127.0.0.1:1,mode=slow"], "--dial: Invalid enum value 'slow'"),
        (["--dial", "tcp:127.0.0.1:1,me"], "--dial: 'me' is not KEY=VALUE"),
        (["--dial", "tcp:127.0.0.1:1,password=x"], "--dial: a password on the command line can be seen"),
        (["--dial", "tcp:127.0.0.1:1,password-file=none"], "--dial: password-file: .*none"),
        (["--sms-gateway", "serail:/dev/ttyUSB0"], "--sms-gateway: 'serail:/dev/ttyUSB0' cannot be used"),
        (["--local", "/dev/ttyUSB0"], "--local: '/dev/ttyUSB0' cannot be used"),
        (["--local", "serial:/dev/ttyUSB0:baudrate=fast"], "cannot be used: serial: baudrate is a number"),
        (
            ["--local", "serial:/dev/ttyS0", "--local", "serial:/dev/ttyS0:baudrate=9600"],
            "is the port of --local already",
        ),
        (
            ["--local", "tcp:127.0.0.1:1", "--sms-gateway", "tcp:127.0.0.1:1"],
            "--sms-gateway: .* port of --local already",
        ),
        (["--config", "none.toml"], "--config: none.toml: .*No such file"),
    ],
)
def test_badOptions(arguments: list[str], message: str) -> None:
    """An option that cannot be used ends the start with a message that names it."""
    with pytest.raises(UsageError, match=message):
        parse(*arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("listen = [", "host.toml: .*at end of document"),
        ("\xff", "host.toml: .*"),
        ("lisen = []", "unknown key 'lisen': did you mean 'listen'"),
        ("zzz = 1", "unknown key 'zzz': there are listen, allow, dial"),
        ("deadline = '5'", r"Expected `float`, got `str` - at `\$.deadline`"),
        ("[[dial]]\nuser = 'x'", "missing required field `endpoint` - at `\\$.dial"),
        ("[[dial]]\nendpoint='tcp:a:1'\n[[dial]]\npasword = 'x'", r"unknown key 'pasword' of \[\[dial\]\] number 2"),
        ("[[dial]]\nendpoint='tcp:a:1'\npassword = 5", r"Expected `str`, got `int` - at `\$.dial\[0\].password`"),
        ("dial = 5", r"Expected `array`, got `int` - at `\$.dial`"),
        ("dial = [5]", r"Expected `object`, got `int` - at `\$.dial\[0\]`"),
    ],
)
def test_badFile(folder: Path, text: str, message: str) -> None:
    """A mistake in the file is told with the file's name and the key."""
    (folder / "host.toml").write_text(text, "latin-1")
    with pytest.raises(UsageError, match=f"--config: host.toml: .*{message}" if "host" not in message else message):
        parse("--config", "host.toml")


def test_onePort(folder: Path) -> None:
    """A serial port has one user, under whatever names; each of two has one."""
    (folder / "modem").symlink_to("/dev/ttyS0")
    with pytest.raises(UsageError, match="--sms-gateway: 'serial:modem' is the port of --local already"):
        parse("--local", "serial:/dev/ttyS0:baudrate=9600", "--sms-gateway", "serial:modem")
    assert parse("--local", "serial:/dev/ttyS1", "--sms-gateway", "serial:modem").config.smsGateway == "serial:modem"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is ours and not Twisted's."""
    with pytest.raises(SystemExit) as end:
        parse("--version")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"atrun-host {__version__}\n"


def test_examples(folder: Path) -> None:
    """The examples of --help are command lines that the host takes."""
    (folder / "me.password").write_text("x")
    lines = [line for line in EXAMPLES.replace("\\\n", "").splitlines() if line.strip().startswith("twistd")]
    assert len(lines) == 4
    for line in lines:
        parse(*line.split()[3:])
        assert line.strip() in Options().getUsage().replace("\\\n", "")


def test_manual(folder: Path) -> None:
    """The manual names each option, and its configuration file is one that the host reads."""
    text = (Path(__file__).parents[2] / "docs" / "reference" / "host.md").read_text("utf-8")
    options = set(re.findall(r"--([a-z-]+)=?", Options().getUsage().partition("Examples:")[0])) - {"help"}
    assert options == set(re.findall(r"\| `--([a-z-]+)", text.partition("## Configuration file")[0]))
    toml = text.partition("```toml\n")[2].partition("```")[0]
    (folder / "host.toml").write_text(toml)
    config = readConfig("host.toml")
    assert (config.deadline, len(config.dial)) == (300, 2)
    assert [bool(module.mobile().password) for module in config.module] == [False, True]


def test_services() -> None:
    """Each service has a name, and a port that is taken ends the start."""
    from twisted.internet import reactor

    services = addServices(
        MultiService(),
        parse(
            *("--listen", "tcp:1", "--listen", "tcp:2", "--dial", "tcp:127.0.0.1:3"),
            *("--local", "tcp:127.0.0.1:5", "--local", "pty:at1", "--sms-gateway", "tcp:127.0.0.1:4"),
        ).config,
        reactor,
    )
    names = ["host", "http", "listen-1", "listen-2", "dial-1", "local-1", "local-2", "sms-gateway"]
    assert [service.name for service in services] == names
    for service in services:
        if isinstance(service, StreamServerEndpointService):
            assert service._raiseSynchronously


def test_backlog() -> None:
    """A port for modules holds a whole fleet that calls at once, unless it is told otherwise."""
    assert withBacklog("tcp:12345") == "tcp:12345:backlog=4096"
    assert withBacklog("tcp:12345:backlog=5") == "tcp:12345:backlog=5"
    assert withBacklog("systemd:domain=INET:name=x") == "systemd:domain=INET:name=x"


def test_token(folder: Path) -> None:
    """The token is made once, for its owner's eyes only, and is long enough not to be guessed."""
    path = str(folder / "t")
    token = makeToken(path)
    assert len(token.reveal()) >= 43
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert makeToken(path).reveal() == readToken(path).reveal() == token.reveal()
    os.chmod(path, 0o644)
    with pytest.raises(TokenError, match="others than its owner may use it"):
        makeToken(path)


def test_noToken(folder: Path) -> None:
    """A token that cannot be had is an error with the file's name, and an empty one is none."""
    with pytest.raises(TokenError, match="nowhere"):
        makeToken(str(folder / "nowhere" / "t"))
    with pytest.raises(TokenError, match=r"t: .*No such file"):
        readToken(str(folder / "t"))
    (folder / "t").touch(0o600)
    with pytest.raises(TokenError, match="the file is empty"):
        makeToken(str(folder / "t"))


def test_secret() -> None:
    """A secret shows itself to nobody who doesn't ask for it by name."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {secret:>20} {[secret]} {secret!s}"
    assert secret.reveal() == "hunter2"
    assert (secret.matches("hunter2"), secret.matches("hunter"), secret.matches("\udcff")) == (True, False, False)
    assert (secret == Secret("hunter2"), secret == Secret("x"), secret == "hunter2") == (True, False, False)
    assert (bool(secret), bool(Secret("")), len({secret, Secret("hunter2")})) == (True, False, 1)
