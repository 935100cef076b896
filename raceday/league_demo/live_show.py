"""Drives the demo's LIVE race for as long as the demo runs: who is launched drives, is timed live, and is scored.

A turn is launched by whoever stands at the control page, or by the demo itself if nobody does so for a while; when all
have driven, they are put back into the queue.
"""

import itertools
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

import requests

from leaderboard.core.errors import Conflict
from leaderboard.core.live.turn import QueueItem
from leaderboard.live_races.service import LiveRaceState
from raceday.league_demo.driving import STATION, DrivenRun, drive, result_of
from raceday.league_demo.meeting import LIVE, LIVE_RULES
from raceday.league_demo.racing import RacingWorld
from shared.errors import OperatorError, Refused
from shared.protocol.live import LiveMessage
from shared.units import NS_PER_MS, NS_PER_S

STEP_S = 0.25
SECTORS = 3
_PAUSE_NS = 8 * NS_PER_S  # before the demo launches the next by itself


@dataclass(frozen=True, slots=True)
class _Turn:
    """The run of one launch, drawn when it began."""

    item: QueueItem
    run: DrivenRun


class LiveShow:
    """The LIVE race of the demo; `step` does what is due now. `say` is told once what went wrong."""

    def __init__(self, world: RacingWorld, say: Callable[[str], None]) -> None:
        self._world, self._say = world, say
        self._chance = world.chance("live show")
        self._turn: _Turn | None = None
        self._free_since_utc_ns = world.leaderboard.clock()
        self._seq = itertools.count(1)
        self._boot = f"demo-{random.SystemRandom().randrange(10**9)}"
        self._stopped = threading.Event()

    def run(self) -> None:
        """Step until `stop`; a race that somebody closed or deleted is left alone."""
        while not self._stopped.wait(STEP_S):
            try:
                self.step()
            except Conflict:
                continue  # somebody at the control page was quicker
            except (Refused, OperatorError, requests.RequestException) as error:
                self._say(f"The LIVE race is driven no more: {error}")
                return

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    def step(self) -> None:
        """Report the car on the track, score a run that has ended, or launch the next one."""
        clock = self._world.leaderboard.clock
        state = self._world.services.live.state(LIVE, clock())
        item = state.queue.on_track
        if item is None:
            self._turn = None
            if clock() - self._free_since_utc_ns > _PAUSE_NS:
                self._launch_next(state)
            return
        self._free_since_utc_ns = clock()
        if self._turn is None or self._turn.item.launched_utc_ns != item.launched_utc_ns:
            pace_ms = (self._world.racer(item.racer).pace_ms - 300) * 100 // item.speed_percent
            self._turn = _Turn(item, drive(self._chance, pace_ms))
        assert item.starts_utc_ns is not None
        into_ns = clock() - item.starts_utc_ns
        self._world.leaderboard.station.send_live(
            message_of(self._turn.run, item, into_ns, self._boot, next(self._seq))
        )
        if into_ns >= self._turn.run.run_ns:
            self._finish(state, self._turn)

    def _finish(self, state: LiveRaceState, turn: _Turn) -> None:
        world, now_utc_ns = self._world, self._world.leaderboard.clock()
        run = result_of(turn.run, LIVE, turn.item.racer, turn.item.launches, LIVE_RULES, now_utc_ns, "physical")
        world.leaderboard.station.post(run)
        world.services.live.act(
            world.people.official, LIVE, state.queue.version, now_utc_ns, turn.item.item_id, "finish"
        )
        self._turn = None

    def _launch_next(self, state: LiveRaceState) -> None:
        live, official, now_utc_ns = (
            self._world.services.live,
            self._world.people.official,
            self._world.leaderboard.clock(),
        )
        queue = state.queue
        if not queue.items:
            return
        if not queue.waiting:
            for item in queue.items:
                queue = live.act(official, LIVE, queue.version, now_utc_ns, item.item_id, "return")
        live.launch(official, LIVE, queue.version, now_utc_ns)


def message_of(run: DrivenRun, item: QueueItem, into_ns: int, boot: str, seq: int) -> LiveMessage:
    """What the station says of a run `into_ns` after its start; negative: the countdown is still going on."""
    done = [lap for lap in run.laps if lap.ended_ns <= into_ns]
    lap = run.laps[min(len(done), len(run.laps) - 1)]
    lap_ns = max(0, min(into_ns, run.run_ns) - (done[-1].ended_ns if done else 0))
    share = min(1.0, lap_ns / lap.lap_ns)
    valid = [each.lap_ns // NS_PER_MS for each in done if each.valid]
    over = into_ns >= run.run_ns
    return LiveMessage(
        LIVE,
        item.racer,
        boot,
        seq,
        station=STATION,
        stage="countdown" if into_ns < 0 else "finished" if over else "running",
        run_ms=max(0, into_ns) // NS_PER_MS,
        lap=lap.number,
        lap_ms=lap_ns // NS_PER_MS,
        last_lap_ms=done[-1].lap_ns // NS_PER_MS if done else None,
        best_lap_ms=min(valid, default=None),
        sectors=_sectors(lap.lap_ns, share),
        track_share=0.0 if into_ns < 0 or over else share,
        speed_mps=None if into_ns < 0 or over else round(17.6 * NS_PER_S / lap.lap_ns, 2),
        resets=sum(each.resets for each in done),
        left_ms=max(0, item.run_time_s * NS_PER_S - max(0, into_ns)) // NS_PER_MS,
    )


def _sectors(lap_ns: int, share: float) -> tuple[int | None, ...]:
    """The times of the sectors that are driven; a lap gives its thirds a little unevenly, by its own time."""
    uneven = [-(lap_ns // NS_PER_MS % 97), lap_ns // NS_PER_MS % 61, 0]
    third_ms = lap_ns // NS_PER_MS // SECTORS
    return tuple(third_ms + uneven[n] if share >= (n + 1) / SECTORS else None for n in range(SECTORS))
