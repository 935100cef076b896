"""The guides of the league are followed: each page, name and picture is there.

They are docs/run-a-league.md, docs/organise-a-community-race.md and docs/accounts.md; of docs/run-a-farm.md the names.

A name in italics belongs to the address that was named last before it in its section, and stands on that page.
"""

import itertools
import pathlib
import re

import pytest
import requests

from leaderboard.accounts.entrance.entrance import Visitor
from leaderboard.core.access import ADMIN, Grant
from raceday.league_demo.builder import DemoLeague
from raceday.league_demo.cast import OFFICIAL, ORGANISER, RACER
from tests.system.league.conftest import NOW_UTC_NS
from tests.system.look.test_guide import Texts

pytestmark = pytest.mark.slow
DOCS = pathlib.Path(__file__).parents[3] / "docs"
GUIDES = ("run-a-league.md", "organise-a-community-race.md", "accounts.md")
# Where an address of the guides is in the demo's league, and who sees all of its names.
PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "/claim": (("/claim", RACER),),
    "/admin/accounts/ALIAS": (("/admin/accounts/mara", OFFICIAL),),
    "/desk": (("/desk", ORGANISER), ("/desk", OFFICIAL)),
    "/desk/seasons/SEASON/rules": (("/desk/seasons/league/rules", ORGANISER),),
    "/desk/seasons/SEASON/people": (("/desk/seasons/league/people", ORGANISER),),
    "/desk/races/RACE/bracket": (("/desk/races/summit-qualifying/bracket", ORGANISER),),
    "/desk/races/RACE/series": (("/desk/races/summit-live/series", ORGANISER),),
    "/races/RACE/attempts": (("/races/open-5/attempts", OFFICIAL),),
    "/races/RACE/notices": (("/races/open-5/notices", ORGANISER),),
    "/races/RACE/participants": (("/races/{private}/participants", RACER),),
    "/races/RACE/invitation": (("/races/{private}/invitation", RACER),),
    "/seasons/SEASON": (("/seasons/league", ""),),
    "/brackets/BRACKET": (("/brackets/{bracket}", OFFICIAL),),
    "/join/TOKEN": (("{invitation}", ""),),
    "/sign-up": (("/sign-up", ""),),
    "/sign-in": (("/sign-in", ""),),
    "/sign-in/recovery": (("/sign-in/recovery", ""),),
    "/admin/accounts": (("/admin/accounts", OFFICIAL),),
    "/new-race": (("/new-race", RACER),),
    "/account/keys": (("/account/keys", RACER),),
}


def named(guide: str) -> dict[str, set[str]]:
    """The addresses of a guide, each with the names that must be on it."""
    found: dict[str, set[str]] = {}
    content = (DOCS / guide).read_text(encoding="utf-8")
    for section in re.split(r"^## ", content, flags=re.MULTILINE)[1:]:
        address = ""
        for path, name in re.findall(r"`(/[\w/-]*)`|(?<!\*)\*([^*\n]+)\*(?!\*)", section):
            if path:
                address = path
                found.setdefault(address, set())
            else:
                assert address, f"{guide} names {name!r} before any page"
                found[address].add(name)
    return found


@pytest.fixture(scope="module")
def sessions(league: DemoLeague) -> dict[str, str]:
    """A session of each person; the official is admin too, so that the claim was made."""
    accounts, numbers = league.world.services.accounts, itertools.count(1)
    return {
        alias: accounts.entrance.sign_in(
            alias, passphrase, Visitor(f"198.51.100.{next(numbers)}"), NOW_UTC_NS
        ).session.token
        for alias, passphrase in league.passphrases.items()
    }


@pytest.mark.parametrize(("guide", "least"), [*((guide, 6) for guide in GUIDES), ("run-a-farm.md", 3)])
def test_each_page_of_the_guides_has_what_they_name(
    league: DemoLeague, sessions: dict[str, str], guide: str, least: int
) -> None:
    missing: dict[str, list[str]] = {}
    pages = named(guide)
    assert len(pages) >= least
    administration = league.world.services.accounts.administration
    for address, names in sorted(pages.items(), key=lambda page: page[0] != "/claim"):
        texts: set[str] = set()
        for path, who in PLACES.get(address, ((address, ORGANISER),)):
            if address != "/claim":  # which there is only before there is an admin
                administration.grant(ADMIN, OFFICIAL, Grant("admin"), NOW_UTC_NS)
            where = path.format(
                private=league.community.private_id,
                bracket=league.meeting.bracket_id,
                invitation=league.community.invitation_path,
            )
            whose = OFFICIAL if where.startswith("/admin") else who
            cookies = {"raceday_league": sessions[whose]} if whose else {}
            answer = requests.get(f"{league.url}{where}", cookies=cookies, headers={"accept": "text/html"}, timeout=30)
            assert answer.status_code == 200, (where, answer.text[:300])
            texts |= Texts(answer.text).found
        if lost := sorted(names - texts):
            missing[address] = lost
    assert missing == {}


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guides_are_short_and_their_pictures_and_links_are_there(guide: str) -> None:
    content = (DOCS / guide).read_text(encoding="utf-8")
    assert len(content.splitlines()) <= 120
    links = re.findall(r"\]\(([^)#]+)\)", content)
    assert sum(link.endswith(".png") for link in links) >= 4
    assert [link for link in links if not (DOCS / link).is_file()] == []
