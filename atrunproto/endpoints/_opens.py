"""
Hearing that somebody opens a file, by inotify: one kernel watcher for all files of a reactor, since they are few.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from twisted.internet.inotify import IN_OPEN, INotify
from twisted.internet.interfaces import IReactorFDSet
from twisted.python.filepath import FilePath


class _Watcher:
    """
    An inotify descriptor and the number of those who use it.
    """

    def __init__(self, reactor: IReactorFDSet) -> None:
        self.notify = INotify(reactor)
        self.notify.startReading()
        self.users = 0


_watchers: WeakKeyDictionary[IReactorFDSet, _Watcher] = WeakKeyDictionary()


class Opens:
    """
    The opens of one file: heard between L{listen} and L{ignore}, as often as one likes, until L{close}.
    """

    def __init__(self, reactor: IReactorFDSet, path: str, opened: Callable[[], None]) -> None:
        """
        @param opened: called for each open; opens in quick succession may count as one.
        @raise twisted.internet.inotify.INotifyError: the kernel has no watcher left.
        """
        if reactor not in _watchers:
            _watchers[reactor] = _Watcher(reactor)
        self._reactor = reactor
        self._watcher = _watchers[reactor]
        self._watcher.users += 1
        self._path = FilePath(path)
        self._opened = opened
        self._listening = False

    def listen(self) -> None:
        """
        Hear of opens from now on.
        """
        self._watcher.notify.watch(self._path, IN_OPEN, callbacks=[lambda _watch, _path, _mask: self._opened()])
        self._listening = True

    def hear(self) -> None:
        """
        Tell now of opens that have happened, rather than when the reactor comes to it.
        """
        self._watcher.notify.doRead()

    def ignore(self) -> None:
        """
        Hear no more of opens, not even of those that have happened.
        """
        if self._listening:
            self._listening = False
            self._watcher.notify.ignore(self._path)

    def close(self) -> None:
        """
        Give the watcher back.
        """
        self.ignore()
        self._watcher.users -= 1
        if not self._watcher.users:
            del _watchers[self._reactor]
            self._watcher.notify.loseConnection()
