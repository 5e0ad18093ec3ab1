"""
The FTP server of a dialogue: Twisted's, with one user and a folder of its own, and the faults that the dialogue wants.

To import it installs the reactor, since the module of Twisted does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.protocol import Factory
from twisted.protocols.ftp import FTP as TwistedFTP
from twisted.protocols.ftp import (
    REQ_FILE_ACTN_PENDING_FURTHER_INFO,
    AuthorizationError,
    FTPFactory,
    FTPShell,
    IFTPShell,
    PermissionDeniedError,
)
from twisted.python.filepath import FilePath
from zope.interface import implementer

from atrunproto.testing.replaying.ftpscript import Script


class _Cut:
    """A file of which a part is sent, and then nothing more."""

    def __init__(self, part: bytes, hangUp: Callable[[], Any]) -> None:
        self._part = part
        self._hangUp = hangUp

    def send(self, consumer: Any) -> Deferred[None]:
        """Send the part."""
        consumer.write(self._part)
        self._hangUp()
        return Deferred()


class _Files(FTPShell):
    """
    The files, which can be appended to, and read from a place within.

    @ivar appending: what is written next goes behind what is there.
    @ivar start: the place from which is read next.
    """

    appending = False
    start = 0

    def __init__(self, folder: FilePath[str], script: Script) -> None:
        super().__init__(folder)  # type: ignore[no-untyped-call]
        self._script = script

    def list(self, path: Any, keys: Any = ()) -> Deferred[Any]:
        """What is in a directory, in the order of the names."""
        listed: Deferred[Any] = super().list(path, keys)  # type: ignore[no-untyped-call]
        return listed.addCallback(sorted)

    def openForReading(self, path: Any) -> Deferred[Any]:
        """A file, from the place."""
        start, self.start = self.start, 0
        part = self._script.cuts.get("/".join(path))
        if part is not None:
            return succeed(_Cut(part, self._script.hangUp))

        def skip(reader: Any) -> Any:
            reader.fObj.seek(start)
            return reader

        opened: Deferred[Any] = super().openForReading(path)  # type: ignore[no-untyped-call]
        return opened.addCallback(skip)

    def openForWriting(self, path: Any) -> Deferred[Any]:
        """A file, new or with what was in it."""
        place = self._path(path)  # type: ignore[no-untyped-call]
        if self._script.keepsFiles and place.isfile():
            return fail(PermissionDeniedError(path))
        before = place.getContent() if self.appending and place.isfile() else b""
        self.appending = False

        def keep(writer: Any) -> Any:
            writer.fObj.write(before)
            # what has come is in the file at once
            writer.fObj = writer.fObj.detach()
            return writer

        opened: Deferred[Any] = super().openForWriting(path)  # type: ignore[no-untyped-call]
        return opened.addCallback(keep)


class _Server(TwistedFTP):
    """Twisted's server with the two commands that it lacks, and what the dialogue makes of it."""

    shell: Any
    dtpInstance: Any
    script: Script
    user: str

    def connectionMade(self) -> None:
        """Somebody has called."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self.script.joined(self)

    def processCommand(self, cmd: str, *params: str) -> Any:
        """An order: taken note of, and refused where the dialogue says so; a stranger hears so at once."""
        self.script.orders.append(" ".join([cmd.upper(), *params]))
        if self.script.refuses(cmd.upper(), " ".join(params)):
            raise PermissionDeniedError(cmd)
        if cmd.upper() == "USER" and params != (self.user,):
            raise AuthorizationError
        return super().processCommand(cmd, *params)  # type: ignore[no-untyped-call]

    def hangUp(self) -> bool:
        """Close the data connection and the control connection; tell whether there still was one."""
        isThere = bool(self.connected)
        data, control = self.dtpInstance, self.transport
        for end in (data.transport if data is not None and data.isConnected else None, control):
            if end is not None:
                end.loseConnection()
        return isThere

    def ftp_TYPE(self, type: str) -> Any:
        """Text or octets: both are kept as they come, since Twisted's conversion of text takes no octets."""
        reply = super().ftp_TYPE(type)  # type: ignore[no-untyped-call]
        self.binary = True
        return reply

    def ftp_APPE(self, path: str) -> Any:
        """Append to a file."""
        self.shell.appending = True
        return self.ftp_STOR(path)  # type: ignore[no-untyped-call]

    def ftp_REST(self, start: str) -> Any:
        """Begin the next reading at this octet."""
        self.shell.start = int(start)
        return REQ_FILE_ACTN_PENDING_FURTHER_INFO


@implementer(IRealm, ICredentialsChecker)
class _Users:
    """The one user, whose home is the folder."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, folder: Path, user: str, password: str, script: Script) -> None:
        self._folder = folder
        self._script = script
        self._known = user, password

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """Let the user in, and nobody else."""
        if (credentials.username, credentials.password) != self._known:
            raise UnauthorizedLogin
        return succeed(self._known[0].encode())

    def requestAvatar(self, avatarId: object, mind: object, *interfaces: object) -> tuple[Any, Any, Any]:
        """The user's files."""
        shell = _Files(FilePath(str(self._folder)), self._script)
        return IFTPShell, shell, lambda: None


def ftpFactory(folder: Path, user: str, password: str, script: Script) -> Factory:
    """A server of the files in a folder."""
    users = _Users(folder, user, password, script)
    factory: Any = FTPFactory(Portal(users, [users]))
    factory.protocol = type("Server", (_Server,), {"script": script, "user": user})
    factory.noisy = False
    factory.allowAnonymous = False
    # its clock is the reactor's, and module time goes its own way
    factory.timeOut = None
    made: Factory = factory
    return made
