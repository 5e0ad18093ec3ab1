"""A mailbox of other people's: Dovecot, as it is run, with one user, for the module to talk to."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.programs import freePort, running

#: who the mailbox belongs to on this machine
_OWNER = "nobody"

_CONFIGURATION = """
protocols = pop3
listen = 127.0.0.1
base_dir = {folder}/run
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder} allow_all_users=yes
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""


@dataclass
class Mailbox:
    """A POP3 server and its one mailbox."""

    port: int
    folder: Path
    user: str = "user"
    password: str = "secret"

    def mails(self) -> list[Path]:
        """The mails that lie in it."""
        return sorted(path for part in ("new", "cur") for path in (self.folder / part).iterdir())

    def put(self, mail: bytes) -> None:
        """Deliver a mail, its lines ended by CR LF."""
        path = self.folder / "new" / f"{len(self.mails())}.here"
        path.write_bytes(mail.replace(b"\r\n", b"\n"))
        _own(path)


def _own(path: Path) -> None:
    owner = pwd.getpwnam(_OWNER)
    os.chown(path, owner.pw_uid, owner.pw_gid)


@contextmanager
def dovecot() -> Iterator[Mailbox]:
    """Run Dovecot as root, in a folder that its own users can get at."""
    with tempfile.TemporaryDirectory(prefix="atrunproto-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        box = Mailbox(freePort(), folder / "mail")
        for path in (box.folder, *(box.folder / part for part in ("new", "cur", "tmp"))):
            path.mkdir()
            _own(path)
        owner = pwd.getpwnam(_OWNER)
        configuration = folder / "dovecot.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder, port=box.port, password=box.password, owner=owner.pw_uid, group=owner.pw_gid
            )
        )
        with running(box.port, "dovecot", "-F", "-c", str(configuration)):
            yield box
