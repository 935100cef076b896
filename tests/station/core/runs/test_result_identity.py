"""A result's id is unique over stations, journals and restored backups; its revisions rise over restores too."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.results import Result
from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.result_identity import REVISIONS_FROM_S
from tests.station.core.scripted_race import QUICK, Hand, S, moment, only

RULES = RaceRules(max_laps=3)
NOW = (REVISIONS_FROM_S + 1_000_000) * S
WEEK = 7 * 86_400 * S


class Named(Hand):
    """A station with a named journal. `boot` starts its process; `again` restores a backup in another station."""

    def __init__(self, station: str = "club-1", journal: str = "aa" * 6, start: str = "11" * 4, runs: int = 0) -> None:
        self.station = station
        super().__init__(RULES)
        self.do(e.JournalBegan(moment(0), journal, runs=runs))
        self.boot(start)

    def boot(self, start: str, utc_ns: int = NOW) -> None:
        now = e.Moment("boot-a", 0, utc_ns)
        self.do(e.Booted(now, self.station, (e.GateSpec("start"),), start=start))

    def again(self) -> "Named":
        """A backup made now and restored: the same inputs in another engine."""
        other = Named.__new__(Named)
        Hand.__init__(other, RULES)
        other.station = self.station
        for event in self.inputs[2:]:
            other.do(event)
        assert other.facts[2:] == self.facts[2:]
        return other

    def rule(self, run_id: str, seconds: float) -> None:
        self.do(e.AddPenalty(author="j", number=1, seconds=seconds, run_id=run_id, moment=moment(200 * S)))

    @property
    def results(self) -> list[Result]:
        return [fact.result for facts in self.facts for fact in only(facts, f.ResultDue)]


def keys(results: Sequence[Result]) -> list[str]:
    return [result.webhook_id for result in results]


def test_the_id_names_station_journal_and_life() -> None:
    hand = Named()
    hand.drive([1, 9, 17, 25])
    assert keys(hand.results) == ["club-1.aaaaaaaaaaaa.11111111.run-1.1"]
    hand.rule("run-1", 1)
    assert keys(hand.results)[1:] == ["club-1.aaaaaaaaaaaa.11111111.run-1.2"]


def test_stations_and_journals_never_meet() -> None:
    stations = [Named(), Named(station="club-2"), Named(journal="bb" * 6), Named(start="22" * 4)]
    for hand in stations:
        hand.drive([1, 9, 17, 25])
    assert len({hand.results[0].result_id for hand in stations}) == 4


def test_the_longest_names_still_fit() -> None:
    hand = Named(station="s" * 64)
    hand.open(run_id="r" * 64)
    hand.go()
    for at_s in (1, 9, 17, 25):
        hand.cross(at_s * S)
    hand.do(e.FinishRun(author="j", moment=moment(30 * S)))
    assert len(hand.results[0].webhook_id) <= 200 - 11  # with room for the highest revision


def test_after_a_backup_was_put_back_no_id_and_no_revision_comes_twice() -> None:
    lost = Named()
    lost.drive([1, 9, 17, 25])
    lost.open("Bob", at_ns=30 * S)
    backup = lost.again()
    # The station continues after its backup: Bob ends, Carl drives, Ann's run is ruled on twice.
    lost.go(30 * S)
    for at_s in (31, 40, 49, 58):
        lost.cross(at_s * S)
    lost.drive([70, 79, 88, 97], racer="Carl")
    lost.rule("run-1", 1)
    lost.rule("run-1", 2)
    known = {result.webhook_id: result for result in lost.results}
    # The backup is restored a week later, and another one after it.
    for start, after_ns, seconds in (("22" * 4, WEEK, 3.0), ("33" * 4, 2 * WEEK, 4.0)):
        life = backup.again()
        life.boot(start, NOW + after_ns)
        before = len(life.results)
        life.do(e.AbandonRun(author="j", moment=moment(60 * S)))
        life.drive([70, 79, 88, 97], racer="Dan")
        life.rule("run-1", seconds)
        ruled = life.results[-1]
        assert (ruled.racer, ruled.result_id) == ("Ann", lost.results[0].result_id)
        assert ruled.revision > max(r.revision for r in known.values() if r.result_id == ruled.result_id)
        fresh = {result.webhook_id: result for result in life.results[before:]}
        assert not set(fresh) & set(known)
        known |= fresh


def test_rulings_of_one_life_count_on_by_one() -> None:
    hand = Named()
    hand.drive([1, 9, 17, 25])
    hand.boot("22" * 4, NOW + WEEK)
    for seconds in (1, 2, 3):
        hand.rule("run-1", seconds)
    first, *revisions = [result.revision for result in hand.results]
    assert (first, [each - revisions[0] for each in revisions]) == (1, [0, 1, 2])
    assert revisions[0] == (NOW + WEEK) // S - REVISIONS_FROM_S < 2**31


def test_a_journal_of_old_keeps_the_ids_that_were_posted() -> None:
    hand = Hand(RULES)
    hand.drive([1, 9, 17, 25])
    hand.do(e.JournalBegan(moment(30 * S), "aa" * 6))
    hand.do(e.Booted(moment(31 * S), "station-1", (e.GateSpec("start"),), start="11" * 4))
    hand.do(e.AddPenalty(author="j", number=1, seconds=1, run_id="run-1", moment=moment(32 * S)))
    hand.drive([40, 47, 54, 61], racer="Bob")
    results = [fact.result for facts in hand.facts for fact in only(facts, f.ResultDue)]
    assert [result.result_id for result in results] == [
        "race-1.run-1",
        "race-1.run-1",
        "station-1.aaaaaaaaaaaa.11111111.run-2",
    ]


def test_a_journal_that_goes_on_for_a_damaged_one_counts_on() -> None:
    hand = Named(runs=41)
    hand.drive([1, 9, 17, 25])
    assert hand.run.run_id == "run-42"
    named = [fact for facts in hand.facts for fact in only(facts, f.JournalNamed)]
    assert [fact.journal for fact in named] == ["aa" * 6]


@QUICK
@given(st.lists(st.sampled_from(["run", "rule", "life", "backup"]), max_size=6))
def test_whatever_happens_no_webhook_id_has_two_bodies(steps: list[str]) -> None:
    """One station whose backups are restored at any time: everything that any of the restored stations has posted."""
    hand, lives, at_s, posted = Named(), 1, 1, dict[str, Result]()
    backup = hand.again()
    for step in steps:
        if step == "run":
            hand.drive([at_s, at_s + 8, at_s + 16, at_s + 24], racer=f"racer-{lives}-{at_s}")
            at_s += 40
        elif step == "rule" and hand.results:
            hand.rule(hand.results[0].run_id, at_s)
            at_s += 1
        elif step == "backup":
            backup = hand.again()
        elif step == "life":
            hand, lives = backup.again(), lives + 1
            hand.boot(f"{lives:08x}", NOW + lives * WEEK)
        for result in hand.results:
            assert posted.setdefault(result.webhook_id, result) == result
