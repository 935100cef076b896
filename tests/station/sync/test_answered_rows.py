"""Raw answers to some rows, by the real syncer over real sockets: none ends it, and the other rows go on."""

import pathlib

from tests.station.sync.answered_rows import answer_raw


def test_rows_with_raw_answers_settle_and_hold_up_no_other(tmp_path: pathlib.Path) -> None:
    """A small part of `./dev bench raw-answers`."""
    tally = answer_raw(tmp_path, 400, seed=5)
    assert tally.raw >= 400
    assert {"AnswerLost", "PostDeferred"} <= set(tally.kinds)
    assert tally.good >= 20
    assert (tally.held_up, tally.not_settled) == (0, 0)
