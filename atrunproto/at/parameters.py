"""
Typed parameters of AT commands: each converts both ways, checks its range, and prints it for the test form.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

from .grammar import Argument


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


#: as a default: the parameter has none and must be given
REQUIRED = _Required()


class BadValue(ValueError):
    """
    An argument lies outside what its parameter takes.
    """


class BadForm(BadValue):
    """
    An argument is missing, or there is one too many.
    """


class Parameter:
    """
    One parameter of a command row.

    @ivar name: the vendor's spelling.
    @ivar default: the factory value of a setting, or what an action takes where the argument is omitted.
    @ivar required: the argument may not be omitted in the set form.
    @ivar secret: the value is a password and reaches no log.
    """

    def __init__(
        self, name: str, default: Any = REQUIRED, required: bool = False, unit: str = "", secret: bool = False
    ) -> None:
        self.name = name
        self.required = required or default is REQUIRED
        self.default: Any = None if default is REQUIRED else default
        self.unit = unit
        self.secret = secret

    def withDefault(self, value: Any) -> Self:
        """
        The same parameter with another factory value.
        """
        changed = copy(self)
        changed.default = value
        return changed

    def parse(self, argument: Argument) -> Any:
        """
        @raise BadValue: the argument is not one of the values that this parameter takes.
        """
        raise NotImplementedError

    def show(self, value: Any) -> str:
        """
        The value as a read form prints it.
        """
        raise NotImplementedError

    def holds(self, value: Any) -> bool:
        """
        Whether the value is one that this parameter can have; one that was kept may come from another product.
        """
        if value is None or value == self.default:
            return bool(value == self.default)
        try:
            return bool(self.parse(Argument(str(value), quoted=isinstance(value, str))) == value)
        except BadValue:
            return False

    def range(self) -> str:
        """
        The values as the test form prints them.
        """
        raise NotImplementedError


class Int(Parameter):
    """
    A decimal number.

    The legal values are one range C{low, high}, or C{ranges} of C{(low, high)} or C{(low, high, step)}.
    """

    def __init__(
        self,
        name: str,
        low: int = 0,
        high: int = 0,
        default: Any = REQUIRED,
        required: bool = False,
        unit: str = "",
        ranges: Sequence[tuple[int, ...]] = (),
        absent: int | None = None,
        digits: int = 0,
    ) -> None:
        """
        @param absent: a value that stands for the default and reads back as such (C{pktSz} 0 is 300).
        @param digits: the read form pads with zeros to so many digits.
        """
        super().__init__(name, default, required, unit)
        self.ranges = tuple(ranges) or ((low, high),)
        self.absent = absent
        self.digits = digits

    def parse(self, argument: Argument) -> int:
        text = argument.text
        # 8 digits hold every number of the documents; more would only be work for a hostile line
        if argument.quoted or not text.isdecimal() or len(text) > 8 or not text.isascii():
            raise BadValue(text)
        value = int(text)
        for low, high, *step in self.ranges:
            if low <= value <= high and (not step or (value - low) % step[0] == 0):
                return value if value != self.absent else int(self.default)
        raise BadValue(text)

    def show(self, value: Any) -> str:
        return str(value).zfill(self.digits)

    def range(self) -> str:
        shown = [str(low) if low == high else f"{low}-{high}" for low, high, *_ in self.ranges]
        if len(self.ranges) == 1 and self.ranges[0][1] - self.ranges[0][0] == 1:
            # two values are printed as a list, as the modules do: (0,1)
            shown = [str(value) for value in self.ranges[0][:2]]
        return f"({','.join(shown)})"


class Numbers(Int):
    """
    A number out of a list: C{(0,1,2,4,5,7,9)}.
    """

    def __init__(self, name: str, values: Sequence[int], default: Any = REQUIRED, required: bool = False) -> None:
        super().__init__(name, default=default, required=required, ranges=[(value, value) for value in values])


class Text(Parameter):
    """
    A string, in quotes or bare.
    """

    def __init__(
        self,
        name: str,
        longest: int = 100,
        default: Any = REQUIRED,
        required: bool = False,
        exactly: int | None = None,
        mustQuote: bool = False,
        shownQuoted: bool = True,
        secret: bool = False,
    ) -> None:
        """
        @param longest: characters at most.
        @param exactly: characters, neither more nor fewer.
        @param mustQuote: a bare word is refused.
        @param shownQuoted: the read form puts it in quotes.
        """
        super().__init__(name, default, required, secret=secret)
        self.longest = longest
        self.exactly = exactly
        self.mustQuote = mustQuote
        self.shownQuoted = shownQuoted

    def parse(self, argument: Argument) -> str:
        """
        Bare words are plain ASCII, so that typographic quotes don't pass for text (TEL-GEN-08).
        """
        text = argument.text
        if not argument.quoted and (self.mustQuote or not text.isascii()):
            raise BadValue(text)
        if len(text) > self.longest or (self.exactly is not None and len(text) != self.exactly):
            raise BadValue(text)
        return text

    def show(self, value: Any) -> str:
        return f'"{value}"' if self.shownQuoted else str(value)

    def range(self) -> str:
        return ""


class Choice(Text):
    """
    One string out of a few.
    """

    def __init__(self, name: str, values: Sequence[str], default: Any = REQUIRED, required: bool = False) -> None:
        super().__init__(name, default=default, required=required)
        self.values = tuple(values)

    def parse(self, argument: Argument) -> str:
        if argument.text not in self.values:
            raise BadValue(argument.text)
        return argument.text

    def range(self) -> str:
        shown = ",".join(f'"{value}"' for value in self.values)
        return shown if len(self.values) == 1 else f"({shown})"


def parseArguments(parameters: Sequence[Parameter], arguments: Sequence[Argument | None]) -> tuple[Any, ...]:
    """
    Convert the arguments of a set form; an omitted one is C{None}.

    @raise BadForm: too many arguments, or a required one is missing.
    @raise BadValue: one is out of its range.
    """
    if len(arguments) > len(parameters):
        raise BadForm("too many arguments")
    values: list[Any] = []
    for position, parameter in enumerate(parameters):
        argument = arguments[position] if position < len(arguments) else None
        if argument is not None:
            values.append(parameter.parse(argument))
        elif parameter.required:
            raise BadForm(f"{parameter.name} is missing")
        else:
            values.append(None)
    return tuple(values)
