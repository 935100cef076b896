"""Every page of the station in German: no English sentence of the catalogue is left on any, whatever it shows."""

from dataclasses import replace

import pytest
import requests

from shared.text.reader import reading
from station.views.views import View
from station.web.pages.registry import PAGES, TOPICS
from station.web.render import Pages
from tests.english_left import english_left, texts_of
from tests.station.web.conftest import Served
from tests.station.web.operate_views import OVER, QUEUED
from tests.station.web.sample_views import EMPTY, FULL_GATE, SPLIT, STOPPED, TESTING, TOGETHER, TROUBLE, VIEW

VIEWS = {
    "view": VIEW,
    "empty": EMPTY,
    "trouble": TROUBLE,
    "together": TOGETHER,
    "testing": TESTING,
    "gates": replace(VIEW, gates=(FULL_GATE, SPLIT)),
    "stopped": replace(VIEW, stop=STOPPED),
    "queued": QUEUED,
    "over": OVER,
}


@pytest.fixture(scope="module")
def served(served_once: Served) -> Served:
    return served_once


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(PAGES, TOPICS)


@pytest.mark.parametrize("name", [page.name for page in PAGES if page.routes is None])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_no_english_is_left_on_a_german_page(pages: Pages, name: str, view: View) -> None:
    with reading("de"):
        document = pages.page(name, view)
    assert '<html lang="de">' in document
    assert english_left(texts_of(document), "de") == []


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_no_english_is_left_in_what_the_stream_sends(pages: Pages, topic: str, view: View) -> None:
    with reading("de"):
        rendered = pages.render(view, topic)
    drawn = [*rendered.parts.values(), *rendered.rows.values()]
    assert english_left([text for each in drawn for text in texts_of(each)], "de") == []


def test_answers_and_error_pages_are_in_the_readers_language(served: Served) -> None:
    german = {"accept-language": "de"}
    refused = requests.post(
        f"{served.url}/api/v1/commands", data="{", headers={**german, "content-type": "application/json"}, timeout=10
    )
    assert refused.json()["error"] == "Der Befehl ist kein JSON oder nennt etwas doppelt."
    missing = requests.get(f"{served.url}/nowhere", headers={**german, "accept": "text/html"}, timeout=10)
    assert '<html lang="de">' in missing.text
    assert "Nicht gefunden" in missing.text
    assert english_left(texts_of(missing.text), "de") == []
    stopped = requests.get(f"{served.url}/api/v1/stop", headers=german, timeout=10)
    assert stopped.json()["sentence"] == "Kein Stopp ist in Kraft."


@pytest.mark.parametrize("path", [page.path.replace("{race_id}", "race-1") for page in PAGES])
def test_no_english_is_left_on_a_page_with_addresses_of_its_own(served: Served, path: str) -> None:
    page = requests.get(served.url + path, headers={"accept-language": "de", "accept": "text/html"}, timeout=10)
    assert '<html lang="de"' in page.text
    assert english_left(texts_of(page.text), "de") == []
