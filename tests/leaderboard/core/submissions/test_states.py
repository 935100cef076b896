"""The states of a submission, what counts for a quota, and what an archive's first bytes tell."""

import io
import itertools
import tarfile
import zipfile
from typing import get_args

import pytest

from leaderboard.core.attempts import AttemptQuota, AttemptsLeft
from leaderboard.core.submissions.archive import MB, archive_kind, check_head, check_sha256, check_size
from leaderboard.core.submissions.quota import CountedAttempt, check_room, submissions_left
from leaderboard.core.submissions.states import (
    COUNTED,
    IN_WORK,
    SENTENCES,
    STATE_WORDS,
    SUBMISSION_MOVES,
    SUBMISSION_STATES,
    SubmissionMove,
    submission_after,
)
from leaderboard.core.submissions.submission import ModelSubmission, SubmissionStep, submission_of_result, who_of
from shared.errors import BadInput, Refused
from shared.units import NS_PER_S
from tests.leaderboard.sample_races import race

HOUR_NS = 3600 * NS_PER_S
DAY_NS = 24 * HOUR_NS
MOVES = get_args(SubmissionMove)


def test_the_table_is_whole_and_everything_else_is_refused() -> None:
    assert set(STATE_WORDS) == set(SUBMISSION_STATES)
    assert set(SENTENCES) == set(MOVES)
    assert {move for _, move in SUBMISSION_MOVES} == set(MOVES)
    assert {state for state, _ in SUBMISSION_MOVES} | {"cancelled"} == set(SUBMISSION_STATES)
    for state, move in itertools.product(SUBMISSION_STATES, MOVES):
        if (state, move) in SUBMISSION_MOVES:
            assert submission_after(state, move) == SUBMISSION_MOVES[state, move]
        else:
            with pytest.raises(Refused, match=r"^[A-Z].*\.$"):
                submission_after(state, move)


def test_whatever_is_in_work_can_end_in_every_way_and_what_is_settled_never_works_by_itself() -> None:
    reached = set(IN_WORK)
    for (state, move), then in SUBMISSION_MOVES.items():
        if state in IN_WORK:
            reached.add(then)
        else:
            assert move in ("rerun", "disqualify", "restore_score", "restore_unqualified")
    assert reached == set(SUBMISSION_STATES) - {"disqualified"}
    assert all((state, "cancel") in SUBMISSION_MOVES for state in IN_WORK)


def test_what_counts() -> None:
    assert set(SUBMISSION_STATES) - COUNTED == {"rejected", "failed", "cancelled"}
    quota = AttemptQuota(per_racer=5, per_day=2, given_back={"1970-01-02": 1})
    counted = [CountedAttempt(0), CountedAttempt(HOUR_NS), CountedAttempt(DAY_NS, in_work=True)]
    assert submissions_left(counted, quota, 2 * HOUR_NS) == AttemptsLeft(3, 0)
    assert submissions_left(counted, quota, DAY_NS + HOUR_NS) == AttemptsLeft(3, 2)
    assert submissions_left(counted, AttemptQuota(), 0) == AttemptsLeft(None, None)


def test_room_for_one_more() -> None:
    quota = AttemptQuota(per_racer=3, per_day=2)
    virtual = race(venue="virtual", in_work_per_racer=2)
    yesterday = [CountedAttempt(0, in_work=True)]
    check_room(virtual, yesterday, quota, 1, DAY_NS)
    check_room(virtual, [*yesterday, CountedAttempt(DAY_NS)], quota, 1, DAY_NS + 1)  # in work of yesterday: not today's
    with pytest.raises(Refused, match="1 submission of yours is in work"):
        check_room(race(venue="virtual"), yesterday, quota, 1, DAY_NS)
    with pytest.raises(Refused, match="no attempts left in this race today"):
        check_room(virtual, [CountedAttempt(DAY_NS)] * 2, quota, 1, DAY_NS)
    with pytest.raises(Refused, match="no attempts left in this race\\."):
        check_room(virtual, [CountedAttempt(0), CountedAttempt(1), CountedAttempt(2, True)], quota, 1, DAY_NS)


def _tar(mode: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        archive.addfile(tarfile.TarInfo("model.pb"))
    return made.getvalue()


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("model.onnx", b"x")
    return made.getvalue()


def test_what_an_archive_is() -> None:
    onnx = b"\x08\x08\x12\x07pytorch"
    kinds = [archive_kind(head) for head in (_tar("w:gz"), _tar("w"), _zip(), onnx)]
    assert kinds == ["gzip", "tar", "zip", "onnx"]
    for head in (_tar("w:gz"), _tar("w"), _zip()):
        check_head(head)
    with pytest.raises(BadInput, match=r"pack it with its model_metadata\.json"):
        check_head(onnx)
    for head in (b"", b"\x08", b"\x08\x00", b"<html>", b"GIF89a", b"\x1f\x8b", b"PK\x05\x06", b"BZh9", b"\x00" * 512):
        assert archive_kind(head) is None
        with pytest.raises(BadInput, match="no model's archive"):
            check_head(head)


def test_bounds_of_an_upload() -> None:
    assert check_sha256("ab" * 32) == "ab" * 32
    for wrong in ("", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"):
        with pytest.raises(BadInput, match="SHA-256"):
            check_sha256(wrong)
    assert check_size(300 * MB, 300) == 300 * MB
    with pytest.raises(BadInput, match="empty"):
        check_size(0, 300)
    with pytest.raises(BadInput, match=r"300\.1 MB; at most 300"):
        check_size(300 * MB + 1, 300)


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("a1", "racer"),
        ("a2", "official"),
        ("admin", "official"),
        ("farm", "farm"),
        ("farm:hall", "farm"),
        ("farmer", "official"),
        ("system", "leaderboard"),
    ],
)
def test_the_racer_learns_what_kind_of_author_it_was(who: str, told: str) -> None:
    one = ModelSubmission("s1", "cup", "a1", "ada", "0" * 64, "Zip", "", "queued", "", 1, 1)
    assert who_of(one, SubmissionStep("queued", "", 1, who)) == told


def test_the_result_of_a_submission_is_named_after_it() -> None:
    assert submission_of_result("submission-ab12") == "ab12"
    assert submission_of_result("run-1") is None
