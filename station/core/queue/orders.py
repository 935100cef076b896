"""Carries out officials' commands about the queue of the open race. Called by command_handlers.py.

A command is refused (with a sentence, as `Refused`) before anything has changed.
"""

from dataclasses import dataclass, replace

from shared.errors import Refused
from shared.protocol.topics import checked_device
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.event.event_book import EventBook
from station.core.queue.prediction import QueueOutlook, usual_run_ns
from station.core.queue.race_queue import MAX_QUEUED, QueueEntry, RaceQueue
from station.core.race.orders import next_attempt
from station.core.race.race import Race

RECENT_RUNS = 20  # whose lengths predict the next ones

QueueCommand = e.QueueRacer | e.MoveInQueue | e.CallNext | e.MarkNoShow | e.LeaveQueue | e.Rerun


@dataclass(frozen=True, slots=True)
class QueueOfRace:
    """What an order about the queue is judged by: the race, its queue, and what the event has on file."""

    race: Race
    queue: RaceQueue
    event: EventBook


def obey_queue(day: QueueOfRace, command: QueueCommand) -> list[f.Fact]:
    """Carries out a command about the queue; returns the facts. Raises Refused."""
    match command:
        case e.QueueRacer():
            facts = _queue_all(day, command) if command.all_checked_in else _queue_one(day, command)
        case e.MoveInQueue():
            facts = _move(day, command)
        case e.CallNext():
            facts = _call(day, command)
        case e.MarkNoShow():
            facts = _no_show(day, command)
        case e.LeaveQueue():
            facts = [*day.queue.leave(_entry(day, command.racer).racer, "left", command.author)]
        case e.Rerun():
            facts = _rerun(day, command)
    _plan(day, command)
    return facts


def outlook(race: Race) -> QueueOutlook:
    """What the next starts of the race follow from, as its runs stand now."""
    over = [run for run in race.runs.values() if run.phase == "finished" and run.started_utc_ns and run.counts]
    lasted = [max(0, run.finished_utc_ns - run.started_utc_ns) for run in over[-RECENT_RUNS:]]
    run_ns = usual_run_ns(race.info.rules, lasted)
    busy = [(run.started_utc_ns or run.opened_utc_ns) + run_ns for run in race.on_track]
    last_utc_ns = race.last.finished_utc_ns if race.last is not None else 0
    idle = max(1, race.info.cars_on_track) - len(busy)
    return QueueOutlook(run_ns, (*busy, *[last_utc_ns] * max(0, idle)))


def _queue_one(day: QueueOfRace, command: e.QueueRacer) -> list[f.Fact]:
    if not command.racer.strip():
        raise Refused(text("Name the racer who is to be queued."))
    if day.event.racers and day.event.racer(command.racer) is None:
        raise Refused(text("{racer} is not among the event's racers: add the racer first.", racer=command.racer[:80]))
    racer = day.race.spellings.of(day.event.spelled(command.racer))
    known = day.queue.entry(racer)
    if known is not None:
        place = day.queue.place_of(known)
        raise Refused(text("{racer} is in the queue already, at place {place}.", racer=known.racer, place=place))
    if command.place is not None and command.place < 1:
        raise Refused(text("Places in the queue count from 1."))
    next_attempt(day.race, racer)
    _check_room(day, 1)
    entry = QueueEntry(racer, checked_device(command.car) if command.car else "")
    place = day.queue.insert(entry, command.place)
    return [f.RacerQueued(day.queue.race_id, racer, place, command.author)]


def _queue_all(day: QueueOfRace, command: e.QueueRacer) -> list[f.Fact]:
    """Queues all who are checked in and neither wait nor drive, those with the fewest attempts first."""
    race = day.race
    present = [race.spellings.of(each.alias) for each in day.event.racers.values() if each.checked_in]
    driving = {run.racer for run in race.on_track}
    free = [racer for racer in present if racer not in driving and day.queue.entry(racer) is None]
    allowed = race.info.rules.attempts_per_racer
    used = {racer: race.registry.attempts(racer) for racer in free}
    free = [racer for racer in free if allowed is None or used[racer] < allowed]
    if not free:
        raise Refused(text("Nobody else is checked in and has an attempt left."))
    _check_room(day, len(free))
    return [
        f.RacerQueued(day.queue.race_id, racer, day.queue.insert(QueueEntry(racer)), command.author)
        for racer in sorted(free, key=lambda each: used[each])
    ]


def _move(day: QueueOfRace, command: e.MoveInQueue) -> list[f.Fact]:
    entry = _entry(day, command.racer)
    if entry.called_utc_ns is not None:
        raise Refused(text("{racer} is called already, and drives next.", racer=entry.racer))
    if command.place < 1:
        raise Refused(text("Places in the queue count from 1."))
    was = day.queue.place_of(entry)
    day.queue.remove(entry)
    place = day.queue.insert(entry, command.place)
    return [f.RacerMoved(day.queue.race_id, entry.racer, place, command.author)] if place != was else []


def _call(day: QueueOfRace, command: e.CallNext) -> list[f.Fact]:
    queue, called = day.queue, day.queue.called
    if len(called) >= max(1, day.race.info.cars_on_track):
        raise Refused(
            text("{racer} is called already: open the run, or mark the racer as a no-show.", racer=called[0].racer)
        )
    waiting = [entry for entry in queue.entries if entry.called_utc_ns is None]
    if command.racer:
        entry = _entry(day, command.racer)
        if entry.called_utc_ns is not None:
            raise Refused(text("{racer} is called already.", racer=entry.racer))
    elif waiting:
        entry = waiting[0]
    else:
        raise Refused(text("Nobody waits in the queue: add a racer first."))
    queue.remove(entry)
    queue.insert(replace(entry, called_utc_ns=day.race.scale.of_moment(command.moment)), len(called) + 1)
    return [f.RacerCalled(queue.race_id, entry.racer, command.author)]


def _no_show(day: QueueOfRace, command: e.MarkNoShow) -> list[f.Fact]:
    queue = day.queue
    if not command.racer and not queue.called:
        raise Refused(text("Nobody is called, so nobody is missing."))
    entry = _entry(day, command.racer) if command.racer else queue.called[0]
    count, place = entry.no_shows + 1, 0
    queue.remove(entry)
    if not command.out:
        place = queue.insert(replace(entry, called_utc_ns=None, no_shows=count, planned_utc_ns=0))
    return [f.RacerNoShow(queue.race_id, entry.racer, count, place, command.author)]


def _rerun(day: QueueOfRace, command: e.Rerun) -> list[f.Fact]:
    run = day.race.runs.get(command.run_id)
    if run is None:
        raise Refused(text("There is no run {run} in the race {race}.", run=command.run_id, race=day.queue.race_id))
    if run.on:
        raise Refused(text("Run {run} is still on: end it first.", run=run.run_id))
    if not run.counts:
        raise Refused(text("Run {run} does not count: queue {racer} as usual.", run=run.run_id, racer=run.racer))
    entry = day.queue.entry(run.racer)
    if entry is not None and entry.replaces:
        values = {"racer": run.racer, "run": entry.replaces}
        raise Refused(text("{racer} is in the queue for a re-run of {run} already.", **values))
    if entry is not None:
        day.queue.remove(entry)
    fresh = replace(entry or QueueEntry(run.racer, run.car), replaces=run.run_id, planned_utc_ns=0)
    place = day.queue.insert(fresh, 1)
    return [f.RacerQueued(day.queue.race_id, run.racer, place, command.author, run.run_id)]


def _entry(day: QueueOfRace, racer: str) -> QueueEntry:
    entry = day.queue.entry(racer)
    if entry is None:
        raise Refused(text("{racer} is not in the queue.", racer=racer[:80]))
    return entry


def _check_room(day: QueueOfRace, more: int) -> None:
    if len(day.queue.entries) + more > MAX_QUEUED:
        raise Refused(text("The queue has room for {limit} racers.", limit=MAX_QUEUED))


def _plan(day: QueueOfRace, command: QueueCommand) -> None:
    """Writes down when those who got a place now will probably start."""
    queue = day.queue
    moved = command.racer if isinstance(command, e.MoveInQueue) else ""
    entry = queue.entry(moved) if moved else None
    now_utc_ns = day.race.scale.of_moment(command.moment)
    starts = outlook(day.race).starts(now_utc_ns, [each.called_utc_ns for each in queue.entries])
    queue.plan(starts, entry.racer if entry is not None else "")
