"""Entering, withdrawing, inviting by alias, removing with undo, and results of a name that is somebody else's."""

import pytest

from leaderboard.core.access import ADMIN, NOBODY
from leaderboard.core.errors import Conflict, NotAllowed, Unauthorized, UnknownRace, UnknownRacer
from shared.errors import Refused
from tests.leaderboard.by_hand import enter
from tests.leaderboard.participation.conftest import ANNA, NILS, NOW, OFFICIAL, OLGA, League


def test_a_racer_enters_withdraws_and_enters_again(league: League) -> None:
    cup = league.new_race().race_id
    league.joined(cup, NILS)
    assert league.entries.own(NILS, cup).state == "invited"  # type: ignore[union-attr]
    assert league.post(cup, "nils") == 422
    assert league.entries.enter(NILS, cup, NOW).state == "entered"
    assert league.entries.enter(NILS, cup, NOW + 1).entered_utc_ns == NOW
    assert league.post(cup, "nils") == 201
    assert league.entries.withdraw(NILS, cup, NOW).state == "withdrawn"
    assert league.entries.withdraw(NILS, cup, NOW).state == "withdrawn"
    assert league.ranked(cup) == ["nils"]
    assert league.entries.enter(NILS, cup, NOW).state == "entered"
    assert league.audited(cup)[2:] == ["nils: entry.join"] + ["nils: entry.enter_self"] * 3


def test_who_may_not_enter(league: League) -> None:
    cup = league.new_race().race_id
    for caller in (NOBODY, ANNA):
        with pytest.raises(UnknownRace):
            league.entries.enter(caller, cup, NOW)
    with pytest.raises(NotAllowed):
        league.entries.enter(ADMIN, cup, NOW)
    public = league.new_race(visibility="public").race_id
    with pytest.raises(Unauthorized):
        league.entries.enter(NOBODY, public, NOW)
    with pytest.raises(UnknownRacer):
        league.entries.withdraw(ANNA, public, NOW)
    assert league.entries.enter(ANNA, public, NOW).joined_by == "self"


def test_nobody_enters_a_race_that_is_over(league: League) -> None:
    cup = league.new_race(visibility="public", closes_utc_ns=NOW + 5).race_id
    with pytest.raises(Refused, match="The race is over"):
        league.entries.enter(ANNA, cup, NOW + 5)


def test_a_removed_racer_sees_nothing_and_undo_gives_all_back(league: League) -> None:
    cup = league.new_race().race_id
    league.joined(cup, NILS, ANNA)
    for caller, ms in ((NILS, 9000), (ANNA, 9100)):
        league.entries.enter(caller, cup, NOW)
        league.post(cup, caller.alias, ms)
    before = league.board.standings(cup)
    assert league.entries.remove(OLGA, cup, "NILS", NOW, "left the club").state == "removed"
    assert league.entries.remove(OLGA, cup, "nils", NOW).state == "removed"
    assert league.ranked(cup) == ["anna"]
    with pytest.raises(UnknownRace):
        league.sight.race(NILS, cup)
    with pytest.raises(UnknownRace):
        league.entries.enter(NILS, cup, NOW)
    with pytest.raises(UnknownRacer):
        league.board.racer_runs(cup, "nils")
    # What arrives meanwhile is kept, and not shown: undo loses nothing.
    assert league.post(cup, "nils", 8000) == 201
    assert league.ranked(cup) == ["anna"]
    assert league.entries.restore(OLGA, cup, "nils", NOW).state == "entered"
    assert league.ranked(cup) == ["nils", "anna"]
    assert league.board.standings(cup)[0].score_ms < before[0].score_ms
    with pytest.raises(Refused, match="cannot be restored"):
        league.entries.restore(OLGA, cup, "nils", NOW)


def test_undo_gives_back_the_state_that_was(league: League) -> None:
    cup = league.new_race().race_id
    league.joined(cup, NILS, ANNA)
    league.entries.enter(ANNA, cup, NOW)
    league.entries.withdraw(ANNA, cup, NOW)
    for alias, state in (("nils", "invited"), ("anna", "withdrawn")):
        league.entries.remove(OLGA, cup, alias, NOW)
        assert league.entries.restore(OLGA, cup, alias, NOW).state == state


def test_hidden_results_stay_hidden_under_other_rules(league: League) -> None:
    cup = league.new_race(visibility="public").race_id
    league.post(cup, "guest")
    league.entries.remove(OLGA, cup, "guest", NOW)
    stored = league.board.race(cup)
    league.board.change_rules(cup, type(stored.rules)(consecutive_laps=2), NOW)
    assert league.ranked(cup) == []
    assert league.entries.restore(OLGA, cup, "guest", NOW).state == "entered"
    assert league.ranked(cup) == ["guest"]


def test_only_those_who_run_the_race_manage_entries(league: League) -> None:
    cup = league.new_race().race_id
    league.joined(cup, NILS)
    with pytest.raises(NotAllowed):
        league.entries.remove(NILS, cup, "nils", NOW)
    with pytest.raises(UnknownRace):
        league.entries.remove(ANNA, cup, "nils", NOW)
    with pytest.raises(UnknownRacer):
        league.entries.remove(OLGA, cup, "nobody", NOW)
    assert league.entries.remove(OFFICIAL, cup, "nils", NOW).state == "removed"


def test_final_results_stay_as_they_are(league: League) -> None:
    from leaderboard.store import race_rows

    made = league.new_race(visibility="public")
    league.post(made.race_id, "guest")
    with league.store.write() as db:
        race_rows.change_race(db, type(made)(**{f: getattr(made, f) for f in made.__slots__} | {"stage": "final"}))
    with pytest.raises(Refused, match="an official unlocks"):
        league.entries.remove(OLGA, made.race_id, "guest", NOW)


def test_inviting_by_alias(league: League) -> None:
    cup = league.new_race().race_id
    entry, new = league.entries.invite(OLGA, cup, "Nils", NOW)
    assert (entry.state, entry.joined_by, new) == ("invited", "alias", True)
    assert league.sight.race(NILS, cup).race_id == cup
    assert league.entries.invite(OLGA, cup, "nils", NOW) == (entry, False)
    with pytest.raises(UnknownRacer, match="no account with the alias 'nobody'"):
        league.entries.invite(OLGA, cup, "nobody", NOW)
    league.entries.remove(OLGA, cup, "nils", NOW)
    with pytest.raises(Conflict, match="restore the entry"):
        league.entries.invite(OLGA, cup, "nils", NOW)


def test_results_of_the_same_name_without_an_account_need_a_decision(league: League) -> None:
    cup = league.new_race(visibility="public").race_id
    league.post(cup, "Nils")
    with pytest.raises(Conflict, match="whether they are yours"):
        league.entries.enter(NILS, cup, NOW)
    # What was refused left nothing behind; then the organiser lets Nils in, and says that they are his.
    assert league.entries.own(NILS, cup) is None
    league.entries.invite(OLGA, cup, "nils", NOW)
    with pytest.raises(Conflict):
        league.entries.enter(NILS, cup, NOW)
    participant = league.entries.participants(OLGA, cup).participants[0]
    assert (participant.results, participant.to_decide) == (1, True)
    entry = league.entries.confirm(OLGA, cup, "nils", NOW)
    assert (entry.racer, entry.account_id, entry.state) == ("Nils", "a-nils", "entered")
    assert league.ranked(cup) == ["Nils"]


def test_a_registered_racer_of_the_same_name_needs_a_decision_too(league: League) -> None:
    cup = league.new_race(visibility="public").race_id
    enter(league.board, cup, "anna", "Anna from the hall", NOW)
    token = league.invitations.make(OLGA, cup, NOW)[0].token
    with pytest.raises(Conflict, match="without an account"):
        league.invitations.join(ANNA, token, NOW)
    assert league.invitations.current(OLGA, cup, NOW).invitation.uses == 0  # type: ignore[union-attr]
    entry = league.entries.confirm(OFFICIAL, cup, "anna", NOW)
    assert (entry.name, entry.account_id, entry.state) == ("Anna from the hall", "a-anna", "entered")


def test_participants_by_pages(league: League) -> None:
    cup = league.new_race(visibility="public").race_id
    for number in range(5):
        enter(league.board, cup, f"racer-{number}", f"racer-{number}", NOW)
    league.entries.remove(OLGA, cup, "racer-1", NOW)
    first = league.entries.participants(OLGA, cup, limit=3)
    rest = league.entries.participants(OLGA, cup, first.after, limit=3)
    found = [each.entry.racer for page in (first, rest) for each in page.participants]
    assert (found, rest.after) == ([f"racer-{number}" for number in range(5)], "")
    assert first.counts == {"entered": 4, "removed": 1}
    public = league.entries.participants(NOBODY, cup)
    assert [each.entry.racer for each in public.participants] == ["racer-0", "racer-2", "racer-3", "racer-4"]
    assert public.counts == {"entered": 4}
