"""
What can go wrong with a server of files, as a vendor's commands answer it.
"""

from __future__ import annotations

from dataclasses import dataclass

from atrunproto.at.results import Reason


@dataclass(frozen=True, slots=True)
class Reasons:
    """
    One vendor's answers.

    @ivar busy: a data connection is there already.
    @ivar noPort: there is no port to listen on for the server.
    @ivar unreachable: a connection to the server can't be had.
    @ivar user: the server refuses the user.
    @ivar password: the server refuses the password.
    @ivar directory: the server refuses to change to a directory.
    @ivar retrieval: the server refuses to send a file, or has broken off.
    @ivar storage: the server refuses to take a file, or has broken off.
    @ivar refused: the server refuses anything else.
    @ivar silent: the server doesn't answer in time.
    @ivar gone: the server has closed a connection in the middle.
    """

    busy: Reason
    noPort: Reason
    unreachable: Reason
    user: Reason
    password: Reason
    directory: Reason
    retrieval: Reason
    storage: Reason
    refused: Reason
    silent: Reason
    gone: Reason

    def ofRefusal(self, order: str) -> Reason:
        """
        The answer where the server refuses an order.

        @param order: as it was given.
        """
        what = {
            "USER": self.user,
            "PASS": self.password,
            "CWD": self.directory,
            "RETR": self.retrieval,
            "STOR": self.storage,
        }
        return what.get(order.split(" ")[0], self.refused)
