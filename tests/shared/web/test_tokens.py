"""The colours of the look: every text is readable on every surface, in both themes, and the form differs as well."""

import pathlib
import re

import pytest

LOOK = pathlib.Path(__file__).parents[3] / "shared" / "web" / "look"
TOKENS = (LOOK / "tokens.css").read_text(encoding="utf-8")
DARK, LIGHT = TOKENS.split("@media (prefers-color-scheme: light)")[:2]
SURFACES = ("ground", "surface", "raised")
TEXTS = ("text", "text-soft", "accent", "purple", "green", "yellow", "red")
# What stands on a filled ground of its own.
ON_FILLED = (("red-ink", "red-solid"), ("accent-ink", "accent"), ("chip-ink", "purple"))
ON_WASH = tuple((name, f"{name}-wash") for name in ("accent", "purple", "green", "yellow", "red"))


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block.split("@media print", maxsplit=1)[0]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_every_text_has_four_and_a_half_to_one(theme: str) -> None:
    known = colours(DARK) | colours(theme)
    pairs = [*((text, surface) for text in TEXTS for surface in SURFACES), *ON_FILLED, *ON_WASH]
    poor = {pair: contrast(known[pair[0]], known[pair[1]]) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in poor.items() if ratio < 4.5} == {}


def test_the_colours_of_timing_are_those_of_the_design() -> None:
    known = colours(DARK)
    assert [known[name] for name in ("purple", "green", "yellow", "red", "red-solid", "accent")] == [
        "#cf96ff", "#19e6b0", "#f6cf4f", "#ff5a4d", "#b3261e", "#46c8f5",
    ]  # fmt: skip


def _as_seen_with_deuteranopia(colour: str) -> tuple[float, float, float]:
    """Linear RGB without the green cones, by Vienot, Brettel and Mollon (1999)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    both = 0.2933 * red + 0.7067 * green
    return both, both, -0.0224 * red + 0.0224 * green + blue


def test_own_best_and_not_counted_differ_without_green_cones() -> None:
    green, red = (_as_seen_with_deuteranopia(colours(DARK)[name]) for name in ("green", "red"))
    assert sum((one - other) ** 2 for one, other in zip(green, red, strict=True)) ** 0.5 > 0.4
    before = (_as_seen_with_deuteranopia("#52dd8b"), _as_seen_with_deuteranopia("#ff8a80"))
    assert sum((one - other) ** 2 for one, other in zip(*before, strict=True)) ** 0.5 < 0.4
