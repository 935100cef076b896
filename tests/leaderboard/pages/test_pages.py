"""The pages without scripts: everything is there in words, and no name can inject markup."""

import dataclasses
import re

import pytest

from leaderboard.board import LeaderboardService
from leaderboard.core.errors import UnknownRacer
from leaderboard.pages import wording
from leaderboard.pages.public.home import GroupView, group_views
from leaderboard.pages.racer_view import racer_view
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.views import RowView, move_view, place_view, row_view
from leaderboard.scored_laps import best_window
from leaderboard.snapshots import Snapshot
from shared.protocol.results import encode_result
from shared.rules.ranking import RaceRules
from shared.web.drawing.sparkline import Sparkline
from tests.leaderboard.by_hand import enter
from tests.leaderboard.sample_races import Running, laps, race, result

NOW_NS = 1_700_000_000_000_000_000


def home(board: LeaderboardService, now_utc_ns: int) -> list[GroupView]:
    return group_views(board, lambda _: True, lambda _: False, now_utc_ns)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (RaceRules(), "Ranked by the average of the best 3 successful laps in a row."),
        (RaceRules("total_time", 5), "Ranked by the total time of the best 5 successful laps in a row."),
        (RaceRules("total_time", 1), "Ranked by the best successful lap."),
        (RaceRules("best_lap", 1), "Ranked by the best lap."),
        (RaceRules("best_lap", 3), "Ranked by the best lap, for runs with 3 successful laps in a row."),
        (RaceRules(max_laps=10), "At most 10 laps a run."),
        (RaceRules(time_limit_s=180), "A run ends after 3 minutes."),
        (RaceRules(time_limit_s=60), "A run ends after 1 minute."),
        (RaceRules(time_limit_s=90.5), "A run ends after 1 minute 30.5 s."),
        (RaceRules(time_limit_s=45), "A run ends after 45 s."),
        (RaceRules(off_track_penalty_s=2.5), "Each off track adds 2.5 s to its lap."),
        (RaceRules(collision_penalty_s=5), "Each collision adds 5 s to its lap."),
        (RaceRules(max_resets_per_lap=0), "A lap with a reset does not count."),
        (RaceRules(max_resets_per_lap=1), "A lap with more than 1 reset does not count."),
        (RaceRules(attempts_per_racer=1), "The first 1 attempt of each racer counts."),
        (RaceRules(attempts_per_racer=3), "The first 3 attempts of each racer count."),
        (RaceRules(), "A lap takes at least 2 s."),
    ],
)
def test_rules_in_words(rules: RaceRules, sentence: str) -> None:
    assert sentence in wording.rules_in_words(rules)


@pytest.mark.parametrize(
    ("moved", "sign", "sentence"),
    [(None, "★", "new in the standing"), (0, "", ""), (1, "▲", "up 1 place"), (-2, "▼", "down 2 places")],
)
def test_moves_have_a_sign_and_words(moved: int | None, sign: str, sentence: str) -> None:
    view = move_view(moved)
    assert (view.sign, view.sentence) == (sign, sentence)


def rows_of(snapshot: Snapshot) -> list[RowView]:
    rules = snapshot.race.rules
    windows = [best_window(row, rules) for row in snapshot.rows]
    fastest_ms = min(lap.lap_ms for window in windows for lap in window)
    return [row_view(row, rules, window, fastest_ms) for row, window in zip(snapshot.rows, windows, strict=True)]


def test_laps_are_marked(board: LeaderboardService) -> None:
    for one in (
        result("a", "anna", (9000, 9100, 9200)),
        result("b", "tom", laps=laps((9500, 9400, 9600), off_tracks=(0, 0, 1))),
    ):
        board.apply(one.webhook_id, encode_result(one), 1)
    view = rows_of(board.snapshot("cup"))
    assert [[lap.best for lap in row.laps] for row in view] == [["race", "", ""], ["", "own", ""]]
    assert view[1].laps[2].note == "1 off track, 1.000 s penalty in it"
    assert view[1].laps[2].time == "10.600"
    assert place_view(board.snapshot("cup").rows[1]).gap == "+0.733"
    assert view[1].sparkline == Sparkline("M3 16L13 17L23 3", "M3 16h0M13 17h0M23 3h0")


def test_the_laps_of_the_run_are_a_line_in_its_row(board: LeaderboardService) -> None:
    """Of six laps the middle three make the score, and one is void."""
    run = list(laps((12000, 9100, 9000, 9200, 30000, 9900)))
    run[4] = dataclasses.replace(run[4], valid=False)
    one = result("a", "anna", laps=tuple(run))
    board.apply(one.webhook_id, encode_result(one), 1)
    [row] = rows_of(board.snapshot("cup"))
    assert row.sparkline == Sparkline("M3 3L13 17L23 17L33 16M53 13", "M13 17h0M23 17h0M33 16h0")
    drawn = f'<path d="{row.sparkline.line}"/><path class="marks" d="{row.sparkline.marks}"/>'
    assert LeaderboardPages("Board").race(board.snapshot("cup"), NOW_NS, live=True).count(drawn) == 1


def test_the_page_and_the_stream_show_the_same_rows(board: LeaderboardService) -> None:
    one = result("a", "anna")
    board.apply(one.webhook_id, encode_result(one), 1)
    pages = LeaderboardPages("Board")
    page = pages.race(board.snapshot("cup"), NOW_NS, live=True)
    content = pages.live_content(board.snapshot("cup"), NOW_NS)
    # The stream's rows are without what follows from a place, which the browser fills in.
    page = re.sub(r' data-rank="1"', ' data-rank=""', page.replace(' class="place-1"', ""))
    page = page.replace('class="rank">1<', 'class="rank"><')
    page = re.sub(r'class="(gap|interval)">–<', r'class="\1"><', page)
    page = re.sub(r'(class="move) new">.*?</td>', r'\1 same"></td>', page)
    assert all(row in page for row in content.rows.values())
    assert content.placing["moved"] == [[0, 0, None]]
    assert content.parts["counts"] in page


def test_hostile_names_stay_text(board: LeaderboardService) -> None:
    nasty = '"><script>alert(1)</script>'
    board.create_race(race("nasty", name=nasty, track=nasty), 2)
    enter(board, "nasty", "anna", nasty, 3)
    one = result("a", "anna", race_id="nasty", car=nasty, model=nasty)
    board.apply(one.webhook_id, encode_result(one), 1)
    pages = LeaderboardPages(nasty)
    made = [pages.race(board.snapshot("nasty"), NOW_NS, live=True), pages.index(home(board, NOW_NS))]
    for html in (*made, pages.missing(nasty)):
        assert nasty not in html
        assert "<script>" not in html


def test_empty_states(board: LeaderboardService) -> None:
    assert "No qualified run yet" in LeaderboardPages("Board").race(board.snapshot("cup"), NOW_NS, live=True)
    assert "No races yet" in LeaderboardPages("Board").index([])


def test_states_are_told_in_words(board: LeaderboardService) -> None:
    board.create_race(race("soon", opens_utc_ns=NOW_NS + 10**9), 2)
    board.create_race(race("over", closes_utc_ns=NOW_NS - 10**9, kind="community", venue="virtual"), 2)
    html = LeaderboardPages("Board").index(home(board, NOW_NS))
    for text in ("Open now", "Coming", "Closed", "Not open yet", "League", "Community", "Physical", "Virtual"):
        assert text in html


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(running: Running) -> None:
    for path in ("/", "/races/cup", "/docs", "/nowhere", "/races/nowhere"):
        html = running.get(path).text
        addresses = re.findall(r'(?:src|href|data-live)="([^"]+)"', html)
        assert addresses
        assert all(address.startswith(("/", "#")) for address in addresses)
        assert "style=" not in html
        assert not re.search(r"<script(?! src=)", html)


def test_static_addresses_carry_the_hash_of_what_they_name(running: Running) -> None:
    html = running.get("/races/cup").text
    addresses = re.findall(r'"(/static/[^"]+)"', html)
    assert len(addresses) == 12
    answers = [running.get(address) for address in addresses]
    assert {answer.status_code for answer in answers} == {200}
    assert all("immutable" in answer.headers["cache-control"] for answer in answers)
    assert running.get("/races/cup").headers["cache-control"] == "no-store"


def test_rows_beyond_the_live_ones_are_a_link_away(board: LeaderboardService) -> None:
    for number in range(5):
        one = result(f"r{number}", f"racer {number}", (9000 + number,) * 3)
        board.apply(one.webhook_id, encode_result(one), 1)
    pages = LeaderboardPages("Board")
    some = pages.race(board.snapshot("cup", 3), NOW_NS, live=True)
    assert "3 of 5 racers" in some
    assert "?all=1" in some
    every = pages.race(board.snapshot("cup"), NOW_NS, live=False)
    assert "racer 4" in every
    assert "live.js" not in every


def test_the_index_tells_who_leads(board: LeaderboardService) -> None:
    assert "No qualified run yet" in LeaderboardPages("Board").index(home(board, NOW_NS))
    enter(board, "cup", "tom", "Tom O'Neill", 1)
    for racer, time_ms in (("anna", 9001), ("tom", 9000), ("kenji", 9000)):
        one = result(racer, racer, (time_ms,) * 3)
        board.apply(one.webhook_id, encode_result(one), 1)
    head = board.races()[0]
    assert (head.leader, head.leader_score_ms) == ("Tom O'Neill", 9000)
    index = LeaderboardPages("Board").index(home(board, NOW_NS))
    assert [index.index(name) for name in ("Tom O&#39;Neill", "<bdi>kenji", "<bdi>anna")] == sorted(
        index.index(name) for name in ("Tom O&#39;Neill", "<bdi>kenji", "<bdi>anna")
    )


def test_the_board_is_searched_links_to_its_rows_and_has_a_form_for_a_hall(board: LeaderboardService) -> None:
    one = result("a", "Anna B", (9000,) * 3)
    board.apply(one.webhook_id, encode_result(one), 1)
    pages = LeaderboardPages("Board")
    html = pages.race(board.snapshot("cup"), NOW_NS, live=True)
    [row_id] = re.findall(r'<tr role="row" id="([^"]+)"', html)
    assert " " not in row_id
    assert row_id == "racer-Anna%20B"
    assert html.count('href="/races/cup/racers/Anna%20B"') == 1
    assert html.count(f'href="/races/cup/racers/Anna%20B#run-{b"a".hex()}"') == 1
    assert 'role="search"' in html
    assert 'href="/docs"' not in html.split("<main")[0]  # programs' business is not in the spectators' navigation
    hall = pages.race(board.snapshot("cup"), NOW_NS, live=True, screen=True)
    assert 'class="hall board-screen"' in hall
    assert 'role="search"' not in hall


def test_a_racers_page_holds_all_runs_and_what_became_of_each_lap(board: LeaderboardService) -> None:
    posted = (
        result("a", "Anna B", laps=laps((9000, 9100, 9200, 9300), off_tracks=(0, 0, 0, 1)), finished_utc_ns=10**18),
        result("b", "ANNA b", (9500, 9400, 9600), finished_utc_ns=2 * 10**18, run_id='<b id="x">'),
        result("c", "Kenji", (8000,) * 3),
    )
    for one in posted:
        board.apply(one.webhook_id, encode_result(one), 1)
    shown = racer_view(board.racer_runs("cup", "anna B"), NOW_NS)
    assert (shown.name, shown.place, shown.of, shown.score, shown.gap) == (
        "Anna B", 2, "of 2 racers", "9.100", "+1.100 to the lead",
    )  # fmt: skip
    assert [(run.score, run.best) for run in shown.runs] == [("9.500", False), ("9.100", True)]
    assert [(lap.time, lap.in_score, lap.note) for lap in shown.runs[1].laps] == [
        ("9.000", True, ""),
        ("9.100", True, ""),
        ("9.200", True, ""),
        ("10.300", False, "1 off track, 1.000 s penalty in it"),
    ]
    html = LeaderboardPages("Board").racer(board.racer_runs("cup", "anna B"), NOW_NS)
    assert '<b id="x">' not in html
    assert f'id="run-{b"a".hex()}"' in html
    with pytest.raises(UnknownRacer, match="no racer 'Eve'"):
        board.racer_runs("cup", "Eve")


def test_a_racers_page_has_an_address_and_an_unknown_racer_is_said(running: Running) -> None:
    running.post(result("a", "Anna/B"))
    assert "Anna/B" in running.get("/races/cup/racers/Anna%2FB").text
    missing = running.get("/races/cup/racers/Eve")
    assert missing.status_code == 404


@pytest.mark.slow
def test_corrected_results_say_so(board: LeaderboardService) -> None:
    for one in (result("a"), dataclasses.replace(result("a"), revision=2)):
        board.apply(one.webhook_id, encode_result(one), 1)
    assert rows_of(board.snapshot("cup"))[0].corrected
