"""What the FTP server of a dialogue refuses."""

from __future__ import annotations

import pytest

from atrunproto.testing.replaying.ftpscript import Script


@pytest.mark.parametrize(
    ("what", "refused", "granted"),
    [
        ("STOR", ["STOR a.txt", "STOR b.txt"], ["RETR a.txt", "CWD /list"]),
        ("STOR a.txt", ["STOR a.txt", "STOR /a.txt"], ["STOR b.txt", "RETR a.txt"]),
        ("writing /list/a.txt", ["STOR list/a.txt"], ["STOR a.txt"]),
        ("the password", ["PASS secret"], ["USER me"]),
        ("passive mode", ["PASV "], ["PASS secret", "PORT 1,2"]),
        ("directories", ["CWD /list"], ["STOR a.txt"]),
        ("CWD /list", ["CWD /list"], ["CWD /other"]),
    ],
)
def test_refuses(what: str, refused: list[str], granted: list[str]) -> None:
    """An order is refused by its name or in words, always or for one path, and no other order is."""
    script = Script()
    script.refuse(what)
    assert [order for order in [*refused, *granted] if script.refuses(*order.split(" "))] == refused
    assert not script.keepsFiles


def test_keepsFiles() -> None:
    """A server that doesn't let files be written over lets new ones be stored."""
    script = Script()
    script.refuse("overwriting a.txt")
    assert script.keepsFiles
    assert not script.refuses("STOR", "a.txt")
