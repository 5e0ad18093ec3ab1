"""
What can go wrong with a Multi-Tech modem, as its host is told of it.

Source: reference guide S000333C, chapter 9; MTS-ERR.
"""

from __future__ import annotations

from atrunproto.at.errors import CommandFailed
from atrunproto.at.results import Reason

from . import errors


class MultitechError(CommandFailed):
    """
    A Multi-Tech modem answers an error of its own; C{reason} has the number.
    """

    def __str__(self) -> str:
        meaning = errors.MEANINGS.get(self.reason)
        shown = super().__str__()
        return shown if meaning is None else f"{shown}: {meaning}"


class BadCommand(MultitechError):
    """
    The modem doesn't take the command or the value: there is no such one, it is too long, or out of range.
    """


class BadConfiguration(MultitechError):
    """
    A parameter that is needed is missing or unusable.
    """


class Busy(MultitechError):
    """
    A service runs, so that no other can begin and no parameter can be written.
    """


class NotRegistered(MultitechError):
    """
    The modem is not registered with a network, or not attached to its packet service.
    """


class AlreadyConnected(MultitechError):
    """
    There is a connection already, or it is being made.
    """


class NoConnection(MultitechError):
    """
    There is no connection.
    """


class ConnectionFailed(MultitechError):
    """
    The connection can't be made.
    """


class AccessRefused(ConnectionFailed):
    """
    The network doesn't take the access point, its user or its password.
    """


class ConnectionEnded(MultitechError):
    """
    The connection is lost, or was idle for too long.
    """


class NameUnknown(MultitechError):
    """
    A name can't be resolved.
    """


class CannotConnect(MultitechError):
    """
    The server, or the other side, can't be reached.
    """


class NoResponse(MultitechError):
    """
    The server doesn't answer.
    """


class ClosedByPeer(MultitechError):
    """
    The server, or the other side, has closed the connection.
    """


class LoginRefused(MultitechError):
    """
    The server doesn't take the user or the password.
    """


class Refused(MultitechError):
    """
    The server refuses a directory, the sender, a recipient or the body of a mail, or to delete one.
    """


class TransferFailed(MultitechError):
    """
    A file or a mail can't be had or left, or hasn't passed whole.
    """


class MemoryFailed(MultitechError):
    """
    A value can't be written to the non-volatile memory.
    """


_KINDS: dict[Reason, type[MultitechError]] = {
    **dict.fromkeys((errors.UNKNOWN_COMMAND, errors.SYNTAX_ERROR, errors.TOO_LONG, errors.BAD_VALUE), BadCommand),
    errors.MEMORY_FAILURE: MemoryFailed,
    errors.BAD_CONFIGURATION: BadConfiguration,
    **dict.fromkeys((errors.ANOTHER_RUNS, errors.SERVICE_RUNS), Busy),
    errors.NOT_REGISTERED: NotRegistered,
    errors.ALREADY_CONNECTED: AlreadyConnected,
    errors.NO_LINK: NoConnection,
    **dict.fromkeys(
        (
            errors.ACTIVATION_FAILED,
            errors.PPP_CLIENT_FAILED,
            errors.PPP_SERVER_FAILED,
            errors.PPP_CLIENT_TIMEOUT,
            errors.PPP_SERVER_TIMEOUT,
            errors.GPRS_OPENING_FAILED,
            errors.GPRS_INFORMATION_FAILED,
        ),
        ConnectionFailed,
    ),
    **dict.fromkeys((errors.ACTIVATION_ABORTED, errors.GPRS_AUTHENTICATION_FAILED), AccessRefused),
    **dict.fromkeys((errors.GPRS_LOST, errors.INACTIVE), ConnectionEnded),
    errors.NAME_FAILED: NameUnknown,
    errors.OPEN_FAILED: CannotConnect,
    errors.NO_RESPONSE: NoResponse,
    errors.CLOSED_BY_PEER: ClosedByPeer,
    **dict.fromkeys((errors.USER_REJECTED, errors.PASSWORD_REJECTED), LoginRefused),
    **dict.fromkeys(
        (
            errors.DIRECTORY_FAILED,
            errors.DELETION_FAILED,
            errors.SENDER_REJECTED,
            errors.RECIPIENT_REJECTED,
            errors.COPY_REJECTED,
            errors.BODY_REJECTED,
        ),
        Refused,
    ),
    **dict.fromkeys(
        (errors.SEND_FAILED, errors.RETRIEVAL_FAILED, errors.MAIL_FAILED, errors.HEADER_FAILED), TransferFailed
    ),
}


def asMultitechError(error: CommandFailed) -> CommandFailed:
    """
    An error by its kind; one that isn't of Multi-Tech's own stays as it is.
    """
    if error.reason not in errors.MEANINGS:
        return error
    return _KINDS.get(error.reason, MultitechError)(error.command, error.reason)
