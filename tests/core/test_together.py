"""Several runs on the track at once, through the engine: each by itself, and whose crossing it was."""

from shared.ranking import RaceRules
from station.core import events as e
from station.core import facts as f
from tests.core.hand import MS, Hand, S, moment, only

CARS = {"run-1": "car-1", "run-2": "car-2", "run-3": "car-3"}


class Field(Hand):
    """A hand on a race of several cars."""

    def __init__(self, cars: int = 3, rules: RaceRules | None = None) -> None:
        super().__init__(rules)
        self.do(e.OpenRace(moment(1), "race-1", "A race", rules or RaceRules(), cars_on_track=cars))
        self.told: dict[str, int] = {}

    def start(self, number: int, at_ns: int = 0) -> tuple[f.Fact, ...]:
        self.open(f"racer-{number}", f"run-{number}", at_ns, f"car-{number}")
        return self.do(e.StartRun(author="judge", run_id=f"run-{number}", moment=moment(at_ns)))

    def passes(self, number: int, at_ns: int, reported: bool = True, seen: bool = True) -> tuple[f.Fact, ...]:
        """Over the line; its report is 20 ms off and comes 80 ms later."""
        facts: tuple[f.Fact, ...] = self.cross(at_ns) if seen else ()
        car, boot = f"car-{number}", f"car-{number}-boot"
        self.told[car] = self.told.get(car, 0) + 1
        if reported:
            said_ns = at_ns + 20 * MS + 1000 * S * number
            report = e.CarReport(car, boot, self.told[car], said_ns, boot, moment(at_ns + 100 * MS), None, 30 * MS)
            facts += self.do(report)
        return facts


def laps_of(hand: Hand, run_id: str) -> list[int]:
    assert hand.engine.race is not None
    return [lap.lap_ns for lap in hand.engine.race.runs[run_id].book.laps()]


def test_three_cars_each_get_their_own_laps() -> None:
    field = Field()
    for number in (1, 2, 3):
        field.start(number)
    facts: list[f.Fact] = []
    for lap in range(4):
        for number in (1, 2, 3):
            facts += field.passes(number, (10 + 8 * lap + 2 * number) * S)
            facts += field.tick((11 + 8 * lap + 2 * number) * S + 900 * MS)
    facts += field.tick(60 * S)
    assert only(facts, f.Proposal) == []
    for run_id in CARS:
        assert laps_of(field, run_id) == [8 * S] * 3
    given = only(facts, f.Attributed)
    assert len(given) == 12
    assert all(CARS[fact.run_id] == fact.car and fact.sure_percent >= 99 and fact.why for fact in given)
