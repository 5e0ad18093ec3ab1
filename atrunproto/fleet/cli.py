"""
C{atrun}: the command line of a host, on top of its HTTP/JSON interface.

It needs nothing but the standard library, so that it starts at once; but for C{atrun terminal}, which asks no host.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn

from atrunproto import __version__

#: exit status: everything done; some failed or unknown; not understood, or the host cannot be reached
EXIT_DONE, EXIT_FAILED, EXIT_TROUBLE, EXIT_INTERRUPTED = 0, 1, 2, 130

DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_TOKEN_FILE = "fleet.db.token"

#: seconds that one request is held by the host until the job has ended, and how much later we give up on the host
WAIT_SECONDS = 25
PATIENCE_SECONDS = 30

#: seconds that answers at a terminal may be waited for; no command takes longer
MAX_SILENCE = 3600


class Trouble(Exception):
    """
    The host cannot be reached, or refuses; the text says why.
    """


class Connection:
    """
    The host's interface.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token

    def request(
        self, path: str, body: object = None, patience: float = PATIENCE_SECONDS, method: str | None = None
    ) -> Any:
        """
        Ask the host, and give the answer's JSON.

        @param method: C{None}: POST with a body, and GET without.
        @raise Trouble: if there is none, or an error.
        """
        data = None if body is None else json.dumps(body).encode("utf-8")
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self._url + path, data, headers, method=method)
            with urllib.request.urlopen(request, timeout=patience) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Trouble(_errorText(error)) from None
        except urllib.error.URLError as error:
            raise Trouble(f"no host at {self._url}: {error.reason}") from None
        except (OSError, ValueError) as error:
            raise Trouble(f"no usable answer from {self._url}: {error}") from None


def _errorText(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the host answered {error.code} {error.reason}"


def _token(arguments: argparse.Namespace) -> str:
    """
    Find the token: C{--token-file}, else C{ATRUN_TOKEN}, else the file that a host in this folder makes.
    """
    path = arguments.token_file
    if path is None:
        if os.environ.get("ATRUN_TOKEN"):
            return os.environ["ATRUN_TOKEN"].strip()
        path = DEFAULT_TOKEN_FILE
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        hint = "" if arguments.token_file else "; give --token-file, or the token itself in ATRUN_TOKEN"
        raise Trouble(f"no token: {error}{hint}") from None


# Commands


def _onHost(do: Callable[[Connection, argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """
    Make a command of one that asks a host.
    """

    def command(arguments: argparse.Namespace) -> int:
        url = arguments.url or os.environ.get("ATRUN_URL") or DEFAULT_URL
        return do(Connection(url, _token(arguments)), arguments)

    return command


def _modules(host: Connection, arguments: argparse.Namespace) -> int:
    modules = host.request("/api/modules")["modules"]
    if arguments.json:
        _printJSON(modules)
    else:
        _printTable(
            ("IMEI", "MODEL", "REVISION", "LINK", "ADDRESS", "LAST SEEN", "NUMBER"),
            [
                (
                    module["imei"],
                    module["model"],
                    module["revision"],
                    module["reached"] if module["connected"] else "none",
                    module["address"],
                    datetime.fromtimestamp(module["lastSeen"]).strftime("%Y-%m-%d %H:%M:%S"),
                    module["number"],
                )
                for module in modules
            ],
        )
    return EXIT_DONE


def _numbers(host: Connection, arguments: argparse.Namespace) -> int:
    return _showNumbers(host.request("/api/numbers")["numbers"], arguments)


def _addNumber(host: Connection, arguments: argparse.Namespace) -> int:
    body = {"number": arguments.number}
    if arguments.imei is not None:
        body["imei"] = arguments.imei
    if arguments.password_file is not None:
        body["password"] = _passwordIn(arguments.password_file)
    return _showNumbers([host.request("/api/numbers", body)], arguments)


def _removeNumber(host: Connection, arguments: argparse.Namespace) -> int:
    path = f"/api/numbers/{urllib.parse.quote(arguments.number, '+')}"
    return _showNumbers([host.request(path, method="DELETE")], arguments)


def _showNumbers(numbers: list[dict[str, Any]], arguments: argparse.Namespace) -> int:
    if arguments.json:
        _printJSON(numbers)
    else:
        _printTable(
            ("NUMBER", "IMEI", "MESSAGES", "PROBLEM"),
            [(n["number"], n["imei"] or "unknown", "digest" if n["digest"] else "simple", n["error"]) for n in numbers],
        )
    return EXIT_DONE


def _passwordIn(path: str) -> str:
    """
    Read a password, which others would see on a command line.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"no password: {error}") from None


def _run(host: Connection, arguments: argparse.Namespace) -> int:
    modules = ["all"] if arguments.all else ["connected"] if arguments.connected else arguments.module
    body = {"commands": arguments.command, "modules": modules, "safeToRepeat": arguments.safe_to_repeat}
    if arguments.force:
        body["force"] = True
    if arguments.via != "tcp":
        body["via"] = arguments.via
    for name in ("timeout", "deadline"):
        if getattr(arguments, name) is not None:
            body[name] = getattr(arguments, name)
    number = host.request("/api/jobs", body)["id"]
    if arguments.no_wait:
        if arguments.json:
            _printJSON({"id": number})
        else:
            print(number)
        return EXIT_DONE
    try:
        return _show(host, number, arguments)
    except KeyboardInterrupt:
        print(f"\njob {number} goes on; see it with: atrun job {number}", file=sys.stderr)
        return EXIT_INTERRUPTED


def _job(host: Connection, arguments: argparse.Namespace) -> int:
    return _show(host, arguments.number, arguments)


def _show(host: Connection, number: int, arguments: argparse.Namespace) -> int:
    """
    Wait for the end of a job and print it.
    """
    path = f"/api/jobs/{number}"
    job = host.request(
        path if arguments.no_wait else f"{path}?wait={WAIT_SECONDS}", patience=WAIT_SECONDS + PATIENCE_SECONDS
    )
    while not job["ended"] and not arguments.no_wait:
        job = host.request(f"{path}?wait={WAIT_SECONDS}", patience=WAIT_SECONDS + PATIENCE_SECONDS)
    if arguments.json:
        _printJSON(job)
    else:
        _printTable(("IMEI", "STATE", "SECONDS", "ANSWER"), [row for e in job["executions"] for row in _answerRows(e)])
        counts = ", ".join(f"{count} {state}" for state, count in job["counts"].items() if count)
        print(f"job {job['id']}: {counts}", file=sys.stderr)
    return EXIT_DONE if job["counts"]["done"] == len(job["executions"]) else EXIT_FAILED


def _answerRows(execution: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """
    Give the rows of one execution: what identifies it stands in the first only.
    """
    several = len(execution["answers"]) > 1
    texts = []
    for answer in execution["answers"]:
        if several:
            texts.append(f"{answer['command']}:")
        texts += answer["lines"]
        # An OK says nothing if there are lines, and an error stands at the end in full.
        if answer["result"] in ("OK", "") and not answer["lines"]:
            texts.append(answer["result"] or "no answer")
    if execution["error"]:
        texts.append(execution["error"])
    seconds = "" if execution["seconds"] is None else f"{execution['seconds']:.3f}"
    first = (execution["imei"], execution["state"], seconds)
    return [(*(first if number == 0 else ("", "", "")), text) for number, text in enumerate(texts or [""])]


def _terminal(arguments: argparse.Namespace) -> int:
    from twisted.internet import reactor

    from .terminal import SILENCE, TerminalFailed, run

    try:
        return run(reactor, arguments.endpoint, SILENCE if arguments.silence is None else arguments.silence)
    except TerminalFailed as failed:
        raise Trouble(str(failed)) from None


# Output


def _printJSON(value: object) -> None:
    json.dump(value, sys.stdout, indent=2)
    print()


def _printTable(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max([len(head), *(len(row[n]) for row in rows)]) for n, head in enumerate(heads)]
    for row in [heads, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


# Arguments


def _silence(text: str) -> float:
    """
    Read C{--silence}.

    @raise argparse.ArgumentTypeError: it is none.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SILENCE:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to {MAX_SILENCE}")
    return seconds


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", help=f"where the host is; also ATRUN_URL [default: {DEFAULT_URL}]")
    common.add_argument(
        "--token-file", metavar="PATH", help=f"the host's token; also ATRUN_TOKEN [default: {DEFAULT_TOKEN_FILE}]"
    )
    common.add_argument("--json", action="store_true", help="print JSON instead of a table")

    parser = argparse.ArgumentParser(prog="atrun", description="Run AT commands on modules, by way of an atrun-host.")
    parser.add_argument("--version", action="version", version=f"atrun {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    modules = commands.add_parser("modules", parents=[common], help="list the modules that the host knows")
    modules.set_defaults(do=_onHost(_modules))

    run = commands.add_parser(
        "run",
        parents=[common],
        help="run AT command lines on modules",
        description="Run AT command lines, one after the other, on modules; print what they answer.",
        epilog="exit status: 0 all done, 1 some failed or unknown, 2 not understood or no host",
    )
    which = run.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="on every module that the host knows")
    which.add_argument("--connected", action="store_true", help="on every module that is connected now")
    which.add_argument("--module", action="append", metavar="IMEI", help="on this one, or +NUMBER; repeatable")
    run.add_argument(
        "--via",
        choices=("tcp", "sms", "any"),
        default="tcp",
        help="over a connection, by short message, or by message where there is no connection [default: tcp]",
    )
    run.add_argument("--timeout", type=float, metavar="SECONDS", help="how long one command may take")
    run.add_argument("--deadline", type=float, metavar="SECONDS", help="how long to wait for modules that are away")
    run.add_argument("--safe-to-repeat", action="store_true", help="run it again when nobody knows whether it ran")
    run.add_argument("--force", action="store_true", help="run even what takes a module off the host for good")
    run.add_argument("--no-wait", action="store_true", help="print the number of the job and end")
    run.add_argument("command", nargs="+", metavar="LINE", help="a command line, such as 'AT+CSQ'")
    run.set_defaults(do=_onHost(_run))

    numbers = commands.add_parser("numbers", parents=[common], help="list the telephone numbers of modules")
    numbers.set_defaults(do=_onHost(_numbers))

    add = commands.add_parser("add-number", parents=[common], help="make the telephone number of a module known")
    add.add_argument("--imei", help="the module's; without it, the module is asked by short message")
    add.add_argument("--password-file", metavar="PATH", help="the password of digest messages, of 16 characters")
    add.add_argument("number", metavar="NUMBER", help="international: +393351234567")
    add.set_defaults(do=_onHost(_addNumber))

    remove = commands.add_parser("remove-number", parents=[common], help="forget a telephone number")
    remove.add_argument("number", metavar="NUMBER")
    remove.set_defaults(do=_onHost(_removeNumber))

    job = commands.add_parser("job", parents=[common], help="wait for a job and show it")
    job.add_argument("--no-wait", action="store_true", help="show it as it stands")
    job.add_argument("number", type=int, metavar="N")
    job.set_defaults(do=_onHost(_job))

    terminal = commands.add_parser(
        "terminal",
        help="be a terminal at an AT port, without a host",
        description="Pass octets between this terminal and an AT port, as they are: Ctrl-C sends ETX, Ctrl-P DLE, "
        "Ctrl-Z 0x1A, Enter CR and Ctrl-J LF. Ctrl-] leaves. Where input is a pipe or a file, silence behind its end "
        "does.",
        epilog="exit status: 0 left, or closed by the other end, 2 no port, or it was lost, 128 and more a signal",
    )
    terminal.add_argument("--silence", type=_silence, metavar="SECONDS", help="how long it is to be [default: 1]")
    terminal.add_argument(
        "endpoint", metavar="ENDPOINT", help="serial:/dev/ttyUSB0, pty:PATH, tcp:HOST:PORT, modem:..."
    )
    terminal.set_defaults(do=_terminal)
    return parser


def run(argv: Sequence[str] | None = None) -> int:
    """
    Do what the command line says.

    @return: the exit status.
    """
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.do(arguments)
        sys.stdout.flush()
        return status
    except Trouble as trouble:
        print(f"atrun: {trouble}", file=sys.stderr)
        return EXIT_TROUBLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough (head, less).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_TROUBLE


def main() -> NoReturn:
    """
    The entry point of the command C{atrun}.
    """
    sys.exit(run())
