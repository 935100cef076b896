"""Passes each official's command to the part of the station that it concerns, or refuses it.

Called by engine.py. A command may change which cars are on the track, and whose a crossing was: `count` hands such
crossings on to their races, as the engine does with crossings that come straight from the gate.
"""

from collections.abc import Callable
from dataclasses import replace

from shared.errors import Refused
from shared.protocol.topics import checked_device
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.car_witness import WitnessFinding
from station.core.event.event_commands import is_of_event, moves_transponders, obey_event
from station.core.event.parts import EventParts
from station.core.event.races import check_can_switch, opening
from station.core.queue.orders import QueueCommand, QueueOfRace, obey_queue
from station.core.race.orders import cancel_starts, check_can_open, obey, open_run
from station.core.race.race import Race
from station.core.ruling_handlers import (
    CountCrossings,
    as_on_file,
    check_not_official,
    race_of,
    rule_in_race,
    with_override,
)
from station.core.runs.phases import NAMES, next_phase
from station.core.set_up import open_race, pair_clocks
from station.core.state import TimingState

EARLIEST_MS, LATEST_MS = 1_577_836_800_000, 4_102_444_800_000  # 2020 to 2100
# These change which cars are on the track, or whose a crossing was: crossings that wait are decided first.
_CHANGES = (
    e.StartRun,
    e.Relaunch,
    e.FinishRun,
    e.AbandonRun,
    e.MarkDnf,
    e.AssignTransponder,
    e.SwitchRace,
)
OWNERS_CHECKED = 4  # edition from which a transponder that is given to a car and a racer at once is refused


def handle_command(
    state: TimingState, command: e.Command, count: CountCrossings, judge: Callable[[list[WitnessFinding]], list[f.Fact]]
) -> list[f.Fact]:
    """Carries out one command; returns its facts, or `CommandRefused` with the reason.

    `count` turns assigned crossings into facts, `judge` does so with the findings of a car's witness.
    """
    changes = isinstance(command, _CHANGES) or moves_transponders(command)
    settled = count(state.attribution.settle()) if changes else []
    if isinstance(command, e.StartRun):
        settled += before_the_start(state)
    try:
        if is_of_event(command):
            facts = _obey_event(state, command, count)
        else:
            facts = _obey(state, as_on_file(state, command), count)
    except Refused as refusal:
        return [*settled, f.CommandRefused(NAMES.get(type(command), "command"), str(refusal))]
    if isinstance(command, e.OpenRun):
        state.witnesses.of(command.car)
    state.attribution.sync(command.moment)
    return [*settled, *facts, *_compare_again(state, command, facts, judge)]


def _obey(state: TimingState, command: e.Command, count: CountCrossings) -> list[f.Fact]:
    state.stop.check(command)
    check_not_official(state, command)
    match command:
        case e.StopAll() | e.ReleaseStop():
            return [*state.stop.obey(command), *_cancel_starts(state, command)]
        case e.OrderCar():
            return _order_car(state, command)
        case e.SetClock():
            return _set_clock(state, command)
        case e.AssignTransponder():
            return _assign_transponder(state, command, count)
        case e.SetMode():
            _check_free(state, e.SetMode)
            return state.readiness.change_mode(command)
        case e.TryGate():
            return _try_gate(state, command)
    return _obey_in_race(state, _open_race_of(state), command, count)


def _obey_in_race(state: TimingState, race: Race, command: e.Command, count: CountCrossings) -> list[f.Fact]:
    match command:
        case e.OpenRun():
            return _open_run(state, race, command)
        case e.ArmRun():
            state.event.check_runs(race.info.race_id)
            check_can_open(race, command)
            return [*state.readiness.check_can_arm(state.gates, with_override(race, command)), *obey(race, command)]
    if isinstance(command, QueueCommand):
        return obey_queue(QueueOfRace(race, state.queue_of(race), state.event), command)
    return rule_in_race(state, command, count)


def _open_run(state: TimingState, race: Race, command: e.OpenRun) -> list[f.Fact]:
    """Opens a run with what the event has on file of its racer and car; the racer leaves the queue."""
    queue = state.queue_of(race)
    state.event.check_runs(race.info.race_id)
    check_can_open(race, command)
    ready = state.readiness.check_can_arm(state.gates, with_override(race, command))
    racer, entry = state.event.racer(command.racer), queue.entry(command.racer)
    command = replace(
        command,
        racer=racer.alias if racer is not None else entry.racer if entry is not None else command.racer,
        model=command.model or ("" if racer is None else racer.model),
    )
    without_agent = state.event.car_kind(command.car) != "agent"
    opened = open_run(race, command, without_agent=without_agent, replaces="" if entry is None else entry.replaces)
    return [*ready, *opened, *queue.leave(command.racer, "run_opened", command.author)]


def _order_car(state: TimingState, command: e.OrderCar) -> list[f.Fact]:
    device, run_id = checked_device(command.car), state.run_of(command.car)
    if state.event.car_kind(device) != "agent":
        raise Refused(text("{car} takes no orders: a person starts and stops it.", car=device))
    ordered = f.CarOrdered(device, run_id, command.action, command.throttle_percent)
    return [ordered, *_cancel_starts(state, command)]


def _cancel_starts(state: TimingState, command: e.StopAll | e.ReleaseStop | e.OrderCar) -> list[f.Fact]:
    """A stop of cars ends the start lights of their runs."""
    stops = isinstance(command, e.StopAll) or (isinstance(command, e.OrderCar) and command.action in ("stop", "estop"))
    return [] if state.race is None or not stops else cancel_starts(state.race, command)


def _obey_event(state: TimingState, command: e.Command, count: CountCrossings) -> list[f.Fact]:
    """Carries out a command about the event, its races, racers or cars."""

    def assign(given: e.AssignTransponder) -> list[f.Fact]:
        return _change_owner(state, given, count)

    parts = EventParts(state.event, state.races, state.attribution, assign)
    if not isinstance(command, e.SwitchRace):
        facts = obey_event(parts, command)
        for fact in facts:
            _follow_in_queues(state, fact)
        return facts
    card = check_can_switch(parts, command)
    return open_race(state, opening(card, command.moment, state.races.get(card.race_id)))


def _follow_in_queues(state: TimingState, fact: f.Fact) -> None:
    """A racer who has another name now, or is off the list, has or is so in the queues too."""
    for queue in state.queues.values():
        match fact:
            case f.RacerChanged(racer, was):
                queue.rename(was.alias, racer.alias)
            case f.RacerRemoved(racer, author, into):
                queue.rename(racer.alias, into) if into else queue.leave(racer.alias, "left", author)


def before_the_start(state: TimingState) -> list[f.Fact]:
    """The first start is being given: crossings that only system B saw until now begin no run."""
    if state.race is not None and any(run.released for run in state.race.on_track):
        return []
    why = text("only system B saw it, before the start")
    return [f.Unattributed(crossing.number, why) for crossing in state.backup.discard_waiting()]


def _assign_transponder(state: TimingState, command: e.AssignTransponder, count: CountCrossings) -> list[f.Fact]:
    """Assigns a transponder: its earlier crossings count as well, and the first fact says how many."""
    _open_race_of(state)
    if command.car and command.racer and state.names.edition >= OWNERS_CHECKED:
        raise Refused(text("A transponder is on a car or carried by a racer: name one of the two."))
    facts = _change_owner(state, command, count)
    state.event.transponder_assigned(command.transponder, command.car, command.racer)
    return facts


def _change_owner(state: TimingState, command: e.AssignTransponder, count: CountCrossings) -> list[f.Fact]:
    change = state.attribution.change_owner(command)
    facts = count(state.attribution.recount(change))
    own = {each.crossing.number for each in change.passes}
    counted = sum(isinstance(fact, f.Attributed) and fact.crossing in own for fact in facts)
    owner = change.known
    return [f.TransponderAssigned(owner.id, owner.car, owner.racer, counted, command.author, command.reason), *facts]


def _set_clock(state: TimingState, command: e.SetClock) -> list[f.Fact]:
    """Sets the station's time of day as an official gives it."""
    if not EARLIEST_MS <= command.utc_ms < LATEST_MS:
        raise Refused(text("`utc_ms` is not between 2020 and 2100: first set the clock of the device in your hand."))
    right = replace(command.moment, utc_ns=command.utc_ms * 1_000_000)
    return pair_clocks(state, e.ClockPair(right))


def _check_free(state: TimingState, order: type[e.Command]) -> None:
    """Raises Refused while a run is on."""
    if state.race is None:
        next_phase("idle", order)
    else:
        next_phase(state.race.phase, order, state.race.info.officiating)


def _try_gate(state: TimingState, command: e.TryGate) -> list[f.Fact]:
    gate = state.gates.get(command.gate)
    if gate is None:
        raise Refused(
            text("The station has no gate {gate!r}; it has {names}.", gate=command.gate, names=", ".join(state.gates))
        )
    if state.run_is_on:
        raise Refused(text("A run is on: try the gate when it is over."))
    gate.forget()
    return [f.GateTried(gate.spec.name, command.author)]


def _open_race_of(state: TimingState) -> Race:
    if state.race is None:
        raise Refused(text("No race is open: create one or switch to one."))
    return state.race


def _compare_again(
    state: TimingState, command: e.Command, facts: list[f.Fact], judge: Callable[[list[WitnessFinding]], list[f.Fact]]
) -> list[f.Fact]:
    """If a ruling changed a run's crossings, compares them with the car's reports again; returns the facts."""
    moved = (f.Attributed, f.LapsRecomputed) if isinstance(command, e.AssignCrossing) else f.LapsRecomputed
    run_ids = list(dict.fromkeys(fact.run_id for fact in facts if isinstance(fact, moved)))
    race = race_of(state, command)
    if not run_ids or race is None or isinstance(command, e.SetClock | e.HandTime):
        return []
    findings: list[f.Fact] = []
    for run_id in run_ids if isinstance(command, e.AssignTransponder) else run_ids[:1]:
        run = race.runs[run_id]
        if isinstance(command, e.AddCrossing | e.AssignCrossing | e.AssignTransponder) and run.book.segments:
            state.attribution.ruled(run)
        findings += judge(state.witnesses.of(run.car).on_recount(run.book))
    return findings
