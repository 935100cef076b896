"""A run's id is given only once by a station, over all its races; old journals keep their ids, each race by itself."""

import json
import pathlib
import shutil
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.rules.ranking import RaceRules
from station.commands.protest import main as protest
from station.commands.replay import check as replay
from station.commands.replay import main as replay_main
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.run_registry import RunIds
from station.evidence.verify import check_file
from station.store.journal import Journal, JournalEntry
from station.store.journal_reader import JournalReader
from tests.station.core.scripted_race import QUICK, Hand, S, moment, only
from tests.station.evidence.test_evidence import SIGNER

DATA = pathlib.Path(__file__).parent / "data"
RULES = RaceRules(max_laps=3)


def race(race_id: str, at_ns: int) -> e.OpenRace:
    return e.OpenRace(moment(at_ns), race_id, race_id, RULES)


class Old(Hand):
    """A station of the first engine, which counted run ids race by race."""

    def do(self, event: e.Input) -> tuple[f.Fact, ...]:
        old = isinstance(event, e.Booted) and not self.inputs
        first = e.Booted(moment(0), "station-1", (e.GateSpec("start"),), edition=1)
        return super().do(first if old else event)


def opened(hand: Hand) -> list[tuple[str, str]]:
    return [(fact.race_id, fact.run_id) for facts in hand.facts for fact in only(facts, f.RunOpened)]


def two_races(hand: Hand) -> Hand:
    """Ann in one race, Bob in another, each with the station's own id; Ann's laps take 8 s, Bob's 7 s."""
    hand.drive([1, 9, 17, 25])
    hand.do(race("race-2", 30 * S))
    hand.drive([40, 47, 54, 61], racer="Bob")
    return hand


def written(hand: Hand, path: pathlib.Path) -> pathlib.Path:
    journal = Journal(path, SIGNER)
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    assert replay(journal) == journal.head
    journal.close()
    return path


def test_ids_go_on_over_races() -> None:
    hand = two_races(Hand(RULES))
    hand.do(race("race-1", 70 * S))
    hand.drive([80, 88, 96, 104], racer="Carl")
    assert opened(hand) == [("race-1", "run-1"), ("race-2", "run-2"), ("race-1", "run-3")]


def test_an_id_that_was_typed_is_never_given_again_in_any_race() -> None:
    hand = Hand(RULES)
    hand.open(run_id="run-7")
    hand.do(e.FinishRun(author="judge", moment=moment(S)))
    hand.do(race("race-2", 2 * S))
    (refused,) = only(hand.open(run_id="run-7", at_ns=3 * S), f.CommandRefused)
    assert refused.sentence == "There was already a run 'run-7' in another race of this station: choose another id."
    assert only(hand.open(at_ns=4 * S), f.RunOpened)[0].run_id == "run-8"


def test_an_old_journal_replays_with_its_ids_and_new_ones_go_on_above() -> None:
    hand = two_races(Old(RULES))
    assert opened(hand) == [("race-1", "run-1"), ("race-2", "run-1")]
    hand.do(e.Booted(moment(70 * S), "station-1", (e.GateSpec("start"),)))
    hand.drive([80, 88, 96, 104], racer="Carl")
    hand.do(race("race-3", 110 * S))
    hand.open(at_ns=111 * S)
    assert opened(hand)[2:] == [("race-2", "run-2"), ("race-3", "run-3")]


def test_a_journal_that_the_first_engine_wrote_replays_the_same(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "station.db"
    shutil.copy(DATA / "journal-of-the-first-engine.db", path)
    reader = JournalReader(path)
    booted = next(record.input for record in reader.records() if record.input.startswith(b'["Booted"'))
    reader.close()
    assert b'"edition":' not in booted
    assert replay_main([str(path)]) == 0
    assert "records replay to the same facts" in capsys.readouterr().out


@QUICK
@given(st.lists(st.sampled_from(["", "run-1", "run-2", "run-12", "run-007", "heat-a", f"run-{10**20}"]), max_size=30))
def test_no_id_is_given_twice(wanted: list[str]) -> None:
    ids, given_ids = RunIds(), []
    for each in wanted:
        run_id = each or ids.new_id()
        if not ids.used(run_id):
            ids.add(run_id)
            given_ids.append(run_id)
        else:
            assert each
    assert len(set(given_ids)) == len(given_ids)
    assert len(ids.new_id()) < 20


@pytest.mark.parametrize(("race_id", "racer", "score_ms"), [("race-1", "Ann", 8000), ("race-2", "Bob", 7000)])
def test_a_bundle_is_of_one_race_though_both_have_a_run_of_this_name(
    tmp_path: pathlib.Path, race_id: str, racer: str, score_ms: int
) -> None:
    path, out = written(two_races(Old(RULES)), tmp_path / "a.db"), tmp_path / "b.zip"
    assert protest(["run-1", "--race", race_id, "-o", str(out), "--journal", str(path)]) == 0
    case, sentence = check_file(str(out))
    assert sentence.startswith(f"run run-1: 3 laps, {score_ms} ms, of the race {race_id};")
    assert (case.discrepancies, len(case.laps), case.score_ms) == ([], 3, score_ms)
    with zipfile.ZipFile(out) as bundle:
        run = json.loads(bundle.read("run.json"))
    assert (run["run"]["racer"], run["result"]["racer"], run["result"]["race_id"]) == (racer, racer, race_id)


def test_a_bundle_that_could_be_of_two_races_is_refused(tmp_path: pathlib.Path) -> None:
    path, out = written(two_races(Old(RULES)), tmp_path / "a.db"), tmp_path / "b.zip"
    arguments = ["-o", str(out), "--journal", str(path)]
    for words, sentence in (
        (["run-1"], "holds a run 'run-1' in each of race-1, race-2: say which with --race"),
        (["run-1", "--race", "race-3"], "the race 'race-3' has no run 'run-1'; it was driven in race-1, race-2"),
        (["run-2"], "holds no run 'run-2'"),
    ):
        with pytest.raises(BadInput, match=sentence) as refused:
            protest([*words, *arguments])
        assert refused.value.exit_code != 0
    assert not out.exists()


def test_a_ruling_on_the_first_race_after_the_second_stays_with_the_first(tmp_path: pathlib.Path) -> None:
    hand = two_races(Old(RULES))
    hand.do(race("race-1", 70 * S))
    hand.do(e.AddPenalty(author="judge", number=1, seconds=1.5, run_id="run-1", moment=moment(71 * S)))
    path = written(hand, tmp_path / "a.db")
    for race_id, score_ms in (("race-1", 8500), ("race-2", 7000)):
        protest(["run-1", "--race", race_id, "-o", str(tmp_path / "b.zip"), "--journal", str(path)])
        case, _ = check_file(str(tmp_path / "b.zip"))
        assert (case.discrepancies, case.score_ms) == ([], score_ms)


def test_an_id_of_one_race_needs_no_race(tmp_path: pathlib.Path) -> None:
    path = written(two_races(Hand(RULES)), tmp_path / "a.db")
    assert protest(["run-2", "-o", str(tmp_path / "b.zip"), "--journal", str(path)]) == 0
    case, _ = check_file(str(tmp_path / "b.zip"))
    assert (case.race_id, case.score_ms, case.discrepancies) == ("race-2", 7000, [])
