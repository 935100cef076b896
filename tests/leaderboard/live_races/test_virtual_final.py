"""A LIVE final of four in the simulator, in a real browser: launched by an official, driven by a runner, and watched.

The first model is driven in its child, as a stranger's is; the others here. Time passes as fast as they are driven.
"""

import dataclasses
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect

from leaderboard.accounts.keys import ApiKeys
from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.core.access import ADMIN, Grant
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.live_races.feeds import MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import ENTRIES
from raceday.submitting.submit import main as submit
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S
from simulator.driving.policy import find_model
from simulator.farm.live_runner import LiveRunner
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.entrant import RacingModel
from simulator.virtual_races.live.child import IsolatedLiveRun, LiveJob, LiveReport, live_report
from simulator.virtual_races.live.live_picture import LivePicture
from simulator.virtual_races.live.live_run import LiveRun
from simulator.virtual_races.warm_up import compile_engine
from tests.leaderboard import signed_in
from tests.leaderboard.submissions.serving import ServedRace, served_race

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SPEEDS = {"Ada": 100, "Kenji": 115, "Zoë": 90, "Tom": 105}  # the multiplier that each sets
DEMO = find_model("demo").parent


@dataclass
class PassingTime:
    """The time of leaderboard and runner: it passes when the runner waits. `at_run_s`: what is looked at in a run."""

    utc_ns: int = field(default_factory=time.time_ns)
    began_ns: int = 0
    at_run_s: dict[float, Callable[[], None]] = field(default_factory=dict)

    def now_ns(self) -> int:
        return self.utc_ns

    def wait_until(self, at_ns: int) -> None:
        due = [second for second in self.at_run_s if self.began_ns and at_ns - self.began_ns >= second * NS_PER_S]
        for second in due:
            self.at_run_s.pop(second)()
        self.utc_ns = max(self.utc_ns, at_ns)


class Here:
    """A LIVE run in this process."""

    def __init__(self, job: LiveJob) -> None:
        models = tuple(RacingModel(DEMO, job.conditions.profile) for _ in range(job.cars))
        self._run = LiveRun(job.conditions, job.seed, models, job.run_ms)

    def advance(self, run_ns: int, speed_percents: Sequence[int]) -> LivePicture:
        return self._run.advance(run_ns, speed_percents)

    def finish(self) -> LiveReport:
        return live_report(self._run.finish(), 0.5)

    def close(self) -> None:
        """Nothing is left of it."""


@dataclass
class Final:
    """The final: the leaderboard, its clock, and the runner. `session`: the official's."""

    served: ServedRace
    passing: PassingTime
    runner: LiveRunner
    session: str

    def drive(self, name: str, **looks: Callable[[], None]) -> None:
        """Drive the turn that is launched."""
        live = LiveRaces(self.served.board.store, MemoryFeeds())
        on_track = live.state("cup", self.passing.utc_ns).queue.on_track
        assert on_track is not None
        assert on_track.name == name
        self.passing.began_ns = on_track.starts_utc_ns or 0
        self.passing.at_run_s = {
            0.5: lambda: _set_speed(live, self.passing.utc_ns, SPEEDS[name]),
            **{float(second.removeprefix("s").replace("_", ".")): look for second, look in looks.items()},
        }
        assert self.runner.next_turn() == 0.0
        assert self.passing.at_run_s == {}


def _set_speed(live: LiveRaces, now_utc_ns: int, percent: int) -> None:
    live.set_speed(ADMIN, "cup", now_utc_ns, percent)


@pytest.fixture(scope="module")
def final(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Final]:
    folder, passing = tmp_path_factory.mktemp("final"), PassingTime()
    rules = RaceRules(method="average", consecutive_laps=1, max_laps=1, off_track_penalty_s=2.0)
    race = {"live": True, "track": "reinvent_base", "rules": rules, "name": "Final of the Winter Cup"}
    with served_race(folder, lambda: passing.utc_ns, **race) as served:
        store = served.board.store
        RaceConditions(store, lambda _race: None).set(ADMIN, "cup", b'{"profile": "physical"}', passing.utc_ns)
        words = [str(DEMO), "--race", "cup", "--server", served.url, "--key", served.key, "--no-wait"]
        assert submit(words) == 0
        _bring_the_others(served)
        official = signed_in.account(store, "oda", Grant("official"))
        with store.write() as db:
            session = open_session(db, official, "a test", passing.utc_ns, SessionPeriods()).token
        key = ApiKeys(store).create(ADMIN, "Farm", {"farm"}, (), None, passing.utc_ns).key
        (folder / "cache").mkdir()
        compile_engine()  # as `raceday live` does before it asks for turns
        server = FarmServer(served.url, key, folder / "cache")
        yield Final(served, passing, LiveRunner(server, "hall", print, passing, IsolatedLiveRun), session)


def _bring_the_others(served: ServedRace) -> None:
    """Three more racers who have submitted the same model."""
    first = served.newest()
    with served.board.store.write() as db:
        for number, name in enumerate(list(SPEEDS)[1:], 2):
            racer = name.lower()
            entry = {"race_id": "cup", "racer": racer, "name": name, "entered_utc_ns": number}
            db.execute(ENTRIES.insert(), entry | {"account_id": f"account-{number}"})
            made = dataclasses.replace(
                first, submission_id=f"sub{number}", account_id=f"account-{number}", racer=racer, request_id=""
            )
            submission_rows.add(db, made, made.account_id)


def shot(page: Page, name: str) -> None:
    """Its picture, for whoever looks at it: RACEDAY_PICTURES names the folder."""
    if folder := os.environ.get("RACEDAY_PICTURES"):
        page.screenshot(path=pathlib.Path(folder) / f"live-{name}.png")


def test_a_final_of_four_is_driven_live_and_watched(browser: Browser, final: Final) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "raceday_league", "value": final.session, "url": final.served.url}])
    problems: list[str] = []
    pages = {name: context.new_page() for name in ("live-control", "broadcast")}
    for name, page in pages.items():
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{final.served.url}/races/cup/{name}")
        page.wait_for_selector('[data-link="on"]', state="attached")
    control, show = pages.values()
    control.get_by_role("button", name="Add all who are entered").press("Enter")
    expect(control.locator(".turn")).to_have_count(4)

    def launched(name: str) -> None:
        expect(control.locator("[data-launch]")).to_be_visible()  # the last run is over here too
        control.keyboard.press("Alt+l")
        expect(control.locator(".now-name")).to_have_text(name)
        expect(show.locator(".on-name")).to_have_text(name)

    def early() -> None:
        expect(show.locator(".label").first).to_contain_text("driving")
        expect(show.locator(".on-figures")).to_contain_text("m/s")
        expect(control.locator(".silent-track")).to_have_count(0)

    def late() -> None:
        expect(show.locator(".sector").first).to_contain_text("◆P")
        expect(show.locator("[data-part=car] [data-x]")).to_have_count(1)
        shot(show, "wide")
        shot(control, "control")
        show.set_viewport_size({"width": 360, "height": 740})
        shot(show, "phone")
        show.set_viewport_size({"width": 1280, "height": 800})

    def faster() -> None:
        expect(show.locator(".on-figures small")).to_have_text("×1.15")
        expect(control.locator("[data-now-speed]")).to_have_text("×1.15")

    launched("Ada")
    final.drive("Ada", s3=early, s10=late)
    expect(show.locator(".short-list .name").first).to_have_text("Ada")
    final.runner.begin = Here
    for name, looks in (("Kenji", {"s2": faster}), ("Zoë", {}), ("Tom", {})):
        launched(name)
        final.drive(name, **looks)
    rows = final.served.board.snapshot("cup").rows
    scores = {row.placed.racer: row.placed.score_ms for row in rows}
    assert scores.keys() == {"ada", "kenji", "zoë", "tom"}
    assert scores["kenji"] < scores["ada"] < scores["zoë"]
    winner = next(name for name in SPEEDS if name.lower() == rows[0].placed.racer)
    control.get_by_role("button", name=f"Declare {winner} the winner").press("Enter")
    expect(control.locator(".winner-line")).to_contain_text(winner)
    show.goto(f"{final.served.url}/races/cup/podium")
    expect(show.locator(".step-1 .name")).to_contain_text(winner)
    shot(show, "podium")
    assert problems == []
    context.close()
