"""Links: made, limited, reset, joined by, and dead."""

import concurrent.futures
import dataclasses
import json

import pytest

from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import Gone, NotAllowed, Unauthorized, UnknownInvitation, UnknownRace
from leaderboard.league.invitations import InvitationService
from leaderboard.store import audit, race_rows
from shared.errors import Refused
from tests.leaderboard.participation.conftest import ANNA, NILS, NOW, OFFICIAL, OLGA, League, SomePeople


def test_a_link_lets_in_and_is_shown_again(league: League) -> None:
    cup = league.new_race().race_id
    assert league.invitations.current(OLGA, cup, NOW) is None
    link, new = league.invitations.make(OLGA, cup, NOW)
    assert (new, link.ended, link.invitation.generation) == (True, None, 1)
    assert league.invitations.make(OLGA, cup, NOW) == (link, False)
    assert league.invitations.look(NOBODY, link.token, NOW).organiser == "Olga"
    with pytest.raises(Unauthorized):
        league.invitations.join(NOBODY, link.token, NOW)
    entry = league.invitations.join(NILS, link.token, NOW)
    assert (entry.state, entry.joined_by, entry.racer, entry.name) == ("invited", "link", "nils", "Nils")
    assert league.invitations.join(NILS, link.token, NOW) == entry
    assert league.sight.race(NILS, cup).race_id == cup
    assert league.invitations.look(NILS, link.token, NOW).entry == entry
    again = league.invitations.current(OLGA, cup, NOW)
    assert again is not None
    assert (again.token, again.invitation.uses) == (link.token, 1)


def test_the_store_and_the_audit_hold_no_token(league: League) -> None:
    cup = league.new_race().race_id
    token = league.invitations.make(OLGA, cup, NOW)[0].token
    league.invitations.reset(OLGA, cup, NOW)
    with league.store.read() as db:
        rows = audit.rows(db, race_id=cup)
        stored = db.exec_driver_sql("SELECT token_sha256, salt FROM invitations").all()
    said = json.dumps([dataclasses.asdict(row) for row in rows])
    assert token not in said + str(stored)
    assert not any(value in said for row in stored for value in row)
    # With another secret file the link still works, and only a reset can show one again.
    other = InvitationService(league.store, SomePeople(), "another secret", league.changes.append)
    assert other.current(OLGA, cup, NOW).token == ""  # type: ignore[union-attr]
    assert other.reset(OLGA, cup, NOW).token


def test_a_reset_kills_the_old_link_and_leaves_who_joined(league: League) -> None:
    cup = league.new_race().race_id
    old = league.invitations.make(OLGA, cup, NOW, max_uses=5)[0]
    league.invitations.join(NILS, old.token, NOW)
    new = league.invitations.reset(OLGA, cup, NOW)
    assert new.token != old.token
    assert (new.invitation.generation, new.invitation.max_uses, new.invitation.uses) == (2, 5, 0)
    with pytest.raises(Gone, match="replaced this link"):
        league.invitations.look(ANNA, old.token, NOW)
    with pytest.raises(Gone, match="replaced this link"):
        league.invitations.join(ANNA, old.token, NOW)
    assert league.invitations.join(NILS, old.token, NOW).state == "invited"
    assert league.sight.race(NILS, cup).race_id == cup
    assert league.invitations.join(ANNA, new.token, NOW).state == "invited"


def test_limits_of_a_link(league: League) -> None:
    cup = league.new_race().race_id
    token = league.invitations.make(OLGA, cup, NOW, expires_utc_ns=NOW + 10, max_uses=1)[0].token
    with pytest.raises(Gone, match="has expired"):
        league.invitations.join(ANNA, token, NOW + 10)
    league.invitations.join(ANNA, token, NOW + 9)
    with pytest.raises(Gone, match="as many racers"):
        league.invitations.join(NILS, token, NOW + 9)
    assert league.invitations.current(OLGA, cup, NOW + 9).ended == "used_up"  # type: ignore[union-attr]
    assert league.invitations.make(OLGA, cup, NOW)[0].token == token
    assert league.invitations.join(NILS, token, NOW + 99).state == "invited"
    assert league.invitations.reset(OLGA, cup, NOW + 99).invitation.expires_utc_ns is None


def test_a_link_ends_with_its_race(league: League) -> None:
    cup = league.new_race(closes_utc_ns=NOW + 10).race_id
    token = league.invitations.make(OLGA, cup, NOW)[0].token
    league.invitations.join(NILS, token, NOW)
    with pytest.raises(Gone, match="This race is over"):
        league.invitations.join(ANNA, token, NOW + 10)
    assert league.invitations.look(NILS, token, NOW + 10).race.race_id == cup
    with pytest.raises(Refused, match="nobody can be invited"):
        league.invitations.reset(OLGA, cup, NOW + 10)


def test_a_draft_invites_nobody_yet(league: League) -> None:
    made = league.new_race()
    token = league.invitations.make(OLGA, made.race_id, NOW)[0].token
    with league.store.write() as db:
        race_rows.change_race(db, dataclasses.replace(made, stage="draft"))
    with pytest.raises(UnknownInvitation, match="not published yet"):
        league.invitations.join(ANNA, token, NOW)


@pytest.mark.parametrize("token", ["", "x", "A" * 22, "A" * 4000, "../races", "é" * 22, "\x00" * 22])
def test_links_that_never_were(league: League, token: str) -> None:
    with pytest.raises(UnknownInvitation, match="copied whole"):
        league.invitations.look(NOBODY, token, NOW)


def test_who_manages_links(league: League) -> None:
    cup = league.new_race().race_id
    league.joined(cup, NILS)
    with pytest.raises(UnknownRace):
        league.invitations.make(ANNA, cup, NOW)
    for caller in (NILS, OFFICIAL):
        with pytest.raises(NotAllowed):
            league.invitations.current(caller, cup, NOW)


def test_who_was_removed_does_not_come_back_by_the_link(league: League) -> None:
    cup = league.new_race().race_id
    league.joined(cup, NILS)
    league.entries.remove(OLGA, cup, "nils", NOW)
    token = league.invitations.current(OLGA, cup, NOW).token  # type: ignore[union-attr]
    with pytest.raises(NotAllowed, match="removed you"):
        league.invitations.join(NILS, token, NOW)
    league.invitations.reset(OLGA, cup, NOW)
    with pytest.raises(Gone):
        league.invitations.join(NILS, token, NOW)


def test_no_more_join_at_once_than_the_link_is_for(league: League) -> None:
    cup = league.new_race().race_id
    token = league.invitations.make(OLGA, cup, NOW, max_uses=3)[0].token

    def join(number: int) -> bool:
        try:
            league.invitations.join(Caller(f"a-{number}", f"racer{number}"), token, NOW)
        except Gone:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        joined = list(pool.map(join, range(8)))
    assert joined.count(True) == 3
    assert league.entries.participants(OLGA, cup).counts == {"invited": 3}
    assert league.invitations.current(OLGA, cup, NOW).invitation.uses == 3  # type: ignore[union-attr]
