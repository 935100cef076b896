"""The stop of all cars over real HTTP: one request without a body, from a program or from a form without scripts."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from station.core.inputs import ReleaseStop, StopAll
from station.views.car_views import CarStopView, StopView
from station.views.command_answers import Accepted, Declined
from station.web.presenters.stop import stop_document, stop_panel
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import STOPPED, FakeStation

FORM = {"accept": "text/html,application/xhtml+xml", "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    yield from serve(FakeStation())


@pytest.fixture
def served(running: Served) -> Served:
    """One server for all tests of this file; each test finds the station as new."""
    running.station.commands.clear()
    running.station.answer = Accepted(413)
    running.station.show(stop=StopView())
    return running


def test_one_request_without_a_body_stops_all_cars(served: Served) -> None:
    answer = requests.post(f"{served.url}/api/v1/stop", timeout=60)
    document = answer.json()
    assert (answer.status_code, document["stopped"], served.station.commands) == (
        200,
        True,
        [StopAll(author="operator")],
    )
    sentences = {car["name"]: car["sentence"] for car in document["cars"]}
    assert sentences["car-1"] == "stopped: confirmed by the car itself, 0.2 s after the order"
    assert sentences["car-2"] == "ordered, not confirmed yet: it last reported driving"
    assert sentences["car-3"].startswith("not reached since ")
    assert sentences["car-4"] == "not reached: it has never reported"
    assert requests.get(f"{served.url}/api/v1/stop", timeout=60).json() == document


def test_only_its_own_word_makes_a_car_stopped() -> None:
    lines = stop_panel(STOPPED).lines
    assert [line.sign for line in lines] == ["✓", "▲", "✕", "✕"]


@pytest.mark.parametrize(("car", "words"), [
    (CarStopView("car-1", "unreached", "driving", None, 0, "0123456789abcdef"),
     "ab) is silent and last reported driving"),
    (CarStopView("car-1", "ordered", "ready", other_boot="b"),
     "a second machine with its name (boot b) last reported ready"),
])  # fmt: skip
def test_which_machine_of_the_name_it_is_is_said(car: CarStopView, words: str) -> None:
    [line] = stop_panel(replace(STOPPED, cars=(car,))).lines
    assert line.sentence.endswith(words)


@pytest.mark.parametrize(("stop", "words"), [
    (replace(STOPPED, cars=()), "This station knows no car, so no order was sent."),
    (replace(STOPPED, connected=False), "no order reaches a car; without a lease a car stops within 0.5 s"),
    (STOPPED, "no car gets a lease until the stop is released"),
])  # fmt: skip
def test_what_is_so_is_said(stop: StopView, words: str) -> None:
    assert words in str(stop_document(stop)["sentence"])


def test_the_short_line_names_the_worst_first() -> None:
    short = stop_document(STOPPED)["summary"]
    assert short == "NOT REACHED: car-3, car-4. Not confirmed yet: car-2. 1 of 4 cars confirm that they stopped."
    assert stop_document(replace(STOPPED, cars=()))["summary"].startswith("All cars are stopped. This station")  # type: ignore[attr-defined]


def test_a_form_without_a_script_gets_a_page(served: Served) -> None:
    answer = requests.post(f"{served.url}/api/v1/stop", data="", headers=FORM, timeout=60)
    assert answer.headers["content-type"].startswith("text/html")
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    for words in ("All cars were stopped by operator", "car-3", "not reached since", 'url=/stop"'):
        assert words in answer.text
    served.station.show(stop=StopView())
    assert "No stop is in force." in requests.get(f"{served.url}/stop", timeout=60).text


@pytest.mark.parametrize("path", ["/operate", "/gates"])
def test_the_button_is_on_every_officials_page_and_needs_no_script(served: Served, path: str) -> None:
    answer = requests.get(served.url + path, timeout=60)
    assert '<form id="stop-bar" class="stop-bar" method="post" action="/api/v1/stop"' in answer.text
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "form-action 'none'" in requests.get(served.url, timeout=60).headers["content-security-policy"]


@pytest.mark.parametrize("headers", [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
])  # fmt: skip
@pytest.mark.parametrize("path", ["/api/v1/stop", "/api/v1/stop/release"])
def test_another_page_may_not(served: Served, path: str, headers: dict[str, str]) -> None:
    answer = requests.post(served.url + path, headers=headers, timeout=60)
    assert (answer.status_code, served.station.commands) == (403, [])


def test_only_officials_may(served_elsewhere: Served) -> None:
    answer = requests.post(f"{served_elsewhere.url}/api/v1/stop", timeout=60)
    assert (answer.status_code, served_elsewhere.station.commands) == (401, [])


def test_a_body_that_never_comes_holds_nothing_up(served: Served) -> None:
    head = f"POST /api/v1/stop HTTP/1.1\r\nhost: 127.0.0.1:{served.port}\r\ncontent-length: 5000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 5) as connection:
        connection.settimeout(10)
        connection.sendall(head.encode())
        assert b" 200 " in connection.recv(4096)
    assert served.station.commands == [StopAll(author="operator")]


def test_who_stopped_is_who_is_signed_in_whatever_the_request_says(served: Served) -> None:
    requests.post(f"{served.url}/api/v1/stop?author=Mallory", timeout=60)
    assert served.station.commands == [StopAll(author="operator")]


def test_the_release_is_a_command_and_its_refusal_is_told(served: Served) -> None:
    served.station.show(stop=STOPPED)
    assert requests.post(f"{served.url}/api/v1/stop/release?author=Ruth", timeout=60).status_code == 200
    assert served.station.commands == [ReleaseStop(author="operator")]
    served.station.answer = Declined("All cars were stopped again.")
    answer = requests.post(f"{served.url}/api/v1/stop/release", timeout=60)
    assert (answer.status_code, answer.json()) == (409, {"error": "All cars were stopped again."})
