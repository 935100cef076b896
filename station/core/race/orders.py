"""Carries out officials' orders in a race: runs are opened, armed, started, ended and ruled on.

Called by command_handlers.py. An order is refused (with a sentence, as `Refused`) before anything has changed.
"""

from dataclasses import replace

from shared.errors import Refused
from shared.protocol.topics import checked_device
from shared.text import ntext, text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.counting import SIGNAL_NS, lap_doubts
from station.core.race.crossing_changes import assign_crossing
from station.core.race.race import Race
from station.core.race.results import finish, judge_again, when
from station.core.runs.car_models import enter
from station.core.runs.incidents import count_incident, record_hand_time, take_back
from station.core.runs.lap_book import LapBook
from station.core.runs.laps import CountedCrossing
from station.core.runs.rulings import dismiss, rule
from station.core.runs.run import NAMES, Run, next_phase


def obey(race: Race, command: e.Command) -> list[f.Fact]:
    """Carries out an official's order in this race; returns the facts. Raises Refused."""
    if isinstance(command, e.OpenRun):
        return open_run(race, command)
    run = resolve_run(race, command)
    match command:
        case e.ArmRun():
            return [run.ordered("arm")]
        case e.StartRun():
            return _start(race, run, command)
        case e.ResumeRun():
            return [run.ordered("resume" if run.released else "rearm")]
        case e.FinishRun() | e.AbandonRun():
            return _end(race, run, command)
        case e.OffTrack() | e.Collision() | e.CarReset():
            return count_incident(run, command)
    return _rule(race, run, command)


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


def open_run(race: Race, command: e.OpenRun) -> list[f.Fact]:
    """Opens a racer's run: it is armed, and its car gets the order to arm; returns the facts. Raises Refused."""
    check_can_open(race, command)
    racer, car = race.spellings.of(command.racer), checked_device(command.car)
    for other in race.on_track:
        if car == other.car or racer == other.racer:
            raise Refused(
                text(
                    "{who} is on the track already, in {run_id}.",
                    who=car if car == other.car else racer,
                    run_id=other.run_id,
                )
            )
    run_id = _new_id(race, command)
    throttle = command.throttle_percent
    if throttle is not None and not 1 <= throttle <= 100:
        raise Refused(text("`throttle_percent` must be 1 to 100."))
    attempt = next_attempt(race, racer)
    if not race.on_track:
        race.scale.add_pair(command.moment, run_is_on=False)
    model, sha = command.model, command.model_sha256
    book = LapBook(run_id, race.info.rules, race.info.officiating > 0, min(race.fastest.values(), default=None))
    run = Run(run_id, race.info, racer, car, model, sha, attempt, book, throttle)
    race.on_track.append(run)
    race.spellings.first_spelling(racer)
    race.registry.add(run)
    race.ids.add(run_id)
    for old in race.registry.evict(spare=lambda each: race.standings.run_behind(each.racer) == each.run_id):
        race.fastest.pop(old.run_id, None)
        race.standings.evict(old.run_id, old.racer)
    return [
        f.RunOpened(run_id, race.info.race_id, racer, car, model, sha, attempt, throttle),
        f.PhaseChanged(run_id, "armed"),
        run.ordered("arm"),
    ]


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


def next_attempt(race: Race, racer: str) -> int:
    """The number of the racer's next attempt. Raises Refused if all are used."""
    attempt = 1 + race.registry.attempts(racer)
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


def _start(race: Race, run: Run, command: e.StartRun) -> list[f.Fact]:
    """Gives the start; by the race's rules, lap 1 and the time limit may begin with it."""
    driven = race.models.check_at_start(run)
    again, run.released = run.released, True
    run.by_hand = command.by_hand
    facts: list[f.Fact] = [f.RunReleased(run.run_id, command.author, command.by_hand), *driven]
    if run.rules.lap_1_from == "signal" and not again:
        run.signal = now = command.moment
        counted = CountedCrossing(0, now.at_ns, now.boot, race.scale.utc_ns(now.boot, now.at_ns), SIGNAL_NS, "official")
        run.book.add(counted)
        run.begin(counted)
        facts.append(f.RunStarted(run.run_id, 0, counted.at_ns, counted.boot, counted.utc_ns))
        facts.append(f.PhaseChanged(run.run_id, "running"))
    return facts if run.by_hand else [*facts, run.ordered("start")]


def _end(race: Race, run: Run, command: e.Command) -> list[f.Fact]:
    reason = command.reason or text("ended by {author}", author=command.author)
    return finish(race, run, type(command), reason, isinstance(command, e.FinishRun), *when(race, command))


def _rule(race: Race, run: Run, command: e.Command) -> list[f.Fact]:
    match command:
        case e.HandTime():
            return record_hand_time(run, race.on_track, command)
        case e.AssignCrossing():
            return assign_crossing(race, run, command)
        case e.DismissProposal() if not run.race.officiating:
            return dismiss(run, command)
        case e.TakeBack():
            return [*take_back(run, command), *judge_again(race, run, command)]
        case e.EnterModel():
            return enter(run, command)
    racer, was = run.racer, run.book.doubts.held
    if isinstance(command, e.ReassignRun):
        command = replace(command, racer=race.spellings.of(command.racer))
        if command.racer != racer:
            # The leaderboard counts only the allowed attempts of a racer: one more would count only here.
            next_attempt(race, command.racer)
    facts = rule(run, command, race.scale)
    facts += lap_doubts(race, run, was)
    if run.racer != racer:
        race.spellings.first_spelling(run.racer)
        race.registry.moved(run, racer)
    if run.phase == "finished" and run.racer != racer and race.standings.score(run.run_id, racer, None):
        facts.append(f.StandingChanged(race.info.race_id, race.standings.lines()))
    return [*facts, *judge_again(race, run, command)]
