"""Elements of SVG as text, and the sheet that they stand on. Pure; called by the pictures of this folder.

A sheet is 520 units wide and its least text 15, so that it can be read on a phone. Colours are classes, which change
where the reader's screen is dark.
"""

from html import escape
from typing import Literal

WIDTH = 520
TEXT_PX = 16
LINE_PX = 21

STYLE = """
text{font:16px system-ui,'DejaVu Sans',sans-serif;fill:#111}
.title{font-size:22px;font-weight:700}.name{font-weight:700}.pin{font-size:12px;text-anchor:middle}
.right{text-anchor:end}.middle{text-anchor:middle}.quiet{fill:#4a4a4a}
.sheet{fill:#fff}.part{fill:#f3f6fa;stroke:#5a6b7d;stroke-width:1.5}.board{fill:#dcefe0;stroke:#2d6a3e;stroke-width:1.5}
.free{fill:#fff;stroke:#777}.road{fill:#d9d9d9;stroke:#777}.line{stroke:#111;stroke-width:4;fill:none}
.wire{fill:none;stroke-width:3;stroke-linejoin:round}.signal{stroke:#0b5cad}.ground{stroke:#222}.power{stroke:#b3261e}
.dot.signal{fill:#cfe3f8;stroke-width:2.5}.dot.ground{fill:#d5d5d5;stroke-width:2.5}
.dot.power{fill:#f8d3d0;stroke-width:2.5}.air{fill:none;stroke:#0b5cad;stroke-width:2.5;stroke-dasharray:7 5}
@media screen and (prefers-color-scheme:dark){text{fill:#eee}.quiet{fill:#c4c4c4}.sheet{fill:#15191e}
.part{fill:#222a33;stroke:#8fa3b8}.board{fill:#1c3524;stroke:#6fbf86}.free{fill:#15191e;stroke:#999}
.road{fill:#3a3f45;stroke:#999}.line{stroke:#eee}.signal{stroke:#6db3f5}.ground{stroke:#d8d8d8}.power{stroke:#ff8a80}
.dot.signal{fill:#12385c}.dot.ground{fill:#444}.dot.power{fill:#5c1d19}.air{stroke:#6db3f5}}
"""

Anchor = Literal["", "right", "middle"]


def label(x: float, y: float, words: str, classes: str = "") -> str:
    """A text whose base line begins (or with the classes right and middle: ends, is centred) at x, y."""
    named = f' class="{classes}"' if classes else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, classes: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="{classes}"/>'


def dot(x: float, y: float, radius: float, classes: str) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="{classes}"/>'


def polyline(points: list[tuple[float, float]], classes: str) -> str:
    joined = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{joined}" class="{classes}"/>'


def sheet(title: str, tells: str, height: float, elements: list[str]) -> str:
    """The whole file: a title that is seen, and what a screen reader says."""
    body = "\n".join((box(0, 0, WIDTH, height, "sheet"), label(16, 34, title, "title"), *elements))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(tells)}">\n<title>{escape(title)}</title>\n<desc>{escape(tells)}</desc>\n'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )
