"""The pages of attempts, in process: a racer sees the own ones with reasons, officials rule on all without a script."""

from collections.abc import Iterator

import pytest

from shared.rules.ranking import RaceRules
from tests.leaderboard.hall import Hall, open_hall


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("hall")) as opened:
        yield opened


def test_runs_without_a_score_are_on_their_racer_s_page_for_the_racer_alone(hall: Hall) -> None:
    hall.new_race(rules=RaceRules(attempts_per_racer=5))
    hall.post("anna", "a", 9000, 9000)
    hall.post("anna", "b", 9000, 9000, 9000, at_s=1)
    page = f"/races/{hall.race_id}/racers/anna"
    own = hall.people["anna"].get(page).text
    assert "2 of 3 laps in a row" in own
    assert "Did not qualify" in own
    assert "3 attempts left in this race" in own
    assert "2 of 3 laps in a row" in hall.people["otto"].get(page).text
    others = hall.people["ben"].get(page).text
    assert "9.000" in others
    assert "Did not qualify" not in others
    assert "attempts left" not in others
    german = hall.people["anna"].get(page, **{"accept-language": "de"}).text
    assert "2 von 3 Runden hintereinander" in german


def test_an_official_rules_with_forms_and_reads_the_changes(hall: Hall) -> None:
    hall.new_race(rules=RaceRules(attempts_per_racer=1))
    best = hall.post("anna", "a", 9000, 9000, 9000)
    hall.post("anna", "b", 8000, 8000, 8000, at_s=1)
    desk, otto = f"/races/{hall.race_id}/attempts", hall.people["otto"]
    shown = otto.get(desk).text
    assert "beyond the 1 attempt of this race" in shown
    assert "Give attempts back" in shown
    assert otto.submit(desk, what="disqualify", attempt=best, why="").status_code == 422
    assert "Give the reason" in otto.page
    done = otto.submit(desk, what="disqualify", attempt=best, why="two <b>batteries</b>")
    assert (done.status_code, done.headers["location"]) == (303, desk)
    shown = otto.get(desk).text
    assert "The attempt of anna is disqualified." in shown
    assert "two &lt;b&gt;batteries&lt;/b&gt;" in shown
    assert "state: ranked → disqualified" in shown
    assert "Ranked" not in otto.get(f"{desk}?state=disqualified").text.split('<ul class="attempt-list">')[1]
    assert otto.submit(desk, what="give-back", racer="anna", attempts="1", day="", why="the gate").status_code == 303
    assert hall.places() == [("anna", 8000)]
    assert otto.submit(desk, what="give-back", racer="anna", attempts="many", day="", why="x").status_code == 422
    otto.get(desk)
    assert otto.submit(desk, what="restore", attempt=best, why="measured again").status_code == 303
    other = hall.race_id
    hall.new_race()
    otto.get(f"/races/{hall.race_id}/attempts")
    assert otto.submit(f"/races/{hall.race_id}/attempts", what="restore", attempt=best, why="x").status_code == 422
    assert other != hall.race_id


def test_a_racer_s_desk_has_the_own_attempts_and_no_forms(hall: Hall) -> None:
    hall.new_race()
    hall.post("anna", "a", 9000, 9000)
    hall.post("ben", "b", 9000, 9000, 9000, at_s=1)
    page = hall.people["anna"].get(f"/races/{hall.race_id}/attempts").text
    assert "Your attempts" in page
    assert "2 of 3 laps in a row" in page
    assert "9.000" not in page
    assert 'value="disqualify"' not in page
    assert (
        hall.people["anna"]
        .submit(f"/races/{hall.race_id}/attempts", what="disqualify", attempt="x", why="y")
        .status_code
        == 422
    )


def test_a_race_of_both_kinds_has_a_page_for_each(hall: Hall) -> None:
    hall.new_race(venue="any")
    hall.post("anna", "a", 9000, 9000, 9000)
    hall.post("ben", "b", 7000, 7000, 7000, kind="virtual")
    here = f"/races/{hall.race_id}"
    physical, virtual = (hall.people["anna"].get(f"{here}{query}").text for query in ("", "?kind=virtual"))
    assert "Physical and virtual" in physical
    assert ("9.000" in physical, "7.000" in physical) == (True, False)
    assert ("9.000" in virtual, "7.000" in virtual) == (False, True)
    assert f'data-live="{here}/live?lang=en&amp;kind=virtual"' in virtual
    assert hall.people["anna"].get(f"{here}?kind=any").status_code == 422
