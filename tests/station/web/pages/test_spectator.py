"""The page for everybody at the track, and racers' own pages: on a phone first, by thumb or keyboard."""

from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from playwright.sync_api import Browser, Page, expect

from station.views.event_view import EventView, RacerLine
from station.views.queue_view import QueueLine, QueueView
from station.views.race_views import StandingLine
from station.views.views import View
from station.web.app import create_app
from station.web.pages.live.presenter import racer_key, spectator_model
from station.web.pages.racer.presenter import racer_model
from tests.browser import Watched, chromium, count_work, violations, work_of
from tests.shared.web.test_error_pages import TestClient
from tests.station.exports.sample_results import NAMES, sample
from tests.station.web.conftest import Served, serve
from tests.station.web.extreme_views import LONG, names
from tests.station.web.sample_views import EMPTY, RUN, TOGETHER, VIEW, FakeStation, S
from tests.station.web.signed_in import cheap_access

MINUTE = 60 * S
WAITING = tuple(
    QueueLine(racer, place, VIEW.clock.utc_ns + (place * 5 - 3) * MINUTE, late, called=place == 1)
    for place, (racer, late) in enumerate((("Ada Lovelace", 0), ("Grace Hopper", 4), ("Alan Turing", 61)), 1)
)
ENTRY = RacerLine('Ada, the "Countess"', "GB", "Analytical", "#ff0000", "apex-v3", "car-1", ("4711",), True, "K7QX2", 2)
SHOWN = replace(VIEW, queue=QueueView(WAITING, VIEW.clock.utc_ns, 4 * MINUTE), event=EventView(racers=(ENTRY,)))


def many(count: int) -> View:
    """A view with this many places."""
    places = tuple(StandingLine(n, name, 9_000 + n, n - 1, 1, False, 2, "") for n, name in enumerate(names(count), 1))
    waits = tuple(QueueLine(name, n, VIEW.clock.utc_ns + n * MINUTE, 5) for n, name in enumerate(names(count), 1))
    return replace(SHOWN, standing=places, queue=QueueView(waits, VIEW.clock.utc_ns, MINUTE))


STATES = {"": SHOWN, "empty": EMPTY, "one": many(1), "hundreds": many(200), "cars": TOGETHER, "long": LONG}


def station() -> FakeStation:
    results = {"race-1": replace(sample(official=False), race_id="race-1")}
    return FakeStation(SHOWN, results=results)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return TestClient(create_app(station(), cheap_access(tmp_path_factory.mktemp("access"))))


@pytest.fixture(scope="module")
def shown() -> Iterator[Served]:
    yield from serve(station())


def test_rows_are_keyed_by_the_racer_whatever_the_place() -> None:
    before = spectator_model(SHOWN)
    after = spectator_model(
        replace(SHOWN, standing=tuple(replace(each, rank=7 - each.rank) for each in SHOWN.standing[::-1]))
    )
    assert {row.line.racer: row.key for row in before.places} == {row.line.racer: row.key for row in after.places}
    assert racer_key("  ADA lovelace") == racer_key("Ada Lovelace")


def test_the_queue_says_when_and_how_late() -> None:
    rows = spectator_model(SHOWN).waiting
    assert [(row.minutes, row.late) for row in rows] == [
        ("now", ""),
        ("in 7 minutes", "4 minutes late"),
        ("in 12 minutes", "61 minutes late"),
    ]


def test_a_racers_page_says_what_beats_the_place(client: TestClient) -> None:
    page = client.get(f"/results/race-1/racers/{NAMES[3]}").text
    assert "behind TheFastAndTheCurious_RacingTeam_BLR_2026 (3rd); less than 9.655 takes that place." in page
    assert "The same score as" in client.get(f"/results/race-1/racers/{NAMES[2]}").text
    assert "You lead." in client.get("/results/race-1/racers/grace HOPPER").text
    assert client.get("/results/race-1/racers/Nobody").status_code == 404


def test_a_racers_own_page_shows_what_is_on_file_to_whoever_has_the_code(client: TestClient) -> None:
    own = client.get("/r/k7qx2").text
    assert "4711" in own
    assert "Certificate" in own
    assert "4711" not in client.get('/results/race-1/racers/Ada, the "Countess"').text
    assert client.get("/r/K7QX2/qr.svg").text.startswith("<svg")
    for code in ("AAAAA", "\0", "K7QX2 K7QX2"):
        assert client.get(f"/r/{code}").status_code == 404
    assert "K7QX2" not in client.get("/").text


def test_a_racers_own_page_holds_the_other_races_of_the_event_and_what_the_run_is_worth() -> None:
    now = replace(sample(official=False), race_id="race-1")
    friday = replace(sample(3), race_id="friday", name="Friday")
    nobody = replace(sample(0), race_id="empty", runs=())
    racing = replace(SHOWN, run=replace(RUN, racer="grace HOPPER"), standing=SHOWN.standing[1:])
    entry = replace(ENTRY, alias="Grace Hopper")
    model = racer_model(now, racing, "Grace Hopper", entry, (nobody, friday))
    assert [(race.name, race.place, race.score, race.official) for race in model.others] == [
        ("Friday", 1, "9.412", True)
    ]
    assert model.others[0].certificate == "/results/friday/certificates?place=1"
    assert [run.run_id for run in model.others[0].runs] == ["run-1"]
    assert model.worth == "would be 4th, +0.754 · needs 2 laps of 9.687 to lead"
    assert racer_model(now, SHOWN, NAMES[3]).worth == ""
    assert racer_model(friday, racing, "Grace Hopper").worth == ""  # it is another race's run


def test_results_without_a_race_id_lead_to_the_race_that_is_on(client: TestClient) -> None:
    answer = client.get("/results")
    assert (answer.status_code, answer.headers["location"]) == (303, "/results/race-1")


def show(served: Served, page: Page, view: View) -> None:
    served.station.show(**{part.name: getattr(view, part.name) for part in fields(view) if part.name != "version"})
    page.wait_for_function("v => Number(document.body.dataset.version) >= v", arg=served.station.view.version)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.mark.browser
def test_axe_finds_nothing_in_any_tab(shown: Served, browser: Browser) -> None:
    found: list[str] = []
    page = browser.new_context(color_scheme="light", viewport={"width": 390, "height": 844}).new_page()
    page.goto(shown.url)
    page.wait_for_selector('#link[data-state="live"]')
    for state in ("", "cars"):
        show(shown, page, STATES[state])
        for tab in ("board", "run", "queue", "me"):
            page.evaluate("tab => { location.hash = tab; }", tab)
            found += [f"{tab}, {state}: {each}" for each in violations(page)]
    show(shown, page, SHOWN)
    for path in ("/r/K7QX2", f"/results/race-1/racers/{NAMES[2]}"):
        page.goto(shown.url + path)
        found += violations(page)
    # The open page follows what has changed, and says so when the station does not answer.
    page.goto(f"{shown.url}/results/race-1/racers/{NAMES[0]}")
    shown.station.results["race-1"] = replace(sample(1, official=False), race_id="race-1")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("main")).to_contain_text("of 1 racer")
    page.route("**/racers/**", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".stale")).to_be_visible()
    shown.station.results["race-1"] = replace(sample(official=False), race_id="race-1")
    assert found == []


@pytest.mark.browser
def test_a_racer_is_followed_by_keyboard_and_stays_followed(shown: Served, browser: Browser) -> None:
    watched = Watched(browser.new_context(viewport={"width": 390, "height": 844}).new_page())
    page = watched.open(shown.url)
    page.get_by_role("button", name="Follow Alan Turing").press("Enter")
    expect(page.locator(".place-row.mine .name")).to_have_text("Alan Turing")
    page.locator(".place-row .gap").nth(1).click()  # by a tap, and by the button
    expect(page.locator("#gap-kind")).to_have_text("Interval")
    page.locator("#gap-kind").press("Enter")
    expect(page.locator("#gap-kind")).to_have_text("Gap")
    page.locator("#gap-kind").press("Enter")
    expect(page.locator("#gap-kind")).to_have_text("Interval")
    page.get_by_role("link", name="Me").press("Enter")
    expect(page.locator("#followed-name")).to_have_text("Alan Turing")
    expect(page.locator("#followed-words")).to_contain_text("61 minutes late")
    expect(page.locator("#board")).to_be_hidden()
    page.reload()
    page.get_by_role("link", name="Board").click()
    expect(page.locator(".place-row.mine .name")).to_have_text("Alan Turing")
    # The row is the same element at its new place, and the star stays.
    swapped = (SHOWN.standing[2], SHOWN.standing[1], SHOWN.standing[0], *SHOWN.standing[3:])
    show(shown, page, replace(SHOWN, standing=tuple(replace(line, rank=n) for n, line in enumerate(swapped, 1))))
    first = page.locator(".place-row").first
    expect(first).to_contain_text("Alan Turing")
    expect(first.locator(".star")).to_have_attribute("aria-pressed", "true")
    show(shown, page, SHOWN)
    assert watched.errors == []


@pytest.mark.browser
def test_all_parts_are_readable_without_scripts(shown: Served, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
    page.goto(shown.url)
    for words in ("Grace Hopper", "9.588", "in 7 minutes", "All results"):
        # Rows are drawn with the first frame (content-visibility), and what is not drawn is no inner text.
        expect(page.locator("main")).to_contain_text(words, use_inner_text=True)
    assert page.locator(".star").first.is_hidden()


@pytest.mark.browser
def test_an_update_of_200_rows_touches_what_changed_and_measures_nothing(shown: Served, browser: Browser) -> None:
    view = many(200)
    last = view.standing[-1]
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    shown.station.show(standing=view.standing, queue=view.queue)
    page.goto(shown.url)
    page.wait_for_selector('#link[data-state="live"]')
    lines = page.locator("#places .sparkline")
    expect(lines).to_have_count(1)
    count_work(page, "#places")
    third = replace(view.standing[2], score_ms=9_777)
    show(shown, page, replace(view, standing=(*view.standing[:2], third, *view.standing[3:])))
    expect(page.locator(".place-row .score").nth(2)).to_have_text("9.777")
    assert work_of(page) == {"changes": ["9.777"], "moved": [], "measured": 0}
    # The last takes the lead: one row moves, and those in sight are drawn before those that nobody sees.
    led = (replace(last, score_ms=8_000), *view.standing[:-1])
    show(shown, page, replace(view, standing=tuple(replace(line, rank=n) for n, line in enumerate(led, 1))))
    first = page.locator(".place-row").first
    expect(first.locator(".name")).to_have_text(last.racer)
    expect(first.locator(".rank")).to_have_text("1")
    assert work_of(page)["moved"] == [racer_key(last.racer)]
    ranks = "[...document.querySelectorAll('.place-row .rank')]"
    page.wait_for_function(f"() => {ranks}.every((rank, place) => rank.textContent === String(place + 1))")
    work_of(page)
    show(shown, page, view)  # the leader falls to the last place: again one row moves
    expect(page.locator(".place-row").first.locator(".name")).to_have_text(view.standing[0].racer)
    assert work_of(page)["moved"] == [racer_key(last.racer)]
    show(shown, page, SHOWN)
    # Her laps are a line in her row, which no update draws again, and which a phone does not ask for.
    page.goto(shown.url)
    expect(lines).to_have_count(1)
    assert page.locator(f"#{racer_key(NAMES[0])} .sparkline .marks").get_attribute("d") == "M13 17h0M23 16h0M33 17h0"
    count_work(page, "#places")
    faster = tuple(replace(line, score_ms=9_123) if line.racer == NAMES[0] else line for line in SHOWN.standing)
    show(shown, page, replace(SHOWN, standing=faster))
    expect(page.locator(f"#{racer_key(NAMES[0])} .score")).to_have_text("9.123")
    assert work_of(page) == {"changes": ["9.123"], "moved": [], "measured": 0}
    expect(lines).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    watched = Watched(page)
    watched.open(shown.url)
    assert not any(address.endswith("/lines.json") for address in watched.requests)
    show(shown, page, SHOWN)
