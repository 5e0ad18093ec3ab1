"""
The FTP server of a dialogue: Twisted's, with one user and a folder of its own.

To import it installs the reactor, since the module of Twisted does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory
from twisted.protocols.ftp import FTP as TwistedFTP
from twisted.protocols.ftp import REQ_FILE_ACTN_PENDING_FURTHER_INFO, FTPFactory, FTPShell, IFTPShell
from twisted.python.filepath import FilePath
from zope.interface import implementer


class _Files(FTPShell):
    """
    The files, which can be appended to, and read from a place within.

    @ivar appending: what is written next goes behind what is there.
    @ivar start: the place from which is read next.
    """

    appending = False
    start = 0

    def list(self, path: Any, keys: Any = ()) -> Deferred[Any]:
        """What is in a directory, in the order of the names."""
        listed: Deferred[Any] = super().list(path, keys)  # type: ignore[no-untyped-call]
        return listed.addCallback(sorted)

    def openForReading(self, path: Any) -> Deferred[Any]:
        """A file, from the place."""
        start, self.start = self.start, 0

        def skip(reader: Any) -> Any:
            reader.fObj.seek(start)
            return reader

        opened: Deferred[Any] = super().openForReading(path)  # type: ignore[no-untyped-call]
        return opened.addCallback(skip)

    def openForWriting(self, path: Any) -> Deferred[Any]:
        """A file, new or with what was in it."""
        place = self._path(path)  # type: ignore[no-untyped-call]
        before = place.getContent() if self.appending and place.isfile() else b""
        self.appending = False

        def keep(writer: Any) -> Any:
            writer.fObj.write(before)
            return writer

        opened: Deferred[Any] = super().openForWriting(path)  # type: ignore[no-untyped-call]
        return opened.addCallback(keep)


class _Server(TwistedFTP):
    """Twisted's server with the two commands that it lacks."""

    shell: Any

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

    def __init__(self, folder: Path, user: str, password: str) -> None:
        self._folder = folder
        self._known = user, password

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """Let the user in, and nobody else."""
        if (credentials.username, credentials.password) != self._known:
            raise UnauthorizedLogin
        return succeed(self._known[0].encode())

    def requestAvatar(self, avatarId: object, mind: object, *interfaces: object) -> tuple[Any, Any, Any]:
        """The user's files."""
        shell = _Files(FilePath(str(self._folder)))  # type: ignore[no-untyped-call]
        return IFTPShell, shell, lambda: None


def ftpFactory(folder: Path, user: str, password: str) -> Factory:
    """A server of the files in a folder."""
    users = _Users(folder, user, password)
    factory: Any = FTPFactory(Portal(users, [users]))
    factory.protocol = _Server
    factory.noisy = False
    factory.allowAnonymous = False
    # its clock is the reactor's, and module time goes its own way
    factory.timeOut = None
    made: Factory = factory
    return made
