"""
What can go wrong with FTP through a module, as its peer is told of it.

Source: reference 2.2; TEL-FTP-16.
"""

from __future__ import annotations

from atrunproto.at.peertransfer import ServerError


class FTPError(ServerError):
    """
    FTP has failed.
    """


class WrongState(FTPError):
    """
    The session is busy with a file, or not busy with the one that was asked for.
    """


class NoContext(FTPError):
    """
    No context is active that FTP could use (1, or 0).
    """


class NotFound(FTPError):
    """
    The name of the server can't be resolved.
    """


class CannotConnect(FTPError):
    """
    The server can't be reached.
    """


class Refused(FTPError):
    """
    The server refuses, or says nothing in time.
    """


class NoSession(FTPError):
    """
    There is no session, or none any more.
    """


class SessionTaken(FTPError):
    """
    There is a session already, of this AT instance or of another one.
    """


class TransferFailed(FTPError):
    """
    A file or a listing can't be had, or hasn't passed whole.
    """


#: by the number of a +CME ERROR (reference 2.2)
ERRORS: dict[int, type[FTPError]] = {
    556: NoContext,
    601: WrongState,
    602: NoContext,
    603: NotFound,
    604: CannotConnect,
    605: CannotConnect,
    606: Refused,
    607: NoSession,
    608: SessionTaken,
    609: NoContext,
    612: SessionTaken,
}
