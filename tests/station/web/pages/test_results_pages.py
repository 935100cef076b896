"""The results of a race in a browser and on paper, and the files that go along."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator

import pytest

from shared.web.drawing.sparkline import Sparkline
from station.views.results.race_results import RaceResults
from station.web.app import create_app
from station.web.pages.live.presenter import racer_key
from station.web.pages.results.presenter import results_model
from tests.browser import chromium, keep_picture, violations
from tests.geometry import look, sparklines
from tests.shared.web.test_error_pages import TestClient
from tests.station.exports.sample_results import NAMES, sample
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import cheap_access


def races() -> dict[str, RaceResults]:
    made = [
        sample(),
        dataclasses.replace(sample(1, official=False, base_ms=72_123), race_id="one"),
        dataclasses.replace(sample(9, official=False, base_ms=619_412), race_id="nine"),
        dataclasses.replace(sample(0, official=False), race_id="none", runs=(), track="Hall 3"),
    ]
    return {results.race_id: results for results in made}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    access = cheap_access(tmp_path_factory.mktemp("access"))
    return TestClient(create_app(FakeStation(results=races()), access))


@pytest.fixture(scope="module")
def shown() -> Iterator[Served]:
    yield from serve(FakeStation(results=races()))


def test_the_page_is_whole_without_scripts(client: TestClient) -> None:
    answer = client.get("/results/autumn-summit")
    assert answer.status_code == 200
    for words in (
        "Official results: declared by Ruth with Max, 5 March 2026, 15:13.",
        "Equal scores: the one set earlier ranks first.",
        "Times are certain to ±0.04 ms.",
        "Each off track adds 2 s to its lap.",
        "rules version 2",
        'viewBox="0 0 ',
        "=HYPERLINK(&#34;http://evil.example&#34;",
    ):
        assert words in answer.text
    assert "<script>" not in answer.text
    assert "style=" not in answer.text
    assert '<a href="/runs/run-1">' in answer.text
    assert "evidence.zip" not in answer.text  # it names people and devices: the referee hands it out


def test_the_page_speaks_the_readers_language(client: TestClient) -> None:
    answer = client.get("/results/autumn-summit", {"accept-language": "de"})
    assert '<html lang="de">' in answer.text
    assert "5. März 2026" in answer.text


@pytest.mark.parametrize(
    ("path", "kind", "first"),
    [
        ("places.csv", "text/csv; charset=utf-8", "\ufeffPlace,Username,"),
        ("laps.csv", "text/csv; charset=utf-8", "\ufeffRace ID,Username,"),
        ("laps.csv?columns=event-manager", "text/csv; charset=utf-8", "Race ID,Username,"),
        ("qr.svg", "image/svg+xml", "<svg "),
    ],
)
def test_files_to_take_along(client: TestClient, path: str, kind: str, first: str) -> None:
    answer = client.get(f"/results/autumn-summit/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.text.startswith(first)
    if kind.startswith("text/csv"):
        assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize("path", ["/results/nowhere", "/results/nowhere/laps.csv", "/results/nowhere/qr.svg"])
def test_a_race_that_is_not_there_is_said(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no race 'nowhere' here."}


def test_one_certificate_alone(client: TestClient) -> None:
    everybody = client.get("/results/autumn-summit/certificates").text
    one = client.get("/results/autumn-summit/certificates?place=2").text
    assert everybody.count("<article") == len(NAMES)
    assert one.count("<article") == 1


def test_the_laps_of_the_run_are_a_line_in_its_row(client: TestClient) -> None:
    """The first lap was slower, the next three make the score, and the last does not count."""
    [first, *_] = results_model(sample(), None).places
    assert first.sparkline == Sparkline("M3 3L13 17L23 16L33 17", "M13 17h0M23 16h0M33 17h0")
    answer = client.get("/results/autumn-summit").text
    assert answer.count('<svg class="sparkline" viewBox="0 0 64 20" aria-hidden="true">') == len(NAMES)
    assert f'<path d="{first.sparkline.line}"/><path class="marks" d="{first.sparkline.marks}"/>' in answer
    lines = client.get("/results/autumn-summit/lines.json").json()
    assert len(lines) == len(NAMES)
    assert lines[racer_key(NAMES[0])] == [first.sparkline.line, first.sparkline.marks]
    assert client.get("/results/nowhere/lines.json").json() == {}
    run = dataclasses.replace(sample().runs[0], laps=sample().runs[0].laps[:1])
    assert results_model(dataclasses.replace(sample(1), runs=(run,)), None).places[0].sparkline is None


@pytest.mark.browser
def test_results_and_certificates_on_the_screen_and_on_paper(shown: Served, tmp_path: pathlib.Path) -> None:
    found, pages = [], {}
    with chromium() as browser:
        for theme in ("dark", "light"):
            page = browser.new_context(color_scheme=theme).new_page()
            every = ("autumn-summit", "one", "nine", "none", "autumn-summit/certificates", "none/certificates")
            for path in every if theme == "dark" else ("autumn-summit",):
                page.goto(f"{shown.url}/results/{path}")
                name = path.replace("/", "-")
                found += [f"{name}, {theme}: {each}" for each in violations(page)]
                if theme == "dark":
                    page.pdf(path=tmp_path / f"{name}.pdf", prefer_css_page_size=True)
                    pages[name] = (tmp_path / f"{name}.pdf").read_bytes()
        page.goto(f"{shown.url}/results/autumn-summit")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.locator("summary").press("Enter")
        found += look(page, "results-laps")
        # On paper everything is black on white, whatever the theme, and what is folded away is there.
        page.emulate_media(media="print", color_scheme="dark")
        colours = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.documentElement).backgroundColor]"
        )
        assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        keep_picture(page, "results-paper")
        assert sparklines(page) == [len(NAMES), 0]
        page.emulate_media(media="screen")
        for width, lines in ((390, 0), (1280, len(NAMES))):
            page.set_viewport_size({"width": width, "height": 800})
            page.reload()
            assert sparklines(page) == [lines, 0]
    assert found == []
    assert paper(pages["autumn-summit"]) == {(595, 842)}
    assert paper(pages["autumn-summit-certificates"]) == {(842, 595)}
    assert pages["autumn-summit-certificates"].count(b"/Type /Page\n") == len(NAMES)


def paper(pdf: bytes) -> set[tuple[int, int]]:
    """The sizes of a document's pages, in points."""
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return {(round(float(width)), round(float(height))) for width, height in boxes}
