"""A real browser for the pages: Debian's Chromium, driven by Playwright, loopback only."""

import os
import pathlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

expect.set_options(timeout=30_000)  # a page on a busy machine is late, not wrong
# The headless build is the same browser without windows of its own, which cost as much processor time as the pages do.
_BUILDS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, _BUILDS)), "/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = pathlib.Path(__file__).parent / "assets" / "axe.min.js"
COLOURS = ("color-contrast", "link-in-text-block")  # the rules that look at colours


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; a test without one says so."""
    if not pathlib.Path(CHROMIUM).exists():
        pytest.skip("chromium is not installed: the pages are not tried in a real browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page that remembers what it asked for and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)

    def open(self, url: str) -> Page:
        """Goes there and waits until the stream has spoken."""
        self.page.goto(url)
        self.page.wait_for_selector('#link[data-state="live"]')
        return self.page


def held_back(page: Page, script: str) -> list[Route]:
    """The page's requests for this script from now on: each waits for its `continue_`."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(rf"/{script}\b.*\.js"), hold)
    return held


def keep_picture(page: Page, name: str) -> None:
    """With RACEDAY_PICTURES=FOLDER the pictures of the README and the docs are taken where they are tested."""
    if folder := os.environ.get("RACEDAY_PICTURES"):
        plain = re.sub(r"[^\w.-]+", "-", name).strip("-")
        page.screenshot(path=pathlib.Path(folder) / f"{plain}.png")


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def bring_axe(context: BrowserContext) -> None:
    """Gives axe to every page of the context as it opens: to bring it to each by itself takes twice as long."""
    context.add_init_script(_axe())


def violations(page: Page, within: str = "", rules: tuple[str, ...] = ()) -> list[str]:
    """What axe finds against WCAG 2.x A and AA, as lines. `within`: an element, not the page; `rules`: only these."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
    # Of what passes axe would name every element, and all of that would come here: both take most of its time.
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": tags}
    # To preload is to fetch every style sheet anew, for a rule that is experimental and does not run.
    options = {"runOnly": only, "resultTypes": ["violations"], "preload": False}
    found: list[dict[str, Any]] = page.evaluate(
        "([within, options]) => axe.run(within || document, options).then(results => results.violations)",
        [within, options],
    )
    return [
        f"{violation['id']}: {violation['help']} at {node['target']}"
        for violation in found
        for node in violation["nodes"]
    ]


COUNT_WORK = """
window.work = { changes: [], moved: [], measured: 0 };
const isRow = (node) => node.nodeType === Node.ELEMENT_NODE && node.id;
new MutationObserver((records) => {
  for (const { type, target, attributeName, addedNodes } of records) {
    const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
    if (!element?.closest(".counted")) continue;
    if (type === "childList") work.moved.push(...[...addedNodes].filter(isRow).map(({ id }) => id));
    else work.changes.push(attributeName ?? target.data);
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
const counted = (of, name) => {
  const { get, value } = Object.getOwnPropertyDescriptor(of, name);
  const count = (read) => function (...given) {
    work.measured += 1;
    return read.apply(this, given);
  };
  Object.defineProperty(of, name, { configurable: true, ...(get ? { get: count(get) } : { value: count(value) }) });
};
const MEASURES = [
  [HTMLElement.prototype, ["offsetTop", "offsetHeight", "offsetWidth", "offsetParent", "innerText"]],
  [Element.prototype, ["clientWidth", "clientHeight", "scrollTop", "getBoundingClientRect", "getClientRects"]],
];
for (const [of, names] of MEASURES) for (const name of names) counted(of, name);
counted(window, "getComputedStyle");
"""


# Rows out of sight are drawn in idle moments: all are, once three of these in a row have changed nothing.
_ALL_DRAWN = """selector => new Promise((done) => {
  let quiet = 0;
  const changes = new MutationObserver(() => (quiet = 0));
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  changes.observe(document.querySelector(selector), all);
  const look = () => {
    quiet += 1;
    if (quiet <= 3) return requestIdleCallback(look);
    changes.disconnect();
    return done();
  };
  requestIdleCallback(look);
})"""


def wait_until_all_is_drawn(page: Page, selector: str) -> None:
    """Waits for the rows in this element that the page draws when it is idle."""
    page.evaluate(_ALL_DRAWN, selector)


def count_work(page: Page, selector: str) -> None:
    """Counts what scripts change in the element of this selector, and how often they measure the page, from now on."""
    page.evaluate("selector => document.querySelector(selector).classList.add('counted')", selector)
    page.evaluate(COUNT_WORK)


def work_of(page: Page) -> dict[str, Any]:
    """What has been done since the last call: texts and attributes changed, rows moved, measurements of the layout."""
    took = "() => { const done = work; work = { changes: [], moved: [], measured: 0 }; return done; }"
    done: dict[str, Any] = page.evaluate(took)
    return done


def violations_in_both_schemes(page: Page, name: str = "") -> list[str]:
    """What axe finds in light and in dark, without opening the page again; with a name, a picture of each is kept.

    Only the colours differ: in dark the other rules need not run again.
    """
    found = []
    for scheme in SCHEMES:
        in_scheme(page, scheme)
        found += [f"{scheme}: {each}" for each in violations(page, rules=() if scheme == "light" else COLOURS)]
        if name:
            keep_picture(page, f"{name}-{scheme}")
    return found


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# A colour that is still changing is neither the one nor the other.
_DRAWN = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  document.getAnimations().forEach((each) => each instanceof CSSTransition && each.finish());
  done(1);
})))"""


def in_scheme(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Shows the open page as a device in this colour scheme does."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(_DRAWN)
