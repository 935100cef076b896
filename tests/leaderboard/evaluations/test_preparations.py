"""What comes before a submission is driven: its archive is read once, and one of its checkpoints is chosen."""

import dataclasses
import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.build import open_board
from leaderboard.core.access import ADMIN
from leaderboard.core.errors import Conflict, Gone
from leaderboard.store import race_rows
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.tables import FARM_NODES
from leaderboard.submissions.checkpoint_choices import choice_of, choices_of
from shared.errors import BadInput
from shared.protocol.farm import (
    CheckpointTrial,
    ClaimReply,
    PreparationItem,
    PreparationReport,
    RunFailure,
    decode,
    encode,
)
from tests.leaderboard.evaluations.virtual_league import CLAIM_S, PracticeFarm, VirtualLeague, report_of, virtual

TRIALS = (
    CheckpointTrial("model_1.pb", 9, 9_000_000, 31_000, 3),
    CheckpointTrial("model_2.pb", 9, 9_000_000, 29_500, 3, 1),
    CheckpointTrial("model_3.pb", refused="The graph uses 'While', which is not run."),
)


@pytest.fixture
def league(tmp_path: pathlib.Path) -> Iterator[VirtualLeague]:
    board = open_board(tmp_path / "board.db")
    made = VirtualLeague(board.store, tmp_path / "models")
    made.open_race(virtual())
    yield made
    board.close()


def farm(league: VirtualLeague, node: str = "node-1") -> PracticeFarm:
    return PracticeFarm(lambda: league, node)


def report(
    item: PreparationItem, checkpoints: int = 3, trials: tuple[CheckpointTrial, ...] = TRIALS
) -> PreparationReport:
    return PreparationReport(checkpoints, item.conditions_sha256, 700, trials)


def preparing(node: PracticeFarm) -> PreparationItem:
    [item] = node.claim(1).preparations
    node.work.clear()
    return item


def driven(node: PracticeFarm) -> list[str]:
    """Drive what there is; the checkpoints that were driven."""
    work = node.claim(8).work
    node.drive_all()
    return [each.checkpoint for each in work]


def test_an_archive_is_read_before_its_runs_are_given_out_and_only_once(league: VirtualLeague) -> None:
    one, node = league.submit("anna", archived=True), farm(league)
    two = league.submit("anna")  # of an archive that nobody stores: whoever drives it finds out
    answer = node.claim(8)
    [item] = answer.preparations
    node.work.clear()
    assert (item.submission, item.attempt, item.choose, item.deadline_s) == (one, 1, True, CLAIM_S)
    assert {each.submission for each in answer.work} == {two}, "the other runs wait for it"
    assert decode(node.extend(item), ClaimReply).state == "preparing", "nothing is driven yet"
    nothing = node.claim(8)
    assert not nothing.work
    assert not nothing.preparations
    with pytest.raises(Conflict, match="this is the other one"):
        node.prepared(answer.work[0], report(item))
    with pytest.raises(Conflict, match="this is the other one"):
        node.report(item, report_of(answer.work[0]))
    for each in answer.work:
        node.report(each)
    with pytest.raises(Conflict, match="by other conditions"):
        node.prepared(item, dataclasses.replace(report(item), conditions_sha256="0" * 64))
    said = node.prepared(item, report(item, 1, ()))
    assert node.prepared(item, report(item, 1, ())) == said, "the same again has the same answer"
    with pytest.raises(Conflict, match="Something else was said"):
        node.prepared(item, report(item, 2, ()))
    assert driven(node) == ["", "", ""]
    assert league.submission(one).state == "scored"
    assert [row.evaluations for row in league.rows(FARM_NODES)] == [6], "reading is no evaluation, and never repeated"
    with league.store.write() as db:
        done = submission_rows.get(db, one)
        submission_rows.move(db, done, "rerun", "admin", league.now_utc_ns)
    assert driven(node) == ["", "", ""], "known bytes are not read again"


def test_the_best_checkpoint_is_driven_also_again_and_chosen_anew_by_other_conditions(league: VirtualLeague) -> None:
    one, node = league.submit("anna", archived=True), farm(league)
    item = preparing(node)
    node.prepared(item, report(item))
    assert driven(node) == ["model_2.pb"] * 3
    with league.store.write() as db:
        choice = choice_of(db, one, item.conditions_sha256)
        assert choice is not None
        assert choices_of(db, [one, "none"]) == {one: choice}
        assert (choice.best, [each.name for each in choice.trials]) == (
            "model_2.pb",
            ["model_2.pb", "model_1.pb", "model_3.pb"],
        )
        assert choice.reason == "as many laps as the next one, with the better score: 29.500 s against 31.000 s"
        submission_rows.move(db, submission_rows.get(db, one), "rerun", "admin", league.now_utc_ns)
    assert driven(node) == ["model_2.pb"] * 3
    with league.store.write() as db:
        race = race_rows.race(db, "cup")
        race_rows.change_race(db, dataclasses.replace(race, track="oval_track"))
        submission_rows.move(db, submission_rows.get(db, one), "rerun", "admin", league.now_utc_ns)
    item = preparing(node)
    node.prepared(item, report(item, 3, TRIALS[:1]))
    assert driven(node) == ["model_1.pb"] * 3
    assert (item.attempt, league.submission(one).state) == (1, "scored")


def test_a_race_that_is_changed_meanwhile_begins_with_the_choice(league: VirtualLeague) -> None:
    one, node = league.submit("anna", archived=True), farm(league)
    item = preparing(node)
    league.conditions.set(ADMIN, "cup", b'{"runs": 1}', league.now_utc_ns)
    assert decode(node.prepared(item, report(item)), ClaimReply).state == "queued"
    again = preparing(node)
    assert (again.conditions.runs, again.conditions_sha256 == item.conditions_sha256) == (1, False)
    node.prepared(again, report(again))
    assert driven(node) == ["model_2.pb"]
    assert league.submission(one).state == "scored"


def test_the_racers_own_word_is_driven_and_nothing_is_chosen(league: VirtualLeague) -> None:
    one, node = league.submit("anna", archived=True, checkpoint="model_1"), farm(league)
    item = preparing(node)
    assert not item.choose
    node.prepared(item, report(item, 3, ()))
    assert driven(node) == ["model_1"] * 3
    with league.store.read() as db:
        assert choice_of(db, one, item.conditions_sha256) is None
        archive = model_rows.archive(db, item.model_sha256)
    assert archive is not None
    assert archive.checkpoints == 3


def test_a_preparation_that_comes_to_nothing_is_like_a_run(league: VirtualLeague) -> None:
    one, node = league.submit("anna", archived=True), farm(league)
    item = preparing(node)
    node.fail(item, RunFailure("model", "The archive holds no model_metadata.json."))
    assert (league.submission(one).state, league.submission(one).sentence) == (
        "rejected",
        "The archive holds no model_metadata.json.",
    )
    two = league.submit("bea", archived=True)
    item = preparing(node)
    league.pass_s(CLAIM_S + 1)  # the farm dies
    assert preparing(farm(league, "node-2")).attempt == 2
    with pytest.raises(Gone):
        node.prepared(item, report(item))
    league.pass_s(CLAIM_S + 1)
    item = preparing(node)
    assert item.attempt == 3
    node.fail(item, RunFailure("farm", "The disk is full."))
    assert league.submission(two).state == "failed"
    assert "3 times" in league.submission(two).sentence


def test_what_a_wrong_node_has_chosen_is_chosen_again(league: VirtualLeague) -> None:
    """It may have seen another score: its choice is doubted like its runs."""
    one = league.submit("anna", archived=True)
    wrong, right = farm(league, "node-1"), farm(league, "node-2")
    item = preparing(wrong)
    wrong.prepared(item, report(item))
    league.set_aside("node-1")
    assert league.submission(one).state == "queued"
    again = preparing(right)
    right.prepared(again, report(again, 3, TRIALS[:1]))
    assert driven(right) == ["model_1.pb"] * 3


@pytest.mark.parametrize(
    ("trials", "sentence"),
    [
        ((TRIALS[2],), "the failure is reported"),
        ((TRIALS[0], TRIALS[0]), "tried once"),
        ((CheckpointTrial("a\nb", 1),), "one line"),
        ((CheckpointTrial("x" * 301, 1),), "not valid at 'trials.0.name'"),
        (tuple(CheckpointTrial(f"m{n}", 1) for n in range(11)), "not valid at 'trials'"),
    ],
)
def test_a_farm_that_says_nonsense_of_checkpoints_gets_a_sentence(
    trials: tuple[CheckpointTrial, ...], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        decode(encode(PreparationReport(2, "a" * 64, 1, trials)), PreparationReport)
