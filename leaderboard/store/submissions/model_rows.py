"""Reads and writes models, their stored archives and uploads, within the transaction whose connection it is given."""

import dataclasses
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from leaderboard.core.errors import NotHere
from leaderboard.store.tables import MODEL_BLOBS, MODELS, UPLOADS
from shared.text import text


class UnknownModel(NotHere):
    """The account has no model of this hash. Whether another one has it is not told."""

    @classmethod
    def of(cls, sha256: str) -> "UnknownModel":
        """The refusal for this hash."""
        return cls(text("You have no model {sha256} here: upload it first.", sha256=repr(sha256[:80])))


class UnknownUpload(NotHere):
    """There is no upload of this id that the account has begun; it may be finished, or have expired."""

    @classmethod
    def of(cls, upload_id: str) -> "UnknownUpload":
        """The refusal for this id."""
        return cls(text("There is no upload {id}: it is finished, or has expired.", id=repr(upload_id[:80])))


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model as its owner has it."""

    account_id: str
    sha256: str
    name: str
    size_bytes: int
    created_utc_ns: int


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """An archive of one or more models. `kept_sha256`: of the part that is kept of it; "" while it is whole.

    `checkpoints`: how many different models a farm found in it; 0 before one has read it.
    """

    sha256: str
    size_bytes: int
    kept_sha256: str
    kept_bytes: int
    created_utc_ns: int
    checkpoints: int = 0

    @property
    def file_sha256(self) -> str:
        """The hash of the file that is there: of the whole archive, or of what is kept."""
        return self.kept_sha256 or self.sha256


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """An archive that is on its way; its first `offset_bytes` are stored for good."""

    upload_id: str
    account_id: str
    sha256: str
    size_bytes: int
    name: str
    offset_bytes: int
    created_utc_ns: int
    touched_utc_ns: int


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What an account has here: models and unfinished uploads, and how large they are together."""

    models: int
    uploads: int
    size_bytes: int


def model(db: sa.Connection, account_id: str, sha256: str) -> ModelRecord | None:
    """The account's model of this hash."""
    ours = (MODELS.c.account_id == account_id) & (MODELS.c.sha256 == sha256)
    row = db.execute(sa.select(MODELS).where(ours)).mappings().first()
    return None if row is None else ModelRecord(**row)


def models(db: sa.Connection, account_id: str) -> list[ModelRecord]:
    """The account's models, the newest first."""
    query = sa.select(MODELS).where(MODELS.c.account_id == account_id)
    rows = db.execute(query.order_by(MODELS.c.created_utc_ns.desc(), MODELS.c.sha256)).mappings()
    return [ModelRecord(**row) for row in rows]


def add_model(db: sa.Connection, added: ModelRecord) -> None:
    """Store a model of an archive that is stored."""
    db.execute(sa.insert(MODELS), dataclasses.asdict(added))


def remove_model(db: sa.Connection, account_id: str, sha256: str) -> None:
    """The account has it no more; of the archive, if nobody else has it, only its file is left, which is swept."""
    db.execute(sa.delete(MODELS).where((MODELS.c.account_id == account_id) & (MODELS.c.sha256 == sha256)))
    left = sa.exists().where(MODELS.c.sha256 == MODEL_BLOBS.c.sha256)
    db.execute(sa.delete(MODEL_BLOBS).where((MODEL_BLOBS.c.sha256 == sha256) & ~left))


def remove_all(db: sa.Connection, account_id: str) -> None:
    """The account has no models and uploads any more."""
    for each in models(db, account_id):
        remove_model(db, account_id, each.sha256)
    db.execute(sa.delete(UPLOADS).where(UPLOADS.c.account_id == account_id))


def use_of(db: sa.Connection, account_id: str) -> AccountUse:
    """What the account has here."""
    counts = [
        db.execute(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(table.c.size_bytes), 0)).where(
                table.c.account_id == account_id
            )
        ).one()
        for table in (MODELS, UPLOADS)
    ]
    return AccountUse(int(counts[0][0]), int(counts[1][0]), int(counts[0][1]) + int(counts[1][1]))


def archive(db: sa.Connection, sha256: str) -> StoredArchive | None:
    """What is stored of the archive of this hash."""
    row = db.execute(sa.select(MODEL_BLOBS).where(MODEL_BLOBS.c.sha256 == sha256)).mappings().first()
    return None if row is None else StoredArchive(**row)


def keep_archive(db: sa.Connection, added: StoredArchive) -> StoredArchive:
    """Store it, if it is not there; as it is stored. Whoever removes or changes it waits for this transaction."""
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(MODEL_BLOBS).values(dataclasses.asdict(added)).on_conflict_do_nothing())
    locked = sa.select(MODEL_BLOBS).where(MODEL_BLOBS.c.sha256 == added.sha256).with_for_update()
    return StoredArchive(**db.execute(locked).mappings().one())


def keep_part(db: sa.Connection, sha256: str, kept_sha256: str, kept_bytes: int) -> bool:
    """From now on only this part of the archive is kept; False if another part is already, or nobody has it."""
    whole = (MODEL_BLOBS.c.sha256 == sha256) & (MODEL_BLOBS.c.kept_sha256 == "")
    values = {"kept_sha256": kept_sha256, "kept_bytes": kept_bytes}
    return db.execute(sa.update(MODEL_BLOBS).where(whole).values(values)).rowcount == 1


def remember_checkpoints(db: sa.Connection, sha256: str, checkpoints: int) -> None:
    """A farm has read the archive and found so many different models in it."""
    db.execute(sa.update(MODEL_BLOBS).where(MODEL_BLOBS.c.sha256 == sha256).values(checkpoints=checkpoints))


def is_stored_file(db: sa.Connection, file_sha256: str) -> bool:
    """Whether a file of this hash is what is stored of some archive."""
    whole = (MODEL_BLOBS.c.sha256 == file_sha256) & (MODEL_BLOBS.c.kept_sha256 == "")
    which = whole | (MODEL_BLOBS.c.kept_sha256 == file_sha256)
    return db.execute(sa.select(MODEL_BLOBS.c.sha256).where(which).limit(1)).first() is not None


def upload(db: sa.Connection, account_id: str, upload_id: str, for_change: bool = False) -> UploadRecord:
    """The account's upload of this id. Raises UnknownUpload."""
    ours = (UPLOADS.c.upload_id == upload_id) & (UPLOADS.c.account_id == account_id)
    query = sa.select(UPLOADS).where(ours)
    query = query.with_for_update() if for_change else query
    row = db.execute(query).mappings().first() if upload_id.isascii() and upload_id.isalnum() else None
    if row is None:
        raise UnknownUpload.of(upload_id)
    return UploadRecord(**row)


def upload_of(db: sa.Connection, account_id: str, sha256: str) -> UploadRecord | None:
    """The account's unfinished upload of this archive."""
    ours = (UPLOADS.c.account_id == account_id) & (UPLOADS.c.sha256 == sha256)
    row = db.execute(sa.select(UPLOADS).where(ours)).mappings().first()
    return None if row is None else UploadRecord(**row)


def uploads(db: sa.Connection, account_id: str) -> list[UploadRecord]:
    """The account's unfinished uploads, the newest first."""
    query = sa.select(UPLOADS).where(UPLOADS.c.account_id == account_id).order_by(UPLOADS.c.created_utc_ns.desc())
    return [UploadRecord(**row) for row in db.execute(query).mappings()]


def stale_uploads(db: sa.Connection, before_utc_ns: int) -> list[UploadRecord]:
    """Uploads to which nothing was added since then."""
    query = sa.select(UPLOADS).where(UPLOADS.c.touched_utc_ns < before_utc_ns)
    return [UploadRecord(**row) for row in db.execute(query).mappings()]


def add_upload(db: sa.Connection, added: UploadRecord) -> None:
    """Store the beginning of an upload."""
    db.execute(sa.insert(UPLOADS), dataclasses.asdict(added))


def advance(db: sa.Connection, upload_id: str, offset_bytes: int, now_utc_ns: int) -> None:
    """So much of the upload is on the disk now."""
    values = {"offset_bytes": offset_bytes, "touched_utc_ns": now_utc_ns}
    db.execute(sa.update(UPLOADS).where(UPLOADS.c.upload_id == upload_id).values(values))


def remove_upload(db: sa.Connection, upload_id: str) -> bool:
    """Forget the upload; False if it was gone already."""
    return db.execute(sa.delete(UPLOADS).where(UPLOADS.c.upload_id == upload_id)).rowcount == 1


def known_uploads(db: sa.Connection) -> set[str]:
    """The ids of all unfinished uploads."""
    return set(db.execute(sa.select(UPLOADS.c.upload_id)).scalars())
