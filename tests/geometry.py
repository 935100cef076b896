"""Finds faults in the geometry of a page, as lines that name the text: clipped, overlapping, too wide, too small.

A test shows its page in each state and asks `look` for the faults at each size of the screen. The page says what it
holds: `data-score` on an element whose figure must be seen whole, `data-step` on one that has a step of the type scale
(clock, row, row-long, gap, label). A page with steps has no text smaller than the least.
"""

import pathlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from tests.browser import keep_picture

ASSETS = pathlib.Path(__file__).parent / "assets"

# Hall, laptop, two phones, and the laptop at 200 % zoom, where a CSS pixel is two.
VIEWPORTS = ((1920, 1080), (1280, 800), (390, 844), (320, 640), (640, 400))
HALL_VIEWPORTS = ((1920, 1080), (1280, 800))
# The least font size of each step: hall in hundredths of the screen's height, the others in pixels.
STEPS = {
    "hall": {"clock": 19, "clock-minutes": 13, "clock-long": 10, "row": 5.2, "row-long": 3.5, "gap": 4.4}
    | {"gap-long": 3.8, "label": 2.6, "least": 2.4},
    "console": {"clock": 72, "row": 18, "row-long": 18, "gap": 15, "label": 14, "least": 13},
    "phone": {"clock": 57, "row": 18, "row-long": 18, "gap": 16, "label": 13, "least": 13}
    | {"gap-long": 16, "clock-long": 13},
    "overlay": {"clock": 50, "row": 46, "row-long": 32, "gap": 32, "label": 24, "least": 24},
}
PHONE_PX = 640  # a narrower screen is a phone's

# Texts are measured by their own boxes (Range), cut by what scrolls or hides around them. What may be cut on purpose
# (a name after two lines) carries its whole text as a title. `main` alone may scroll, and only down.
_FAULTS = (ASSETS / "geometry_faults.js").read_text(encoding="utf-8")
# Bars that stay in place must not lie over what has the focus (WCAG 2.4.11).
_COVERED = (ASSETS / "geometry_covered.js").read_text(encoding="utf-8")
# What the stop bar hides even at the end of the page, where no scrolling reveals it.
_END = """() => {
  const bar = document.querySelector(".stop-bar");
  if (!bar) return [];
  scrollTo(0, document.documentElement.scrollHeight);
  const top = bar.getBoundingClientRect().top;
  const texts = [...document.querySelectorAll("main *, .strip *")].filter((each) =>
    !each.children.length && each.textContent.trim() && !each.closest(".scroll") && each.checkVisibility());
  const under = texts.filter((each) => each.getBoundingClientRect().bottom > top + 1);
  const faults = under.map((each) => `under the stop's bar: ${each.textContent.trim().slice(0, 40)}`);
  if (top < innerHeight / 2) faults.push(`the stop's bar begins at ${top} of ${innerHeight} px`);
  scrollTo(0, 0);
  return faults;
}"""
_SETTLED = """await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));"""
_LOOK = f"""async (kinds) => {{
  {_SETTLED}
  return [...({_FAULTS.strip().removesuffix(";")})(kinds), ...({_END})(), ...({_COVERED.strip().removesuffix(";")})()];
}}"""
_KINDS = {"steps": STEPS, "phone": PHONE_PX}


def faults(page: Page) -> list[str]:
    """Everything that is clipped, overlapping, wider than the screen or too small for its step; empty if nothing is."""
    found: list[str] = page.evaluate(_FAULTS, _KINDS)
    return found


def look(page: Page, what: str, viewports: Iterable[tuple[int, int]] = VIEWPORTS) -> list[str]:
    """The faults of the page, with what has the focus under a bar, at each size of the screen; pictures on demand.

    All that is measured at one size is one call into the browser, once fonts and layout are settled.
    """
    found = []
    for width, height in viewports:
        page.set_viewport_size({"width": width, "height": height})
        here = f"{what} at {width} x {height}"
        found += [f"{here}: {fault}" for fault in page.evaluate(_LOOK, _KINDS)]
        keep_picture(page, f"{what}-{width}x{height}")
    return found


@contextmanager
def other_letters(page: Page) -> Iterator[None]:
    """The open page as in a browser without our font: a serif is wider than our sans-serif."""
    page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(":root { --sans: 'DejaVu Serif', serif !important; }");
            document.adoptedStyleSheets = [sheet];
        }"""
    )
    assert "DejaVu Serif" in page.evaluate("getComputedStyle(document.body).fontFamily")
    yield
    page.evaluate("document.adoptedStyleSheets = []")


def settled(page: Page) -> None:
    """Waits until the fonts are loaded and the layout is stable."""
    page.evaluate(f"async () => {{ {_SETTLED} }}")


def sparklines(page: Page) -> list[int]:
    """How many lines of laps are seen, and how many rows are higher for them; takes the lines off the page."""
    seen_and_higher: list[int] = page.evaluate(_SPARKLINES)
    return seen_and_higher


_SPARKLINES = """() => {
  const heights = () => [...document.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect().height);
  const lines = [...document.querySelectorAll(".sparkline")];
  const [seen, before] = [lines.filter((line) => line.checkVisibility()).length, heights()];
  lines.forEach((line) => line.remove());
  return [seen, heights().filter((height, row) => height !== before[row]).length];
}"""
