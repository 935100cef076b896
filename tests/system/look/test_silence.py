"""A page whose machine falls silent shows it, on all three machines, and recovers by itself."""

import pathlib
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from leaderboard.live_stream import feed as leaderboard_live
from station.web.streaming import event_stream as station_live
from tests.conftest import ROOT
from tests.system.look.relay import Relay

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = [
    ("station", "/", "#laps .time", ("stopped", "held", "cut")),
    ("station", "/operate", ".near-score", ("held",)),
    ("station", "/gates", ".gate-figures dd", ("held",)),
    ("leaderboard", "/races/cup", "td.score", ("stopped", "cut")),
    ("car", "/", "#model", ("stopped", "cut")),
]


class Machine:
    """A machine's page in a process of its own, reached through a relay."""

    def __init__(self, name: str, folder: pathlib.Path) -> None:
        command = [sys.executable, "-m", "tests.system.look.serving", name, str(folder)]
        self.name = name
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = urlsplit(self.process.stdout.readline().strip())
        assert said.port is not None, "it did not begin"
        self.relay = Relay(said.port)
        self.code = said.query.removeprefix("code=")
        self.url = f"http://127.0.0.1:{self.relay.port}"

    def fall_silent(self, trouble: str) -> None:
        """Silences the machine. Stopped: the process is. Held: the connection is open, but idle. Cut: it is closed."""
        if trouble == "stopped":
            self.process.send_signal(signal.SIGSTOP)
        else:
            {"held": self.relay.hold, "cut": self.relay.cut}[trouble]()

    def speak(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.relay.mend()

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.relay.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Machine]]:
    started: dict[str, Machine] = {}

    def machine(name: str) -> Machine:
        if name not in started:
            started[name] = Machine(name, tmp_path_factory.mktemp(name))
        return started[name]

    yield machine
    for each in started.values():
        each.end()


@contextmanager
def watching(browser: Browser, machine: Machine, path: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(machine.url + path)
    try:
        yield page
    finally:
        machine.speak()
        context.close()


def test_a_word_comes_often_enough_and_silence_is_told_within_two_seconds() -> None:
    script = (ROOT / "shared/web/look/silence.js").read_text(encoding="utf-8")
    quiet_ms, check_ms = (
        int(value) for name in ("SILENT_AFTER_MS", "CHECK_EVERY_MS") for value in re.findall(rf"{name} = (\d+)", script)
    )
    assert quiet_ms + check_ms < 2000
    console = (ROOT / "vehicle/web/static/console.js").read_text(encoding="utf-8")
    asked_ms = [int(every) for every in re.findall(r"\b(?:POLL_MS|UNCLAIMED_POLL_MS) = (\d+)", console)]
    assert len(asked_ms) == 2
    for every_ms in (1000 * station_live.HEARTBEAT_S, 1000 * leaderboard_live._ALIVE_S, *asked_ms):
        assert every_ms <= 700
        assert 2 * every_ms < quiet_ms


def frames(page: Page, many: int = 30) -> list[str]:
    """What the clocks show, frame by frame."""
    said: list[str] = page.evaluate(
        """many => new Promise((done) => {
            const said = [];
            const look = () => {
                said.push([...document.querySelectorAll(".clock, .car-clock, .countdown")]
                    .map((e) => e.textContent).join("|"));
                said.length < many ? requestAnimationFrame(look) : done(said);
            };
            look();
        })""",
        many,
    )
    return said


def colour(page: Page, where: str) -> str:
    return str(page.locator(where).first.evaluate("e => getComputedStyle(e).color"))


def fresh_colour(page: Page, where: str) -> str:
    """The colour while the machine is not silent: a loaded machine may fall silent for a moment by itself."""
    said = page.wait_for_function(
        """where => document.getElementById("silence").textContent === "" && !("silent" in document.body.dataset)
            && getComputedStyle(document.querySelector(where)).color""",
        arg=where,
        timeout=30_000,
    )
    return str(said.json_value())


@pytest.mark.parametrize(("name", "path", "figure", "troubles"), PAGES)
def test_a_silent_machine_looks_silent_and_comes_back(
    browser: Browser,
    machines: Callable[[str], Machine],
    name: str,
    path: str,
    figure: str,
    troubles: tuple[str, ...],
) -> None:
    machine = machines(name)
    with watching(browser, machine, path) as page:
        if machine.code:
            page.get_by_label("Claim code").fill(machine.code)
            page.get_by_role("button", name="Claim").click()
        page.locator(figure).first.wait_for()
        fresh = fresh_colour(page, figure)
        for trouble in troubles:
            machine.fall_silent(trouble)
            looks_silent(page, figure, fresh, f"the {name}")
            machine.speak()
            assert fresh_colour(page, figure) == fresh
        if page.locator("#clock").count():
            was = page.inner_text("#clock")
            page.wait_for_function("was => document.getElementById('clock').textContent !== was", arg=was)


def looks_silent(page: Page, figure: str, fresh: str, whose: str) -> None:
    """Does the page look silent? A banner says since when, the clocks have stopped, and the figures are grey."""
    said = re.compile(rf"^✕ No data from {whose} since \d\d:\d\d:\d\d\. Grey values date from then\. \d+ s old$")
    expect(page.locator("#silence")).to_have_text(said)
    assert len(set(frames(page))) == 1
    assert colour(page, figure) == colour(page, ".from-machine") != fresh
    assert page.evaluate("document.getElementById('silence').clientWidth >= document.querySelector('main').clientWidth")


def test_a_car_that_nobody_claimed_is_told_too(browser: Browser, machines: Callable[[str], Machine]) -> None:
    machine = machines("car")
    with watching(browser, machine, "/") as page:
        expect(page.locator("#mode")).to_have_text("Not claimed")
        machine.fall_silent("stopped")
        expect(page.locator("#silence")).to_contain_text("No data from the car since")
        machine.speak()
        expect(page.locator("#mode")).to_have_text("Not claimed")
        expect(page.locator("#silence")).to_be_empty()
