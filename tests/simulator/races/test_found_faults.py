"""Faults that the simulation found, each as the smallest history that shows it."""

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.engine import Engine
from station.core.facts import CommandRefused, Fact

S = 1_000_000_000


class Story:
    """An engine with one gate of one beam; `run` feeds it a whole run."""

    def __init__(self, rules: RaceRules) -> None:
        self.engine, self.seq = Engine(), 0
        self.engine.handle(e.Booted(self.now(0), "station", (e.GateSpec("start"),)))
        self.engine.handle(e.OpenRace(self.now(0), "race", "Race", rules))

    def now(self, at_ns: int) -> e.Moment:
        return e.Moment("boot", at_ns, 1_700_000_000 * S + at_ns)

    def run(self, run_id: str, racer: str, from_s: int, laps: int) -> None:
        self.engine.handle(
            e.OpenRun(author="judge", racer=racer, car="car-1", run_id=run_id, moment=self.now(from_s * S))
        )
        self.engine.handle(e.StartRun(author="judge", moment=self.now(from_s * S)))
        for lap in range(laps + 1):
            for broken in (True, False):
                self.seq += 1
                at_ns = (from_s + 1 + 10 * lap) * S + (not broken) * S // 10
                self.engine.handle(e.Edge("start", "beam", broken, at_ns, self.seq, "boot"))
        self.engine.handle(e.FinishRun(author="judge", moment=self.now((from_s + 2 + 10 * laps) * S)))


def _refusals(facts: tuple[Fact, ...]) -> list[str]:
    return [fact.sentence for fact in facts if isinstance(fact, CommandRefused)]


def test_a_run_is_not_given_to_a_racer_who_has_no_attempt_left() -> None:
    """The leaderboard counts only the first attempts, so the station must refuse such a reassignment."""
    story = Story(RaceRules(consecutive_laps=1, attempts_per_racer=1))
    story.run("run-1", "anna", 10, 2)
    story.run("run-2", "ben", 100, 3)
    over = e.ReassignRun(author="judge", racer="anna", run_id="run-2", moment=story.now(200 * S))
    assert _refusals(story.engine.handle(over)) == ["anna has used all 1 attempts of the race race."]
    free = e.ReassignRun(author="judge", racer="cleo", run_id="run-2", moment=story.now(201 * S))
    assert not _refusals(story.engine.handle(free))
