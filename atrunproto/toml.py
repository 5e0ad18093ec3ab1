"""
Settings in TOML files, read into structs: their keys are spelled as options are, and a wrong key or value is named.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

import msgspec

Kind = TypeVar("Kind", bound=msgspec.Struct)


class ConfigError(ValueError):
    """
    A setting that cannot be used; the text names it.
    """


def _key(attribute: str) -> str:
    return re.sub("[A-Z]", lambda capital: "-" + capital[0].lower(), attribute)


class Table(msgspec.Struct, rename=_key, kw_only=True):
    """
    A table of a configuration file; its keys are spelled as options are.
    """


def readFile(path: str, kind: type[Kind], readOther: Callable[[type, Any], Any] | None = None) -> Kind:
    """
    Read a TOML file.

    @param readOther: makes values of types that TOML doesn't know, as C{msgspec}'s C{dec_hook}.
    @raise ConfigError: naming the file and what is wrong in it.
    """
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except (OSError, ValueError) as error:
        # what isn't TOML or UTF-8, and a path that can't be one, are ValueErrors
        raise ConfigError(f"{path}: {error}") from None
    try:
        refuseUnknown(table, kind)
        return msgspec.convert(table, kind, dec_hook=readOther)
    except (ConfigError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from None


def notText(error: UnicodeEncodeError, given: Mapping[str, Any]) -> str:
    """
    Say which option isn't text: the system hands over bytes that aren't UTF-8 as characters that can't be encoded.
    """
    option = next((name for name, value in given.items() if value == error.object), "config")
    return f"{option}: {error.object!r} is not text"


def refuseUnknown(table: Mapping[str, Any], kind: type[msgspec.Struct], where: str = "") -> None:
    """
    Check the keys of a table, and of the tables in it.

    @param where: what is said of the table's place.
    @raise ConfigError: naming the nearest key that is known.
    """
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ConfigError(f"unknown key {key!r}{where}: {hint}")
        inner = next((each for each in (known[key], *get_args(known[key])) if _isTable(each)), None)
        if inner is None:
            continue
        if isinstance(value, dict):
            refuseUnknown(value, inner, f" of [{key}]")
        elif isinstance(value, list):
            for number, each in enumerate(value, 1):
                if isinstance(each, dict):
                    refuseUnknown(each, inner, f" of [[{key}]] number {number}")


def _isTable(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
