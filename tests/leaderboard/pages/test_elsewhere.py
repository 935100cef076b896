"""What of a public race is shown elsewhere; and the home page and the board's search, without scripts."""

import dataclasses
import io
import json
import pathlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import EmbedSettings, LeaderboardConfig
from leaderboard.core.race import RaceRecord
from leaderboard.credentials import Credentials
from leaderboard.pages.public import letters
from leaderboard.pages.public.card import CardPictures, CardWords, _halves, draw_card
from leaderboard.pages.public.feeds import race_feed
from leaderboard.pages.public.letters import Letters
from leaderboard.pages.public.machine_fonts import MachineFont, machine_fonts, read_fonts
from leaderboard.profiles.newest import FeedResult
from shared.access.pass_code_hashing import Argon2idHasher
from shared.errors import ConfigError
from shared.protocol.results import encode_result
from shared.webhooks import parse_secret
from tests.leaderboard import sample_races
from tests.leaderboard.in_process import HOST, FormBrowser
from tests.leaderboard.sample_races import race, result

NOW = 1_800_000_000_000_000_000
ATOM = "{http://www.w3.org/2005/Atom}"
PATHS = (
    "/embed/{}",
    "/embed/{}.json",
    "/oembed?url=/races/{}",
    "/races/{}/feed.atom",
    "/races/{}/card.png",
    "/races/{}/share",
)
RACES = (
    race(track="re:Invent 2018", description="**Fast** <script>", owner="account-olga", edition=2),
    race("secret", visibility="private"),
    race("soon", opens_utc_ns=NOW + 10**9),
    race("done", closes_utc_ns=NOW - 10**9),
)


@dataclass
class Shown:
    """An app over a board with the races above, of which the first has 30 racers."""

    browser: FormBrowser
    board: LeaderboardService


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder: pathlib.Path = tmp_path_factory.mktemp("elsewhere")
    board = open_board(folder / "board.db")
    for each in RACES:
        board.create_race(each, 1)
    for number in range(30):
        one = result(f"r{number}", f"Racer {number:02}", (9000 + number,) * 3)
        board.apply(one.webhook_id, encode_result(one), NOW - 10**12 + number * 10**9)
    config = dataclasses.replace(LeaderboardConfig(), embeds=EmbedSettings(("https://club.example",)))
    config = dataclasses.replace(config, limits=dataclasses.replace(config.limits, rows_live=20))
    credentials = Credentials((parse_secret(sample_races.SECRET),), sample_races.TOKEN)
    hasher = Argon2idHasher(memory_kib=8, passes=1)
    app, _ = create_app(board, credentials, config, lambda: NOW, hasher)
    yield Shown(FormBrowser(app), board)
    board.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_private_race_is_nowhere_else(shown: Shown, path: str) -> None:
    private, missing = (shown.browser.get(path.format(each), accept="*/*") for each in ("secret", "nowhere"))
    assert (private.status_code, missing.status_code) == (404, 404)
    assert private.text.replace("secret", "nowhere") == missing.text


def test_an_embed_is_a_page_that_named_sites_may_frame(shown: Shown) -> None:
    page = shown.browser.get("/embed/cup?rows=12")
    assert "frame-ancestors https://club.example;" in page.headers["content-security-policy"] + ";"
    assert "set-cookie" not in page.headers
    assert "Racer 11" in page.text
    assert "Racer 12" not in page.text
    assert "<script" not in page.text
    document = json.loads(shown.browser.get("/embed/cup.json?rows=2").text)
    assert [row["rank"] for row in document["standings"]] == [1, 2]
    assert "frame-ancestors 'none'" in shown.browser.get("/races/cup").headers["content-security-policy"]


def test_oembed_says_how_and_refuses_the_rest(shown: Shown) -> None:
    told = json.loads(shown.browser.get(f"/oembed?url=http://{HOST}/races/cup&maxwidth=300&maxheight=400").text)
    assert (told["type"], told["width"], told["height"]) == ("rich", 300, 400)
    assert f'src="http://{HOST}/embed/cup?rows=5"' in told["html"]
    assert shown.browser.get("/oembed?url=http://[", accept="*/*").status_code == 422
    assert shown.browser.get("/oembed?url=/seasons/x", accept="*/*").status_code == 404
    assert shown.browser.get("/oembed?url=/races/cup&format=xml").status_code == 501


def test_feeds_are_atom_and_cost_nothing_twice(shown: Shown) -> None:
    feed = shown.browser.get("/races/cup/feed.atom")
    root = ET.fromstring(feed.text)
    titles = [each.text for each in root.iterfind(f"{ATOM}entry/{ATOM}title")]
    assert titles[:2] == ["Racer 29: 9.029", "Racer 28: 9.028"]
    assert len(titles) == 30
    again = shown.browser.get("/races/cup/feed.atom", **{"if-none-match": feed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    board = ET.fromstring(shown.browser.get("/feed.atom").text)
    found = [each.text for each in board.iterfind(f"{ATOM}entry/{ATOM}title")]
    assert found[0] == "Done: Closed" or "Cup: Closed" in found
    assert len(found) == 3


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_any_name_makes_a_feed_that_can_be_read(name: str) -> None:
    made: RaceRecord = race(name=f"Cup {name}")
    feed = race_feed(name, "http://board.test", made, [FeedResult("a", name, name, 9000, 10)], NOW)
    ET.fromstring(feed.encode())


def test_the_picture_is_drawn_once(shown: Shown) -> None:
    answer = shown.browser.get("/races/cup/card.png")
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (1200, 630)
    words = CardWords("Board", "Cup", "Oval", "", (("1", "漢字 \u202e Ωμέγα 🏁", "9.000"),), "", "Open", "")
    drawn: list[CardWords] = []
    pictures = CardPictures(lambda each: (drawn.append(each), draw_card(each))[1])
    assert pictures.of(words) == pictures.of(words)
    assert drawn == [words]


def _drawn(words: str) -> tuple[float, bytes]:
    """How wide the text is, and what it looks like."""
    picture, text_letters = Image.new("L", (400, 60)), Letters(40, 500)
    text_letters.draw(ImageDraw.Draw(picture), (5, 45), words, "#ffffff")
    return text_letters.width(words), picture.tobytes()


def test_what_our_fonts_have_not_is_drawn_in_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Armenian stands for Chinese: ours have neither, and Debian's DejaVu, which every desktop has, has the one."""
    assert any(font.has("Ա") for font in machine_fonts())
    assert _drawn("Ա") != _drawn("Բ")
    # Two words from right to left stand in their order: as one text, not each by itself.
    face = letters._face_of("א", bold=False)
    assert isinstance(face, MachineFont)
    picture, font = Image.new("L", (400, 60)), letters._machine_font(face.file, face.index, 40)
    ImageDraw.Draw(picture).text((5, 45), "אב גד", "#ffffff", font, "ls")
    assert _drawn("אב גד") == (font.getlength("אב גד"), picture.tobytes())
    plain = _drawn("Anna")
    monkeypatch.setattr(letters, "machine_fonts", lambda: ())
    letters._face_of.cache_clear()
    try:
        # Without such a font: one bar, as long as the text, and not a row of boxes.
        assert _drawn("Ա") == _drawn("Բ")
        width, bar = _drawn("漢字")
        assert (width, any(bar)) == (2 * 0.95 * 40, True)
        assert _drawn("Anna\u200d\ufe0f") == _drawn("Anna") == plain
    finally:
        letters._face_of.cache_clear()


def test_which_fonts_of_the_machine_are_taken() -> None:
    listing = (
        "/f/Serif.ttf\t0\t80\t0\tA Serif\t20-7e 4e00-9fff\n/f/Sans-Bold.ttc\t3\t200\t0\tA Sans\t4e2d\n"
        "/f/Sans.ttc\t3\t80\t0\tA Sans\t4e2d 4e2f\n/f/Sloped.ttf\t0\t80\t100\tA Sans\t4e2d\n"
        "/f/Thin.ttf\t0\t0\t0\tA Sans\t4e2d\n/f/Any.ttf\t0\t[0 210]\t0\tA Sans\t4e2d\n"
    )
    found = list(read_fonts(listing.splitlines()))
    assert [(font.file, font.index, font.bold) for font in found] == [
        ("/f/Sans-Bold.ttc", 3, True),
        ("/f/Sans.ttc", 3, False),
        ("/f/Serif.ttf", 0, False),
    ]
    assert [font.has("中") for font in found] == [True, True, True]
    assert [font.has("丮") for font in found] == [False, False, True]


def test_long_words_are_cut_to_fit() -> None:
    written = Letters(42, 600)
    cut = written.fitted("W" * 40, 500)
    assert cut.endswith("…")
    assert written.width(cut) <= 500 < written.width("W" * len(cut) + "…")


def test_a_long_name_of_a_race_stands_on_two_lines() -> None:
    written = Letters(54, 750)
    first, second = _halves("Summer Cup of the Danube Steamship Company", written, 1056)
    assert (first + " " + second, bool(second)) == ("Summer Cup of the Danube Steamship Company", True)
    assert written.width(first) <= 1056
    assert _halves("W" * 40, written, 1056) == ("W" * 40, "")


def test_the_home_page_groups_races(shown: Shown) -> None:
    html = shown.browser.get("/").text
    assert [html.index(f">{each}</h2>") for each in ("Open now", "Coming", "Past")] == sorted(
        html.index(f">{each}</h2>") for each in ("Open now", "Coming", "Past")
    )
    assert "secret" not in html
    alone = shown.browser.get("/?group=past").text
    assert ">Past</h2>" in alone
    assert ">Coming</h2>" not in alone
    assert "No races yet" in shown.browser.get("/?group=past&page=99").text


def test_a_board_is_searched_and_turned_without_a_script(shown: Shown) -> None:
    def racers(query: str) -> list[str]:
        html = shown.browser.get(f"/races/cup?{query}").text
        return [part.partition('"')[0] for part in html.split('data-name="')[1:]]

    assert racers("racer=racer+2") == [f"Racer {n}" for n in range(20, 30)]
    assert racers("racer=RACER+15&around=1") == [f"Racer {n:02}" for n in range(10, 21)]
    assert racers("racer=cer+15&around=1") == [f"Racer {n:02}" for n in range(10, 21)]
    assert racers("racer=nobody") == []
    assert "Racer 15: place 16." in shown.browser.get("/races/cup?racer=cer+15&around=1").text
    assert "No racer of that name is on this board." in shown.browser.get("/races/cup?racer=nobody").text
    first = shown.browser.get("/races/cup?racer=&all=0").text
    assert first.count("data-name=") == 20
    following = json.loads(shown.browser.get("/api/v1/races/cup/standings?limit=20").text)["next"]
    assert racers(f"after={following}") == [f"Racer {n}" for n in range(20, 30)]
    assert shown.browser.get("/races/cup?after=x").status_code == 422


def test_a_race_tells_what_it_is_about(shown: Shown) -> None:
    html = shown.browser.get("/races/cup").text
    for part in (
        "<strong>Fast</strong> &lt;script&gt;",
        "Time trial",
        "Edition 2 of the settings",
        'class="about-track"',
    ):
        assert part in html
    assert f'property="og:image" content="http://{HOST}/races/cup/card.png"' in html


def test_a_place_is_told_over_time(shown: Shown) -> None:
    html = shown.browser.get("/races/cup/racers/Racer 05").text
    assert "Place over time" in html
    told = json.loads(shown.browser.get("/api/v1/races/cup/history?racer=racer+05").text)
    assert [(step["rank"], step["own"]) for step in told["steps"]] == [(6, True)]
    assert shown.browser.get("/api/v1/races/cup/history?racer=nobody").status_code == 404
    assert shown.browser.get("/api/v1/races/secret/history?racer=x").status_code == 404


@pytest.mark.parametrize("bad", ["club.example", "https://club.example/path", "https://x; script-src *", "'self'"])
def test_a_site_is_an_origin(bad: str) -> None:
    with pytest.raises(ConfigError, match=r"embeds\.sites"):
        EmbedSettings((bad,))
