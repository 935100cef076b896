"""A LIVE final of four in the simulator, in a real browser: launched by an official, driven by a runner, and watched.

Then two of them against each other, in one world.

The first model is driven in its child, as a stranger's is; the others here. Time passes as fast as they are driven.
"""

import dataclasses
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from tests.leaderboard.sample_races import race
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

    def drive(self, name: str, looks: Mapping[float, Callable[[], None]], race_id: str = "cup") -> None:
        """Drive the turn that is launched. `looks`: what is done at this second of the run."""
        live = LiveRaces(self.served.board.store, MemoryFeeds())
        on_track = live.state(race_id, self.passing.utc_ns).queue.on_track
        assert on_track is not None
        assert on_track.names == name
        self.passing.began_ns = on_track.starts_utc_ns or 0

        def set_speed() -> None:
            live.set_speed(ADMIN, race_id, self.passing.utc_ns, SPEEDS.get(name, 100))

        self.passing.at_run_s = {0.5: set_speed, **looks}
        assert self.runner.next_turn() == 0.0
        assert self.passing.at_run_s == {}


@pytest.fixture(scope="module")
def final(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Final]:
    folder, passing = tmp_path_factory.mktemp("final"), PassingTime()
    rules = RaceRules(method="average", consecutive_laps=1, max_laps=1, off_track_penalty_s=2.0)
    shown = {"live": True, "track": "reinvent_base", "rules": rules, "name": "Final of the Winter Cup"}
    with served_race(folder, lambda: passing.utc_ns, **shown) as served:
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
    final.drive("Ada", {3.0: early, 10.0: late})
    expect(show.locator(".short-list .name").first).to_have_text("Ada")
    final.runner.begin = Here
    for name, looks in (("Kenji", {2.0: faster}), ("Zoë", {}), ("Tom", {})):
        launched(name)
        final.drive(name, looks)
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


def _race_of_heats(final: Final) -> str:
    """A LIVE race of the type head to head, with what the first two submitted."""
    store, first = final.served.board.store, final.served.newest()
    rules = RaceRules(method="average", consecutive_laps=1, max_laps=1, off_track_penalty_s=2.0)
    made = race("duel", venue="virtual", race_type="head_to_head", live=True, track="reinvent_base", rules=rules)
    final.served.board.create_race(made, final.passing.utc_ns)
    conditions = b'{"profile": "physical", "race_type": "head_to_head", "laps": 1}'
    RaceConditions(store, lambda _race: None).set(ADMIN, "duel", conditions, final.passing.utc_ns)
    with store.write() as db:
        for number, name in enumerate(("Ada", "Kenji"), 1):
            entry = {"race_id": "duel", "racer": name.lower(), "name": name, "entered_utc_ns": number}
            db.execute(ENTRIES.insert(), entry | {"account_id": f"account-{number}"})
            submitted = dataclasses.replace(
                first,
                submission_id=f"duel{number}",
                race_id="duel",
                account_id=f"account-{number}",
                racer=name.lower(),
                request_id="",
            )
            submission_rows.add(db, submitted, submitted.account_id)
    return "duel"


def test_two_drive_against_each_other_live(browser: Browser, final: Final) -> None:
    """The rival starts behind, and is faster by the official's hand."""
    live, race_id = LiveRaces(final.served.board.store, MemoryFeeds()), _race_of_heats(final)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.add_cookies([{"name": "raceday_league", "value": final.session, "url": final.served.url}])
    problems: list[str] = []
    pages = {name: context.new_page() for name in ("live-control", "broadcast")}
    for name, page in pages.items():
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{final.served.url}/races/{race_id}/{name}")
        page.wait_for_selector('[data-link="on"]', state="attached")
    control, show = pages.values()
    for name in ("Ada", "Kenji"):
        control.locator("#racer").fill(name.lower())
        control.get_by_role("button", name="Add to the queue").press("Enter")
        expect(control.locator(".turn", has_text=name)).to_have_count(1)
    control.get_by_role("button", name="Pair all who wait alone").press("Enter")
    expect(control.locator(".turn .name")).to_have_text(["Ada – Kenji"])
    control.keyboard.press("Alt+l")
    expect(show.locator(".on-both")).to_contain_text("Kenji")
    expect(control.locator(".whose input")).to_have_count(3)

    def faster() -> None:
        control.get_by_role("radio", name="Kenji").check()
        control.locator("#percent").evaluate(
            "slider => { slider.value = 125; slider.dispatchEvent(new Event('change', {bubbles: true})); }"
        )
        expect(control.locator('[data-racer="kenji"]')).to_have_text("1.25")
        expect(control.locator('[data-racer="ada"]')).to_have_text("1.00")

    def ahead() -> None:
        expect(show.locator(".between")).to_contain_text("m ahead")
        expect(show.locator("[data-part=car] [data-x]")).to_have_count(2)
        expect(show.locator("rect[data-rival]")).to_have_attribute("visibility", "visible")
        expect(show.locator(".both-sectors .sector").first).to_contain_text("S1")
        shot(show, "heat-wide")
        shot(control, "heat-control")

    final.runner.begin = IsolatedLiveRun
    final.drive("Ada – Kenji", {1.0: faster, 8.0: ahead}, race_id)
    heat = live.state(race_id, final.passing.utc_ns).queue.items[0]
    assert heat.state == "done"
    first, second = ("Ada", "Kenji") if heat.ahead == "ada" else ("Kenji", "Ada")
    expect(control.locator(".turn").first).to_contain_text(f"{first} wins: first over the line")
    assert {row.placed.racer for row in final.served.board.snapshot(race_id).rows} == {"ada", "kenji"}
    control.get_by_role("button", name=f"Declare {first} the winner").press("Enter")
    expect(control.locator(".winner-line")).to_contain_text(first)
    show.goto(f"{final.served.url}/races/{race_id}/podium")
    expect(show.locator(".step-1 .name")).to_contain_text(first)
    expect(show.locator(".step-2 .name")).to_contain_text(second)
    assert problems == []
    context.close()
