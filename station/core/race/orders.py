"""Carries out officials' orders in a race: runs are opened, armed, started, ended and ruled on.

Called by command_handlers.py. An order is refused (with a sentence, as `Refused`) before anything has changed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.errors import Refused
from shared.protocol.topics import checked_device
from shared.text import ntext, text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.counting import lap_doubts
from station.core.race.crossing_changes import assign_crossing
from station.core.race.pause import pause, proceed, ruled
from station.core.race.race import Race
from station.core.race.results import finish, judge_again, when
from station.core.race.starts import cancel, relaunch, stage, start
from station.core.race.submission import discard_run, submit_run
from station.core.rulings.hand_timing import count_mark
from station.core.rulings.lap_rulings import dismiss, restore_proposal, rule
from station.core.rulings.official import disqualify
from station.core.runs.book.lap_book import LapBook
from station.core.runs.car_models import enter
from station.core.runs.incidents import IncidentCommand, count_incident, record_hand_time, take_back
from station.core.runs.phases import NAMES, next_phase
from station.core.runs.run import Run


def obey(race: Race, command: e.Command) -> list[f.Fact]:
    """Carries out an official's order in this race; returns the facts. Raises Refused."""
    match command:
        case e.OpenRun():
            return open_run(race, command)
        case e.PauseRace():
            return pause(race, command)
        case e.ContinueRace():
            return proceed(race, command)
    run = resolve_run(race, command)
    if (procedure := _PROCEDURE.get(type(command))) is not None:
        return procedure(race, run, command)
    return _rule(race, run, command)


def _order(_race: Race, run: Run, command: e.ArmRun | e.ResumeRun) -> list[f.Fact]:
    if run.without_agent:
        raise Refused(text("{car} takes no orders: a person starts and stops it.", car=run.car))
    if isinstance(command, e.ArmRun):
        return [run.ordered("arm")]
    return [run.ordered("resume" if run.released else "rearm")]


def cancel_starts(race: Race, command: e.Command) -> list[f.Fact]:
    """A stop of all cars, or of the one that was ordered to stop, ends the start lights too; returns the facts."""
    car = command.car if isinstance(command, e.OrderCar) else None
    why = text("stopped by {author}", author=command.author)
    return [fact for run in race.on_track if car in (None, run.car) for fact in cancel(run, why)]


def resolve_run(race: Race, command: e.Command) -> Run:
    """The run that a command is about.

    Raises Refused if there is none, if several are on and none is named, or if the phase does not allow the command.
    """
    run_id = getattr(command, "run_id", "")
    if not run_id and len(race.on_track) > 1 and not isinstance(command, e.HandTime):
        on = ", ".join(f"{run.run_id} ({run.racer})" for run in race.on_track)
        raise Refused(
            text("`{command}` must name its run in `run_id`: {on} are on.", command=NAMES[type(command)], on=on)
        )
    run = race.runs.get(run_id) if run_id else race.run
    if race.registry.gone(run_id):
        raise Refused(text("The run {run_id!r} is too old for a ruling; it is still in the journal.", run_id=run_id))
    if run_id and run is None:
        raise Refused(
            text("There is no run {run_id!r} in the race {race_id}.", run_id=run_id, race_id=race.info.race_id)
        )
    next_phase(race.phase if run is None else run.phase, type(command), race.info.officiating)
    if run is None:
        raise Refused(
            text("There is no run {run_id!r} in the race {race_id}.", run_id=run_id, race_id=race.info.race_id)
        )
    return run


def check_can_open(race: Race, command: e.OpenRun | e.ArmRun) -> None:
    """Raises Refused if no run can be opened, or armed, now."""
    if isinstance(command, e.ArmRun):
        resolve_run(race, command)
    elif not race.on_track or race.info.cars_on_track == 1:
        next_phase(race.phase, e.OpenRun, race.info.officiating)
    elif len(race.on_track) >= race.info.cars_on_track:
        raise Refused(
            ntext(
                "{n} run is on: the race allows no more at a time (`cars_on_track`).",
                "{n} runs are on: the race allows no more at a time (`cars_on_track`).",
                n=len(race.on_track),
            )
        )


def open_run(race: Race, command: e.OpenRun, *, without_agent: bool = False, replaces: str = "") -> list[f.Fact]:
    """Opens a racer's run: it is armed, and its car gets the order to arm; returns the facts. Raises Refused.

    `without_agent`: the car takes no orders. `replaces`: the run that this one replaces once it is submitted.
    """
    check_can_open(race, command)
    racer, car = race.spellings.of(command.racer), checked_device(command.car)
    _check_not_on(race, racer, car)
    run_id = _new_id(race, command)
    _check_entry(command)
    attempt = next_attempt(race, racer, replaces)
    if not race.on_track:
        race.scale.add_pair(command.moment, run_is_on=False)
    model, sha = command.model, command.model_sha256
    book = LapBook(run_id, race.info.rules, race.info.officiating > 0, min(race.fastest.values(), default=None))
    run = Run(
        run_id,
        race.info,
        racer,
        car,
        model,
        sha,
        attempt,
        book,
        command.throttle_percent,
        hand_timed=command.hand_timed,
    )
    run.without_agent = run.by_hand = without_agent
    run.replaces, run.opened_utc_ns = replaces, race.scale.of_moment(command.moment)
    _put_on_track(race, run)
    return [
        f.RunOpened(
            run_id,
            race.info.race_id,
            racer,
            car,
            model,
            sha,
            attempt,
            command.throttle_percent,
            without_agent,
            replaces,
            command.hand_timed,
        ),
        f.PhaseChanged(run_id, "armed"),
        *([] if without_agent else [run.ordered("arm")]),
    ]


def _put_on_track(race: Race, run: Run) -> None:
    """Lets the race know its new run, and forget runs that no standing needs."""
    race.on_track.append(run)
    race.spellings.first_spelling(run.racer)
    race.registry.add(run)
    race.ids.add(run.run_id)
    for old in race.registry.evict(spare=lambda each: race.standings.run_behind(each.racer) == each.run_id):
        race.fastest.pop(old.run_id, None)
        race.standings.evict(old.run_id, old.racer)


def _check_not_on(race: Race, racer: str, car: str) -> None:
    """Raises Refused if the racer or the car is on the track already."""
    for other in race.on_track:
        if car == other.car or racer == other.racer:
            raise Refused(
                text(
                    "{who} is on the track already, in {run_id}.",
                    who=car if car == other.car else racer,
                    run_id=other.run_id,
                )
            )


def _check_entry(command: e.OpenRun) -> None:
    """Raises Refused for a run by hand without a reason, and for a throttle that no car has."""
    if command.hand_timed and not command.reason.strip():
        raise Refused(text("To time a run by hand takes a reason: the result says that no sensor timed it."))
    throttle = command.throttle_percent
    if throttle is not None and not 1 <= throttle <= 100:
        raise Refused(text("`throttle_percent` must be 1 to 100."))


def _new_id(race: Race, command: e.OpenRun) -> str:
    """The id of the run that is opened. Raises Refused for one that was used before."""
    by_race = race.ids.by_race
    fresh = race.registry.new_id() if by_race else race.ids.new_id()
    run_id = checked_device(command.run_id or fresh)
    if race.registry.used(run_id):
        raise Refused(
            text(
                "There was already a run {run_id!r} in the race {race_id}: choose another id.",
                run_id=run_id,
                race_id=race.info.race_id,
            )
        )
    if race.ids.used(run_id) and not by_race:
        raise Refused(
            text(
                "There was already a run {run_id!r} in another race of this station: choose another id.", run_id=run_id
            )
        )
    return run_id


def next_attempt(race: Race, racer: str, replaces: str = "") -> int:
    """The number of the racer's next attempt, which does not count the run that it replaces.

    Raises Refused if all are used.
    """
    replaced = race.runs.get(replaces)
    freed = replaced is not None and replaced.begun and replaced.counts and replaced.racer == racer
    attempt = 1 + race.registry.attempts(racer) - freed
    allowed = race.info.rules.attempts_per_racer
    if allowed is not None and attempt > allowed:
        raise Refused(
            text(
                "{racer} has used all {allowed} attempts of the race {race_id}.",
                racer=racer,
                allowed=allowed,
                race_id=race.info.race_id,
            )
        )
    return attempt


def _end(race: Race, run: Run, command: e.FinishRun | e.AbandonRun | e.MarkDnf) -> list[f.Fact]:
    counts, at = not isinstance(command, e.AbandonRun), when(race, command)
    if not isinstance(command, e.MarkDnf):
        return finish(
            race, run, type(command), command.reason or text("ended by {author}", author=command.author), counts, *at
        )
    run.dnf = True
    dnf = f.RunDidNotFinish(run.run_id, command.author, command.reason)
    return [dnf, *finish(race, run, type(command), command.reason or text("did not finish"), counts, *at)]


def _incident(_race: Race, run: Run, command: IncidentCommand) -> list[f.Fact]:
    return count_incident(run, command)


# The commands of a run's procedure, in the order of a run; all others about a run are rulings.
_PROCEDURE: dict[type[e.Command], Callable[[Race, Run, Any], list[f.Fact]]] = {
    e.ArmRun: _order,
    e.StageRun: stage,
    e.StartRun: start,
    e.Relaunch: relaunch,
    e.ResumeRun: _order,
    e.OffTrack: _incident,
    e.Collision: _incident,
    e.CarReset: _incident,
    e.FinishRun: _end,
    e.AbandonRun: _end,
    e.MarkDnf: _end,
    e.SubmitRun: submit_run,
    e.DiscardRun: discard_run,
}


def _rule(race: Race, run: Run, command: e.Command) -> list[f.Fact]:
    match command:
        case e.HandTime():
            return record_hand_time(run, race.on_track, command)
        case e.Disqualify() | e.Reinstate():
            return [*disqualify(run, command), *judge_again(race, run, command)]
        case e.RestoreProposal():
            return restore_proposal(run, command)
        case e.AssignCrossing():
            return assign_crossing(race, run, command)
        case e.DismissProposal() if not run.race.officiating:
            return dismiss(run, command)
        case e.TakeBack():
            return [*take_back(run, command), *judge_again(race, run, command)]
        case e.EnterModel():
            return enter(run, command)
    return _judged_ruling(race, run, command)


def _judged_ruling(race: Race, run: Run, command: e.Command) -> list[f.Fact]:
    """A ruling by rulings.py, and what follows from it: doubts, standings, the result."""
    racer, was = run.racer, run.book.doubts.held
    if isinstance(command, e.ReassignRun):
        command = replace(command, racer=race.spellings.of(command.racer))
        if command.racer != racer:
            # The leaderboard counts only the allowed attempts of a racer: one more would count only here.
            next_attempt(race, command.racer)
    if isinstance(command, e.HandCrossing):
        facts = count_mark(run, command, race.scale)
    else:
        facts = rule(run, command, race.scale)
    if isinstance(command, e.VoidLap):
        ruled(run, command.number)
    facts += lap_doubts(race, run, was)
    if run.racer != racer:
        race.spellings.first_spelling(run.racer)
        race.registry.moved(run, racer)
    if run.phase == "finished" and run.racer != racer and race.standings.score(run.run_id, racer, None):
        facts.append(f.StandingChanged(race.info.race_id, race.standings.lines()))
    return [*facts, *judge_again(race, run, command)]
