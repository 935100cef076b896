"""Runs of a virtual race, judged: what the batch reports becomes resets, penalties and laps, until every run is parked.

Each world of a batch is one run. Whoever drives asks `running` for the worlds that want commands, and calls `step` with
them; the others stand: before the start, serving a penalty, or parked. Lap times run on while a penalty is served.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from simulator.batch.track_objects import BOT, RIVAL
from simulator.batch.vector import CRASHED, CROSSING, LEFT_TRACK, BatchWorlds, Events
from simulator.objects.reset_rules import STEPS_TO_RESET, count_reversed, count_still
from simulator.virtual_races.head_to_head import RivalRun
from simulator.virtual_races.phases import (
    NS_PER_S,
    Occurrence,
    Phase,
    ResetRules,
    VirtualRunState,
    begin,
    occur,
    on_time,
)

START_LINE = 0


@dataclass(slots=True)
class _Run:
    """One run while it goes on; its counters are those of `reset_rules`."""

    state: VirtualRunState
    crossings_ns: list[int] = field(default_factory=list)
    reached_m: float = -np.inf
    reached_ns: int = 0
    last: tuple[float, float, float] | None = None  # progress, x, y at the last frame
    backwards: int = 0
    still: int = 0


class JudgedRuns:
    """All runs of a batch whose cars stand at their starts; `states` and `runs` say how they go."""

    def __init__(self, worlds: BatchWorlds, rules: ResetRules, laps: int, max_s: float) -> None:
        """`laps` to drive; a run that has not driven them in `max_s` is over."""
        assert laps >= 1
        self._worlds, self._rules, self._laps = worlds, rules, laps
        self._lengths_m = [spec.track.length_m for spec in worlds.specs]
        self._runs = [_Run(begin(rules, int(now_ns))) for now_ns in worlds.now_ns]
        self._starts_m = [length_m - float(s_m) for length_m, s_m in zip(self._lengths_m, worlds.s_m, strict=True)]
        self._ends_ns = [int(now_ns) + round(max_s * NS_PER_S) for now_ns in worlds.now_ns]
        self._tick(range(len(worlds)))

    @property
    def states(self) -> list[VirtualRunState]:
        """The phase of each run, and its resets."""
        return [run.state for run in self._runs]

    @property
    def runs(self) -> list[RivalRun]:
        """Each run's crossings of the start line and how far it got."""
        return [RivalRun(tuple(run.crossings_ns), run.reached_m, run.reached_ns) for run in self._runs]

    @property
    def running(self) -> list[int]:
        """The worlds that drive now."""
        return [n for n, run in enumerate(self._runs) if run.state.phase is Phase.RUN]

    @property
    def unfinished(self) -> list[int]:
        """The worlds that are not parked."""
        return [n for n, run in enumerate(self._runs) if run.state.phase is not Phase.PARK]

    def laps_s(self, n: int) -> tuple[float, ...]:
        """The lap times of run `n`, penalties included."""
        return tuple(float(lap) / NS_PER_S for lap in np.diff(self._runs[n].crossings_ns))

    def step(self, commands: ArrayLike) -> Events:
        """Drive one frame interval: `commands` (N, 2) as the batch takes them; only those of `running` count."""
        table = np.array(commands, np.float64)
        going = self.unfinished
        table[[n for n in range(len(self._runs)) if self._runs[n].state.phase is not Phase.RUN]] = 0.0
        events = self._worlds.step(table, going)
        happened = self._happened(events)
        for n in going:
            self._judge(n, happened.get(n, []))
        self._tick(going)
        return events

    def _happened(self, events: Events) -> dict[int, list[tuple[Occurrence, int]]]:
        """What the batch reports of runs that drive, and when; crossings are counted on the way."""
        happened: dict[int, list[tuple[Occurrence, int]]] = {}
        for event in events:
            n, kind, at_ns = int(event["world"]), int(event["kind"]), int(event["at_ns"])
            if kind == CROSSING and event["gate"] == START_LINE:
                if event["direction"] == 1 and self._crossed(n, at_ns):
                    happened.setdefault(n, []).append((Occurrence.FINISHED, at_ns))
            elif self._runs[n].state.phase is not Phase.RUN:
                continue
            elif kind == LEFT_TRACK:
                happened.setdefault(n, []).append((Occurrence.OFF_TRACK, at_ns))
            elif kind == CRASHED and self._at_fault(n, int(event["gate"]), int(event["direction"])):
                happened.setdefault(n, []).append((Occurrence.CRASHED, at_ns))
        return happened

    def _crossed(self, n: int, at_ns: int) -> bool:
        """Count the car's way over the start line, unless it was put back before it and comes over it again.

        True if it was the last one wanted.
        """
        crossings = self._runs[n].crossings_ns
        way_m = float(self._worlds.progress_m[n]) - self._starts_m[n]
        if round(way_m / self._lengths_m[n]) != len(crossings):
            return False
        crossings.append(at_ns)
        return len(crossings) == self._laps + 1

    def _at_fault(self, n: int, number: int, direction: int) -> bool:
        """False if a bot or the rival ran into this car; the bots then wait as long as a car would."""
        kind = int(self._worlds.objects["kind"][n, number])
        if direction == 1 or kind not in (BOT, RIVAL):
            return True
        if kind == BOT:
            self._worlds.pause_bots(n, self._rules.crashed_s)
        return False

    def _judge(self, n: int, happened: list[tuple[Occurrence, int]]) -> None:
        """Let the run go on by what happened in this frame interval: the line first, as the field has it."""
        run, worlds = self._runs[n], self._worlds
        now_ns = int(worlds.now_ns[n])
        self._measure(n, run, now_ns)
        if run.backwards >= STEPS_TO_RESET:
            happened = [*happened, (Occurrence.REVERSED, now_ns)]
        if run.still >= STEPS_TO_RESET:
            happened = [*happened, (Occurrence.IMMOBILIZED, now_ns)]
        if now_ns >= self._ends_ns[n]:
            happened = [*happened, (Occurrence.TIME_UP, now_ns)]
        for what, _ in sorted(happened, key=lambda each: (each[0] is not Occurrence.FINISHED, each[1])):
            step = occur(run.state, what, now_ns, self._rules)
            run.state = step.state
            if step.put_back:
                self._put_back(n, run)

    def _measure(self, n: int, run: _Run, now_ns: int) -> None:
        """How far the run got, and whether it stands or goes backwards."""
        worlds = self._worlds
        progress_m, (x, y, _) = float(worlds.progress_m[n]), worlds.pose[n].tolist()
        reached_m = progress_m - self._starts_m[n]
        if reached_m > run.reached_m:
            run.reached_m, run.reached_ns = reached_m, now_ns
        running = run.state.phase is Phase.RUN and run.last is not None
        last_m, last_x, last_y = run.last or (progress_m, x, y)
        run.backwards = count_reversed(run.backwards, progress_m, last_m, running)
        run.still = count_still(run.still, x, y, last_x, last_y, running)
        run.last = progress_m, x, y

    def _put_back(self, n: int, run: _Run) -> None:
        """Put the car back, where it touches nothing until its penalty is served."""
        self._worlds.set_solid(False, [n])
        self._worlds.put_back([n])
        run.backwards = run.still = 0
        run.last = None

    def _tick(self, going: range | list[int]) -> None:
        """Let countdowns and penalties end; whoever drives again can be touched again."""
        for n in going:
            run = self._runs[n]
            before = run.state.phase
            run.state = on_time(run.state, int(self._worlds.now_ns[n]), self._rules)
            if before is not run.state.phase and run.state.phase is Phase.RUN:
                self._worlds.set_solid(True, [n])
                run.last = None
