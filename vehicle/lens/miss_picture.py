"""Draws what a measured lens leaves unexplained, as SVG: each corner with its miss, and rings of equal angle.

Short arrows in all directions are noise. Arrows that point the same way in one part of the picture mean that the lens
is not known there: show the board there, and measure again. Called by `vehicle/commands/lens.py`.
"""

import math
from html import escape

import numpy as np

from vehicle.lens.measured_lens import MeasuredLens

_WIDTH = 960.0
_HEAD = 64.0
_ENLARGED = 20.0  # how many times the misses are drawn larger than the picture
_RINGS_DEG = (15, 30, 45, 60, 75, 90)
_RING_POINTS = 72


def miss_picture(lens: MeasuredLens, title: str) -> str:
    """The drawing as SVG text."""
    scale = _WIDTH / lens.width_px
    height = lens.height_px * scale
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height + _HEAD:.0f}" role="img" '
        'font-family="sans-serif" font-size="15" fill="#0e1520">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH:.0f}" height="{height + _HEAD:.0f}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="18" font-weight="600">{escape(title)}</text>',
        f'<text x="12" y="48" fill="#4a5669">{len(lens.corners)} corners; misses drawn {_ENLARGED:.0f} times larger, '
        f"{lens.scatter_px:.2f} px on average; rings every 15 degrees from the axis</text>",
        f'<clipPath id="picture"><rect width="{_WIDTH:.0f}" height="{height:.1f}"/></clipPath>',
        f'<g transform="translate(0 {_HEAD:.0f})" clip-path="url(#picture)">',
        f'<rect width="{_WIDTH:.0f}" height="{height:.1f}" fill="#f6f8fb" stroke="#8a94a6"/>',
        *(_ring(lens, degrees, scale) for degrees in _RINGS_DEG),
    ]
    for one in lens.corners:
        x, y = (one.x_px + 0.5) * scale, (one.y_px + 0.5) * scale
        end_x, end_y = x + one.right_px * _ENLARGED * scale, y + one.down_px * _ENLARGED * scale
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="#0568a6"/>')
        parts.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{end_x:.1f}" y2="{end_y:.1f}" stroke="#b3261e" stroke-width="1.5"/>'
        )
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _ring(lens: MeasuredLens, degrees: int, scale: float) -> str:
    """The points of the picture that see this angle from the axis."""
    angle = math.radians(degrees)
    azimuths = np.linspace(0.0, 2 * math.pi, _RING_POINTS, endpoint=False)
    rays = np.stack(
        [
            math.sin(angle) * np.cos(azimuths),
            math.sin(angle) * np.sin(azimuths),
            np.full(_RING_POINTS, math.cos(angle)),
        ]
    )
    spots = lens.lens.pixels(rays.T)
    if not np.isfinite(spots).all() or float(np.abs(spots).max()) > 4 * lens.width_px:
        return ""
    points = " ".join(f"{(x + 0.5) * scale:.1f},{(y + 0.5) * scale:.1f}" for x, y in spots.tolist())
    return f'<polygon points="{points}" fill="none" stroke="#c3cad6"/>'
