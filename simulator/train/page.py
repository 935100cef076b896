"""`progress.html`: how a training goes, as a page that a browser opens from the folder and that renews itself.

It needs no server and fetches nothing. The curves are drawn in SVG; the newest figures stand beside them as text.
"""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

RENEW_S = 5
WIDTH, HEIGHT, MARGIN = 640, 150, 6  # of a curve, in the SVG's own units


@dataclass(frozen=True, slots=True)
class Curve:
    """One column of the table of progress as a curve."""

    column: str
    title: str
    unit: str


CURVES = (
    Curve("reward", "Reward of an episode", ""),
    Curve("episode_s", "Length of an episode", "s"),
    Curve("speed_mps", "Speed", "m/s"),
    Curve("off_tracks_per_100m", "Off-tracks in 100 m", ""),
    Curve("crashes_per_100m", "Crashes in 100 m", ""),
    Curve("loss", "Difference from the expert", ""),
)


def write_page(
    path: Path,
    name: str,
    rows: Sequence[Mapping[str, float]],
    checkpoints: Sequence[Mapping[str, float]],
    wanted_steps: int,
    over: bool,
) -> None:
    """Write the page; `rows` of progress and of checkpoints, `over` when nothing more will come."""
    template = Template((files("simulator.train") / "page.html").read_text(encoding="utf-8"))
    steps = int(rows[-1]["steps"]) if rows else 0
    state = "The training is over." if over else f"Training: this page renews itself every {RENEW_S} seconds."
    text = template.substitute(
        title=html.escape(f"Training of {name}"),
        renew="" if over else f'<meta http-equiv="refresh" content="{RENEW_S}">',
        state=f"{state} {steps:,} of {wanted_steps:,} frames.",
        steps=min(steps, wanted_steps),
        wanted=wanted_steps,
        curves="\n".join(_figure(curve, rows) for curve in CURVES),
        checkpoints=_table(checkpoints),
    )
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _figure(curve: Curve, rows: Sequence[Mapping[str, float]]) -> str:
    rows = [row for row in rows if not math.isnan(row[curve.column])]
    values = [row[curve.column] for row in rows]
    if not values or (curve.column == "crashes_per_100m" and not any(values)):  # as where there are no boxes
        return ""
    low, high = min(0.0, *values), max(values)
    unit = f" {curve.unit}" if curve.unit else ""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _points(rows, values, low, high))
    label = f"{curve.title}: from {values[0]:.3g} to {values[-1]:.3g}{unit}, highest {high:.3g}{unit}"
    return (
        f"<figure><figcaption>{curve.title} <strong>{values[-1]:.3g}{unit}</strong></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(label)}" preserveAspectRatio="none">'
        f'<polyline points="{points}"/></svg><p>{low:.3g} to {high:.3g}{unit}</p></figure>'
    )


def _points(
    rows: Sequence[Mapping[str, float]], values: Sequence[float], low: float, high: float
) -> list[tuple[float, float]]:
    """The curve in the SVG's units: steps to the right, values up."""
    last = max(rows[-1]["steps"], 1.0)
    span = high - low or 1.0
    return [
        (
            MARGIN + (WIDTH - 2 * MARGIN) * row["steps"] / last,
            HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / span,
        )
        for row, value in zip(rows, values, strict=True)
    ]


def _table(checkpoints: Sequence[Mapping[str, float]]) -> str:
    if not checkpoints:
        return "<p>No checkpoint yet.</p>"
    best = max(checkpoints, key=lambda row: (row["laps"], row["progress"], row["speed_mps"], row["steps"]))
    lines = [
        f"<tr><td>{row['steps']:,.0f}{' (best)' if row is best else ''}</td><td>{row['laps']:.0f}</td>"
        f"<td>{row['progress']:.0f} %</td><td>{row['speed_mps']:.2f} m/s</td></tr>"
        for row in checkpoints
    ]
    head = "<tr><th>Frames</th><th>Laps</th><th>Progress</th><th>Speed</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table>"
