"""Raw answers to some rows, by the real syncer over real sockets: none ends it, and the other rows go on."""

import pathlib

import pytest

from shared.protocol.results import PostAccepted
from station.sync.webhook import WebhookLeaderboard
from tests.station.sync.answered_rows import answer_raw


def test_rows_with_raw_answers_settle_and_hold_up_no_other(tmp_path: pathlib.Path) -> None:
    """A small part of `./dev bench raw-answers`."""
    tally = answer_raw(tmp_path, 400, seed=5)
    assert tally.raw >= 400
    assert {"AnswerLost", "PostDeferred"} <= set(tally.kinds)
    assert tally.good >= 20
    assert (tally.held_up, tally.not_settled, tally.escaped) == (0, 0, [])


@pytest.mark.parametrize("bug", ["raises", "takes all as posted"])
def test_a_driver_with_a_bug_does_not_stay_unnoticed(
    bug: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(_self: object, _result: object) -> PostAccepted:
        if bug == "raises":
            raise UnicodeDecodeError("ascii", b"\xf6", 0, 1, "h\xf6tel")
        return PostAccepted(7, 7, 7)

    monkeypatch.setattr(WebhookLeaderboard, "post", post)
    # With the bug that raises, no row is ever settled: the first trouble is enough.
    monkeypatch.setattr("tests.station.sync.answered_rows.MOST_ESCAPED", 1)
    assert answer_raw(tmp_path, 1, seed=5).escaped
