"""The stored archives of models, for whoever drives them: the file, and keeping only a part of it once it was read.

For the farm's calls. The bytes of an archive are never opened here.
"""

import contextlib
import hashlib
import pathlib
import secrets
from collections.abc import Iterator

from leaderboard.core.errors import Conflict, NotHere
from leaderboard.core.submissions.archive import check_sha256
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows
from leaderboard.store.submissions.model_rows import StoredArchive
from leaderboard.submissions.model_files import ModelFiles, ReceivingPart
from shared.errors import Refused
from shared.text import text


class ModelArchives:
    """The archives of one store and its folder. Safe to call from any thread."""

    def __init__(self, store: Store, files: ModelFiles) -> None:
        self._store, self._files = store, files

    def file(self, sha256: str) -> tuple[pathlib.Path, bool]:
        """The file of the model of this hash, and whether it is whole (else: only what is kept of it).

        Raises NotHere, StorageError if the file is gone.
        """
        with self._store.read() as db:
            archive = model_rows.archive(db, check_sha256(sha256))
        if archive is None:
            raise NotHere(text("There is no model {sha256} here.", sha256=repr(sha256)))
        return self._files.path(archive.file_sha256), not archive.kept_sha256

    @contextlib.contextmanager
    def receive_kept(self, sha256: str, kept_sha256: str) -> Iterator["KeptPart"]:
        """Take what is to be kept instead of the archive of this hash: its models and metadata, packed anew.

        Raises NotHere, BadInput for what is no hash, StorageError.
        """
        with self._store.read() as db:
            archive = model_rows.archive(db, check_sha256(sha256))
        if archive is None:
            raise NotHere(text("There is no model {sha256} here.", sha256=repr(sha256)))
        token = secrets.token_hex(8)
        part = self._files.receive_kept(check_sha256(kept_sha256), token)
        try:
            yield KeptPart(self, part, archive, kept_sha256, token)
        finally:
            self._files.drop_kept_part(kept_sha256, token)
            part.close()

    def keep_only(self, sha256: str, kept_sha256: str, token: str, size_bytes: int) -> bool:
        """From now on the part that arrived is kept instead of the archive of this hash. Called by KeptPart.

        False if that was done before, or nobody has the model any more. The model keeps its name, the hash of what was
        sent, so that sending it again is known as a repetition. Raises StorageError.
        """
        with self._files.exclusive():
            self._files.put_kept(kept_sha256, token)
            with self._store.write() as db:
                done = model_rows.keep_part(db, sha256, kept_sha256, size_bytes)
            # What the database names no more goes last: were we to die here, the sweep finds it.
            for each in (sha256, kept_sha256):
                self._drop_unnamed(each)
        return done

    def drop_unnamed(self, sha256: str) -> None:
        """Delete what is stored of the archive of this hash, if the database names it no more. Raises StorageError."""
        with self._files.exclusive():
            self._drop_unnamed(sha256)

    def sweep(self) -> int:
        """Delete files that the database does not name (any more); how many. Raises StorageError."""
        dropped = 0
        self._files.drop_dead_parts()
        if not self._files.stored():
            return 0
        with self._files.exclusive():
            for sha256 in self._files.stored():
                dropped += self._drop_unnamed(sha256)
        return dropped

    def _drop_unnamed(self, sha256: str) -> bool:
        with self._store.read() as db:
            named = model_rows.is_stored_file(db, sha256)
        if named or not self._files.has(sha256):
            return False
        self._files.drop(sha256)
        return True


class KeptPart:
    """What is to be kept of an archive, while it arrives."""

    def __init__(
        self, archives: ModelArchives, part: ReceivingPart, archive: StoredArchive, kept_sha256: str, token: str
    ) -> None:
        self._archives, self._part, self._archive = archives, part, archive
        self._kept_sha256, self._token = kept_sha256, token
        self._hash, self._size_bytes = hashlib.sha256(), 0

    def write(self, piece: bytes) -> None:
        """Take bytes. Raises Refused beyond the archive's own size, StorageError."""
        self._size_bytes += len(piece)
        if self._size_bytes >= self._archive.size_bytes:
            raise Refused(text("What is kept of an archive is smaller than the archive."))
        self._hash.update(piece)
        self._part.write(piece)

    def finish(self) -> bool:
        """All of it is here: it takes the archive's place; False if another part has. Raises Conflict, StorageError."""
        found = self._hash.hexdigest()
        if found != self._kept_sha256:
            raise Conflict(text("What arrived has the hash {found}, not the one in the address.", found=found))
        self._part.sync()
        return self._archives.keep_only(self._archive.sha256, self._kept_sha256, self._token, self._size_bytes)
