"""
How a daemon says that it can't start.
"""

from __future__ import annotations


class CannotStart(SystemExit, Exception):
    """
    Ends a C{twistd} that is starting, with one line on the terminal and exit status 1.

    C{twistd} in the foreground takes it as the end of the program, without a traceback. In the background it is an
    exception to it, which it reports to the terminal before that is let go; a mere C{SystemExit} would leave the
    terminal waiting.
    """
