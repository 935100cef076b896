"""Somebody at a page of the station, who is checked on: what axe finds, what fails, and where requests go."""

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PageTimeoutError

from tests.browser import Watched, violations
from tests.system.journeys.simulated_track import SimulatedTrack

PASSPHRASE = "correct horse"


class Official:
    """An official at a browser; each page is checked with axe when it is opened, and at each `check`."""

    def __init__(self, track: SimulatedTrack, page: Page) -> None:
        self.track, self.page = track, page
        self.watched = Watched(page)
        self.faults: list[str] = []
        self.opened: set[str] = set()
        self.failed: list[str] = []
        page.on("response", lambda answer: self._note(answer.status, answer.url))

    def _note(self, status: int, url: str) -> None:
        # What a ruling would change is asked for each that a lap can have; one that would be refused says why.
        if status >= 400 and not (status == 409 and url.endswith("/api/v1/preview")):
            self.failed.append(f"{status} {url}")

    def open(self, path: str) -> None:
        """Goes there, as somebody who types the address, and waits until the page is live; axe looks the first time."""
        self.page.goto(self.track.url + path)
        if self.page.locator("#link").count():
            self.page.wait_for_selector('#link[data-state="live"]', state="attached")
        if path not in self.opened:
            self.check(path)
        self.opened.add(path)

    def check(self, where: str) -> None:
        self.faults += [f"{where}: {fault}" for fault in violations(self.page)]

    def nothing_was_wrong(self) -> None:
        """Axe found nothing, nothing failed in the page or at the station, and nothing was asked of another machine."""
        elsewhere = [url for url in self.watched.requests if not url.startswith(self.track.url)]
        # The browser's own lines about answers say nothing that `failed` does not say with the address.
        errors = [error for error in self.watched.errors if not error.startswith("Failed to load resource")]
        wrong = [*self.faults, *errors, *self.failed, *elsewhere]
        assert not wrong, wrong

    def claim(self) -> None:
        """Becomes the station's first admin."""
        self.open("/claim")
        self.write("[name=code]", self.track.claim_code)
        self.write("[name=name]", "Ruth")
        self.write("[name=pass_code]", PASSPHRASE)
        self.write("[name=again]", PASSPHRASE)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/claim" not in url)
        self.page.wait_for_load_state()

    def write(self, selector: str, words: str) -> None:
        """Types these words in place of what the field holds."""
        self.page.focus(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(words)

    def answer(self, words: str) -> None:
        expect(self.page.locator("#answer")).to_contain_text(words)

    def standings(self, *lines: str) -> None:
        """Race control shows these scores and names, in this order. A failure tells what both say."""
        rows = "[...document.querySelectorAll('#near tr')]"
        shown = f"{rows}.map(row => ['.near-score', '.near-name'].map(at => row.querySelector(at).innerText).join(' '))"
        try:
            self.page.wait_for_function(f"wanted => {shown}.join('|') === wanted", arg="|".join(lines))
        except PageTimeoutError:
            so = [(line.score_ms, line.racer) for line in self.track.rig.station.snapshot().standing]
            raise AssertionError(f"wanted {lines}, shown {self.page.evaluate(shown)}, at the station {so}") from None


class OperatorWithKeys(Official):
    """An operator who has a keyboard and nothing else."""

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def enter(self, name: str) -> None:
        """Presses Enter on the button of this name, which has to be one that can be pressed."""
        button = self.page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_enabled()
        button.press("Enter")

    def now(self, words: str, key: str) -> None:
        """Waits until this is what comes next, and presses its key."""
        button = self.page.locator(".controls-column .act:visible", has=self.page.get_by_text(words, exact=True))
        expect(button.first).to_be_visible()
        expect(button.first).not_to_have_attribute("aria-disabled", "true")
        self.press(key)

    def queue(self, racer: str) -> None:
        self.press("/")
        self.page.keyboard.type(racer)
        self.press("Enter")
        self.answer(f"{racer} queued")
        expect(self.page.locator("dialog[open]")).to_have_count(0)

    def race(self, *laps_s: float, missed: int = 0) -> None:
        """From the call to the result, which the station submits.

        `missed`: the gate does not see the end of this lap; what the station proposes is accepted.
        """
        self.now("Call next", "n")
        self.now("Open the run", "e")
        self.now("Start", "s")
        self.answer("driving")
        self.track.drive(*laps_s, missed=missed)
        if missed:
            expect(self.page.locator(".question:visible")).to_have_count(1)
            self.check("/operate with a question")
            self.press("y")
        expect(self.page.locator("#controls")).to_contain_text("It is submitted.")

    def rule(self, lap: int, key: str, *, typed: str = "", reason: str, effect: dict[str, str]) -> None:
        """On a run's page: chooses the lap and the ruling by keys, reads what it will do, and does it."""
        pick = self.page.get_by_role("button", name=f"Rule on lap {lap}", exact=True)
        pick.press("Enter")
        self.press(key)
        self.fill_in(typed, reason, effect)

    def fill_in(self, typed: str, reason: str, effect: dict[str, str]) -> None:
        form = self.page.locator("#ruling")
        expect(form).to_be_visible()
        if typed:
            self.page.keyboard.type(typed)
        for name, words in effect.items():
            expect(form.locator(f'[data-effect="{name}"]')).to_have_text(words)
        self.write("#ruling-reason", reason)
        self.press("Enter")
        self.answer("✓")
        expect(self.page.locator(".history li").first).to_contain_text(reason)


class OfficialWithPhone(Official):
    """An official with a phone: taps, and nothing that is wider than the screen."""

    def tap(self, name: str) -> None:
        """Taps on the button of this name."""
        self.page.get_by_role("button", name=name, exact=True).tap()

    def check(self, where: str) -> None:
        super().check(where)
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        if self.page.evaluate("document.documentElement.scrollWidth") > width:
            self.faults.append(f"{where}: wider than the phone")
