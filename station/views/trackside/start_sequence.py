"""The start: five lights are lit one after the other, and all go out at GO, after a random delay. Pure.

Pages, LEDs and tones all follow the two instants of a `StagedStartView`, so that they agree.
"""

from station.core.race.starts import LIGHT_NS, LIGHTS, lights_lit
from station.views.procedure_view import ProcedureView, StagedStartView

__all__ = ["LIGHTS", "next_change_ns", "staged_start"]


def staged_start(procedure: ProcedureView) -> StagedStartView | None:
    """The start that is in progress, the earliest if there are several; None if there is none."""
    starts = [run.start for run in procedure.runs if run.start is not None]
    return min(starts, key=lambda start: start.go_ns, default=None)


def next_change_ns(start: StagedStartView, now_ns: int) -> int | None:
    """When the lights change next after `now_ns`; None if they do not change any more."""
    if now_ns >= start.go_ns:
        return None
    if now_ns < start.staged_ns:
        return start.staged_ns
    step = start.staged_ns + LIGHT_NS * (1 + (now_ns - start.staged_ns) // LIGHT_NS)
    lit = lights_lit(start.staged_ns, start.go_ns, now_ns)
    return step if step < start.go_ns and lit < LIGHTS else start.go_ns
