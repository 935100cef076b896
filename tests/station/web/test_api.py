"""The API and its access checks over real HTTP: a refusal is one sentence, and nothing refused reaches the station."""

import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from shared.errors import Refused, StorageError
from shared.web.security import is_allowed_host
from station.core.inputs import OpenRun, OrderCar, VoidLap
from station.views.command_answers import Accepted, Declined
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import FakeStation

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    yield from serve(FakeStation())


@pytest.fixture
def served(running: Served) -> Served:
    """One server for all tests of this file; each test finds the station as new."""
    running.station.__dict__.pop("submit", None)
    running.station.commands.clear()
    running.station.answer = Accepted(413, "run-7")
    return running


def command(served: Served, body: object, **headers: str) -> requests.Response:
    return requests.post(f"{served.url}/api/v1/commands", json=body, headers=headers, timeout=60)


def test_the_state_is_the_view(served: Served) -> None:
    state = requests.get(f"{served.url}/api/v1/state", timeout=60).json()
    assert state["version"] == 1
    assert state["run"]["racer"] == "Ada Lovelace"
    assert state["run"]["laps"][5]["lap_ns"] == 9_588_000_000
    assert state["race"]["rules"]["consecutive_laps"] == 3


def test_a_command_is_done_and_answered(served: Served) -> None:
    answer = command(served, {"command": "void_lap", "number": 3, "reason": "cut the corner", "author": "Ruth"})
    assert (answer.status_code, answer.json()) == (200, {"accepted": True, "seq": 413, "run_id": "run-7"})
    assert served.station.commands == [
        VoidLap(author="operator", reason="cut the corner", number=3)
    ]  # who is signed in


def test_opening_a_run_answers_its_id(served: Served) -> None:
    served.station.answer = Accepted(7, "run-8")
    answer = command(served, {"command": "open_run", "racer": "Ada", "car": "car-1", "throttle_percent": 60})
    assert answer.json()["run_id"] == "run-8"
    assert served.station.commands == [OpenRun(author="operator", racer="Ada", car="car-1", throttle_percent=60)]


@pytest.mark.parametrize(
    ("says", "status", "sentence"),
    [
        (Declined("A run is on the track already."), 409, "A run is on the track already."),
        (Refused("Not in this phase."), 409, "Not in this phase."),
        (StorageError("The disk is full."), 503, "The disk is full."),
    ],
)
def test_a_refusal_is_one_sentence(served: Served, says: Declined, status: int, sentence: str) -> None:
    served.station.answer = says
    answer = command(served, {"command": "start"})
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b"[]", "JSON object"),
        (b'{"command": 3}', "JSON object"),
        (b'{"command": "explode"}', "Unknown command 'explode'"),
        (b'{"command": "void_lap"}', "number"),
        (b'{"command": "void_lap", "number": "3"}', "number"),
        (b'{"command": "start", "speed": 3}', "no 'speed'"),
        (b'{"command": "start", "moment": {}}', "no 'moment'"),
        (b'{"command": "order", "car": "car-1", "action": "fly"}', "action"),
    ],
)
def test_a_bad_command_never_reaches_the_station(served: Served, body: bytes, words: str) -> None:
    answer = requests.post(f"{served.url}/api/v1/commands", data=body, headers=JSON, timeout=60)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert served.station.commands == []


def test_a_body_that_is_too_large_is_not_read(served: Served) -> None:
    answer = requests.post(f"{served.url}/api/v1/commands", data=b"x" * 100_000, headers=JSON, timeout=60)
    assert answer.status_code == 413
    chunks = (b"x" * 4096 for _ in range(10))
    assert requests.post(f"{served.url}/api/v1/commands", data=chunks, headers=JSON, timeout=60).status_code == 413
    assert served.station.commands == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_page_may_not_command(served: Served, headers: dict[str, str], status: int) -> None:
    answer = requests.post(
        f"{served.url}/api/v1/commands", data=b'{"command": "start"}', headers={**JSON, **headers}, timeout=60
    )
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")
    assert served.station.commands == []


def test_our_own_page_may(served: Served) -> None:
    headers = {"origin": served.url, "sec-fetch-site": "same-origin"}
    assert command(served, {"command": "start"}, **headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("localhost", True),
        ("station-1", True),
        ("station-1.local:80", True),
        ("192.168.4.2", True),
        ("timing.example", True),
        ("", False),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example:80@127.0.0.1", True),
        ("[::1", False),
        ("local", True),
        ("evillocal.com", False),
        ("TIMING.Example.:8080", True),
        ("127.0.0.1.", True),
        ("[fe80::1%25eth0]:80", True),
        ("station.local..", True),
        ("[::1].evil.example", False),
        ("[v1.evil]", False),
        ("evil.example\\.local", False),
        ("evil.example/.local", False),
        ("127.0.0.1, evil.example", False),
        ("a b", False),
        ("..", False),
    ],
)
def test_which_hosts_are_ours(host: str, ours: bool) -> None:
    assert is_allowed_host(host, frozenset({"timing.example"})) is ours


def test_a_strangers_name_is_refused_everywhere(served: Served) -> None:
    for path in ("/", "/api/v1/state", "/static/page.css"):
        answer = requests.get(served.url + path, headers={"host": "evil.example"}, timeout=60)
        assert answer.status_code == 421
        assert "evil.example" in answer.json()["error"]
        assert "content-security-policy" in answer.headers


def test_only_officials_command_but_everybody_looks(served_elsewhere: Served) -> None:
    answer = command(served_elsewhere, {"command": "order", "car": "car-1", "action": "estop"})
    assert answer.status_code == 401
    assert "officials" in answer.json()["error"]
    assert served_elsewhere.station.commands == []
    assert requests.get(served_elsewhere.url, headers={"host": "timing.example"}, timeout=60).status_code == 200


@pytest.mark.parametrize("path", ["/", "/operate", "/api/v1/state", "/static/page.css", "/nothing"])
def test_every_answer_carries_the_security_headers(served: Served, path: str) -> None:
    headers = requests.get(served.url + path, timeout=60).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_static_files_are_kept_by_their_digest(served: Served) -> None:
    page = requests.get(served.url, timeout=60).text
    address = page.partition('href="/static/page.css?')[2].partition('"')[0]
    answer = requests.get(f"{served.url}/static/page.css?{address}", timeout=60)
    assert "immutable" in answer.headers["cache-control"]
    assert "immutable" not in requests.get(f"{served.url}/static/page.css", timeout=60).headers.get("cache-control", "")
    assert requests.get(f"{served.url}/static/../app.py", timeout=60).status_code == 404


def test_an_unknown_path_says_where_the_page_is(served: Served) -> None:
    answer = requests.get(f"{served.url}/nothing", timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (404, "There is nothing here; the live page is at /.")


def test_an_emergency_stop_passes_a_queue_of_stuck_commands(served: Served) -> None:
    going = threading.Event()
    stuck = threading.Semaphore(0)

    class Stuck:
        def __call__(self, command: object, timeout_s: float = 60.0) -> Accepted:
            if isinstance(command, OrderCar):
                return Accepted(1)
            stuck.release()
            going.wait(20)
            return Accepted(2)

    served.station.submit = Stuck()  # type: ignore[method-assign]
    waiting = [threading.Thread(target=command, args=(served, {"command": "hand_time"})) for _ in range(12)]
    for thread in waiting:
        thread.start()
    for _ in range(8):
        assert stuck.acquire(timeout=60)
    try:
        answer = command(served, {"command": "order", "car": "car-1", "action": "estop"})
        assert answer.status_code == 200
    finally:
        going.set()
        for thread in waiting:
            thread.join(10)


def test_a_half_sent_command_is_given_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.web.api.BODY_TIMEOUT_S", 0.1)
    head = f"POST /api/v1/commands HTTP/1.1\r\nhost: 127.0.0.1:{served.port}\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 5) as connection:
        connection.sendall(head.encode() + b"content-length: 50\r\n\r\n{")
        connection.settimeout(10)
        assert b" 400 " in connection.recv(4096)
