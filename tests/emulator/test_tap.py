"""Options and configuration of the emulator, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.application.service import MultiService
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError

from atrunproto import __version__
from atrunproto.emulator.configuration import ModulePlan, isPrivate, planModules
from atrunproto.emulator.network import AccessPoint
from atrunproto.emulator.products import PRODUCTS
from atrunproto.emulator.rack import Rack
from atrunproto.emulator.tap import EXAMPLES, Options, addServices
from atrunproto.secret import Secret
from atrunproto.smsatrun.activation import Activation
from atrunproto.smsatrun.digest import Password

MANUAL = Path(__file__).parents[2] / "docs" / "reference" / "module.md"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, since paths are relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parse(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(list(arguments))
    return options


def plans(*arguments: str) -> list[ModulePlan]:
    return planModules(parse(*arguments).config.module, lambda endpoint: None)


def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(*arguments)
    return str(caught.value)


def rackOf(*arguments: str) -> Rack:
    """The service of modules that these options make, on a reactor in memory."""
    services = addServices(MultiService(), parse(*arguments).config, MemoryReactorClock())
    rack = services.getServiceNamed("rack")
    assert isinstance(rack, Rack)
    return rack


def test_defaults() -> None:
    """What isn't said is as the manual says."""
    (plan,) = plans("--at", "1=tcp:5001")
    assert (plan.product.name, plan.imei, plan.number) == ("HE910-EUR", "357000000000001", "+390000000001")
    assert (plan.nvm, plan.startup, plan.ports) == (None, (), (("at 1=tcp:5001", 1, "tcp:5001"),))


def test_count() -> None:
    """With --count identities are counted up, ports are numbered, and each module has a file of its own."""
    Path("memories").mkdir()
    made = plans(
        "--count", "3", "--imei", "356938035643809", "--number", "00199", "--nvm", "memories",
        "--at", "1=tcp:{n+5000}:interface=127.0.0.1", "--at", "2=pty:at{n}", "--serial", "1=pty:serial{n+10}",
    )  # fmt: skip
    assert [plan.imei for plan in made] == ["356938035643809", "356938035643810", "356938035643811"]
    assert [plan.number for plan in made] == ["00199", "00200", "00201"]
    assert [plan.nvm and plan.nvm.name for plan in made] == [f"{plan.imei}.nvm" for plan in made]
    assert [[place for _, _, place in plan.ports] for plan in made] == [
        [f"tcp:{5000 + n}:interface=127.0.0.1", f"pty:at{n}", f"pty:serial{n + 10}"] for n in (1, 2, 3)
    ]
    assert [number for _, number, _ in made[0].ports] == [1, 2, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--product", "HE911"], "--product: there is no product 'HE911'; did you mean HE910"),
        (["--software", "new"], "--software: 'new' is not a version such as 12.00.004"),
        (["--product", "MTCBA-G", "--software", "642"], "--software: '642' is not a version such as 640b, 641c, 651"),
        (["--limit", "sent"], "--limit: 'sent' is not NAME=N"),
        (["--limit", "sent=many"], "--limit: 'sent=many' is not NAME=N"),
        (["--limit", "sends=1"], "--limit: HE910-EUR has no limit 'sends'; did you mean sent"),
        (["--limit", "sent=0"], "--limit: 'sent' is from 1 to 1500, not 0"),
        (["--at", "4=tcp:1"], "--at: '4' is not one of 1, 2, 3"),
        (["--at", "tcp:1"], "--at: 'tcp:1' is not N=ENDPOINT"),
        (["--at", "1=tcp:1", "--at", "1=tcp:2"], "--at: 1 is given twice"),
        (["--at", "1=pty:a", "--at", "2=pty:a"], "--at: pty:a is given twice"),
        (["--at", "1=tcp:many"], "--at: 'tcp:many' cannot be used: "),
        (["--at", "1=nonsense:1"], "--at: 'nonsense:1' cannot be used: Unknown endpoint type: 'nonsense'"),
        (["--at", "1=tcp:{m}"], "--at: 'tcp:{m}' has braces other than {n} and {n+5000}"),
        (["--at", "1=tcp:{5000+n}"], "--at: 'tcp:{5000+n}' has braces other than {n} and {n+5000}"),
        (["--at", "1=tcp:5000", "--count", "2"], "--at: with count 2 the endpoint 'tcp:5000' carries {n} or {n+5000}"),
        (["--serial", "2=pty:s"], "--serial: '2' is not one of 0, 1"),
        (["--at", "1=pty:a", "--serial", "0=pty:s"], "--serial: port 0 carries AT instance 1"),
        (["--count", "0"], "--count: Expected `int` >= 1"),
        (["--count", "lots"], "--count: Expected `int`, got `str`"),
        (["--imei", "12"], "--imei: '12' is not 15 digits"),
        (["--imei", "999999999999999", "--count", "2"], "--imei: 999999999999999 cannot be counted up"),
        (["--number", "home"], "--number: 'home' is not a telephone number"),
        (["--number", "999999999999999", "--count", "2"], "--number: 999999999999999 cannot be counted up"),
        (["--nvm", "missing", "--count", "2"], "--nvm: with count 2 it is a folder, and there is no folder "),
        (["--startup", "+CSQ"], "--startup: '+CSQ' is not a command line"),
        (["--startup", "AT\rAT"], "--startup: 'AT\\rAT' is not a command line"),
        (["--address", "10.0.0.1"], "--address: 10.0.0.1 is not within 127.0.0.0/8"),
        (["--address", "here"], "--address: 'here' is not an IPv4 address or ADDRESS/BITS"),
        (["--time-scale", "-1"], "--time-scale: -1 is not within 0 and 1000"),
        (["--time-scale", "nan"], "--time-scale: nan is not within 0 and 1000"),
        (["--time-scale", "slow"], "--time-scale: Expected `float`, got `str`"),
        (["--control", "tcp:x"], "--control: 'tcp:x' cannot be used: "),
        (["--control", "tcp:8081"], "--control: 'tcp:8081' may be reached from other machines"),
        (["--config", "missing.toml"], "--config: missing.toml: [Errno 2]"),
    ],
)
def test_badOption(arguments: list[str], message: str) -> None:
    """An option that cannot be used is named, with what is wrong and what is legal."""
    if not {"--at", "--startup"} & set(arguments):
        arguments = [*arguments, "--startup", "AT"]
    assert refused(*arguments).startswith(message)


@pytest.mark.parametrize(
    ("software", "family"),
    [("", "Multi-Tech"), ("651a", "Multi-Tech"), ("641c", "Multi-Tech 2.10"), ("640b", "Multi-Tech 2.00")],
)
def test_firmware(software: str, family: str) -> None:
    """The firmware of a Multi-Tech modem can be chosen, and brings its own stack (MTS-OPEN-06)."""
    (plan,) = plans("--product", "MTCBA-G", "--startup", "AT", *(["--software", software] if software else []))
    assert (plan.product.software, plan.product.family.name) == (software or "651", family)


def test_limits() -> None:
    """Limits of the options are those of the module."""
    (plan,) = plans("--startup", "AT", "--limit", "messages SM=10", "--limit", "sent=64")
    assert [plan.product.limit(name) for name in ("messages SM", "sent", "viewed")] == [10, 64, 1500]


def test_unreachable() -> None:
    """A module that nobody could ever talk to is a mistake."""
    assert refused("--product", "GE865-QUAD") == "a module could not be reached: give --at, --startup or --nvm"


def test_file() -> None:
    """A file describes several modules and the network; an option replaces its value, or adds a module."""
    Path("modules.toml").write_text("""
address = "127.70.0.0/16"
time-scale = 0.5

[[module]]
product = "GE865-QUAD"
software = "10.00.148"
imei = "356938035643809"
number = "+393331234567"
nvm = "one.nvm"
startup = ["AT+CMEE=2"]
limit = { "messages SM" = 10, sent = 64 }
at = { 1 = "tcp:5001", 2 = "tcp:5002" }
serial = { 1 = "tcp:5003" }

[module.activation]
sender = "+39*"
text = "RUN {number}"
password = "1234567890123456"

[[module]]
count = 2
at = { 1 = "tcp:{n+6000}" }

[network]
in-service = false
hosts = { "host.example" = "127.0.0.9" }
nameservers = ["127.0.0.53"]
gives-nameservers = false
rejects = ["bad.apn"]

[[network.access-point]]
name = "good.apn"
user = "me"
password = "mine"
seconds = 30

[[network.operator]]
name = "Home"
code = "00101"

[[network.operator]]
name = "Other"
code = "00102"
forbidden = true

[[network.operator.cell]]
lac = 1
identity = 2
arfcn = 3
""")
    rack = rackOf("--config", "modules.toml", "--time-scale", "0", "--startup", "ATI")
    rack.startService()
    one, two, three, added = rack.modules.values()
    assert (one.product.name, one.product.software, one.timeScale) == ("GE865-QUAD", "10.00.148", 0)
    assert (one.limit("messages SM"), one.limit("sent"), two.limit("sent")) == (10, 64, 1500)
    assert (two.product.name, two.imei, three.imei) == ("HE910-EUR", "356938035643810", "356938035643811")
    assert one.activation == Activation("+39*", "RUN {number}", Password("1234567890123456"))
    assert two.activation is None
    assert (added.imei, added.number, added.startup) == ("356938035643812", "+393331234570", ("ATI",))
    network = rack.network
    assert (network.inService, network.hosts, network.rejects) == (False, {"host.example": "127.0.0.9"}, {"bad.apn"})
    assert (network.nameservers, network.givesNameServers) == (["127.0.0.53"], False)
    assert network.accessPoints == {"good.apn": AccessPoint("me", Secret("mine"), 0.0)}
    home, other = network.operators
    assert (home.name, home.forbidden, len(home.cells)) == ("Home", False, 7)
    assert (other.code, other.forbidden, [cell.identity for cell in other.cells]) == ("00102", True, [2])
    assert network.pool.claim() == "127.70.0.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adress = '127.0.0.1'", "unknown key 'adress': did you mean 'address'?"),
        ("[[module]]\nprodukt = 'HE910'", "unknown key 'produkt' of [[module]] number 1: did you mean 'product'?"),
        ("[network]\nservice = 1", "unknown key 'service' of [network]: did you mean 'in-service'?"),
        (
            "[[network.operator]]\nname='a'\ncode='00101'\n[[network.operator.cell]]\nlak=1",
            "unknown key 'lak' of [[cell]] number 1: did you mean 'lac'?",
        ),
        ("[[module]]\n[module.activation]\nsender='+39*'", "Object missing required field `text`"),
        ("[[module]]\ncount = 'two'", "Expected `int`, got `str` - at `$.module[0].count`"),
        ("[[network.operator]]\nname='a'\ncode='x'", "Expected `str` matching regex"),
        ("[[module", "Expected"),
    ],
)
def test_badFile(text: str, message: str) -> None:
    """A key that isn't known names the nearest one, and a wrong value its place in the file."""
    Path("modules.toml").write_text(text)
    assert refused("--config", "modules.toml").startswith(f"--config: modules.toml: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[module]]\nat={1='tcp:1'}\n[[module]]\nproduct='XX'", "--product: there is no product 'XX'"),
        ("[network]\nhosts={a='b'}\n[[module]]\nat={1='tcp:1'}", "--hosts: a has 'b', which is not an IPv4 address"),
        (
            "[network]\nnameservers=['a']\n[[module]]\nat={1='tcp:1'}",
            "--nameservers: 'a' is not an IPv4 address",
        ),
        ("[[module]]\nat={1='tcp:1'}\ncount=65536\n", "--at: with count 65536"),
        ("[[module]]\nstartup=['AT']\ncount=65536\n[[module]]\nstartup=['AT']", "--count: there are 65537 modules"),
        ("[[module]]\nnvm='a'\n[[module]]\nnvm='a'", "--nvm: "),
        (
            "[[module]]\nnvm='a'\nimei='357000000000002'\n[[module]]\nnvm='b'\nimei='357000000000002'",
            "--imei: ",
        ),
    ],
)
def test_contradictions(text: str, message: str) -> None:
    """What cannot be in a file that is well-formed is named as well."""
    Path("modules.toml").write_text(text)
    assert refused("--config", "modules.toml").startswith(message)


def test_addresses() -> None:
    """One module gets 127.0.0.1, several get a pool; a single address is shared where there is no other."""
    assert rackOf("--startup", "AT").network.pool.claim() == "127.0.0.1"
    assert rackOf("--startup", "AT", "--count", "2").network.pool.claim() == "127.64.0.1"
    pool = rackOf("--startup", "AT", "--count", "2", "--address", "127.0.0.1").network.pool
    assert [pool.claim(), pool.claim(), pool.claim("127.0.0.1"), pool.claim("127.0.0.2")] == ["127.0.0.1"] * 3 + [None]


@pytest.mark.parametrize(
    ("endpoint", "private"),
    [
        ("tcp:8081:interface=127.0.0.1", True),
        ("tcp:8081:interface=localhost", True),
        (r"tcp6:8081:interface=\:\:1", True),
        ("unix:control", True),
        ("tcp:8081", False),
        ("tcp:8081:interface=0.0.0.0", False),
        ("tcp:8081:interface=127.0.0.1:interface=0.0.0.0", False),
        (r"tcp:8081:interface=127.0.0.1\:interface=127.0.0.1", False),
        ("systemd:domain=INET:index=0", False),
    ],
)
def test_private(endpoint: str, private: bool) -> None:
    """Without a token the control interface is reached from this machine only."""
    assert isPrivate(endpoint) is private


def test_controlWithToken(folder: Path) -> None:
    """With a token the control interface may be anywhere; the token is made at the first start."""
    options = parse("--startup", "AT", "--control", "tcp:8081", "--control-token-file", "token")
    addServices(MultiService(), options.config, MemoryReactorClock())
    assert len((folder / "token").read_text().strip()) > 40


def test_listProducts(capsys: pytest.CaptureFixture[str]) -> None:
    """--list-products prints each product with its family and software version."""
    with pytest.raises(SystemExit) as ended:
        parse("--list-products")
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert [line[:26].strip() for line in lines[1:]] == list(PRODUCTS)
    assert "HE910-EUR                 xE910-3G    12.00.004" in lines


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints our version, not Twisted's."""
    with pytest.raises(SystemExit) as ended:
        parse("--version")
    assert (ended.value.code, capsys.readouterr().out) == (0, f"atrun-module {__version__}\n")


def test_examples() -> None:
    """The examples of the help text are command lines that are understood."""
    import shlex

    commands = [shlex.split(text.replace("\\\n", "")) for text in EXAMPLES.split("\n\n") if "twistd" in text]
    assert [len(plans(*command[3:])) for command in commands] == [1, 50]


def test_manualOfOptions() -> None:
    """Every option is in the manual."""
    text = MANUAL.read_text("utf-8")
    options = [option.rstrip("=") for option in Options().longOpt if option != "help"]
    assert [option for option in options if f"\n| `--{option}" not in text] == []


def test_manualOfFile() -> None:
    """The configuration file of the manual is understood."""
    Path("modules.toml").write_text(MANUAL.read_text("utf-8").partition("```toml\n")[2].partition("```")[0])
    config = parse("--config", "modules.toml").config
    assert [module.count for module in config.module] == [1, 20]
    assert [operator.name for operator in config.network.operator] == ["Home", "Elsewhere"]


def test_wrongActivation(folder: Path) -> None:
    """A message that would enable SMSATRUN without a password is refused at the start."""
    Path("modules.toml").write_text("[[module]]\nat = {1 = 'unix:at1'}\n[module.activation]\nsender='+39*'\ntext='RUN'")
    assert refused("--config", "modules.toml") == "--activation: an activation has a password, in its text or beside it"
