"""A claim steps through an index from racer to racer: it never reads all that wait, nor sorts it."""

import pathlib

import sqlalchemy as sa

from leaderboard.store.database import open_store
from leaderboard.store.evaluations import queue_rows


def test_heads_and_races_are_found_by_steps_in_the_index(tmp_path: pathlib.Path) -> None:
    store = open_store(tmp_path / "board.db")
    for statement in (queue_rows._RACES, queue_rows._HEADS):
        with store.read() as db:
            compiled = statement.params(race_id="cup").compile(
                dialect=db.dialect, compile_kwargs={"literal_binds": True}
            )
            plan = [row[3] for row in db.execute(sa.text(f"EXPLAIN QUERY PLAN {compiled}"))]
        assert not [step for step in plan if step.startswith("SCAN submissions")], plan
        assert not [step for step in plan if "TEMP B-TREE FOR ORDER" in step], plan
        assert any("submissions_in_line" in step for step in plan), plan
    store.close()
