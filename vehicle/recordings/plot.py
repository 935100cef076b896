"""Draws a drive as SVG: throttle, steering and frame age over time, modes as bands, and the reason of each stop.

Called by `raceday run plot`. Setpoints and pulses hold until the next one, so they are drawn as steps.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from shared.errors import BadInput
from shared.protocol.messages import CarMode
from vehicle.core.messages import ControlTrace
from vehicle.recordings.reader import Recording

_WIDTH, _PANEL, _GAP, _LEFT, _TOP, _RIGHT = 1000.0, 150.0, 46.0, 64.0, 90.0, 20.0
_KEY, _LINE = 190.0, 20.0
_MAX_POINTS = 4000
_MAX_ENDS = 8
_FILL: dict[CarMode, str] = {"ready": "#e1f1fb", "driving": "#e0f5e9", "stopped": "#f0f3f8", "tripped": "#fdeae8"}

Value = Callable[[ControlTrace], float]


@dataclass(frozen=True, slots=True)
class _Line:
    """One curve: name, value, colour and dashes (colour alone must not tell curves apart)."""

    name: str
    value: Value
    colour: str
    dashes: str = ""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One diagram from `low` to `high`. A `high` of None comes from the data; an optional `low` may become 0."""

    title: str
    lines: tuple[_Line, ...]
    low: float
    high: float | None
    steps: bool = True
    low_is_optional: bool = False


_PANELS = (
    _Panel(
        "Speed: throttle, share of full",
        (
            _Line("setpoint from the model", lambda t: t.setpoint_throttle, "#7a22b8", "5 4"),
            _Line("sent to the motor", lambda t: t.throttle, "#0568a6"),
        ),
        -1.0,
        1.0,
        low_is_optional=True,
    ),
    _Panel(
        "Steering, share of full lock (left is up)",
        (
            _Line("setpoint from the model", lambda t: t.setpoint_steering, "#7a22b8", "5 4"),
            _Line("sent to the servo", lambda t: t.steering, "#0568a6"),
        ),
        -1.0,
        1.0,
    ),
    _Panel(
        "Age of the frame at the motors, ms",
        (_Line("age", lambda t: (t.at_ns - t.frame_at_ns) / 1e6, "#0b6b3a"),),
        0.0,
        None,
        steps=False,
    ),
)


def svg_of(run: Recording) -> str:
    """The drive as SVG text. Raises BadInput if the recording holds no decision of the guard."""
    traces = _thinned(sorted(run.traces, key=lambda trace: trace.at_ns))
    if not traces:
        raise BadInput("The recording holds no decision of the guard: there is nothing to draw.")
    begin_ns, end_ns = traces[0].at_ns, max(traces[-1].at_ns, traces[0].at_ns + 1)

    def x_of(at_ns: int) -> float:
        return _LEFT + (at_ns - begin_ns) / (end_ns - begin_ns) * (_WIDTH - _LEFT - _RIGHT)

    ends = _ends(run, begin_ns)
    height = _TOP + len(_PANELS) * (_PANEL + _GAP) + 22 + _LINE * len(ends)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" '
        'font-family="sans-serif" font-size="13" fill="#0e1520">',
        f"<title>{escape(_headline(run))}</title>",
        f'<rect width="{_WIDTH:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="28" font-size="17" font-weight="600">{escape(_headline(run))}</text>',
        f'<text x="{_LEFT}" y="48" fill="#4a5669">{escape(_summary(run))}</text>',
        *_legend(),
    ]
    for number, panel in enumerate(_PANELS):
        top = _TOP + 16 + number * (_PANEL + _GAP)
        parts += _bands(traces, x_of, top) + _curves(panel, traces, x_of, top)
    last_top = _TOP + 16 + (len(_PANELS) - 1) * (_PANEL + _GAP)
    parts += _seconds(begin_ns, end_ns, x_of, last_top + _PANEL)
    for number, (at_ns, sentence) in enumerate(ends):
        x, bottom = x_of(min(end_ns, max(begin_ns, at_ns))), last_top + _PANEL
        stroke = 'stroke="#8f1d16" stroke-dasharray="3 3"'
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP + 16}" y2="{bottom}" {stroke}/>')
        parts.append(f'<text x="{_LEFT}" y="{bottom + 44 + _LINE * number:.1f}">{escape(sentence)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _headline(run: Recording) -> str:
    about = run.about
    return (
        f"{about.get('device', 'car')}, {about.get('utc', '')[:19].replace('T', ' ')}, model {about.get('model', '')}"
    )


def _summary(run: Recording) -> str:
    """Duration, counts and frame ages in one line."""
    ages = sorted((trace.at_ns - trace.frame_at_ns) / 1e6 for trace in run.traces if trace.mode == "driving")
    seconds = (run.traces[-1].at_ns - run.traces[0].at_ns) / 1e9
    parts = [f"{seconds:.1f} s", f"{len(run.frames)} frames", f"{len(run.traces)} decisions"]
    if ages:
        parts.append(
            f"frame age {ages[len(ages) // 2]:.0f} ms (median), {ages[len(ages) * 99 // 100]:.0f} ms (99th percentile)"
        )
    if run.frames_missing:
        parts.insert(2, f"{run.frames_missing} frames not recorded")
    return ", ".join(parts) + ("" if run.is_complete else ", cut off")


def _ends(run: Recording, begin_ns: int) -> list[tuple[int, str]]:
    """Time and reason of each stop, the first ones if there are many."""
    ends = []
    before: CarMode = "disarmed"
    for at_ns, state in run.states:
        if state.mode in ("stopped", "tripped") and state.mode != before:
            why = f": {state.reason}" if state.reason else ""
            ends.append((at_ns, f"{(at_ns - begin_ns) / 1e9:.1f} s  {state.mode}{why}"))
        before = state.mode
    return ends[:_MAX_ENDS]


def _legend() -> list[str]:
    parts, x = [], _LEFT
    for mode, fill in _FILL.items():
        parts.append(f'<rect x="{x}" y="60" width="14" height="14" fill="{fill}" stroke="#6e7a8e"/>')
        parts.append(f'<text x="{x + 20}" y="72">{mode}</text>')
        x += 100
    return parts


def _bands(traces: Sequence[ControlTrace], x_of: Callable[[int], float], top: float) -> list[str]:
    """The car's modes as coloured bands behind the curves."""
    parts, start = [], 0
    for number in range(1, len(traces) + 1):
        if number < len(traces) and traces[number].mode == traces[start].mode:
            continue
        left, right = x_of(traces[start].at_ns), x_of(traces[min(number, len(traces) - 1)].at_ns)
        if fill := _FILL.get(traces[start].mode):
            parts.append(
                f'<rect x="{left:.1f}" y="{top}" width="{max(1.0, right - left):.1f}" height="{_PANEL}" fill="{fill}"/>'
            )
        start = number
    return parts


def _curves(panel: _Panel, traces: Sequence[ControlTrace], x_of: Callable[[int], float], top: float) -> list[str]:
    values = [line.value(trace) for line in panel.lines for trace in traces]
    high = max(1.0, *values) if panel.high is None else panel.high
    low = 0.0 if panel.low_is_optional and min(values) >= 0.0 else panel.low

    def y_of(value: float) -> float:
        share = (min(high, max(low, value)) - low) / (high - low)
        return top + _PANEL * (1 - share)

    right = _WIDTH - _RIGHT
    parts = [f'<text x="{_LEFT}" y="{top - 6}" font-weight="600">{escape(panel.title)}</text>']
    for value in (low, (low + high) / 2, high):
        y = y_of(value)
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d8dee8"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#4a5669">{value:g}</text>')
    for number, line in enumerate(panel.lines):
        spots = [(x_of(trace.at_ns), y_of(line.value(trace))) for trace in traces]
        if panel.steps:
            spots = [*_steps(spots), spots[-1]]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
        stroke = f'stroke="{line.colour}" stroke-width="1.5"{dashes}'
        parts.append(f'<polyline points="{points}" fill="none" {stroke}/>')
        key = right - _KEY * (len(panel.lines) - number) + 30
        parts.append(f'<line x1="{key - 30}" x2="{key - 6}" y1="{top - 11}" y2="{top - 11}" {stroke}/>')
        parts.append(f'<text x="{key}" y="{top - 6}" fill="#4a5669">{escape(line.name)}</text>')
    return parts


def _steps(spots: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The points of a step curve: each value holds until the next one."""
    for (x, y), (after, _) in pairwise(spots):
        yield x, y
        yield after, y


def _seconds(begin_ns: int, end_ns: int, x_of: Callable[[int], float], y: float) -> list[str]:
    total_s = (end_ns - begin_ns) / 1e9
    step_s = next((step for step in (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600) if total_s / step <= 12), 3600)
    count = int(total_s / step_s) + 1
    return [
        f'<text x="{x_of(begin_ns + round(n * step_s * 1e9)):.1f}" y="{y + 18:.1f}" text-anchor="middle" '
        f'fill="#4a5669">{n * step_s:g} s</text>'
        for n in range(count)
    ]


def _thinned(traces: Sequence[ControlTrace]) -> Sequence[ControlTrace]:
    return traces[:: -(-len(traces) // _MAX_POINTS)] if traces else traces
