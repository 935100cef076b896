"""The stop of all cars in the core: a latch by an official, released by an official; it replays like any input."""

import itertools

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine

S = 1_000_000_000


def at(number: int, boot: str = "boot-0") -> e.Moment:
    return e.Moment(boot, number * S, 1_790_000_000 * S + number * S)


def engine() -> Engine:
    made = Engine()
    made.handle(e.Booted(at(0), "station-1", (e.GateSpec("start"),)))
    made.handle(e.OpenRace(at(0), "race-1", "A race", RaceRules(max_laps=3)))
    return made


def refusal(facts: tuple[f.Fact, ...]) -> str:
    return next((fact.sentence for fact in facts if isinstance(fact, f.CommandRefused)), "")


MOVES = [
    e.OpenRun(author="judge", racer="Bo", car="car-2", moment=at(5)),
    e.ArmRun(author="judge", moment=at(5)),
    e.StartRun(author="judge", moment=at(5)),
    e.ResumeRun(author="judge", moment=at(5)),
    e.OrderCar(author="judge", car="car-1", action="arm", moment=at(5)),
    e.OrderCar(author="judge", car="car-1", action="start", moment=at(5)),
    e.OrderCar(author="judge", car="car-9", action="reset", moment=at(5)),
]


@pytest.mark.parametrize("command", MOVES)
def test_nothing_moves_a_car_until_the_stop_is_released(command: e.Command) -> None:
    made = engine()
    made.handle(e.OpenRun(author="judge", racer="Ann", car="car-1", moment=at(1)))
    assert made.handle(e.StopAll(author="Ruth", reason="a child", moment=at(2))) == (
        f.AllStopped("Ruth", "a child", at(2).utc_ns),
    )
    assert refusal(made.handle(command)) == "All cars are stopped by Ruth: release the stop first."
    assert made.handle(e.ReleaseStop(author="Ruth", moment=at(6))) == (f.StopReleased("Ruth"),)
    assert "release the stop" not in refusal(made.handle(command))


@pytest.mark.parametrize("command", [
    e.FinishRun(author="judge", moment=at(5)),
    e.AbandonRun(author="judge", moment=at(5)),
    e.OrderCar(author="judge", car="car-1", action="stop", moment=at(5)),
    e.OrderCar(author="judge", car="car-1", action="estop", moment=at(5)),
    e.OffTrack(author="judge", moment=at(5)),
    e.StopAll(author="judge", moment=at(5)),
])  # fmt: skip
def test_what_moves_no_car_goes_on(command: e.Command) -> None:
    made = engine()
    made.handle(e.OpenRun(author="judge", racer="Ann", car="car-1", moment=at(1)))
    made.handle(e.StopAll(author="Ruth", moment=at(2)))
    assert refusal(made.handle(command)) == ""
    assert made.stop.on is not None


def test_it_needs_no_race_and_no_car() -> None:
    made = Engine()
    assert made.handle(e.StopAll(author="Ruth", moment=at(1))) == (f.AllStopped("Ruth", "", at(1).utc_ns),)
    assert made.handle(e.ReleaseStop(author="Ruth", moment=at(2))) == (f.StopReleased("Ruth"),)
    assert made.handle(e.ReleaseStop(author="Ruth", moment=at(3))) == (f.StopReleased("Ruth"),)


def test_a_release_that_a_newer_stop_overtook_releases_nothing() -> None:
    made = engine()
    made.handle(e.StopAll(author="Ruth", moment=at(5)))
    assert "stopped again" in refusal(made.handle(e.ReleaseStop(author="Bo", moment=at(4))))
    assert made.stop.on is not None
    made.handle(e.ReleaseStop(author="Bo", moment=at(1, "boot-1")))  # after a restart another clock counts
    assert made.stop.on is None


def test_the_newest_command_decides() -> None:
    """Tries every sequence of up to six stops and releases, one after the other on the same engine."""
    made, number = engine(), 0
    assert made.stop.on is None
    for length in range(1, 7):
        for command in itertools.chain(*itertools.product((e.StopAll, e.ReleaseStop), repeat=length)):
            number += 1
            made.handle(command(author="Ruth", moment=at(number)))
            assert (made.stop.on is not None) == (command is e.StopAll)
