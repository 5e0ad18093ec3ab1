"""
The token of an HTTP interface, in a file that only its owner can read.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from atrunproto.secret import Secret

#: bytes of randomness in a token
TOKEN_BYTES = 32
#: what is put behind the path of a store, to get that of its token
TOKEN_SUFFIX = ".token"


class TokenError(Exception):
    """
    The token cannot be had; the text names the file and says why.
    """


def readToken(path: str) -> Secret:
    """
    Read a token that a daemon has made.

    @raise TokenError: if it cannot be read.
    """
    try:
        text = Path(path).read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise TokenError(f"{path}: {error}") from None
    if not text:
        raise TokenError(f"{path}: the file is empty; delete it, and the daemon makes a new token")
    return Secret(text)


def makeToken(path: str) -> Secret:
    """
    Read the token, or make it if there is none yet.

    @raise TokenError: if neither is possible, or if others than the owner may read the file.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise TokenError(f"{path}: others than its owner may use it; chmod 600 it") from None
        return readToken(path)
    except (OSError, ValueError) as error:
        raise TokenError(f"{path}: {error}") from None
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return Secret(token)
