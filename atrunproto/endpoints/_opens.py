"""
Hearing that somebody opens a file, by inotify: one kernel watcher for all files of a reactor, since they are few.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from twisted.internet.inotify import IN_OPEN, INotify, INotifyError
from twisted.internet.interfaces import IReactorFDSet
from twisted.python.filepath import FilePath


class _Watcher:
    """
    An inotify descriptor and the number of files that it watches.
    """

    def __init__(self, reactor: IReactorFDSet) -> None:
        self.notify = INotify(reactor)
        self.notify.startReading()
        self.files = 0


_watchers: WeakKeyDictionary[IReactorFDSet, _Watcher] = WeakKeyDictionary()


def watchOpens(reactor: IReactorFDSet, path: str, opened: Callable[[], None]) -> None:
    """
    Call C{opened} each time that C{path} is opened, until L{ignoreOpens}; a file has one watch at most.

    @raise twisted.internet.inotify.INotifyError: the kernel refuses.
    """
    watcher = _watchers.get(reactor)
    if watcher is None:
        watcher = _watchers[reactor] = _Watcher(reactor)
    watcher.files += 1
    try:
        watcher.notify.watch(FilePath(path), IN_OPEN, callbacks=[lambda _watch, _path, _mask: opened()])
    except INotifyError:
        _oneLess(reactor, watcher)
        raise


def hearOpens(reactor: IReactorFDSet) -> None:
    """
    Tell now of opens that have happened, rather than when the reactor comes to it.
    """
    _watchers[reactor].notify.doRead()


def ignoreOpens(reactor: IReactorFDSet, path: str) -> None:
    """
    End what L{watchOpens} began.
    """
    watcher = _watchers[reactor]
    watcher.notify.ignore(FilePath(path))
    _oneLess(reactor, watcher)


def _oneLess(reactor: IReactorFDSet, watcher: _Watcher) -> None:
    """
    Close the watcher when its last file is gone.
    """
    watcher.files -= 1
    if not watcher.files:
        del _watchers[reactor]
        watcher.notify.loseConnection()
