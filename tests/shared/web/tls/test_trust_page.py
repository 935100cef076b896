"""/trust on all three machines, and signing in that is kept off plain http."""

import asyncio
import pathlib
import ssl
from collections.abc import Iterator

import pytest
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from leaderboard.app import create_app as leaderboard_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, ServerSettings
from leaderboard.credentials import Credentials
from shared.web.tls.web_tls import WebTls
from station.web.app import create_app as station_app
from tests.shared.web.test_error_pages import Answer
from tests.shared.web.tls.served_tls import certificate_files, protection
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import cheap_access
from tests.vehicle.web.test_access import FakeModelList
from tests.vehicle.web.test_phone_control import Bench
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.web.app import CarInfo
from vehicle.web.app import create_app as console_app
from vehicle.web.claim_codes import ClaimCodes

PHONE, HERE = "192.0.2.7", "127.0.0.1"


def ask(
    app: ASGIApp, path: str, method: str = "GET", scheme: str = "http", client: str = PHONE, **headers: str
) -> Answer:
    """One request from this address; the body of its answer in one piece."""
    route, _, query = path.partition("?")
    named = {"host": "station.local:8080", "accept": "text/html"} | headers
    scope = {
        "type": "http", "asgi": {"spec_version": "2.4"}, "http_version": "1.1",
        "method": method, "path": route, "raw_path": route.encode(),
        "query_string": query.encode(), "scheme": scheme, "client": (client, 5000), "server": ("127.0.0.1", 8080),
        "root_path": "", "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    got: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        got.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    body = b"".join(each.get("body", b"") for each in got)  # type: ignore[misc]
    return Answer(got[0]["status"], Headers(raw=got[0]["headers"]), body)  # type: ignore[arg-type]


def station(folder: pathlib.Path, tls: WebTls | None, *, over_http: bool = False) -> ASGIApp:
    return station_app(FakeStation(), cheap_access(folder), tls=tls, sign_in_over_http=over_http)


def console(folder: pathlib.Path, tls: WebTls | None, *, over_http: bool = True) -> ASGIApp:
    claims = ClaimCodes(folder / "console.json")
    claims.new_code()
    car = CarInfo("car-7", STOCK_CALIBRATION, "mock", "mock", folder)
    return console_app(Bench().control, FakeModelList(), claims, car, tls=tls, claim_over_http=over_http)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    made: pathlib.Path = tmp_path_factory.mktemp("hall")
    return made


@pytest.fixture(scope="module")
def leaderboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    tmp_path = tmp_path_factory.mktemp("board")
    certificate, key = certificate_files(tmp_path)
    server = ServerSettings(tls_certificate=str(certificate), tls_key=str(key))
    board = open_board(tmp_path / "board.db")
    app, feed = leaderboard_app(board, Credentials((), ""), LeaderboardConfig(server=server), lambda: 10**18)
    yield app
    feed.close()
    board.close()


@pytest.fixture(scope="module")
def apps(folder: pathlib.Path, leaderboard: ASGIApp) -> dict[str, ASGIApp]:
    tls = protection(folder)
    return {"station": station(folder, tls), "car": console(folder, tls), "leaderboard": leaderboard}


def test_each_machine_helps_to_trust_it_over_http_too(apps: dict[str, ASGIApp], folder: pathlib.Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((folder / "ca.pem").read_text())
    for name, app in apps.items():
        for scheme in ("http", "https"):
            page = ask(app, "/trust?next=/sign-in", scheme=scheme)
            assert page.status_code == 200, name
            assert 'href="https://station.local:8080/sign-in"' in page.text
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            file = ask(app, "/trust/ca.crt", scheme=scheme)
            assert file.headers["content-type"] == "application/x-x509-ca-cert"
            assert ssl.PEM_cert_to_DER_cert(ssl.DER_cert_to_PEM_cert(file.content)) == file.content
            if name != "leaderboard":  # which has an authority of its own here
                assert file.content == der
        assert (ask(app, "/trust/qr.svg").status_code == 200) == (name != "car")  # where the library is
        assert ask(app, "/trust/ca.key").status_code == 404
        assert ask(app, "/static/trust.css").status_code == 200


def test_the_fingerprint_stands_in_groups_and_in_german(tmp_path: pathlib.Path) -> None:
    tls = protection(tmp_path)
    assert tls.authority is not None
    page = ask(station(tmp_path, tls), "/trust?lang=de").text
    assert " ".join(tls.authority.fingerprint.split()) in " ".join(
        page.replace("<span>", "").replace("</span>", "").split()
    )
    assert 'lang="de"' in page
    assert "Fingerabdruck" in page


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_it_leads_nowhere_else(tmp_path: pathlib.Path, wanted: str) -> None:
    page = ask(station(tmp_path, protection(tmp_path)), f"/trust?next={wanted}").text
    assert 'href="https://station.local:8080/"' in page
    assert "evil" not in page


def test_without_a_certificate_there_is_no_such_page(tmp_path: pathlib.Path) -> None:
    for app in (station(tmp_path, None), console(tmp_path, None)):
        for path in ("/trust", "/trust/ca.crt"):
            assert ask(app, path).status_code == 404


def test_nobody_signs_in_over_http_where_there_is_https(apps: dict[str, ASGIApp]) -> None:
    for name in ("station", "leaderboard"):
        app = apps[name]
        for path in ("/sign-in", "/claim"):
            led = ask(app, path)
            assert (led.status_code, led.headers["location"]) == (303, f"/trust?next={path}")
            for kind in ("application/x-www-form-urlencoded", "application/json"):
                sent = ask(app, path, "POST", **{"content-type": kind})
                assert sent.status_code == 403
                assert "https://station.local:8080/" in sent.text
            assert ask(app, path, scheme="https").status_code in (200, 303)
            assert "/trust" not in ask(app, path, scheme="https").headers.get("location", "")
            assert "/trust" not in ask(app, path, client=HERE).headers.get("location", "")
        assert ask(app, "/").status_code == 200  # whatever is public stays so
    assert ask(apps["leaderboard"], "/api/v1/sessions", "POST").status_code == 403


def test_the_stop_is_not_refused_for_want_of_https(apps: dict[str, ASGIApp]) -> None:
    """401, not 403: it is only asked who stops."""
    assert ask(apps["station"], "/api/v1/stop", "POST").status_code == 401
    assert ask(apps["car"], "/api/stop", "POST", **{"x-raceday": "console"}).status_code == 401


def test_settings_say_otherwise(tmp_path: pathlib.Path) -> None:
    tls = protection(tmp_path)
    assert ask(station(tmp_path, tls, over_http=True), "/sign-in").headers.get("location") != "/trust?next=/sign-in"
    ours = {"x-raceday": "console", "content-type": "application/json"}
    assert ask(console(tmp_path, tls, over_http=False), "/api/claim", "POST", **ours).status_code == 403
    assert ask(console(tmp_path, tls), "/api/claim", "POST", **ours).status_code == 422  # no code in it


def test_cookies_belong_to_https_alone(tmp_path: pathlib.Path) -> None:
    app = station(tmp_path, protection(tmp_path), over_http=True)
    assert ask(app, "/claim", scheme="https").headers["set-cookie"].startswith("__Host-raceday_form=")
    assert "; Secure" in ask(app, "/claim", scheme="https").headers["set-cookie"]
    assert ask(app, "/claim").headers["set-cookie"].startswith("raceday_form=")
