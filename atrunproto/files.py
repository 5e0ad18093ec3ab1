"""
How many files and sockets this process may have open.
"""

from __future__ import annotations

import resource


def openMany() -> int:
    """
    Let this process have as many files and sockets open as the system allows, and tell how many.

    The usual soft limit of 1024 is for programs that use select(); neither daemon does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
