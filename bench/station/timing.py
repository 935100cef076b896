"""The accuracy of time stamps: four timing methods on the same simulated passes, compared with the ground truth."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from bench.report import OUT, console
from bench.station.timing_methods import METHODS, MethodCrossing, Move, Scene
from simulator.pico.pico import MS, S

BEGIN_NS = 1_000 * S
UTC_NS = 1_700_000_000 * S
WRONG_NS = 20 * MS  # a lap with a larger error is wrong; a smaller one is the method's usual error
NEAR_NS = 2 * S
PICO_P99_US = 250.0


@dataclass(frozen=True, slots=True)
class Score:
    """One method on one scene: errors of lap times in us, and the numbers of right, wrong and lost laps."""

    method: str
    scene: str
    laps: int
    p50_us: float | None
    p99_us: float | None
    max_us: float | None
    stamp_p99_us: float | None
    wrong: int
    missed: int
    doubled: int


def main(quick: bool) -> None:
    """Prints both tables and writes run/bench/timing.json; fails if a lap of Raceday's is wrong."""
    laps = 60 if quick else 600
    scores = [judge(name, scene, method(scene)) for scene in scenes(laps) for name, method in METHODS.items()]
    _show(scores)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "timing.json").write_text(json.dumps([asdict(score) for score in scores], indent=1) + "\n")
    ours = [score for score in scores if score.method.startswith("ours")]
    assert not any(score.wrong or score.missed or score.doubled for score in ours), "one of our laps is not true"
    worst = max(score.stamp_p99_us or 0.0 for score in ours)
    assert worst <= PICO_P99_US, f"our stamps' p99 is {worst:.0f} us"


def scenes(laps: int) -> Iterator[Scene]:
    """The passes of a car with laps of 6 to 10 s, under good and bad conditions."""
    at_ns = [BEGIN_NS]
    chance = random.Random(20)
    for _ in range(laps):
        at_ns.append(at_ns[-1] + 6 * S + chance.randrange(4 * S))
    steps = at_ns[3::10]
    yield _scene("plain", at_ns, 120 * MS, None, _steady)
    yield _scene("pulses of 1 ms", at_ns, 1 * MS, None, _steady)
    yield _scene("two sensors, 300 ms apart", at_ns, 120 * MS, 300 * MS, _steady)
    yield _scene("wall clock steps 2 s forward, every tenth lap", at_ns, 120 * MS, None, _stepped(steps, 2 * S))
    yield _scene("wall clock steps 2 s back, every tenth lap", at_ns, 120 * MS, None, _stepped(steps, -2 * S))


def judge(method: str, scene: Scene, crossings: Sequence[MethodCrossing]) -> Score:
    """Each crossing belongs to the pass that truly was nearest to it; a lap is true if both its ends are."""
    stamps: list[list[MethodCrossing]] = [[] for _ in scene.passes]
    index = 0
    for one in crossings:
        while index + 1 < len(scene.passes) and scene.passes[index + 1] - NEAR_NS <= one.true_ns:
            index += 1
        stamps[index].append(one)
    first = [found[0].stamp_ns if found else None for found in stamps]
    errors = [
        abs((end - begin) - (true_end - true_begin)) / 1000
        for begin, end, true_begin, true_end in zip(first, first[1:], scene.passes, scene.passes[1:], strict=False)
        if begin is not None and end is not None
    ]
    off = [abs(stamp - true) / 1000 for stamp, true in zip(first, scene.passes, strict=True) if stamp is not None]
    monotonic = "wall" not in method
    return Score(
        method,
        scene.name,
        len(scene.passes) - 1,
        _percentile(errors, 50),
        _percentile(errors, 99),
        _percentile(errors, 100),
        _percentile(off, 99) if monotonic else None,
        wrong=sum(error > WRONG_NS / 1000 for error in errors),
        missed=sum(not found for found in stamps),
        doubled=sum(len(found) - 1 for found in stamps if found),
    )


def _scene(name: str, passes: Sequence[int], width_ns: int, lag_ns: int | None, wall: Callable[[int], int]) -> Scene:
    moves = [Move(at_ns, 0, True) for at_ns in passes] + [Move(at_ns + width_ns, 0, False) for at_ns in passes]
    if lag_ns is not None:
        moves += [Move(at_ns + lag_ns, 1, True) for at_ns in passes]
        moves += [Move(at_ns + lag_ns + width_ns, 1, False) for at_ns in passes]
    return Scene(name, tuple(sorted(moves, key=lambda move: move.at_ns)), tuple(passes), wall, seed=7)


def _steady(at_ns: int) -> int:
    return UTC_NS + at_ns


def _stepped(passes: Sequence[int], by_ns: int) -> Callable[[int], int]:
    """NTP finds the time one second after each of these passes."""

    def wall(at_ns: int) -> int:
        return UTC_NS + at_ns + by_ns * sum(at_ns > step_ns + S for step_ns in passes)

    return wall


def _percentile(values: Sequence[float], percent: int) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None


def _text(value_us: float | None) -> str:
    return "–" if value_us is None else f"{value_us:,.1f}"


def _show(scores: Sequence[Score]) -> None:
    out = console()
    for scene in dict.fromkeys(score.scene for score in scores):
        table = Table(title=f"timing: {scene}", title_justify="left")
        for column in ("method", "laps", "p50 µs", "p99 µs", "max µs", "stamp p99", "wrong", "missed", "doubled"):
            table.add_column(column, justify="left" if column == "method" else "right")
        for s in (score for score in scores if score.scene == scene):
            errors = [_text(value) for value in (s.p50_us, s.p99_us, s.max_us, s.stamp_p99_us)]
            table.add_row(s.method, str(s.laps), *errors, str(s.wrong), str(s.missed), str(s.doubled))
        out.print(table)
    out.print("  errors are of lap times against the truth; stamp p99 is of single crossings; wrong: off by over 20 ms")
