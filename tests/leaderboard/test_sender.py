"""Who may post a result: a secret belongs to a station, and only the key that signed a result may correct it."""

import base64
import pathlib
import stat
from dataclasses import replace

import pytest

from leaderboard import credentials
from leaderboard.build import open_board
from leaderboard.config import SecretFiles
from leaderboard.credentials import Credentials
from leaderboard.stations.sender import Sender, sender_of
from shared.errors import ConfigError
from shared.protocol.results import Evidence, encode_result
from station.sync.settings import SyncSettings, read_secret
from tests.leaderboard import sample_races
from tests.leaderboard.sample_races import SECRET, headers, race, result

ONE, OTHER, ANY = (bytes([n]) * 32 for n in (1, 2, 3))
KEY_A, KEY_B = "aa" * 32, "bb" * 32
NOW = 1_700_000_100_000_000_000
STATIONS = {ONE: "station-1", OTHER: "station-2", ANY: ""}


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def of(station: str, key: str = "") -> Evidence:
    return Evidence(station, "ab" * 32, 1, 9, 40_000, public_key=key)


def private(path: pathlib.Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize(
    ("keys", "station", "refused"),
    [
        ([ONE], "station-1", ""),
        ([ONE], "station-2", "signed with the secret of station-1"),
        ([ONE], "", "signed with the secret of station-1"),
        ([ONE, OTHER], "station-2", ""),
        ([ANY], "station-9", ""),
        ([ANY], "", ""),
        ([ANY], "station-1", "a secret that names no station, and this one has its own"),
        ([ANY, OTHER], "station-1", "signed with the secret of station-2"),
    ],
)
def test_a_station_posts_what_is_its_own(tmp_path: pathlib.Path, keys: list[bytes], station: str, refused: str) -> None:
    board = open_board(tmp_path / "b.db")
    board.create_race(race(), 1)
    posted = result(evidence=of(station))
    answer = board.apply(posted.webhook_id, encode_result(posted), NOW, sender_of(keys, STATIONS))
    assert answer.status == (422 if refused else 201)
    assert refused in answer.body.decode()
    assert len(board.standings("cup")) == (0 if refused else 1)
    board.close()


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [
        (KEY_A, KEY_A, 201),
        (KEY_A, KEY_B, 422),
        (KEY_A, "", 422),
        ("", "", 201),
        ("", KEY_A, 201),  # a station that signs since its upgrade
    ],
)
def test_only_the_station_that_made_a_result_corrects_it(
    tmp_path: pathlib.Path, first: str, then: str, status: int
) -> None:
    board = open_board(tmp_path / "b.db")
    board.create_race(race(), 1)
    one = result(evidence=of("station-1", first))
    two = replace(result(racer="bob", evidence=of("station-1", then)), revision=2)
    assert board.apply(one.webhook_id, encode_result(one), NOW).status == 201
    answer = board.apply(two.webhook_id, encode_result(two), NOW)
    assert answer.status == status
    assert ("may correct it" in answer.body.decode()) == (status == 422)
    assert [placed.racer for placed in board.standings("cup")] == ["bob" if status == 201 else "anna"]
    third = replace(result(racer="carl", evidence=of("station-1", KEY_B)), revision=3)
    status_of_third = board.apply(third.webhook_id, encode_result(third), NOW).status
    assert status_of_third == (201 if not first and not then else 422)
    board.close()


def test_a_secret_file_names_its_station(tmp_path: pathlib.Path) -> None:
    text = (
        f"# two stations, and one that is new\nstation-1 {secret(ONE)}\nstation-2  {secret(OTHER)}\n\n{secret(ANY)}\n"
    )
    files = (private(tmp_path / "w", text),)
    secrets = credentials.read(SecretFiles(files, private(tmp_path / "a", "an-admin-token-of-the-tests-0123")))
    assert secrets.stations == STATIONS
    assert secrets.webhook_keys == (ONE, OTHER, ANY)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"station-1 {secret(ONE)}\nstation-2 {secret(ONE)}", "two stations have the same secret"),
        (f"Station One {secret(ONE)}", "a webhook secret belongs to a station: 'Station One' cannot name a machine"),
        ("station-1 whsec_c2hvcnQ=", "must have 24 to 64"),
        ("station-1", "must be `whsec_` and base64"),
    ],
)
def test_a_secret_file_that_says_nothing_clear_is_refused(tmp_path: pathlib.Path, text: str, sentence: str) -> None:
    admin = private(tmp_path / "a", "an-admin-token-of-the-tests-0123")
    with pytest.raises(ConfigError, match=sentence):
        credentials.read(SecretFiles((private(tmp_path / "w", text),), admin))


def test_init_makes_a_secret_of_a_station_and_the_station_reads_the_same_file(tmp_path: pathlib.Path) -> None:
    named = SecretFiles((str(tmp_path / "s" / "station-1.secret"),), str(tmp_path / "s" / "admin.token"))
    credentials.create(named, "station-1")
    path = tmp_path / "s" / "station-1.secret"
    assert path.read_text().startswith("station-1 whsec_")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (key,) = credentials.read(named).stations
    assert credentials.read(named).stations[key] == "station-1"
    settings = SyncSettings(leaderboard_url="http://127.0.0.1", secret_file=str(path))
    assert read_secret(settings) == path.read_text().split()[1]
    with pytest.raises(ConfigError, match="cannot name a machine"):
        credentials.create(named, "Station 1")


def test_a_bare_key_speaks_for_any_station() -> None:
    assert Credentials((ONE,), "").stations == {ONE: ""}
    assert sender_of([ONE], {ONE: ""}) == Sender(frozenset({""}), frozenset())


@pytest.mark.slow
def test_over_http_a_post_of_another_station_is_refused(tmp_path: pathlib.Path) -> None:
    running = sample_races.start(tmp_path, secrets=f"station-1 {SECRET}\nstation-2 {secret(OTHER)}")
    try:
        running.new_race("cup")
        assert running.post(result(evidence=of("station-1"))).status_code == 201
        theirs = result("run-2", evidence=of("station-2"))
        answer = running.post(theirs)
        assert (answer.status_code, "signed with the secret of station-1" in answer.json()["error"]) == (422, True)
        own_headers = headers(theirs.webhook_id, encode_result(theirs), secret=secret(OTHER))
        assert running.post(theirs, **own_headers).status_code == 201
    finally:
        running.kill()
