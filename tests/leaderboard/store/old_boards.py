"""Boards as earlier versions left them, with data in them, for the tests of migrations on both databases."""

import dataclasses
import json

import sqlalchemy as sa

from leaderboard.core.rank import LineKey
from leaderboard.store import attempt_rows, database, race_rows, result_rows
from leaderboard.store.ranking import line_rows
from shared.protocol.results import encode_result
from tests.leaderboard.sample_races import RULES, result


def make_0005(db: sa.Connection) -> None:
    """A board of schema 0005: one racer each in the races "cup" and "sim" (virtual), and arrows to draw in "cup"."""
    database.migrate(db, "0005")
    rules = json.dumps(dataclasses.asdict(RULES))
    before = {"racer": "anna", "score_ms": 9900, "set_utc_ns": 1, "order": 1, "seq": 1, "attempts": 1}
    for seq, (race_id, venue, undo) in enumerate(
        (("cup", "physical", {"anna": before, "tom": None}), ("sim", "virtual", {})), 1
    ):
        db.execute(
            sa.text(
                "INSERT INTO races (race_id, name, kind, venue, track, rules, entry, created_utc_ns, version, undo) "
                "VALUES (:race_id, 'Cup', 'league', :venue, 'Oval', :rules, 'open', 1, 7, :undo)"
            ),
            {"race_id": race_id, "venue": venue, "rules": rules, "undo": json.dumps(undo)},
        )
        one = result(f"of-{race_id}", "anna", race_id=race_id, kind=venue)
        values = {"seq": seq, "race_id": race_id, "at": one.finished_utc_ns, "kind": venue, "score_ms": one.score_ms}
        db.execute(
            sa.text(
                "INSERT INTO results (seq, result_id, revision, race_id, racer, score_ms, finished_utc_ns, "
                "uncertainty_ns, accepted_utc_ns, payload, kind) "
                "VALUES (:seq, :id, 1, :race_id, 'anna', :score_ms, :at, 0, 1, :payload, :kind)"
            ),
            values | {"id": one.result_id, "payload": encode_result(one)},
        )
        db.execute(sa.text("INSERT INTO lines VALUES (:race_id, 'anna', :score_ms, :at, :seq, :seq, 1)"), values)
    # Without a score: one that a correction withdrew, and one whose laps make none by rules that were changed since.
    withdrawn = result("withdrawn", "ben", revision=2, score_ms=0)
    short = result("short", "cleo", (9000, 9000), score_ms=9000)
    for seq, one in ((3, withdrawn), (4, short)):
        db.execute(
            sa.text(
                "INSERT INTO results (seq, result_id, revision, race_id, racer, finished_utc_ns, uncertainty_ns, "
                "accepted_utc_ns, payload, state) VALUES (:seq, :id, :revision, 'cup', :racer, 1, 0, 1, :payload, "
                "'withdrawn')"
            ),
            {
                "seq": seq,
                "id": one.result_id,
                "revision": one.revision,
                "racer": one.racer,
                "payload": encode_result(one),
            },
        )


def check_attempts_of_0005(db: sa.Connection) -> None:
    """What `make_0005` made without a score stands as it should: by its correction, or by its laps."""
    rows = {row.racer: (row.state, row.reason) for row in attempt_rows.attempts(db, "cup")}
    assert rows == {
        "anna": ("ranked", ""),
        "ben": ("withdrawn", ""),
        "cleo": ("unqualified", "2 of 3 laps in a row"),
    }
    assert {verdict.state for _, verdict, _ in result_rows.results_of(db, "cup")} == {
        "ranked",
        "withdrawn",
        "unqualified",
    }


def check_lines_of_0005(db: sa.Connection) -> None:
    """What `make_0005` made is whole: each line in the table of its race's kind, and the arrows' lines too."""
    [physical] = line_rows.lines(db, "cup", "physical")
    [virtual] = line_rows.lines(db, "sim", "virtual")
    assert (physical.kind, physical.score_ms, physical.seq) == ("physical", 9100, 1)
    assert (virtual.kind, virtual.score_ms, virtual.seq) == ("virtual", 9100, 2)
    undo = race_rows.shown(db, "cup").undo
    assert undo[LineKey("physical", "tom")] is None
    before = undo[LineKey("physical", "anna")]
    assert before is not None
    assert (before.score_ms, before.kind) == (9900, "physical")
    assert race_rows.shown(db, "sim").undo == {}
