"""The measures of geometry.py find what is wrong, each on a page that breaks one rule, and nothing on a right page."""

import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests import geometry

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TOKENS = (pathlib.Path(__file__).parents[1] / "shared/web/look/tokens.css").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page()
    yield made
    made.close()


FAULTY: list[tuple[str, str]] = [
    ("<p style='width:40px;overflow:hidden;white-space:nowrap'>a result of 12.677</p>", "clipped: a result of 12.677"),
    ("<p style='position:absolute;top:0'>one</p><p style='position:absolute;top:0'>two</p>", "overlaid: one / two"),
    ("<p style='width:900px'>wide</p>", "the page is"),
    ("<button style='width:12px;height:12px;padding:0'></button>", "small:"),
    ("<div style='overflow-x:auto;width:80px'><p style='width:200px'>aside</p></div>", "clipped: aside"),
    (
        "<p class='run-facts' style='width:110px;overflow-wrap:anywhere'><span>run-7</span><span>car-aurora</span>",
        "broken:",
    ),
    ("<span class='name' style='display:inline-block;width:9px;overflow:hidden' title='x'>Ada</span>", "no room: Ada"),
    ("<p data-score style='width:30px;overflow:hidden' title='9.412'>9.412999</p>", "score not seen: 9.412999"),
    ("<p data-score style='opacity:0'>9.412</p>", "score not seen: 9.412"),
    ("<p data-score style='margin-left:-40px'>9.412</p>", "score not seen: 9.412"),
    ("<p data-step='row' style='font-size:12px'>Ada</p>", "12.0 px instead of 18.0: Ada"),
    ("<p data-step='row' style='font-size:18px'>Ada</p><p style='font-size:9px'>tiny</p>", "9.0 px instead of 13.0"),
    (
        "<p style='height:900px'>long</p><button style='display:block'>Go on</button>"
        "<p style='position:fixed;bottom:0;left:0;margin:0;width:100%;height:90px;background:#fff'>bar</p>",
        "covered while it has the focus: Go on",
    ),
]


@pytest.mark.parametrize(("html", "fault"), FAULTY)
def test_what_is_wrong_is_found(page: Page, html: str, fault: str) -> None:
    page.set_content(f"<!doctype html><body style='margin:0'>{html}</body>")
    found = geometry.look(page, "page", ((320, 600),))
    assert any(fault in each for each in found), found


@pytest.mark.parametrize(("kind", "viewports"), [
    ("hall", geometry.HALL_VIEWPORTS),
    ("console", geometry.VIEWPORTS),
    ("overlay", geometry.HALL_VIEWPORTS),
])  # fmt: skip
def test_the_steps_of_the_tokens_are_those_of_the_design(
    page: Page, kind: str, viewports: tuple[tuple[int, int], ...]
) -> None:
    steps = ["row", "row-long", "gap", "label", "least"] + (["clock", "gap-long"] if kind == "hall" else [])
    lines = "".join(f"<p data-step='{step}' style='font-size:var(--step-{step});margin:0'>9.4</p>" for step in steps)
    style = f"<style>{TOKENS} body {{ margin: 0; overflow-x: clip }}</style>"
    page.set_content(f"<!doctype html>{style}<body class='{kind}'>{lines}</body>")
    assert geometry.look(page, kind, viewports) == []
