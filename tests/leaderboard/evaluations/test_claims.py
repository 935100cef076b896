"""Claims: what a farm is given, what its words do, what becomes of runs whose farm is gone, wrong or unknown."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, NOBODY, Caller, Grant
from leaderboard.core.errors import Conflict, Gone, NotAllowed, NotHere, Unauthorized
from leaderboard.core.evaluations.agreement import REPEAT_EACH
from leaderboard.evaluations.places import FairPlaces
from leaderboard.store import audit, race_rows
from leaderboard.store.evaluations.claim_rows import UnknownClaim
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import EVALUATIONS, FARM_NODES, RESULTS, VIRTUAL_RACES
from shared.errors import Refused
from shared.protocol.farm import ClaimReply, RunFailure, decode
from shared.protocol.results import decode_result
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S
from tests.leaderboard.evaluations.virtual_league import (
    CLAIM_S,
    NOW,
    PracticeFarm,
    VirtualLeague,
    farm_key,
    report_of,
    virtual,
)


@pytest.fixture
def league(tmp_path: pathlib.Path) -> Iterator[VirtualLeague]:
    board = open_board(tmp_path / "board.db")
    made = VirtualLeague(board.store, tmp_path / "models")
    made.open_race(virtual())
    yield made
    board.close()


def farm(league: VirtualLeague, **changes: Any) -> PracticeFarm:
    return PracticeFarm(lambda: league, **changes)


def reply(answer: bytes) -> ClaimReply:
    return decode(answer, ClaimReply)


def test_a_submission_is_driven_three_times_and_its_median_run_is_on_the_board(league: VirtualLeague) -> None:
    one, node = league.submit("anna"), farm(league)
    work = node.claim(8).work
    assert [(item.run, item.attempt, item.submission, item.deadline_s) for item in work] == [
        (run, 1, one, CLAIM_S) for run in (1, 2, 3)
    ]
    assert league.submission(one).state == "preparing"
    assert len({item.seed for item in work}) == 3
    [item, *others] = work
    assert item.conditions.track == "reinvent_base"
    assert item.conditions_sha256 == item.conditions.sha256
    league.pass_s(CLAIM_S - 1)
    assert reply(node.extend(item)).state == "evaluating"
    league.pass_s(10)
    with pytest.raises(Gone, match="The claim is over"):
        node.report(others[0])  # its time is up, though nobody has it yet: nothing changes
    assert reply(node.report(item)).state == "evaluating"
    second = farm(league, node="node-2")
    again = second.claim(8).work
    assert [(each.run, each.attempt, each.seed) for each in again] == [(2, 2, others[0].seed), (3, 2, others[1].seed)]
    second.report(again[0])
    said = reply(second.report(again[1]))
    assert said.state == "scored"
    assert said.sentence == league.submission(one).sentence
    assert "place 1 of 1" in said.sentence

    laps = {each.run: report_of(each).laps for each in work}
    scores = sorted((sum(lap.lap_ns + lap.off_tracks * NS_PER_S for lap in its), run) for run, its in laps.items())
    [row] = league.rows(RESULTS)
    result = decode_result(bytes(row.payload))
    median = next(each for each in work if each.run == scores[1][1])
    assert result.laps == report_of(median).laps
    assert (result.kind, result.racer, result.result_id) == ("virtual", "anna", f"submission-{one}")
    assert result.evidence.conditions_sha256 == item.conditions_sha256
    assert result.evidence.journal_head == report_of(median).trace_sha256
    assert result.finished_utc_ns == NOW, "brought in time, whenever it is driven"
    assert league.standing() == [("anna", result.score_ms)]
    assert league.told[-1] == "cup"


def test_what_was_said_once_stays_and_is_answered_alike(league: VirtualLeague) -> None:
    league.submit("anna")
    node = farm(league)
    [item] = node.claim().work
    other = dataclasses.replace(report_of(item), cost_ms=7)
    with pytest.raises(Conflict, match="other conditions"):
        node.report(item, dataclasses.replace(other, conditions_sha256="00" * 32))
    laps = tuple(dataclasses.replace(other.laps[0], number=number) for number in range(1, 5))
    with pytest.raises(Refused, match="its conditions end it after 3"):
        node.report(item, dataclasses.replace(other, laps=laps))
    with pytest.raises(Refused, match="out of order"):
        node.report(item, dataclasses.replace(other, laps=other.laps[::-1]))
    answer = node.report(item)
    league.pass_s(10_000)
    assert node.report(item) == answer
    with pytest.raises(Conflict, match="Something else was said"):
        node.report(item, other)
    with pytest.raises(Conflict, match="Something else was said"):
        node.fail(item, RunFailure("farm", "no"))
    with pytest.raises(Gone):
        node.extend(item)
    with pytest.raises(UnknownClaim):
        farm(league, key=farm_key("farm-2")).report(item)
    with pytest.raises(UnknownClaim):
        node.report(dataclasses.replace(item, claim="0\0"))


def test_whose_fault_it_was_decides(league: VirtualLeague) -> None:
    hostile, doomed, fair = league.submit("anna", "hostile"), league.submit("bo", "doomed"), league.submit("cy")
    node = farm(league)
    node.drive_all()
    assert league.states() == {hostile: "rejected", doomed: "failed", fair: "scored"}, "one bad job stops nobody"
    assert league.submission(hostile).sentence == "The graph uses 'While', which is not run."
    sentence = league.submission(doomed).sentence
    assert sentence == "It was tried 3 times. The last time: The farm failed: The worker had no memory left."
    unqualified = league.submit("dee", "crashing")
    node.drive_all()
    assert league.submission(unqualified).sentence == "It did not qualify: 1 of 3 laps in a row."
    assert [racer for racer, _ in league.standing()] == ["cy"]


def test_a_farm_that_is_gone_three_times_fails_the_submission_with_the_reason(league: VirtualLeague) -> None:
    one, node = league.submit("anna"), farm(league)
    for attempt in (1, 2, 3):
        assert {item.attempt for item in node.claim(8).work} == {attempt}
        league.pass_s(CLAIM_S)
    assert node.claim(8).work == ()
    submission = league.submission(one)
    assert (submission.state, "was not heard of again" in submission.sentence) == ("failed", True)
    with league.store.read() as db:
        steps = [step.state for step in submission_rows.history(db, one)]
    assert steps == ["queued", "preparing", "queued", "preparing", "queued", "preparing", "failed"]


def test_a_cancelled_submission_is_not_driven_on(league: VirtualLeague) -> None:
    one, node = league.submit("anna"), farm(league)
    [item] = node.claim().work
    with league.store.write() as db:
        submission_rows.move(db, submission_rows.get(db, one), "cancel", "account-anna", league.now_utc_ns)
    for said in (node.extend, node.report):
        with pytest.raises(Gone):
            said(item)
    assert node.claim(8).work == ()
    league.pass_s(CLAIM_S)
    assert node.claim(8).work == ()
    assert league.submission(one).state == "cancelled"


def test_who_may_claim_what(league: VirtualLeague) -> None:
    league.submit("anna")
    with pytest.raises(Unauthorized):
        farm(league, key=NOBODY).claim()
    with pytest.raises(NotAllowed, match="scope `farm`"):
        farm(league, key=Caller(key_id="k", key_scopes=frozenset({"results:write"}))).claim()
    assert farm(league, key=farm_key("other", "another-race")).claim().work == (), "bound to another race"
    with pytest.raises(Conflict, match="install the version of raceday"):
        farm(league, engine="raceday-0").claim()
    league.open_race(virtual("old"))
    league.conditions.set(ADMIN, "old", b'{"engine": "raceday-0"}', NOW)
    league.submit("bo", race_id="old")
    assert farm(league, key=farm_key("other", "old")).claim().work == (), "no race's engine ends the farms of this one"
    assert len(farm(league, key=farm_key("museum", "old"), engine="raceday-0").claim().work) == 1
    first = farm(league, canary_sha256="").claim()
    assert (first.canary, first.work) == (True, ())
    assert len(farm(league, key=farm_key("third", "cup")).claim().work) == 1
    assert len(farm(league, key=ADMIN).claim().work) == 1
    [item] = farm(league, node="another class", canary_sha256="cb" * 32).claim().work or [None]
    assert item is None, "results of one race come from nodes of one class"
    assert len(farm(league).claim(8).work) == 1
    assert {row.farm for row in league.rows(FARM_NODES)} == {"other", "museum", "third", "admin", "farm-1"}
    with pytest.raises(NotHere):
        league.evaluations.archive(farm_key("other"), "00" * 32)


def test_a_race_goes_to_another_class_only_while_nothing_is_driven(league: VirtualLeague) -> None:
    league.submit("anna")
    old, new = farm(league), farm(league, node="new", canary_sha256="cb" * 32)
    assert len(old.claim(3).work) == 3
    league.pass_s(700)  # nobody of the old class is there any more
    assert len(new.claim(3).work) == 3
    new.report(new.work[0])
    league.pass_s(700)
    assert old.claim(3).work == ()
    assert [row.node_class for row in league.rows(VIRTUAL_RACES)] == ["cb" * 6]


def test_a_live_race_is_first_and_racers_take_turns(league: VirtualLeague) -> None:
    league.open_race(virtual("live", live=True))
    flood = [league.submit("flo") for _ in range(3)]
    anna, live = league.submit("anna"), league.submit("leo", race_id="live")
    order = [item.submission for item in farm(league).claim(9).work]
    assert order == [live, live, live, flood[0], anna, flood[0], anna, flood[0], anna]
    places = FairPlaces()
    with league.store.read() as db:
        waits = [submission_rows.get(db, each) for each in flood[1:]]
        assert [place and place.before for place in (places.place(db, each, NOW) for each in waits)] == [0, 1]
        assert places.place(db, submission_rows.get(db, anna), NOW) is None, "it is in work"


def test_a_node_that_drives_together_gets_all_runs_of_a_submission_with_the_first(league: VirtualLeague) -> None:
    flood = [league.submit("flo") for _ in range(2)]
    anna, node = league.submit("anna"), farm(league)
    work = node.claim(2, together=True).work
    assert [(item.submission, item.run) for item in work] == [
        (which, n) for which in (flood[0], anna) for n in (1, 2, 3)
    ]
    node.fail(work[1], RunFailure("farm", "no"))
    node.report(work[0])
    assert [(item.submission, item.run, item.attempt) for item in node.claim(1, together=True).work] == [
        (flood[0], 2, 2)
    ], "what was begun of it goes on"
    alone = farm(league, node="alone")
    league.submit("anna")
    assert len(alone.claim(1).work) == 1
    assert [item.run for item in node.claim(4, together=True).work] == [1, 2, 3, 2, 3], "nothing twice"


def test_an_edited_race_begins_anew_by_its_conditions_of_now(league: VirtualLeague) -> None:
    one, node = league.submit("anna"), farm(league)
    before, *_ = node.claim(3).work
    with league.store.write() as db:
        race = race_rows.race(db, "cup")
        race_rows.change_race(db, dataclasses.replace(race, rules=RaceRules(consecutive_laps=2)))
    assert reply(node.report(before)).state == "queued"
    with pytest.raises(Gone):
        node.report(node.work[1])
    node.work.clear()
    node.claim(3)
    assert {item.conditions.rules.consecutive_laps for item in node.work} == {2}
    node.drive_all()
    assert league.submission(one).state == "scored"
    with league.store.read() as db:
        assert (
            race_rows.race(db, "cup").conditions_sha256 == league.conditions.shown(ADMIN, "cup", NOW).conditions.sha256
        )


def test_the_board_has_the_last_word(league: VirtualLeague) -> None:
    one, node = league.submit("anna"), farm(league)
    node.claim(3)
    with league.store.write() as db:
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, "cup"), entry="registered"))
    node.drive_all()
    submission = league.submission(one)
    assert submission.state == "failed"
    assert submission.sentence.startswith("The board did not take it: Racer 'anna' is not entered")
    assert league.rows(RESULTS) == []


def test_a_node_that_drives_wrongly_is_set_aside_and_its_results_are_driven_again(league: VirtualLeague) -> None:
    league = VirtualLeague(league.store, league.folder, secret="secret 17")  # by which its 6th run is repeated
    league.conditions.set(ADMIN, "cup", b'{"runs": 1}', NOW)
    bad = farm(league, node="bad", fault="times shortened")
    honest = [farm(league, node="good"), farm(league, node="third")]
    driven: list[str] = []
    while True:
        driven += [league.submit(f"racer-{len(driven)}-{each}") for each in range(3)]
        try:
            bad.claim(1)
        except Conflict as aside:
            assert "is set aside: Its results differ" in str(aside)  # noqa: PT017
            break
        for node in (bad, *honest):
            node.claim(1)
            while node.work:
                node.drive(node.work.pop(0))
        assert len(driven) <= 3 * 2 * REPEAT_EACH
    for node in honest:
        node.drive_all()
    with pytest.raises(NotAllowed):
        league.evaluations.restore(farm_key("farm-1"), "bad", NOW)
    with pytest.raises(NotHere):
        league.evaluations.restore(ADMIN, "good", NOW)
    nodes = {row.name: (row.state, row.evaluations) for row in league.rows(FARM_NODES)}
    assert nodes["bad"][0] == "aside"
    assert 6 <= nodes["bad"][1] <= 12, nodes
    assert {nodes["good"][0], nodes["third"][0]} == {"active"}
    traces = {}
    for row in league.rows(EVALUATIONS):
        if row.state == "done" and not row.repeats:
            assert not row.node.endswith("/bad")
            traces[row.submission_id] = row.trace_sha256
    assert set(league.states().values()) == {"scored"}
    assert traces.keys() == set(driven), "what it drove was driven again by others"
    newest = {row.result_id: decode_result(bytes(row.payload)) for row in league.rows(RESULTS)}
    for submission_id, trace in traces.items():
        assert newest[f"submission-{submission_id}"].evidence.journal_head == trace
    organiser = Caller("account-olga", "olga", grants=frozenset({Grant("organiser", "season", "spring")}))
    assert league.evaluations.restore(organiser, "bad", league.now_utc_ns) == 1
    with league.store.read() as db:
        line = audit.rows(db, limit=1)[0]
    assert (line.what, line.actor, line.why[:12]) == ("farm.node", "account-olga", "Its results ")
    one, mended = league.submit("anna"), farm(league, node="bad")
    assert mended.claim(1).canary, "it drives its canary anew"
    assert [item.submission for item in mended.claim(1).work] == [one]
