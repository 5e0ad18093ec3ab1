"""Mail servers of other people, for the module to talk to: Dovecot with one user, OpenSMTPD that delivers to it."""

from __future__ import annotations

import os
import pwd
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.programs import PATIENCE, freePort, running

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

_DELIVERING = """
listen on 127.0.0.1 port {port}
table everybody {{ "@" = "{owner}" }}
action "put" maildir "{folder}" virtual <everybody>
match from any for any action "put"
"""
#: there is one OpenSMTPD on a machine; this one has a socket and a queue of its own
_BESIDE = "mount -t tmpfs none /run && mount -t tmpfs -o mode=711 none /var/spool/smtpd && exec smtpd -d -f {}"


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

    def waitFor(self, count: int) -> None:
        """Wait until so many mails lie in it."""
        end = time.monotonic() + PATIENCE
        while len(self.mails()) < count:
            assert time.monotonic() < end
            time.sleep(0.02)

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


@contextmanager
def opensmtpd(box: Mailbox) -> Iterator[int]:
    """Run OpenSMTPD as root, which delivers all mail to a mailbox; give its port."""
    port = freePort()
    configuration = box.folder.parent / "smtpd.conf"
    configuration.write_text(_DELIVERING.format(port=port, owner=_OWNER, folder=box.folder))
    with running(port, "unshare", "--mount", "sh", "-c", _BESIDE.format(configuration)):
        yield port
