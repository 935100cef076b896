"""A gateway that quotes our own address says nothing about a race; a leaderboard that follows the contract does."""

import dataclasses
import html
import itertools
import json
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.races import RaceOffer
from shared.protocol.results import RACES_PATH, RESULT_PATH, PostDeferred, PostRejected
from shared.rules.ranking import RaceRules
from shared.web.http_exchange import Reply
from station.sync.leaderboard_check import target_from_reply
from station.sync.refusal_wording import free_words, own_words, speaks_of_post, speaks_of_race
from station.sync.verdict import verdict
from station.sync.webhook import WebhookLeaderboard
from tests.station.sync.fault_server import SECRET
from tests.station.sync.sample_results import result

JSON = {"content-type": "application/json"}
STATUSES = (404, 413)  # 410 is as 404, 400 as 413
# An address with words of the contract in every part.
BASES = (
    "https://race.example.org/race",
    "https://races.example.org:8443/v2/races",
    "https://example.org/race-day/laps",
    "https://race/",
    "https://example.org/my%20race/",
    "http://[::1]:8080/race",
    "https://practice.example.org/practice",
)
# What each of them says of an address that it does not have: {m} method, {p} path, {h} host, {s} a part of the path.
SAYINGS = {
    "Express": "Cannot {m} {p}",
    "Fastify": "Route {m}:{p} not found",
    "Next.js": "API resolved without sending a response for {p}, this may result in stalled requests.",
    "Vite": 'Blocked request. This host ("{h}") is not allowed.',
    "webpack": "Invalid Host header: {h}",
    "nginx": 'open() "/usr/share/nginx/html{p}" failed (2: No such file or directory)',
    "nginx, no upstream": 'no live upstreams while connecting to "http://{h}{p}"',
    "Apache": "The requested URL {p} was not found on this server.",
    "Apache, host": "The requested URL {p} was not found on this server. Apache/2.4.57 (Debian) Server at {h} Port 443",
    "IIS": "The resource cannot be found. Requested URL: {p}",
    "IIS, file": "Physical path C:\\inetpub\\wwwroot{b} does not exist.",
    "Web API": "No HTTP resource was found that matches the request URI 'https://{h}{p}'.",
    "Web API, part": "No type was found that matches the controller named '{s}'.",
    "MVC": "The controller for path '{p}' was not found or does not implement IController.",
    "Spring 5": "No handler found for {m} {p}",
    "Spring 6": "No static resource {r}.",
    "Spring, endpoint": "No endpoint {m} {p}.",
    "Tomcat": "The requested resource [{p}] is not available",
    "Jersey": "HTTP 404 Not Found for https://{h}{p}",
    "FastAPI": "Not Found: {p}",
    "Flask": "404 Not Found: The requested URL was not found on the server: {p}?",
    "Django": "The current path, {r}, didn't match any of these.",
    "Django, host": "Invalid HTTP_HOST header: '{h}'. You may need to add '{h}' to ALLOWED_HOSTS.",
    "Rails": 'No route matches [{m}] "{p}"',
    "Rails, hash": 'No route matches {{:action=>"index", :controller=>"{s}"}}',
    "Rails, host": "Blocked hosts: {h}",
    "Laravel": "The route {r} could not be found.",
    "Symfony": 'No route found for "{m} https://{h}{p}"',
    "Phoenix": "no route found for {m} {p} (BoardWeb.Router)",
    "Go": "404 page not found: {p}",
    "Cloudflare": "You've requested a page on a website ({h}) that is on the Cloudflare network.",
    "Fastly": "Fastly error: unknown domain: {h}. Please check that this domain has been added to a service.",
    "Heroku": "No such app: {s}",
    "ngrok": "The endpoint {h} is offline.",
    "ngrok, tunnel": "Tunnel {h} not found",
    "Cloud Foundry": "404 Not Found: Requested route ('{h}') does not exist.",
    "Traefik": "Host(`{h}`) && PathPrefix(`{p}`): no router matched",
    "Kubernetes": 'services "{s}" not found',
    "HAProxy": "backend {s} has no server for {h}",
    "Kong": "no Route matched with those values: {p}",
    "Envoy": "route_not_found: {h}{p}",
    "API Gateway": "No method found matching route {r} for http method {m}.",
    "API Gateway, stage": "Missing Authentication Token for {m} arn:aws:execute-api:eu-1:1:x/prod/{m}{p}",
    "S3": "The specified key does not exist: {r}",
    "S3, bucket": "The specified bucket does not exist: {s}",
    "function": "Function {s} was not found",
    "portal": "Log in first: https://login.hall/?dst=https%3A%2F%2F{h}{q}",
    "portal, query": "Please log in, then you go on to {h}{p}?race=practice&race_id=practice",
    "escaped": "Cannot {m} {e}",
    "wide": "Cannot {m} {w}",
    "JSON in JSON": "Cannot {m} {j}",
    "WAF": "Request to {h}{p} blocked: rule 942100, SQL injection in `racer`",
    "too large": "Request body too large for {p}",
    "V8, cut": 'Unexpected end of input, "{{\\"result_id\\":\\"practice.run-1\\", \\"race_id\\":\\"practice\\"..."',
    "echo": "Cannot read {{'race_id': 'practice', 'laps': [], 'evidence': {{'station': 's'}}}}",
}
RACE_IDS = ("practice", "race-1", "race", "v1", "404", "2026-11-28", "results")


def filled_in(saying: str, base: str, method: str, path: str, part: str) -> str:
    address = urlsplit(base)
    whole = address.path.rstrip("/") + path
    escaped = html.escape(whole).replace("/", "&#x2F;")
    places = {"m": method, "p": whole, "h": address.netloc, "s": part, "r": whole[1:], "b": whole.replace("/", "\\")}
    return SAYINGS[saying].format(
        **places, q=quote(whole, safe=""), e=escaped, j=whole.replace("/", "\\/"), w=whole.replace("/", "\uff0f")
    )


def parts(base: str, path: str) -> list[str]:
    """What a router may quote of an address: the parts of its host and path."""
    address = urlsplit(base)
    return [*(each for each in (address.path + path).split("/") if each), (address.hostname or "").split(".")[0]]


def offer(race_id: str) -> RaceOffer:
    return RaceOffer(race_id, "A race", "", RaceRules())


def body(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()


@pytest.mark.parametrize("saying", SAYINGS)
def test_our_address_said_back_settles_nothing(saying: str) -> None:
    for base, race_id in itertools.product(BASES, RACE_IDS):
        own = own_words(urlsplit(base).netloc, urlsplit(base).path)
        ours = dataclasses.replace(result(), race_id=race_id)
        for part in parts(base, RESULT_PATH):
            sentence = filled_in(saying, base, "POST", RESULT_PATH, part)
            for status in STATUSES:
                reply = Reply(status, JSON, body(sentence))
                assert isinstance(verdict(ours, reply, 0.0, own), PostDeferred), (base, sentence)
        for part in parts(base, f"{RACES_PATH}/{race_id}"):
            sentence = filled_in(saying, base, "GET", f"{RACES_PATH}/{race_id}", part)
            reply = Reply(404, JSON, body(sentence))
            assert target_from_reply(offer(race_id), reply, own).readiness == "unreachable", (base, sentence)


@pytest.mark.parametrize("part", ["race", "races", "'race'", "/race", "race-day"])
@pytest.mark.parametrize("form", ["{} was not found", "Not found: {}", "Unknown host {}", "{}: no such thing"])
def test_a_word_of_our_own_address_tells_nothing(part: str, form: str) -> None:
    own = own_words("race.example.org", "/races")
    assert not speaks_of_race("practice", form.format(part), own)
    assert not speaks_of_post("practice", form.format(part), own)


@pytest.mark.parametrize(
    ("race_id", "sentence"),
    [
        ("404", "Error 404: not found"),
        ("2026", "Not found. Copyright 2026 Hall"),
        ("2026-11-28", "Not found at 2026-11-28 12:00:00"),
        ("v1", "There is no v1 here"),
        ("not-found", "It is not-found"),
        ("the", "Not in the list"),
        ("a", "Not a thing"),
        ("race", "Function race does not exist"),
        ("results", "No results"),
        ("page", "No page"),
        ("login", "A login is needed"),
    ],
)
def test_a_race_that_is_called_like_a_common_word(race_id: str, sentence: str) -> None:
    assert not speaks_of_race(race_id, sentence)
    assert speaks_of_race(race_id, f"There is no race {race_id!r}.")


HONEST = [
    (404, "There is no race 'practice'."),
    (404, "There is no race 'practice' on this server."),
    (404, "Race practice is not one of this site."),
    (404, "No such race: practice"),
    (404, "No race with race_id=practice"),
    (404, "Unknown race."),
    (404, "Unknown race?!"),
    (404, "RACE not found"),
    (404, 'race_id "practice" is unknown'),
    (404, "„practice“ gibt es hier nicht."),
    (404, "『practice』: 見つかりません"),
    (404, "Das Rennen (practice) ist unbekannt"),
    (410, "Race practice has been removed."),
    (410, "The race's page was taken down: practice"),
    (400, "`laps` is missing in the body."),
    (400, "body.laps.0.lap_ns: not a number"),
    (400, "laps[0].lap_ns is not a number"),
    (400, "evidence.public_key is not 32 bytes"),
    (400, "The `webhook-id` is not result_id.revision."),
    (400, "The header webhook-id is missing."),
    (400, "racer: at most 64 characters"),
    (413, "A result of the race practice has at most 19000 bytes."),
    (413, "More than 200 laps."),
]


@pytest.mark.parametrize(("status", "sentence"), HONEST)
def test_the_contracts_own_words_still_settle(status: int, sentence: str) -> None:
    posted = dataclasses.replace(result(), race_id="practice")
    own = own_words("board.example.org:8443", "/v2/")
    assert verdict(posted, Reply(status, JSON, body(sentence)), 0.0, own) == PostRejected(sentence, status)
    if status == 404:
        assert target_from_reply(offer("practice"), Reply(404, JSON, body(sentence)), own).readiness == "missing"


@pytest.mark.parametrize(("status", "sentence"), [each for each in HONEST if "practice" in each[1]])
def test_a_race_by_its_name_settles_at_an_address_of_any_words(status: int, sentence: str) -> None:
    posted = dataclasses.replace(result(), race_id="practice")
    own = own_words("race.example.org", "/race/races")
    answer = verdict(posted, Reply(status, JSON, body(sentence)), 0.0, own)
    assert answer == PostRejected(sentence, status) or " page " in sentence or " site" in sentence


def test_who_is_asked_again_is_quoted_to_the_operator() -> None:
    own = own_words("race.example.org")
    answer = verdict(result(), Reply(404, JSON, body("Unknown race.")), 0.0, own)
    assert isinstance(answer, PostDeferred)
    assert "answered 404 ('Unknown race.'): log in" in answer.reason


def test_a_gateway_with_a_sentence_may_not_ask_for_an_hour_either() -> None:
    headers = {**JSON, "retry-after": "3600"}
    answer = verdict(result(), Reply(404, headers, body("Cannot POST /race/api/v1/results")), 0.0)
    assert isinstance(answer, PostDeferred)
    assert answer.after_s == 300.0


class Answers:
    """An `HttpTransport` that answers each request with the next sentence, as a 404."""

    def __init__(self, *sentences: str) -> None:
        self._sentences = iter(sentences)

    def request(self, _method: str, _path: str, _headers: dict[str, str], _body: bytes = b"") -> Reply:
        return Reply(404, JSON, body(next(self._sentences)))


@pytest.mark.parametrize("url", ["https://board.example/race", "https://race.example", "https://x.example/my%20race"])
def test_the_driver_knows_its_own_address(url: str) -> None:
    asker = Answers("'race' was not found", "'race' was not found", "There is no race 'race-1'.", "No race 'race-1'.")
    board = WebhookLeaderboard(url, SECRET, {}, exchange=asker)
    assert isinstance(board.post(result()), PostDeferred)
    assert board.target(offer("race-1")).readiness == "unreachable"
    assert isinstance(board.post(result()), PostRejected)
    assert board.target(offer("race-1")).readiness == "missing"


PATH_SIGNS = st.text(st.sampled_from("abcrace019-_."), min_size=1, max_size=6)


@given(
    st.lists(PATH_SIGNS | st.sampled_from(["race", "races", "laps", "practice", "race_id"]), min_size=1, max_size=5),
    st.sampled_from(["{}", "'{}'", '"{}"', "[{}]", "({})", "<{}>", "`{}`", "{}.", "{}:", "POST:{}", "x{}?a=race"]),
    st.sampled_from(
        [lambda path: path, html.escape, lambda path: quote(path, safe=""), lambda path: path.replace("/", "\\")]
    ),
)
def test_no_path_has_words(segments: list[str], form: str, escape: object) -> None:
    assert callable(escape)
    path = escape("/" + "/".join(segments))
    assert free_words("Cannot " + form.format(path)) <= {"cannot", "post", "x"}


@given(st.text(max_size=200), st.text(max_size=20))
def test_any_sentence_is_read(sentence: str, race_id: str) -> None:
    assert all(word == word.casefold() for word in free_words(sentence))
    assert speaks_of_race(race_id, sentence) <= speaks_of_post(race_id, sentence)


@given(
    st.lists(st.sampled_from(["race", "practice"]), min_size=1), st.sampled_from(["{}", "'{}'", "({}),", "{}:", "»{}«"])
)
def test_the_race_is_found_wherever_it_stands(words: list[str], form: str) -> None:
    assert speaks_of_race("practice", " ".join(form.format(word) for word in words))
