"""Reads and writes invitations, each within the transaction whose connection it is given."""

import dataclasses

import sqlalchemy as sa

from leaderboard.core.invite import Invitation
from leaderboard.store.tables import INVITATIONS

_COLUMNS = [INVITATIONS.c[field.name] for field in dataclasses.fields(Invitation)]


def newest(db: sa.Connection, race_id: str) -> Invitation | None:
    """The race's link of now; None if none was ever made."""
    query = sa.select(*_COLUMNS).where(INVITATIONS.c.race_id == race_id)
    row = db.execute(query.order_by(INVITATIONS.c.generation.desc()).limit(1)).mappings().first()
    return None if row is None else Invitation(**row)


def by_token(db: sa.Connection, token_sha256: str) -> Invitation | None:
    """The invitation of this token, of whatever generation."""
    row = db.execute(sa.select(*_COLUMNS).where(INVITATIONS.c.token_sha256 == token_sha256)).mappings().first()
    return None if row is None else Invitation(**row)


def add(db: sa.Connection, invitation: Invitation) -> None:
    """Store a new generation."""
    db.execute(sa.insert(INVITATIONS), dataclasses.asdict(invitation))


def change(db: sa.Connection, invitation: Invitation) -> None:
    """Store the invitation as it is now."""
    ours = (INVITATIONS.c.race_id == invitation.race_id) & (INVITATIONS.c.generation == invitation.generation)
    db.execute(sa.update(INVITATIONS).where(ours).values(dataclasses.asdict(invitation)))


def count_use(db: sa.Connection, invitation: Invitation) -> None:
    """Count one more racer who joined by the link."""
    ours = (INVITATIONS.c.race_id == invitation.race_id) & (INVITATIONS.c.generation == invitation.generation)
    db.execute(sa.update(INVITATIONS).where(ours).values(uses=INVITATIONS.c.uses + 1))
