"""The leaderboard's figures: posts by their answer, and streams, by Prometheus' conventions."""

import pathlib

from leaderboard.commands.metrics import gather
from leaderboard.live_stream import Feed
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from tests.leaderboard.league_app import league_app
from tests.leaderboard.sample_races import headers, result
from tests.shared.metrics.exposed import exposed
from tests.shared.web.test_error_pages import TestClient

CHEAP = Argon2idHasher(memory_kib=8, passes=1)


def test_posts_are_counted_by_their_answer(tmp_path: pathlib.Path) -> None:
    with league_app(tmp_path, CHEAP) as league:
        one, client = result("run-1", "anna"), TestClient(league.app)
        body = encode_result(one)
        signed = headers(one.webhook_id, body, league.now_utc_ns // 10**9)
        forged = signed | {"webhook-signature": "v1,AAAA"}
        codes = [client.request("POST", "/api/v1/results", signed, content=body).status_code for _ in range(2)]
        codes.append(client.request("POST", "/api/v1/results", forged, content=body).status_code)
        assert codes == [201, 200, 401]
        league.app.state.open_connections = lambda: 5  # the server sets it as it begins
        feed = Feed(lambda _race, _table: None, 40, 1.0)  # type: ignore[arg-type,return-value]
        found = exposed(gather(league.app, feed, tmp_path))
    by_code = {key[1]: value for key, value in found.items() if key[0] == "raceday_posts_total"}
    assert by_code == {"200": 1, "201": 1, "401": 1}
    assert found["raceday_post_seconds_count",] == 3
    assert found["raceday_posts_in_work",] == 0
    assert found["raceday_live_streams",] == 0
    assert found["raceday_live_streams_max",] == 40
    assert found["raceday_web_connections",] == 5
    assert found["raceday_refusals_total", "signature"] == 1
