"""
What Multi-Tech's IP commands answer by number: the errors of C{#CME ERROR} and the information messages.

A service raises C{refuse(errors.NO_LINK)}, and goes online or answers by L{message}.
Source: reference guide S000333C, chapter 9; MTS-RES-02, MTS-ERR-01 to MTS-ERR-46.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from atrunproto.at.results import MULTITECH, Reason, ResultCode, multitechReason

if TYPE_CHECKING:
    from atrunproto.at.surroundings import Surroundings

UNKNOWN_COMMAND = MULTITECH.unknownCommand
SYNTAX_ERROR = MULTITECH.syntaxError
MEMORY_FAILURE = multitechReason(34824)
TOO_LONG = MULTITECH.lineTooLong
BAD_VALUE = MULTITECH.badValue
ALREADY_CONNECTED = multitechReason(35840)
GPRS_LOST = multitechReason(35841)
INACTIVE = multitechReason(35862)
NOT_REGISTERED = multitechReason(35865)
ACTIVATION_FAILED = multitechReason(35866)
NO_LINK = multitechReason(35867)
ACTIVATION_ABORTED = multitechReason(35868)
CALL_TYPE = multitechReason(35869)
CALL_WITHOUT_NUMBER = multitechReason(35870)
NO_RESOURCE = multitechReason(36872)
BAD_CONFIGURATION = multitechReason(36929)
PPP_CLIENT_FAILED = multitechReason(37120)
PPP_SERVER_FAILED = multitechReason(37121)
ANOTHER_RUNS = multitechReason(37122)
SERVICE_RUNS = multitechReason(37123)
CONTEXT_CANCELLED = multitechReason(37952)
NO_RESPONSE = multitechReason(37964)
CLOSED_BY_PEER = multitechReason(37966)
OPEN_FAILED = multitechReason(38016)
SEND_FAILED = multitechReason(38017)
CLOSE_FAILED = multitechReason(38018)
DIRECTORY_FAILED = multitechReason(38022)
DELETION_FAILED = multitechReason(38023)
RETRIEVAL_FAILED = multitechReason(38024)
MAIL_FAILED = multitechReason(38025)
HEADER_FAILED = multitechReason(38026)
NAME_FAILED = multitechReason(38027)
SENDER_REJECTED = multitechReason(38028)
RECIPIENT_REJECTED = multitechReason(38029)
COPY_REJECTED = multitechReason(38030)
BODY_REJECTED = multitechReason(38031)
USER_REJECTED = multitechReason(38080)
PASSWORD_REJECTED = multitechReason(38081)
PPP_CLIENT_TIMEOUT = multitechReason(38980)
PPP_SERVER_TIMEOUT = multitechReason(38981)
FLOW_OPENING_FAILED = multitechReason(49153)
FLOW_CLOSING_FAILED = multitechReason(49154)
GPRS_OPENING_FAILED = multitechReason(49155)
GPRS_AUTHENTICATION_FAILED = multitechReason(49156)
GPRS_INFORMATION_FAILED = multitechReason(49157)
FLOW_UNCONFIRMED = multitechReason(49158)

#: what each error means, in words for a person; none of them goes over the line
MEANINGS: Mapping[Reason, str] = {
    UNKNOWN_COMMAND: "there is no such command",
    SYNTAX_ERROR: "the command is not written as it should be",
    MEMORY_FAILURE: "the value could not be written to the non-volatile memory",
    TOO_LONG: "the command is too long",
    BAD_VALUE: "the value is not allowed",
    ALREADY_CONNECTED: "a connection exists already, or is being set up",
    GPRS_LOST: "the GPRS session was lost",
    INACTIVE: "nothing went over the connection for too long, so it was ended",
    NOT_REGISTERED: "the modem is not registered with a network, or not attached",
    ACTIVATION_FAILED: "the GPRS session could not be established",
    NO_LINK: "there is no connection",
    ACTIVATION_ABORTED: "the network refused the access point, its user or password",
    CALL_TYPE: "the incoming call is of a type that can't be taken",
    CALL_WITHOUT_NUMBER: "the incoming call doesn't tell its number",
    NO_RESOURCE: "something inside the modem is not available",
    BAD_CONFIGURATION: "a parameter that is needed is missing or unusable",
    PPP_CLIENT_FAILED: "PPP failed while the modem was the client",
    PPP_SERVER_FAILED: "PPP failed while the modem was the server",
    ANOTHER_RUNS: "another service runs already",
    SERVICE_RUNS: "a service runs, so no parameter can be set",
    CONTEXT_CANCELLED: "the connection below the TCP session was ended",
    NO_RESPONSE: "the server doesn't answer",
    CLOSED_BY_PEER: "the other side has closed the TCP session",
    OPEN_FAILED: "no session with the other side could be opened",
    SEND_FAILED: "data could not be sent",
    CLOSE_FAILED: "a session could not be closed",
    DIRECTORY_FAILED: "the directory could not be changed",
    DELETION_FAILED: "a file could not be deleted",
    RETRIEVAL_FAILED: "data could not be fetched",
    MAIL_FAILED: "the mail could not be fetched",
    HEADER_FAILED: "the header of the mail could not be fetched",
    NAME_FAILED: "no name server answers, or the name is unknown",
    SENDER_REJECTED: "the server rejects the address of the sender",
    RECIPIENT_REJECTED: "the server rejects the address of a recipient",
    COPY_REJECTED: "the server rejects the address of the carbon copy",
    BODY_REJECTED: "the server does not take the body of the mail",
    USER_REJECTED: "the server rejects the user name",
    PASSWORD_REJECTED: "the server rejects the password",
    PPP_CLIENT_TIMEOUT: "PPP took too long while the modem was the client",
    PPP_SERVER_TIMEOUT: "PPP took too long while the modem was the server",
    FLOW_OPENING_FAILED: "inside: the flow of data could not be opened",
    FLOW_CLOSING_FAILED: "inside: the flow of data could not be closed",
    GPRS_OPENING_FAILED: "inside: the GPRS session could not be opened",
    GPRS_AUTHENTICATION_FAILED: "inside: the authentication for GPRS failed",
    GPRS_INFORMATION_FAILED: "inside: GPRS did not tell its addresses",
    FLOW_UNCONFIRMED: "inside: the flow of data was never confirmed",
}


class _Spellings(NamedTuple):
    """
    The two ways in which the guide spells a message (MTS-GAP-07, MTS-GAP-08).
    """

    common: str
    chapters: str


class Message(Enum):
    """
    The information messages, by their number under ATV0.
    """

    DATA_BEGIN = 1025
    WAITING_FOR_DATA = 1028
    NO_MAIL = 3072
    MAIL = 3073
    SOCKET_CLOSED = 3074
    PPP = 3077
    GPRS_ACTIVATION = 3086


_TEXTS = {
    Message.DATA_BEGIN: _Spellings("Ok_Info_DataBegin", "OK_Info_DataBegin"),
    Message.WAITING_FOR_DATA: _Spellings("Ok_Info_WaitingForData", "OK_Info_WaitingForData"),
    Message.NO_MAIL: _Spellings("Ok_Info_NoMail", "OK_Info_NoMail"),
    Message.MAIL: _Spellings("Ok_Info_Mail", "OK_Info_Mail"),
    Message.SOCKET_CLOSED: _Spellings("Ok_Info_SocketClosed", "OK_Info_SocketClosed"),
    Message.PPP: _Spellings("Ok_Info_PPP", "OK_Info_PPP"),
    Message.GPRS_ACTIVATION: _Spellings("Ok_Info_GprsActivation", "OK_Info_GPRSActivation"),
}

#: the codes as published host programs want them, and as the chapters of the guide print them
_CODES = tuple({each: ResultCode(each.value, texts[way]) for each, texts in _TEXTS.items()} for way in (0, 1))


def message(module: Surroundings, which: Message) -> ResultCode:
    """
    The code of an information message, in the product's spelling: C{Ok_Info_} or C{OK_Info_}.

    The limit C{messages as in the chapters} of the product tells which.
    """
    return _CODES[module.limit("messages as in the chapters")][which]
