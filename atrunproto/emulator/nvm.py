"""
The non-volatile memory of an emulated module: one file, old or new, never half.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from atrunproto.at.results import CME, refuse

#: of the file's layout
FORMAT = 1


class NVM:
    """
    Named values that survive power-off; in a file, or in this object only.

    Each change replaces the file atomically: the end of the process at any moment leaves the old or the new state.
    A damaged file is set aside under another name and reported; the module then starts from factory values.

    @ivar damaged: where a damaged file was put, or C{None}.
    """

    _log = Logger()

    __slots__ = ("_values", "damaged", "path")

    def __init__(self, path: Path | None = None) -> None:
        """
        @param path: the file; C{None}: nothing outlives the process.
        @raise OSError: the file or its folder can't be read or written.
        """
        self.path = path
        self.damaged: Path | None = None
        self._values: dict[str, Any] | None = None
        if path is not None:
            self._values = self._load(path)
            self._write(path)

    def get(self, name: str) -> Any:
        """
        The value kept under this name, or C{None}.
        """
        return None if self._values is None else self._values.get(name)

    def put(self, name: str, value: Any) -> None:
        """
        Keep a value; C{None} removes it.

        @raise CommandFailed: it can't be written (memory failure); the old value stays.
        """
        if self._values is None:
            self._values = {}
        before = self._values.get(name)
        self._assign(name, value)
        if self.path is None:
            return
        try:
            self._write(self.path)
        except OSError as error:
            self._assign(name, before)
            self._log.error("the NVM {path} can't be written: {error}", path=str(self.path), error=error)
            raise refuse(CME[23]) from error

    def _assign(self, name: str, value: Any) -> None:
        assert self._values is not None
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value

    def clear(self) -> None:
        """
        Return to factory state.
        """
        self._values = None if self.path is None else {}
        if self.path is not None:
            self._write(self.path)

    def _load(self, path: Path) -> dict[str, Any]:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            envelope = json.loads(content)
            values = envelope["values"]
            if envelope["format"] != FORMAT or envelope["crc32"] != _checksum(values) or not isinstance(values, dict):
                raise ValueError("format or check sum are wrong")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.damaged = self._setAside(path)
            self._log.error(
                "the NVM {path} is damaged ({error}); it was kept as {aside}, factory values are in force",
                path=str(path),
                error=error,
                aside=str(self.damaged),
            )
            return {}
        return values

    @staticmethod
    def _setAside(path: Path) -> Path:
        number = 1
        while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
            number += 1
        path.rename(aside)
        return aside

    def _write(self, path: Path) -> None:
        values = self._values or {}
        envelope = {"format": FORMAT, "crc32": _checksum(values), "values": values}
        handle, temporary = tempfile.mkstemp(prefix=path.name + ".", suffix=".new", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(envelope, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


def _checksum(values: object) -> int:
    return zlib.crc32(json.dumps(values, sort_keys=True).encode("utf-8"))
