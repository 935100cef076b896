"""Any sequence of commands about an event: it replays to the same facts and state, and no racer is on file twice."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.attribution.transponder_ids import plain_id
from station.core.engine import Engine
from station.core.event.records import Racer
from station.store.encoding import decode_input, encode_facts, encode_input
from tests.station.core.scripted_race import QUICK, Hand, S, moment

NAMES = st.sampled_from(["Ann", "ａＮｎ", "Bob", " bob", "Çelik", "\u202ebad"])
ALIASES = st.one_of(st.none(), NAMES)
IDS = st.lists(st.sampled_from(["7", "07", "0x7", "255", "0xFF", "9", "\x00"]), max_size=2).map(tuple)
RACES = st.sampled_from(["race-1", "heat", "none"])
CARS = st.sampled_from(["car-1", "blue", "Not a car"])
RULES = st.builds(
    RaceRules,
    method=st.sampled_from(["average", "best_lap", "total_time"]),
    consecutive_laps=st.integers(1, 3),
    off_track_penalty_s=st.sampled_from([0.0, 2.0]),
    max_laps=st.sampled_from([None, 1, 3]),
    attempts_per_racer=st.sampled_from([None, 1, 3]),
)
ENTRIES = st.builds(Racer, alias=NAMES, transponders=IDS, flag=st.sampled_from(["", "DE", "??"]))
WHO = {"author": st.just("Ruth")}
COMMANDS = st.one_of(
    st.builds(e.CreateEvent, **WHO, name=NAMES),
    st.builds(e.ChangeEvent, **WHO, name=ALIASES),
    st.builds(e.CreateRace, **WHO, name=st.just("Heat"), rules=st.one_of(st.none(), RULES)),
    st.builds(e.ChangeRace, **WHO, race_id=RACES, rules=st.one_of(st.none(), RULES)),
    st.builds(e.SwitchRace, **WHO, race_id=RACES),
    st.builds(e.CloseRace, **WHO, race_id=RACES),
    st.builds(e.ReopenRace, **WHO, race_id=RACES),
    st.builds(e.AddRacer, **WHO, racer=NAMES, transponders=IDS),
    st.builds(e.ChangeRacer, **WHO, racer=NAMES, alias=ALIASES, transponders=st.one_of(st.none(), IDS)),
    st.builds(e.RemoveRacer, **WHO, racer=NAMES),
    st.builds(e.MergeRacers, **WHO, racer=NAMES, into=NAMES),
    st.builds(e.CheckIn, **WHO, racer=NAMES, present=st.booleans()),
    st.builds(e.ImportRacers, **WHO, racers=st.lists(ENTRIES, max_size=3).map(tuple)),
    st.builds(e.AddCar, **WHO, car=CARS, kind=st.sampled_from(["agent", "stock", "none"]), transponders=IDS),
    st.builds(e.ChangeCar, **WHO, car=CARS, transponders=st.one_of(st.none(), IDS)),
    st.builds(e.RemoveCar, **WHO, car=CARS),
    st.builds(e.AssignTransponder, **WHO, transponder=st.just("7"), racer=NAMES),
    st.builds(e.OpenRun, **WHO, racer=NAMES, car=CARS),
    st.builds(e.StartRun, **WHO),
    st.builds(e.FinishRun, **WHO),
    st.builds(e.OffTrack, **WHO),
)
Step = e.Command | tuple[str, str, int]
RUNS = st.tuples(NAMES, st.sampled_from(["", "7", "9"]), st.integers(0, 3))
STEPS = st.lists(st.one_of(COMMANDS, RUNS), min_size=5, max_size=30)


def drive(steps: list[Step]) -> Hand:
    """Gives each command, and drives each run (racer, transponder, laps); all of them a hundred seconds apart.

    Before that a second race is created, Ann is entered and Ann and Bob have driven.
    """
    hand = Hand(RaceRules(consecutive_laps=1))
    begun: list[Step] = [
        e.CreateRace(author="Ruth", name="Heat"),
        e.AddRacer(author="Ruth", racer="Ann", transponders=("7",)),
        ("Ann", "7", 2),
        ("Bob", "", 2),
    ]
    for number, step in enumerate([*begun, *steps], 1):
        at_ns = 100 * number * S
        if isinstance(step, e.Command):
            hand.do(dataclasses.replace(step, moment=moment(at_ns)))
            continue
        racer, transponder, laps = step
        hand.open(racer, at_ns=at_ns)
        hand.go(at_ns)
        for lap in range(laps + 1):
            hand.seq += 1
            passed_ns = at_ns + (5 + number % 3) * (lap + 1) * S
            hand.do(e.Edge("start", "beam", True, passed_ns, hand.seq, "boot-a", transponder=transponder))
        hand.do(e.FinishRun(author="Ruth", moment=moment(at_ns + 50 * S)))
    return hand


def state(engine: Engine) -> tuple[object, ...]:
    """Everything that the commands of an event can change."""
    book = engine.event
    races = {
        race_id: (
            race.info,
            race.standings.lines(),
            [(run.run_id, run.racer, run.attempt) for run in race.runs.values()],
        )
        for race_id, race in engine.races.items()
    }
    return book.event, book.events, book.races, book.racers, book.cars, races, engine.race and engine.race.info


@QUICK
@given(STEPS)
def test_a_replay_gives_the_same_facts_and_state(steps: list[Step]) -> None:
    hand = drive(steps)
    replayed = Engine()
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:  # an input without facts is not stored
            assert encode_facts(replayed.handle(decode_input(encode_input(event)))) == encode_facts(facts)
    assert state(replayed) == state(hand.engine)


@QUICK
@given(STEPS)
def test_no_two_entries_share_a_name_or_a_transponder(steps: list[Step]) -> None:
    engine = drive(steps).engine
    book = engine.event
    assert all(name_key(racer.alias) == key for key, racer in book.racers.items())
    ids = [plain_id(each) for racer in book.racers.values() for each in racer.transponders]
    ids += [plain_id(each) for car in book.cars.values() for each in car.transponders]
    assert len(set(ids)) == len(ids)
    for race in engine.races.values():
        names = {run.racer for run in race.runs.values()}
        assert len({name_key(name) for name in names}) == len(names), "all runs of a racer have one spelling"
        on_file = {name: book.spelled(name) for name in names}
        assert all(name == spelled for name, spelled in on_file.items()), "the one on file"
        assert {line.racer for line in race.standings.lines()} <= names


@QUICK
@given(STEPS)
def test_the_results_that_were_due_last_are_the_standings(steps: list[Step]) -> None:
    engine = drive(steps).engine
    for race in engine.races.values():
        posted = [run.posted for run in race.runs.values() if run.posted is not None and run.posted.score_ms]
        best = {
            racer: min(each.score_ms for each in posted if each.racer == racer) for racer in {p.racer for p in posted}
        }
        assert best == {line.racer: line.score_ms for line in race.standings.lines()}
        assert all(run.rules == race.info.rules for run in race.runs.values()), "one set of rules for all runs"
