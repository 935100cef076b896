"""Files that were checked and wait for their import: a few, for a while, each for the account that sent it.

They are on the disk, where each process of this leaderboard finds them: another one may answer when the import is asked
for. Called by import_pages.py.
"""

import hashlib
import json
import os
import pathlib
import re
import secrets
import stat
import tempfile

from leaderboard.store.database import Store
from leaderboard.web.forms import PostedFile
from shared.errors import Refused, StorageError
from shared.text import text
from shared.units import NS_PER_S

KEPT_FOR_NS = 15 * 60 * NS_PER_S
MAX_KEPT = 4
_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)


def folder_of(store: Store) -> pathlib.Path:
    """Where files wait for this store: beside its file, or with PostgreSQL in the folder for temporary files."""
    if store.path is not None:
        return store.path.with_name(f"{store.path.name}.checked")
    place = hashlib.sha256(store.engine.url.render_as_string().encode()).hexdigest()[:16]
    return pathlib.Path(tempfile.gettempdir()) / f"raceday-checked-{place}-{os.getuid()}"


class CheckedFiles:
    """The files of one folder, which only this user can read. Safe to call from any thread and process."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def keep(self, account_id: str, file: PostedFile, now_utc_ns: int) -> str:
        """Keep the file; the token under which its sender finds it again. Raises StorageError."""
        token = secrets.token_hex(16)
        head = json.dumps({"account": account_id, "name": file.name}).encode() + b"\n"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._check_folder()
            self._tidy(now_utc_ns)
            made = os.open(self._folder / f"{now_utc_ns:020}-{token}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "wb") as out:
                out.write(head)
                out.write(file.content)
        except OSError as error:
            raise StorageError(f"{self._folder}: the checked file cannot be kept there ({error.strerror}).") from None
        return token

    def find(self, account_id: str, token: str, now_utc_ns: int) -> PostedFile:
        """The file of this token. Raises Refused if it is no longer here, or was another one's."""
        gone = Refused(text("The checked file is no longer here: choose it again."))
        for path in self._of(token):
            if not 0 <= now_utc_ns - _kept_utc_ns(path) <= KEPT_FOR_NS:
                raise gone
            try:
                head, _, content = path.read_bytes().partition(b"\n")
            except FileNotFoundError:
                raise gone from None
            of = json.loads(head)
            if of["account"] == account_id:
                return PostedFile(of["name"], content)
        raise gone

    def drop(self, token: str) -> None:
        """Forget the file."""
        for path in self._of(token):
            path.unlink(missing_ok=True)

    def _of(self, token: str) -> list[pathlib.Path]:
        return list(self._folder.glob(f"*-{token}")) if _TOKEN.fullmatch(token) and self._folder.is_dir() else []

    def _check_folder(self) -> None:
        """In the folder for temporary files somebody else may have made one of this name first."""
        found = self._folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise StorageError(f"{self._folder}: is not a folder of this user alone: remove it.")

    def _tidy(self, now_utc_ns: int) -> None:
        """Make room for one more."""
        newest = sorted(self._folder.iterdir(), reverse=True)
        for number, path in enumerate(newest):
            if number >= MAX_KEPT - 1 or not 0 <= now_utc_ns - _kept_utc_ns(path) <= KEPT_FOR_NS:
                path.unlink(missing_ok=True)


def _kept_utc_ns(path: pathlib.Path) -> int:
    since = path.name.partition("-")[0]
    return int(since) if since.isascii() and since.isdecimal() else 0
