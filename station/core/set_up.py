"""Applies starts, races, clock readings and devices' reports about themselves to the station's state.

Called by engine.py (clock readings also by command_handlers.py). `change` and the functions that it calls take the
state and one input, change the state accordingly, and return the facts.
"""

from dataclasses import replace

from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race
from station.core.race.results import corrected
from station.core.race.time_limit import rebooted
from station.core.runs.racer_names import FIRST_EDITION
from station.core.state import TimingState
from station.core.timing.gate import Gate

SetUpInput = e.Booted | e.JournalBegan | e.ClockPair | e.CarModel | e.GateReported | e.GateNote


def change(state: TimingState, event: SetUpInput) -> list[f.Fact]:
    """Applies one input of set-up, other than a race; returns its facts."""
    match event:
        case e.Booted():
            return boot(state, event)
        case e.JournalBegan():
            return begin_journal(state, event)
        case e.ClockPair():
            return pair_clocks(state, event)
        case e.CarModel():
            return state.models.on_report(event, state.race.on_track if state.race is not None else [])
        case e.GateReported() | e.GateNote():
            return state.readiness.on_driver_event(event, state.scale)


def boot(state: TimingState, booted: e.Booted) -> list[f.Fact]:
    """Applies a start of the station's process; returns its facts.

    A gate that is built as before continues; one that is built differently only remembers which edges were handled, so
    that its driver sends the later ones again.
    """
    before = state.booted
    if state.race is not None and before is not None and booted.moment.boot != before.moment.boot:
        rebooted(state.race, booted.moment, state.last_of_clock)
    state.scale.corrects = booted.edition > FIRST_EDITION
    state.scale.booted(booted.moment, state.run_is_on, booted.clock_trusted)
    _build_gates(state, booted.gates)
    state.booted = booted
    state.ids.by_race = booted.edition <= FIRST_EDITION
    state.identity.began(booted.station, booted.start)
    if booted.clock_trusted:
        state.identity.trusted(booted.moment.utc_ns)
    state.models.restart()
    state.readiness.forget_gates_but(booted.gates)
    state.attribution.configure(booted.transponders)
    facts: list[f.Fact] = [f.StationBooted(booted.station, booted.moment.boot)]
    if booted.edition != state.names.edition:
        state.names.edition = booted.edition
        facts += [fact for race in state.races.values() for fact in race.respell()]
    return facts


def _build_gates(state: TimingState, specs: tuple[e.GateSpec, ...]) -> None:
    for spec in specs:
        known = state.gates.get(spec.name)
        if known is None or known.spec != spec:
            state.gates[spec.name] = Gate(spec, state.crossing_count)
            if known is not None:
                state.gates[spec.name].last_seq_by_boot.update(known.last_seq_by_boot)


def begin_journal(state: TimingState, began: e.JournalBegan) -> list[f.Fact]:
    """Stores the journal's name; if it continues another journal, run numbers continue from there too."""
    state.identity.journal = began.journal
    state.ids.reached(began.runs)
    return [f.JournalNamed(began.journal, began.old_journal, began.old_seq, began.old_head)]


def refusal_to_open(state: TimingState, wanted: e.OpenRace) -> str:
    """The reason why this race cannot be opened now; "" if it can."""
    now = state.race
    if now is not None and now.on:
        return text("A run of the race {race_id} is on: finish it first.", race_id=now.info.race_id)
    known = state.races.get(wanted.race_id)
    if known is not None and known.runs and known.info.rules != wanted.rules:
        return text(
            "The race {race_id} has runs under other rules: give the new race another id.", race_id=wanted.race_id
        )
    return ""


def is_open(state: TimingState, wanted: e.OpenRace) -> bool:
    """Whether this race is open already, with the same rules."""
    return state.race is not None and replace(state.race.info, moment=wanted.moment) == wanted


def open_race(state: TimingState, wanted: e.OpenRace) -> list[f.Fact]:
    """Makes this the race that runs belong to from now on; it may have been open before."""
    race = state.races.get(wanted.race_id)
    if race is None:
        shared_parts = (state.names, state.models, state.ids, state.identity)
        race = state.races[wanted.race_id] = Race(wanted, state.scale, *shared_parts)
    race.info = wanted
    state.race = race
    state.event.opened(wanted)
    state.attribution.open(race)
    return [f.RaceOpened(wanted.race_id)]


def pair_clocks(state: TimingState, pair: e.ClockPair) -> list[f.Fact]:
    """Applies a pair of monotonic and UTC time, which may correct earlier stamps and results."""
    boot_id = pair.moment.boot
    used, correction = state.scale.pair(pair.moment, state.run_is_on, pair.trusted, pair.paced)
    if pair.trusted:
        state.identity.trusted(pair.moment.utc_ns)
    facts: list[f.Fact] = [f.ClockPairStored(boot_id, used)]
    if correction is not None:
        facts.append(f.ClockCorrected(boot_id, correction.by_ns, pair.trusted))
        facts += [fact for race in state.races.values() for fact in corrected(race, correction)]
    return facts
