"""The stored archives of models, for whoever drives them: the file, and keeping only a part of it once it was read.

For the farm's calls. The bytes of an archive are never opened here.
"""

import pathlib

from leaderboard.core.errors import NotHere
from leaderboard.core.submissions.archive import check_sha256
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows
from leaderboard.submissions.model_files import ModelFiles
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

    def keep_only(self, sha256: str, kept: bytes) -> bool:
        """Keep these bytes (the policy and its metadata, packed anew) instead of the archive of this hash.

        False if that was done before, or nobody has the model any more. The model keeps its name, the hash of what was
        sent, so that sending it again is known as a repetition. Raises StorageError.
        """
        with self._files.exclusive():
            kept_sha256 = self._files.put(kept)
            with self._store.write() as db:
                done = model_rows.keep_part(db, sha256, kept_sha256, len(kept))
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
