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
from twisted.protocols.ftp import FTPFactory, FTPShell, IFTPShell
from twisted.python.filepath import FilePath
from zope.interface import implementer


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
        return IFTPShell, FTPShell(FilePath(str(self._folder))), lambda: None


def ftpFactory(folder: Path, user: str, password: str) -> Factory:
    """A server of the files in a folder."""
    users = _Users(folder, user, password)
    factory: Any = FTPFactory(Portal(users, [users]))
    factory.noisy = False
    factory.allowAnonymous = False
    # its clock is the reactor's, and module time goes its own way
    factory.timeOut = None
    made: Factory = factory
    return made
