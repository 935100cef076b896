"""Overlay, commentator, lap chart and sound in a real browser: geometry, axe, what is drawn and what is sounded."""

import pathlib
import stat
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from station.views.event_view import RacerLine
from station.views.queue_view import QueueLine, QueueView
from station.views.trackside.announcements import Announcement
from station.views.trackside.commentary import CommentaryView, LapTime, RunLaps
from station.views.trackside.sectors import SectorView
from station.views.views import View
from tests.browser import violations
from tests.station.web.conftest import Served, serve
from tests.station.web.extreme_views import LONG, NAMES, SLOW_LAPS, SLOW_MS
from tests.station.web.pages.test_commentator import TOLD
from tests.station.web.sample_views import EMPTY, RUN, FakeStation
from tests.system.look.test_geometry import show

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def run(number: int, racer: str, laps: int) -> RunLaps:
    times = tuple(LapTime(lap, SLOW_MS - lap, lap % 7 != 0, held=lap % 14 == 0) for lap in range(1, laps + 1))
    return RunLaps(f"run-{number}", racer, 99, number == 7, number % 2 == 1, SLOW_MS, times)


SECTORS = tuple(
    SectorView(number, SLOW_MS * 1_000_000, level)  # type: ignore[arg-type]
    for number, level in enumerate(("best", "own", "slower", "unknown", "pending"), 1)
)
LONG_STORY = replace(
    LONG,
    run=replace(LONG.run, sectors=SECTORS, last_sectors=SECTORS),  # type: ignore[type-var]
    race=replace(LONG.race, best_lap_ns=SLOW_MS * 1_000_000, best_racer=NAMES[2]),  # type: ignore[type-var]
    commentary=CommentaryView(
        current=(run(7, NAMES[0], 60),),
        leaders=tuple(run(20 + number, racer, 9) for number, racer in enumerate(NAMES[:5])),
        histories=(tuple(run(40 + number, NAMES[0], 3) for number in range(8)),),
    ),
    queue=QueueView(tuple(QueueLine(name, place, LONG.clock.utc_ns, 400) for place, name in enumerate(NAMES, 1))),
    event=replace(
        LONG.event,
        racers=tuple(RacerLine(name, "", "", "", "", "", (), True, "", 0, "W" * 64) for name in NAMES),
    ),
    announcements=tuple(Announcement(n, "lap", f"{NAMES[n % 8]}, lap {n}: 9 minutes 59.999.", 0) for n in range(1, 13)),
)
STATES: dict[str, View] = {"empty": EMPTY, "usual": TOLD, "long": LONG_STORY}


@pytest.fixture(scope="module")
def shown(browser: Browser) -> Iterator[tuple[Served, Page]]:
    with contextmanager(serve)(FakeStation(TOLD)) as served:
        page = browser.new_page(color_scheme="dark", reduced_motion="reduce")
        yield served, page
        page.close()


@pytest.mark.parametrize("path", ["/commentator", "/chart", "/sound"])
def test_axe_finds_nothing_in_any_state(shown: tuple[Served, Page], path: str) -> None:
    served, page = shown
    page.goto(served.url + path)
    found: list[str] = []
    for view in STATES.values():
        show(served.station, page, view)
        found += violations(page)
    assert found == []


@pytest.mark.parametrize("part", ["all", "lower", "clock", "winner", "tower"])
def test_each_part_of_the_overlay_is_whole_in_the_safe_area(shown: tuple[Served, Page], part: str) -> None:
    served, page = shown
    page.goto(f"{served.url}/overlay?part={part}&bg=%23123456")
    found: list[str] = []
    slow = replace(LONG_STORY, run=replace(RUN, racer=NAMES[2], laps=SLOW_LAPS, score_ms=SLOW_MS, sectors=SECTORS))
    page.set_viewport_size({"width": 1920, "height": 1080})
    for view in (STATES | {"long": slow}).values():
        show(served.station, page, view)
        found += violations(page)
        found += page.evaluate(_OUTSIDE)
    assert found == []
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(18, 52, 86)"


_OUTSIDE = """() => [...document.querySelectorAll(".tower, .third, .winner-card")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.className, each.getBoundingClientRect()])
  .filter(([, box]) => box.left < 96 || box.top < 64 || box.right > 1920 - 96 || box.bottom > 1080 - 64)
  .map(([name]) => `outside the safe area: ${name}`)"""


def test_a_hostile_background_is_refused_and_the_default_is_transparent(shown: tuple[Served, Page]) -> None:
    served, page = shown
    for query in ("bg=red", "bg=%2300ff00;x", "bg=%22%3E%3Cscript%3E", "part=everything"):
        answer = requests.get(f"{served.url}/overlay?{query}", timeout=5)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/json"
    page.goto(f"{served.url}/overlay")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_the_chart_is_drawn_from_its_table_and_follows_it(shown: tuple[Served, Page]) -> None:
    served, page = shown
    page.goto(f"{served.url}/chart")
    show(served.station, page, EMPTY)
    expect(page.locator(".plot")).to_be_hidden()
    show(served.station, page, TOLD)
    expect(page.locator(".plot canvas")).to_have_count(1)
    expect(page.locator("tbody")).to_have_count(2)
    assert page.evaluate(_PAINTED) > 1000


_PAINTED = """() => {
  const canvas = document.querySelector(".plot canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, place) => place % 4 === 3 && value > 0).length;
}"""


# Sound


@pytest.fixture
def espeak(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in place of espeak-ng: it says the same short silence to everything."""
    with wave.open(str(tmp_path / "silence.wav"), "wb") as sound:
        sound.setparams((1, 2, 22050, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 220))
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\ncat {tmp_path}/silence.wav\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def announced(station: FakeStation, number: int, sentence: str, **changes: object) -> None:
    made = Announcement(number, "best", sentence, station.view.clock.now_ns)
    station.show(announcements=(*station.view.announcements, replace(made, **changes)))  # type: ignore[arg-type]


def set_mode(page: Page, url: str, mode: str) -> None:
    page.goto(f"{url}/sound")
    page.wait_for_selector('#link[data-state="live"]')
    page.check(f"[name=sound-mode][value={mode}]")


@pytest.fixture
def speaking(browser: Browser, espeak: None) -> Iterator[tuple[Served, Page, list[str]]]:
    """The page of the sound, and the sentences that it fetched from the station."""
    with contextmanager(serve)(FakeStation(replace(TOLD, announcements=()))) as served:
        page, fetched = browser.new_page(), list[str]()
        page.on("request", lambda request: fetched.append(request.url) if "/speech/" in request.url else None)
        yield served, page, fetched
        page.close()


def test_a_screen_without_a_voice_plays_what_the_station_renders(
    speaking: tuple[Served, Page, list[str]],
) -> None:
    served, page, fetched = speaking
    announced(served.station, 1, "Ann leads with 9.412.")  # before the page was opened: it is over
    page.goto(f"{served.url}/sound")
    expect(page.locator("#sound-engine")).to_have_text("This screen is silent.")
    page.wait_for_selector('#link[data-state="live"]')
    page.check("[name=sound-mode][value=voice]")
    expect(page.locator("#sound-engine")).to_contain_text("The station speaks (espeak-ng)")
    announced(served.station, 2, "Ben, lap 3: 9.300. The fastest lap of the race!")
    expect(page.locator("#sound-said")).to_have_text("Ben, lap 3: 9.300. The fastest lap of the race!")
    announced(served.station, 3, "Go!", kind="go", spoken=False)
    announced(served.station, 4, "Ben has finished with 9.300.", kind="end")
    expect(page.locator("#sound-said")).to_have_text("Ben has finished with 9.300.")
    assert [url.partition("/speech/")[2] for url in fetched] == ["2.wav?lang=en", "4.wav?lang=en"]
    page.check("[name=sound-mode][value=tones]")
    announced(served.station, 5, "Eve leads with 9.200.")
    expect(page.locator("#sound-engine")).to_have_text("Tones only.")
    page.wait_for_function("v => Number(document.body.dataset.version) >= v", arg=served.station.view.version)
    assert len(fetched) == 2


def test_the_choice_holds_for_the_next_page_and_the_public_page_is_silent_without_it(
    speaking: tuple[Served, Page, list[str]],
) -> None:
    served, page, _ = speaking
    page.goto(served.url)
    assert page.evaluate("sound.mode()") == "none"
    set_mode(page, served.url, "tones")
    page.goto(served.url)
    assert page.evaluate("sound.mode()") == "tones"


_VOICES = """voices => {
  const spoken = window.spoken = [];
  const synthesis = new EventTarget();
  synthesis.getVoices = () => voices;
  synthesis.cancel = () => {};
  synthesis.speak = (utterance) => { spoken.push(utterance.text); setTimeout(() => utterance.onend?.(), 0); };
  Object.defineProperty(window, "speechSynthesis", { value: synthesis });
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
}"""


@pytest.mark.parametrize("local", [True, False])
def test_only_a_voice_of_this_machine_speaks(speaking: tuple[Served, Page, list[str]], local: bool) -> None:
    served, page, fetched = speaking
    voices = f'[{{ name: "Anna", lang: "en-GB", localService: {str(local).lower()} }}]'
    page.add_init_script(f"({_VOICES})({voices})")
    set_mode(page, served.url, "voice")
    announced(served.station, 1, "Ann leads with 9.412.")
    expect(page.locator("#sound-said")).to_have_text("Ann leads with 9.412.")
    if local:
        expect(page.locator("#sound-engine")).to_have_text("This browser speaks, with the voice Anna.")
        assert (page.evaluate("window.spoken"), fetched) == (["Ann leads with 9.412."], [])
    else:
        expect(page.locator("#sound-engine")).to_contain_text("The station speaks (espeak-ng)")
        assert page.evaluate("window.spoken") == []


def test_without_any_voice_the_page_says_what_is_missing(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.speech.espeak.shutil.which", lambda _: None)
    with contextmanager(serve)(FakeStation(TOLD)) as served:
        page = browser.new_page()
        set_mode(page, served.url, "voice")
        expect(page.locator("#sound-engine")).to_contain_text("apt install espeak-ng")
        page.click("#sound-test")
        page.close()


def test_only_what_was_announced_is_spoken(espeak: None) -> None:
    with contextmanager(serve)(FakeStation(TOLD)) as served:
        addresses = {"1": 200, "test": 200, "2": 200, "99": 404, "..%2Fx": 404, "1.wav": 404}
        for number, status in addresses.items():
            answer = requests.get(f"{served.url}/api/v1/speech/{number}.wav?lang=en", timeout=5)
            assert answer.status_code == status, number
        assert requests.get(f"{served.url}/api/v1/speech/1.wav?lang=xx", timeout=5).status_code == 400
        assert requests.get(f"{served.url}/api/v1/sound", timeout=5).json() == {"languages": ["en", "de"]}
