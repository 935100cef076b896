"""Takes models in chunks: nothing that was acknowledged is sent again, whatever breaks on the way or on this side.

    begun = uploads.begin(caller, NewUpload(sha256, size_bytes, "My model"), now)   a model, or an upload to go on with
    with uploads.receive(caller, upload_id, offset) as chunk:
        chunk.write(piece)
        progress = chunk.finish(now)       # on the disk; with the last byte: the model

The offset moves only after the bytes before it were synced. Two accounts that send the same bytes each send all of
them, and learn nothing of each other.
"""

import contextlib
import dataclasses
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.config import SubmissionSettings
from leaderboard.core import acceptance
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict
from leaderboard.core.submissions.archive import HEAD_BYTES, check_head, check_sha256, check_size
from leaderboard.core.submissions.states import SubmissionMove
from leaderboard.store import audit
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.submissions.model_rows import ModelRecord, StoredArchive, UnknownUpload, UploadRecord
from leaderboard.submissions.account_room import check_account_room, lock_account
from leaderboard.submissions.eligibility import submitter_of
from leaderboard.submissions.model_files import ModelFiles, ReceivingPart
from shared.errors import BadInput
from shared.text import text

_THE_LEADERBOARD = "system"


class UploadConflict(Conflict):
    """The chunk, or the whole upload, is not what was announced; it goes on at `offset_bytes`."""

    def __init__(self, sentence: str, offset_bytes: int) -> None:
        super().__init__(sentence)
        self.offset_bytes = offset_bytes


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What is to be uploaded. `name`: what its owner calls the model."""

    sha256: str
    size_bytes: int
    name: str


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """How far an upload is. `model`: what became of it, once it is whole."""

    offset_bytes: int
    size_bytes: int
    model: ModelRecord | None = None


class UploadService:
    """Uploads of all accounts of one store. `changed(race_id)`: after a commit that moved a submission of the race."""

    def __init__(
        self, store: Store, files: ModelFiles, settings: SubmissionSettings, changed: Callable[[str], None]
    ) -> None:
        self._store, self._files, self._settings, self._changed = store, files, settings, changed

    def begin(self, caller: Caller, wanted: NewUpload, now_utc_ns: int) -> ModelRecord | UploadRecord:
        """The account's model, if it has it already; else the upload to go on with at its offset.

        Raises UploadConflict if the account is sending another size under this hash, Refused beyond a bound, BadInput,
        StorageError without room on the disk.
        """
        account_id = submitter_of(caller).account_id
        sha256 = check_sha256(wanted.sha256)
        check_size(wanted.size_bytes, self._settings.max_archive_mb)
        name = acceptance.check_name("name", wanted.name.strip())
        self._files.check_room(wanted.size_bytes)
        with self._store.write() as db:
            lock_account(db, account_id)
            there = model_rows.model(db, account_id, sha256)
            if there is not None:
                return there
            under_way = model_rows.upload_of(db, account_id, sha256)
            if under_way is not None:
                return self._go_on(under_way, wanted.size_bytes)
            check_account_room(db, account_id, wanted.size_bytes, self._settings)
            upload_id, size_bytes = secrets.token_hex(12), wanted.size_bytes
            begun = UploadRecord(upload_id, account_id, sha256, size_bytes, name, 0, now_utc_ns, now_utc_ns)
            model_rows.add_upload(db, begun)
        return begun

    def _go_on(self, upload: UploadRecord, size_bytes: int) -> UploadRecord:
        offset_bytes = self._offset(upload)
        if upload.size_bytes != size_bytes:
            raise UploadConflict(
                text(
                    "You are uploading these bytes as {known} bytes, not {given}: one of the two is wrong.",
                    known=upload.size_bytes,
                    given=size_bytes,
                ),
                offset_bytes,
            )
        return _at(upload, offset_bytes)

    def _offset(self, upload: UploadRecord) -> int:
        # A folder that was put back from a copy may hold less than the database says.
        return min(upload.offset_bytes, self._files.part_size(upload.upload_id))

    def upload(self, caller: Caller, upload_id: str) -> UploadRecord:
        """An upload of the account, with the offset at which it goes on. Raises UnknownUpload."""
        with self._store.read() as db:
            upload = model_rows.upload(db, submitter_of(caller).account_id, upload_id)
        return _at(upload, self._offset(upload))

    def uploads(self, caller: Caller) -> list[UploadRecord]:
        """The account's unfinished uploads."""
        with self._store.read() as db:
            found = model_rows.uploads(db, submitter_of(caller).account_id)
        return [_at(each, self._offset(each)) for each in found]

    @contextlib.contextmanager
    def receive(self, caller: Caller, upload_id: str, offset_bytes: int) -> Iterator["ReceivingChunk"]:
        """Take a chunk that begins at this offset, alone.

        Raises UnknownUpload, UploadConflict, StorageError, RetryLater while another arrives.
        """
        account_id = submitter_of(caller).account_id
        upload = self.upload(caller, upload_id)
        part = self._files.receive(upload_id)
        try:
            with self._store.read() as db:  # once more, now that nobody else adds to it
                upload = model_rows.upload(db, account_id, upload_id)
            upload = _at(upload, self._offset(upload))
            if offset_bytes != upload.offset_bytes:
                raise UploadConflict(
                    text("The upload goes on at byte {offset}.", offset=upload.offset_bytes), upload.offset_bytes
                )
            part.begin(offset_bytes)
            yield ReceivingChunk(self, upload, part)
        except UnknownUpload:
            self._files.drop_part(upload_id)  # finished or gone meanwhile: this file is only our lock
            raise
        finally:
            part.close()

    def cancel(self, caller: Caller, upload_id: str, now_utc_ns: int) -> None:
        """End an upload; submissions that wait for it are cancelled. Raises UnknownUpload, RetryLater."""
        sender = submitter_of(caller)
        upload = self.upload(caller, upload_id)
        part = self._files.receive(upload_id)
        try:
            self._end(upload, "cancel", audit.actor_of(sender), now_utc_ns, text("Its upload was cancelled."))
        finally:
            part.close()

    def expire(self, now_utc_ns: int) -> int:
        """End uploads to which nothing was added for too long, and files of none; how many uploads."""
        before_utc_ns = now_utc_ns - round(self._settings.upload_h * 3600 * 10**9)
        with self._store.read() as db:
            stale = model_rows.stale_uploads(db, before_utc_ns)
        for upload in stale:
            self._end(upload, "cancel", _THE_LEADERBOARD, now_utc_ns, text("Its upload was never finished."))
        parts = self._files.parts()  # before the database is asked: it knows an upload before there is a file of it
        with self._store.read() as db:
            known = model_rows.known_uploads(db)
        for upload_id in parts:
            if upload_id not in known:
                self._files.drop_part(upload_id)
        return len(stale)

    def _end(self, upload: UploadRecord, what: SubmissionMove, who: str, now_utc_ns: int, sentence: str) -> None:
        with self._store.write() as db:
            if not model_rows.remove_upload(db, upload.upload_id):
                return
            races = self._move_waiting(db, upload, what, who, now_utc_ns, sentence)
        self._files.drop_part(upload.upload_id)
        self._publish(races)

    @staticmethod
    def _move_waiting(
        db: sa.Connection, upload: UploadRecord, what: SubmissionMove, who: str, now_utc_ns: int, sentence: str = ""
    ) -> set[str]:
        """Move the submissions that wait for this upload; their races."""
        waiting = submission_rows.of_model(db, upload.account_id, upload.sha256, "uploading")
        for each in waiting:
            submission_rows.move(db, each, what, who, now_utc_ns, sentence)
        return {each.race_id for each in waiting}

    def _publish(self, races: set[str]) -> None:
        for race_id in sorted(races):
            self._changed(race_id)

    def take(self, upload: UploadRecord, part: ReceivingPart, now_utc_ns: int) -> UploadProgress:
        """What has arrived is on the disk from now on; with the last byte it is a model. Called by ReceivingChunk."""
        offset_bytes = part.sync()
        if upload.offset_bytes < HEAD_BYTES <= offset_bytes or offset_bytes == upload.size_bytes:
            self._check_kind(upload, part, now_utc_ns)
        with self._store.write() as db:
            model_rows.upload(db, upload.account_id, upload.upload_id, for_change=True)
            model_rows.advance(db, upload.upload_id, offset_bytes, now_utc_ns)
        if offset_bytes < upload.size_bytes:
            return UploadProgress(offset_bytes, upload.size_bytes)
        if self._files.part_sha256(upload.upload_id) != upload.sha256:
            self._begin_again(upload, part, now_utc_ns)
        return UploadProgress(offset_bytes, upload.size_bytes, self._finish(upload, now_utc_ns))

    def _check_kind(self, upload: UploadRecord, part: ReceivingPart, now_utc_ns: int) -> None:
        try:
            check_head(part.head(HEAD_BYTES))
        except BadInput as refusal:
            self._end(upload, "reject", _THE_LEADERBOARD, now_utc_ns, str(refusal))
            raise

    def _begin_again(self, upload: UploadRecord, part: ReceivingPart, now_utc_ns: int) -> None:
        part.begin(0)
        with self._store.write() as db:
            model_rows.advance(db, upload.upload_id, 0, now_utc_ns)
        raise UploadConflict(
            text(
                "The bytes that arrived are not those that were announced: their SHA-256 is another. Send them again."
            ),
            0,
        )

    def _finish(self, upload: UploadRecord, now_utc_ns: int) -> ModelRecord:
        archive = StoredArchive(upload.sha256, upload.size_bytes, "", 0, now_utc_ns)
        made = ModelRecord(upload.account_id, upload.sha256, upload.name, upload.size_bytes, now_utc_ns)
        with self._files.exclusive(), self._store.write() as db:
            model_rows.upload(db, upload.account_id, upload.upload_id, for_change=True)
            if not self._files.has(model_rows.keep_archive(db, archive).file_sha256):
                self._files.put_part(upload.upload_id, upload.sha256)
            model_rows.add_model(db, made)
            model_rows.remove_upload(db, upload.upload_id)
            races = self._move_waiting(db, upload, "arrive", upload.account_id, now_utc_ns)
        self._files.drop_part(upload.upload_id)
        self._publish(races)
        return made


class ReceivingChunk:
    """A chunk while it arrives."""

    def __init__(self, uploads: UploadService, upload: UploadRecord, part: ReceivingPart) -> None:
        self._uploads, self._upload, self._part = uploads, upload, part
        self._room = upload.size_bytes - upload.offset_bytes

    def write(self, piece: bytes) -> None:
        """Take bytes. Raises UploadConflict if there are more than were announced, StorageError."""
        if len(piece) > self._room:
            self._part.begin(self._upload.offset_bytes)
            raise UploadConflict(
                text("More bytes than the announced {size} were sent.", size=self._upload.size_bytes),
                self._upload.offset_bytes,
            )
        self._part.write(piece)
        self._room -= len(piece)

    def finish(self, now_utc_ns: int) -> UploadProgress:
        """What has arrived of it is acknowledged. Raises UploadConflict for a wrong hash, BadInput for no archive."""
        return self._uploads.take(self._upload, self._part, now_utc_ns)


def _at(upload: UploadRecord, offset_bytes: int) -> UploadRecord:
    return dataclasses.replace(upload, offset_bytes=offset_bytes)
