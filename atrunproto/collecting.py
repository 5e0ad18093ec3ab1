"""
How often a daemon looks for garbage in cycles.
"""

from __future__ import annotations

import gc

#: objects more than before that start a look at the young ones, and looks until the older ones' turn; Python's own are
#: 700, 10, 10, with which a host of 10,000 modules spends two fifths of its time looking at what lives on
THRESHOLDS = (50_000, 20, 100)


def collectSeldom() -> None:
    """
    Suit the collector to a process with many objects that live long; for a whole process, so for daemons only.
    """
    gc.set_threshold(*THRESHOLDS)
