"""Which ruling undoes which: a table from each kind of command to the counter-ruling. Pure.

Used by own_acts.py. Nothing is taken out of the record: to undo is a ruling of its own. A lap or crossing is found
again by its stamp, so that an act is undone where it was done, although later rulings may have moved the numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.incidents import incident_lap
from station.core.runs.run import Run

Stamp = tuple[str, int]  # boot and ns of a crossing


@dataclass(frozen=True, slots=True)
class RunBefore:
    """What a ruling may change of a run, as it was before it; None and "" where the ruling is about no lap."""

    run_id: str
    racer: str
    model: str
    model_sha256: str
    disqualified: str
    lap_began: Stamp | None = None  # the crossing that began the lap of the ruling
    lap_ended: Stamp | None = None  # the crossing of that number
    ended_source: str = "gate"
    ended_replaced: bool = False
    void: str = ""
    penalty_ns: int = 0
    stamps: frozenset[Stamp] = frozenset()


@dataclass(frozen=True, slots=True)
class OwnAct:
    """An official's command as it was stored, with the run before it and its facts."""

    seq: int
    command: e.Command
    run_id: str
    before: RunBefore | None
    facts: tuple[f.Fact, ...]


def run_before(run: Run, command: e.Command) -> RunBefore:
    """What `inverse` will need of the run, read before the command is handled."""
    number, segments = _number(run, command), run.book.segments
    began = segments[number - 1] if number is not None and 1 <= number <= len(segments) else None
    ended = segments[number] if number is not None and 0 <= number < len(segments) else None
    return RunBefore(
        run.run_id,
        run.racer,
        run.model,
        run.model_sha256,
        run.disqualified,
        None if began is None else (began.start.boot, began.start.at_ns),
        None if ended is None else (ended.start.boot, ended.start.at_ns),
        "gate" if ended is None else ended.start.source,
        ended is not None and ended.replaced is not None,
        "" if began is None else began.void,
        0 if began is None else began.penalty_ns,
        frozenset((segment.start.boot, segment.start.at_ns) for segment in segments),
    )


def can_undo(command: e.Command) -> bool:
    """Whether commands of this kind have a counter-ruling at all."""
    return type(command) in _INVERSES


def inverse(act: OwnAct, run: Run) -> e.Command | None:
    """The counter-ruling of this act, without a moment; None if there is none now."""
    find = _INVERSES.get(type(act.command))
    if find is None or act.before is None:
        return None
    found = find(act, act.before, run)
    if found is None:
        return None
    kind, fields = found
    counter: e.Command = kind(
        author=act.command.author, reason=_reason(act), run_id=act.run_id, undoes=act.seq, **fields
    )
    return counter


Found = tuple[type[Any], dict[str, Any]]
_KINDS: dict[str, type[e.Command]] = {"off_track": e.OffTrack, "collision": e.Collision, "reset": e.CarReset}


def _number(run: Run, command: e.Command) -> int | None:
    if isinstance(command, e.OffTrack | e.Collision | e.CarReset):
        return incident_lap(run, command)
    if isinstance(command, e.TakeBack) and command.number is None:
        return max(run.book.laps_with(command.kind), default=None)
    number = getattr(command, "number", None)
    return number if isinstance(number, int) and not isinstance(command, e.AssignCrossing) else None


def _place(run: Run, stamp: Stamp | None) -> int | None:
    """The number that the crossing of this stamp has now; None: the run does not have it."""
    stamps = [(segment.start.boot, segment.start.at_ns) for segment in run.book.segments]
    return stamps.index(stamp) if stamp is not None and stamp in stamps else None


def _lap(run: Run, before: RunBefore) -> int | None:
    place = _place(run, before.lap_began)
    return None if place is None else place + 1


def _void(_: OwnAct, before: RunBefore, run: Run) -> Found | None:
    number = _lap(run, before)
    return None if number is None or before.void else (e.RestoreLap, {"number": number})


def _restore(_: OwnAct, before: RunBefore, run: Run) -> Found | None:
    number = _lap(run, before)
    return None if number is None or not before.void else (e.VoidLap, {"number": number})


def _penalty(act: OwnAct, before: RunBefore, run: Run) -> Found | None:
    number = _lap(run, before)
    after = next((fact.lap.penalty_ns for fact in act.facts if isinstance(fact, f.LapAdjusted)), before.penalty_ns)
    seconds = (before.penalty_ns - after) / 1e9
    return None if number is None or not seconds else (e.AddPenalty, {"number": number, "seconds": seconds})


def _incident(act: OwnAct, before: RunBefore, run: Run) -> Found | None:
    counted = next((fact for fact in act.facts if isinstance(fact, f.Incident)), None)
    number = _lap(run, before)
    if counted is None or number is None:
        return None
    return e.TakeBack, {"kind": counted.kind, "number": number}


def _taken_back(act: OwnAct, before: RunBefore, run: Run) -> Found | None:
    """While the run is on: incidents are reported only then."""
    number = _lap(run, before)
    back = next((fact for fact in act.facts if isinstance(fact, f.IncidentTakenBack)), None)
    return None if back is None or number is None or not run.on else (_KINDS[back.kind], {"number": number})


def _added(_: OwnAct, before: RunBefore, run: Run) -> Found | None:
    new = [n for n, s in enumerate(run.book.segments) if (s.start.boot, s.start.at_ns) not in before.stamps]
    return (e.DropCrossing, {"number": new[0]}) if len(new) == 1 else None


def _dropped(_: OwnAct, before: RunBefore, run: Run) -> Found | None:
    back = [mark for mark in run.book.flagged if (mark.boot, mark.at_ns) == before.lap_ended]
    return (e.AddCrossing, {"at_ns": back[0].at_ns, "with_incidents": True}) if back else None


def _replaced(act: OwnAct, before: RunBefore, run: Run) -> Found | None:
    moved = next((fact for fact in act.facts if isinstance(fact, f.CrossingReplaced)), None)
    if moved is None or before.lap_ended is None:
        return None
    boot, at_ns = before.lap_ended
    number = _place(run, (boot, at_ns + moved.by_ns))
    witness = before.ended_source if before.ended_replaced else "gate"
    return None if number is None else (e.ReplaceCrossing, {"number": number, "witness": witness})


def _dismissed(act: OwnAct, _before: RunBefore, _run: Run) -> Found | None:
    match act.command:
        case e.DismissProposal(at_ns=at_ns):
            return e.RestoreProposal, {"at_ns": at_ns}
        case e.RestoreProposal(at_ns=at_ns):
            return e.DismissProposal, {"at_ns": at_ns}
    return None


_INVERSES: dict[type[e.Command], Callable[[OwnAct, RunBefore, Run], Found | None]] = {
    e.VoidLap: _void,
    e.RestoreLap: _restore,
    e.AddPenalty: _penalty,
    e.OffTrack: _incident,
    e.Collision: _incident,
    e.CarReset: _incident,
    e.TakeBack: _taken_back,
    e.AddCrossing: _added,
    e.HandCrossing: _added,
    e.AssignCrossing: _added,
    e.DropCrossing: _dropped,
    e.ReplaceCrossing: _replaced,
    e.ReassignRun: lambda _act, before, _run: (e.ReassignRun, {"racer": before.racer}),
    e.SubmitRun: lambda _act, _before, _run: (e.DiscardRun, {}),
    e.DiscardRun: lambda _act, _before, _run: (e.SubmitRun, {}),
    e.Disqualify: lambda _act, _before, _run: (e.Reinstate, {}),
    e.Reinstate: lambda _act, _before, _run: (e.Disqualify, {}),
    e.DismissProposal: _dismissed,
    e.RestoreProposal: _dismissed,
    e.EnterModel: lambda _act, before, _run: (
        e.EnterModel,
        {"model": before.model, "model_sha256": before.model_sha256},
    ),
}


def _reason(act: OwnAct) -> str:
    """The counter-ruling's reason: what it undoes, with the reason of that."""
    if act.command.reason:
        return text("undo of record {seq} ({reason})", seq=act.seq, reason=act.command.reason)[:200]
    return text("undo of record {seq}", seq=act.seq)
