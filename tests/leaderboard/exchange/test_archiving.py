"""An archived season keeps its standing, names and evidence; what was private of its accounts is gone."""

import dataclasses
import pathlib
from typing import Any

import pytest
import sqlalchemy as sa

from leaderboard.commands import league as command
from leaderboard.core.access import ADMIN, NOBODY, Caller, Grant
from leaderboard.core.errors import NotAllowed, Unauthorized, UnknownItem
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.states import RaceStage
from leaderboard.exchange.archiving import ArchivedSeason, archive_season
from leaderboard.store import audit, entries, league_rows, race_rows
from leaderboard.store.database import Store, open_store
from leaderboard.store.entries import EntryRecord
from leaderboard.store.tables import ACCOUNTS, CREDENTIALS, ENTRIES, INVITATIONS, ROLES
from shared.errors import OperatorError, Refused
from tests.leaderboard.exchange.boards import NOW, brought, exported, league, numbered, ranked, rows_of
from tests.leaderboard.sample_races import race, write_config

STAYS = {"credential_id": "", "kind": "passphrase", "label": "", "secret": "$argon2id$", "rp_id": "", "sign_count": 0}


def season(store: Store, stage: RaceStage = "final") -> Store:
    """Ann and Bob raced in the season; Bob races elsewhere too, and Cy is an official of the whole leaderboard."""
    with store.write() as db:
        league_rows.add_season(db, SeasonRecord("s1", "Summer"), 1)
    request = league()
    assert request.create is not None
    brought(
        store,
        rows_of(*numbered([9000, 9100, 9200])),
        league(create=dataclasses.replace(request.create, season_id="s1")),
    )
    with store.write() as db:
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, "cup"), stage=stage, owner="ann"))
        race_rows.add_race(db, race("elsewhere"), 1)
        for number, account in enumerate(("ann", "bob", "cy"), 1):
            known: dict[str, Any] = {
                "account_id": account,
                "alias": account,
                "name": account.title(),
                "created_utc_ns": 1,
            }
            db.execute(ACCOUNTS.insert(), known)
            secret = STAYS | {"credential_id": account, "account_id": account, "created_utc_ns": 1}
            db.execute(CREDENTIALS.insert(), secret)
            ours = (ENTRIES.c.race_id == "cup") & (ENTRIES.c.racer == f"racer-{number}")
            db.execute(sa.update(ENTRIES).where(ours).values(account_id=account, joined_by="link"))
        entries.add(db, EntryRecord("elsewhere", "bob", "Bob", 1, account_id="bob"))
        role = {"role": "official", "scope": "", "scope_id": "", "granted_by": "admin", "granted_utc_ns": 1}
        db.execute(ROLES.insert(), role | {"account_id": "cy"})
        db.execute(ROLES.insert(), role | {"account_id": "ann", "scope": "season", "scope_id": "s1"})
        link = {"race_id": "cup", "generation": 1, "token_sha256": "x", "salt": "s", "created_by": "ann"}
        db.execute(INVITATIONS.insert(), link | {"created_utc_ns": 1})
    return store


def test_results_and_names_stay_and_private_data_goes(store: Store) -> None:
    season(store)
    standing, board = ranked(store), exported(store)
    wanted = archive_season(store, ADMIN, "s1", NOW, dry_run=True)
    assert wanted == ArchivedSeason("s1", races=1, entries=3, accounts=1)
    assert archive_season(store, ADMIN, "s1", NOW, dry_run=False) == wanted
    assert (ranked(store), exported(store)) == (standing, board)
    with store.read() as db:
        assert db.execute(sa.select(ENTRIES.c.account_id).where(ENTRIES.c.race_id == "cup")).scalars().all() == [""] * 3
        assert db.execute(sa.select(CREDENTIALS.c.account_id)).scalars().all() == ["bob", "cy"]
        assert db.execute(sa.select(ACCOUNTS.c.alias, ACCOUNTS.c.deleted_number)).all() == [
            ("", 1), ("bob", None), ("cy", None),
        ]  # fmt: skip
        assert db.execute(sa.select(INVITATIONS)).all() == []
        assert db.execute(sa.select(ROLES.c.account_id)).scalars().all() == ["cy"]
        assert (league_rows.season(db, "s1").stage, race_rows.race(db, "cup").owner) == ("archived", "")
        assert audit.rows(db, season_id="s1")[0].what == "season.archive"
    with pytest.raises(Refused, match="archived already"):
        archive_season(store, ADMIN, "s1", NOW, dry_run=False)


def test_only_a_finished_season_and_only_by_an_admin(store: Store) -> None:
    season(store, stage="published")
    with pytest.raises(Refused, match="Race 'cup' of the season is not final"):
        archive_season(store, ADMIN, "s1", NOW, dry_run=False)
    with pytest.raises(UnknownItem):
        archive_season(store, ADMIN, "s2", NOW, dry_run=True)
    with pytest.raises(Unauthorized):
        archive_season(store, NOBODY, "s1", NOW, dry_run=True)
    with pytest.raises(NotAllowed):
        archive_season(store, Caller("x", grants=frozenset({Grant("organiser")})), "s1", NOW, dry_run=True)


def test_the_command_says_what_goes_and_asks(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(write_config(tmp_path))]
    season(open_store(tmp_path / "leaderboard.db")).close()
    with pytest.raises(OperatorError, match=r"deleted: 1\. This cannot be undone\. Nothing was done: add --yes"):
        command.main(["archive", "s1", *config])
    assert command.main(["archive", "s1", "--yes", *config]) == 0
    assert "Season s1 is archived" in capsys.readouterr().out
