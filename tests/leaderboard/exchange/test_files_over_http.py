"""Imports and exports through the app and by the command: who may, what a refusal says, and where the file goes."""

import json
import pathlib
from collections.abc import Iterator

import pytest

from leaderboard import cli
from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.templates import PageTemplates
from shared.errors import BadInput, OperatorError
from tests.leaderboard.exchange.boards import NOW, numbered, rows_of
from tests.leaderboard.sample_races import TOKEN, race, start, write_config
from tests.shared.web.test_error_pages import Answer, TestClient

ADMIN = {"authorization": f"Bearer {TOKEN}"}
BOARD = rows_of(*numbered([9000, 9100, 9100]))
CREATE = "format=league&file=a%2Fboard.csv&timing_method=AVG_LAP_TIME&minimum_laps=3"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeaderboardService]:
    opened = open_board(tmp_path_factory.mktemp("http") / "board.db")
    opened.create_race(race("secret", visibility="private", opens_utc_ns=NOW, closes_utc_ns=NOW + 10**12), 1)
    opened.create_race(race("cup", name="Cup; of, all", opens_utc_ns=NOW, closes_utc_ns=NOW + 10**12), 1)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(board: LeaderboardService) -> TestClient:
    return TestClient(create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: NOW)[0])


def sent(client: TestClient, query: str, body: str = BOARD, headers: dict[str, str] = ADMIN) -> Answer:
    return client.request("POST", f"/api/v1/import?{query}", headers=headers, content=body.encode())


def test_a_board_comes_in_and_goes_out_again(client: TestClient) -> None:
    answer = sent(client, f"race=summer&{CREATE}")
    assert (answer.status_code, answer.json()["source"], answer.json()["ranked"]) == (201, "board.csv", 3)
    assert sent(client, f"race=summer&{CREATE}").status_code == 200  # it is there already
    out = client.get("/api/v1/races/summer/export?format=league")
    assert out.text == BOARD
    assert out.headers["content-type"] == "text/csv; charset=utf-8"
    assert out.headers["content-disposition"] == 'attachment; filename="summer.csv"'
    standing = client.get("/api/v1/races/summer/standings").json()
    assert [(row["rank"], row["score_ms"], row["laps"]) for row in standing["standings"]] == [
        (1, 9000, []), (2, 9100, []), (3, 9100, []),
    ]  # fmt: skip
    assert client.get("/races/summer").status_code == client.get("/races/summer/racers/racer-2").status_code == 200
    rows = json.loads(client.get("/api/v1/races/summer/export?format=json").text)["standings"]
    assert rows[0]["evidence"]["journal"] == "board.csv"
    assert (
        client.get("/api/v1/races/summer/export").text.splitlines()[1].startswith("1,racer-1,racer-1,9000,9.000,0,0,")
    )


def test_published_scores_are_drawn_beside_those_with_laps(board: LeaderboardService, client: TestClient) -> None:
    assert sent(client, f"race=drawn&{CREATE}").status_code == 201
    trials = [{"trial": n, "elapsed_time_in_milliseconds": 9050, "completion_percentage": 100} for n in (1, 2, 3)]
    metrics = sent(client, "race=drawn&format=metrics&racer=Dee", json.dumps({"metrics": trials}))
    assert (metrics.status_code, metrics.json()["ranked"]) == (201, 1)
    page = client.get("/races/drawn").text
    live = LeaderboardPages(PageTemplates("Board")).live_content(board.snapshot("drawn"), NOW)
    assert live.order == ("racer-1", "Dee", "racer-2", "racer-3")
    for shown in (page, "".join(live.rows.values())):
        assert shown.count('title="Published in board.csv, line ') == 3
        assert shown.count("9.050</span>") == 4  # the score and its laps


def test_a_refused_file_has_its_errors_by_line(client: TestClient) -> None:
    answer = sent(client, f"race=wrong&{CREATE}", "Alias,RankingScore\nA,soon\nB,9000\n")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["detail"].startswith("board.csv, line 2, RankingScore: is 'soon'")
    assert answer.json()["report"]["errors"][0] == {
        "line": 2, "field": "RankingScore", "what": "is 'soon', not milliseconds or a time as 1:02.345",
    }  # fmt: skip
    assert client.get("/api/v1/races/wrong").status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("race=x&format=xls", 422, "`format` is 'xls'"),
        ("race=x&format=league&timing_method=FASTEST", 422, "allowed are AVG_LAP_TIME, BEST_LAP_TIME, TOTAL_TIME"),
        ("race=x&format=league&create=true", 422, "needs its `timing_method`"),
        ("race=x&format=league&off_track_penalty=3", 422, "is of a race to create"),
        ("race=x&format=league&colour=red", 422, "`colour` is no parameter"),
        ("race=x&format=league&timing_method=TOTAL_TIME&minimum_laps=three", 422, "not a number of laps"),
        ("race=x&format=league&timing_method=TOTAL_TIME&minimum_laps=11", 422, "rule `consecutive_laps` is 11"),
        ("race=x&format=league&timing_method=TOTAL_TIME&opens_at=now", 422, "`opens_at` is 'now', not a time"),
        ("race=X%20Y&format=league&timing_method=TOTAL_TIME", 422, "cannot name a race"),
        ("race=x&format=league", 404, "There is no race 'x' on this leaderboard. With its `timing_method`"),
        ("race=cup&format=metrics", 422, "The metrics name no racer"),
        ("race=x&format=league&max_resets=5", 422, "a limit of resets a run is no rule here"),
        ("format=league", 422, "'race' is not valid"),
    ],
)
def test_a_wrong_call_is_one_sentence(client: TestClient, query: str, status: int, sentence: str) -> None:
    answer = sent(client, query)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True), answer.text


def test_only_an_organiser_imports(client: TestClient) -> None:
    assert sent(client, f"race=summer&{CREATE}", headers={}).status_code == 401
    assert sent(client, f"race=new&{CREATE}", headers={}).status_code == 401
    wrong = {"authorization": "Bearer " + "x" * 30}
    assert sent(client, f"race=new&{CREATE}", headers=wrong).status_code == 401
    too_large = ADMIN | {"content-length": str(2**40)}
    assert sent(client, f"race=new&{CREATE}", headers=too_large).status_code == 413


def test_a_private_race_is_in_no_file_of_a_stranger(client: TestClient) -> None:
    for form in ("league", "csv", "json", "ics"):
        private, absent = (client.get(f"/api/v1/races/{each}/export?format={form}") for each in ("secret", "absent"))
        assert private.status_code == absent.status_code == 404
        assert private.text == absent.text.replace("absent", "secret")
        assert client.request("GET", f"/api/v1/races/secret/export?format={form}", headers=ADMIN).status_code == 200
    calendar = client.get("/api/v1/calendar")
    assert calendar.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:Cup\\; of\\, all\r\n" in calendar.text
    assert "secret" not in calendar.text


def test_the_command_opens_the_database_of_a_stopped_leaderboard(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = str(write_config(tmp_path))
    (tmp_path / "board.csv").write_text(BOARD)
    words = ["--race", "cup", "--timing-method", "AVG_LAP_TIME", "--config", config]
    call = ["import", str(tmp_path / "board.csv"), *words, "--report", str(tmp_path / "report.json")]
    assert cli.main([*call, "--dry-run"]) == 0
    assert cli.main(call) == cli.main(call) == 0
    assert capfd.readouterr().out.splitlines() == [
        "board.csv: 3 rows could be imported into cup: 3 ranked, 0 not.",
        "board.csv: 3 rows imported into cup: 3 ranked, 0 not.",
        "board.csv: was imported into cup before; nothing was changed.",
    ]
    assert json.loads((tmp_path / "report.json").read_text())["outcome"] == "imported_before"
    assert cli.main(["export", "cup", "--format", "league", "--config", config]) == 0
    assert capfd.readouterr().out == BOARD
    (tmp_path / "wrong.csv").write_text("Alias,RankingScore\nA,soon\n")
    assert cli.main(["import", str(tmp_path / "wrong.csv"), "--race", "x", *words[2:]]) == 2
    assert "line 2, RankingScore: is 'soon'" in capfd.readouterr().err
    for wrong in (["import", "--race", "cup"], ["import", "none.csv", "--race", "cup"], ["export"]):
        with pytest.raises(BadInput):
            cli.main([*wrong, "--config", config])


def test_the_command_sends_the_file_to_a_leaderboard_that_serves(tmp_path: pathlib.Path) -> None:
    config = str(write_config(tmp_path))
    (tmp_path / "board.csv").write_text(BOARD)
    board = open_board(tmp_path / "leaderboard.db")
    call = ["import", str(tmp_path / "board.csv"), "--race", "cup", "--timing-method", "AVG_LAP_TIME"]
    try:
        with pytest.raises(OperatorError, match=r"http://127.0.0.1:1 cannot be reached .* its database is in use"):
            cli.main([*call, "--config", config, "--url", "http://127.0.0.1:1"])
    finally:
        board.close()


def test_the_command_imports_into_a_leaderboard_that_serves(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "board.csv").write_text(BOARD)
    server = start(tmp_path)
    try:
        words = ["--race", "cup", "--timing-method", "AVG_LAP_TIME", "--config", str(tmp_path / "leaderboard.toml")]
        call = ["import", str(tmp_path / "board.csv"), *words, "--url", server.url]
        assert cli.main(call) == cli.main(call) == 0
        assert capfd.readouterr().out.splitlines() == [
            "board.csv: 3 rows imported into cup: 3 ranked, 0 not.",
            "board.csv: was imported into cup before; nothing was changed.",
        ]
        rows = server.get("/api/v1/races/cup/standings").json()["standings"]
        assert [row["score_ms"] for row in rows] == [9000, 9100, 9100]
    finally:
        assert server.stop()[0] == 0
