"""Carries out the rulings that concern more than one run's own laps: official results, hand times, other witnesses.

Called by command_handlers.py. A ruling may name a run of an earlier race: run ids are unique over all races.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.decisions import Step
from station.core.race.counting import AssignedCrossing, lap_doubts
from station.core.race.orders import obey, resolve_run
from station.core.race.race import Race
from station.core.race.results import judge_again
from station.core.rulings.hand_timing import crossing_by_hand
from station.core.rulings.official import check_changes, check_open, check_people, declare_run, declared
from station.core.rulings.witness_times import WitnessTime, check_number, replace_crossing
from station.core.runs.phases import INCIDENTS, RULINGS
from station.core.state import TimingState

CountCrossings = Callable[[Iterable[Step]], list[f.Fact]]


def rule_in_race(state: TimingState, command: e.Command, count: CountCrossings) -> list[f.Fact]:
    """Carries out a command in the race that it is about; returns the facts. Raises Refused."""
    race = race_of(state, command)
    assert race is not None, "the caller has checked that a race is open"
    match command:
        case e.Official() | e.ReopenResults():
            return _declare(state, _named_race(state, race, command), command)
        case e.HandTime():
            return _hand_time(race, command, count)
        case e.ReplaceCrossing():
            return _replace_crossing(race, command, _times(state, race, command))
    return obey(race, command)


def try_ruling(state: TimingState, command: e.Command) -> Race:
    """Carries out a ruling on a copy of the one run and of the standings; returns that race, changes nothing else.

    Raises Refused as the ruling itself would, or for a command that is no ruling on a run.
    """
    race = race_of(state, command)
    if race is None or not isinstance(command, (*RULINGS, *INCIDENTS)):
        raise Refused(text("Only rulings on a run can be tried before they are done."))
    check_not_official(state, command)
    command = as_on_file(state, command)
    run = resolve_run(race, command)
    holder = race.holder(command.number) if isinstance(command, e.AssignCrossing) else None
    concerned = (run, holder, race.runs.get(run.replaces))
    copy = race.for_trial([each for each in concerned if each is not None])
    if isinstance(command, e.ReplaceCrossing):
        _replace_crossing(copy, command, _times(state, race, command))
    else:
        obey(copy, command)
    return copy


def as_on_file(state: TimingState, command: e.Command) -> e.Command:
    """The command with the name of its racer as the list of racers spells it."""
    if isinstance(command, e.OpenRun | e.ReassignRun) and state.event.spelled(command.racer) != command.racer:
        return replace(command, racer=state.event.spelled(command.racer))
    return command


def _times(state: TimingState, race: Race, command: e.ReplaceCrossing) -> list[WitnessTime]:
    run = resolve_run(race, command)
    check_number(run, command.number)
    return state.witness_times(run, command.number)


def check_not_official(state: TimingState, command: e.Command) -> None:
    """Raises Refused for a command that would change official results."""
    race = race_of(state, command)
    if race is not None:
        check_open(race.official, race.runs.get(getattr(command, "run_id", "")) or race.run, command)


def race_of(state: TimingState, command: e.Command) -> Race | None:
    """The race of the run that a command names, which may be an earlier race; else the open race, None before any."""
    run_id = getattr(command, "run_id", "")
    if not isinstance(command, (*RULINGS, e.Official, e.ReopenResults)) or not run_id or state.race is None:
        return state.race
    if state.race.registry.used(run_id) or state.race.info.officiating < e.HAND_TIMES:
        return state.race
    return next((race for race in state.races.values() if race.registry.used(run_id)), state.race)


def _named_race(state: TimingState, named: Race, command: e.Official | e.ReopenResults) -> Race:
    """The race whose results a command is about, by its id or by a run. Raises Refused if there is no such race."""
    if not command.race_id:
        return named
    race = state.races.get(command.race_id)
    if race is None:
        raise Refused(text("No runs were driven in a race {race}.", race=command.race_id))
    return race


def _declare(state: TimingState, race: Race, command: e.Official | e.ReopenResults) -> list[f.Fact]:
    """Makes the results of a race, or of one of its runs, official, or opens them again. Raises Refused."""
    check_people(command, race.info.official_by_two)
    if command.run_id:
        return declare_run(resolve_run(race, command), command)
    official = isinstance(command, e.Official)
    if race.on_track and official:
        raise Refused(text("A run is on: finish it before the results become official."))
    check_changes(official, race.official)
    race.official = command.author if official else ""
    race.official_with, race.official_utc_ns = command.confirmed_by, command.moment.utc_ns
    facts: list[f.Fact] = [declared(race.info.race_id, "", command)]
    was = state.event.races.get(race.info.race_id)
    if was is not None:
        card = state.event.set_state(was.race_id, "official" if official else "open")
        facts.append(f.RaceChanged(card, was, command.author, command.reason))
    return facts


def with_override(race: Race, command: e.OpenRun | e.ArmRun) -> e.OpenRun | e.ArmRun:
    """The command, with the reason for timing by hand as the reason to arm at a gate that is not ready."""
    timed = command.hand_timed if isinstance(command, e.OpenRun) else resolve_run(race, command).hand_timed
    return replace(command, override_reason=command.override_reason or command.reason) if timed else command


def _hand_time(race: Race, command: e.HandTime, count: CountCrossings) -> list[f.Fact]:
    """Records a hand time; in a run that is timed by hand it is a crossing as well."""
    run = resolve_run(race, command)
    facts = obey(race, command)
    crossing = crossing_by_hand(run, command, race.scale)
    if crossing is None:
        return facts
    counted = count([AssignedCrossing(run, crossing, source="hand")])
    return [*facts, *(fact for fact in counted if not isinstance(fact, f.Attributed))]


def _replace_crossing(race: Race, command: e.ReplaceCrossing, times: list[WitnessTime]) -> list[f.Fact]:
    """Times a crossing by one of these witnesses; the run is judged again. Raises Refused."""
    run = resolve_run(race, command)
    was = run.book.doubts.held
    facts = replace_crossing(run, command, times)
    return [*facts, *lap_doubts(race, run, was), *judge_again(race, run, command)]
