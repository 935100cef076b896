"""Who may open which page and send which form: every address outside the API, beside page_roles.txt.

As tests/leaderboard/api/test_role_table.py, for pages: "sign-in" sends to the sign-in. Addresses of a race are tried in
a public race, and pages of one (GET) in a private one too: those begin with "private:".
`python -m tests.leaderboard.pages.test_page_roles` prints the lines as they are now: read each one first.
"""

import asyncio
import pathlib
import re
import sys
import tempfile

from tests.access_table import Table, addresses_of, call, read, word, written
from tests.leaderboard.api.role_cases import CALLERS as ALL
from tests.leaderboard.api.role_cases import RoleWorld
from tests.leaderboard.api.role_things import OF_A_RACE, PARTS, Asked
from tests.leaderboard.api.test_role_table import _app

FILE = pathlib.Path(__file__).with_name("page_roles.txt")
CALLERS = tuple(caller for caller in ALL if caller not in ("removed", "other", "commentator"))
PRIVATE = "private:"
# What is sent where a form without it is refused before it is asked who sends it.
FIELDS = {
    "POST /brackets/{bracket_id}/heats/{number}": {"winner": "anna", "edition": "1"},
    "POST /brackets/{bracket_id}/heats/{number}/rerun": {"why": "a flat battery", "edition": "1"},
    "POST /desk/series/{series_id}": {"stopped": "yes", "edition": "1"},
    "POST /races/{race_id}/participants": {"what": "register", "racer": "cy"},
    "POST /races/{race_id}/queue": {"racers": "anna"},
}
QUERIES = {"GET /desk/seasons/{season_id}/racer": "?racer=anna"}
LAST = ("POST /account/sessions/end-others", "POST /sign-out", "POST /account/delete")  # they end sessions
OF_A_RACE_TOO = OF_A_RACE | {"race_id"}
OTHER_PARTS = {"version": "1", "move": "publish", "action": "test", "page": "a", "sha256": "0" * 64}


def observe(folder: pathlib.Path) -> Table:
    """Open and send everything as everybody; each call has things of its own: none changes what another meets."""
    board, app = _app(folder)
    world = RoleWorld(app, board.store)
    tried = _tried(app)
    # Only what needs a race has one, and comes last: pages of a whole league would list a thousand races.
    in_races = [address for address in tried if OF_A_RACE_TOO & set(re.findall(r"\{(\w+)", address))]
    numbered = {address: number for number, address in enumerate(in_races)}
    races = {
        (address, caller): f"race-{number:03}-{caller}" for address, number in numbered.items() for caller in CALLERS
    }
    world.make_keys(list(races.values()))

    async def call_all() -> Table:
        table: Table = {}
        for number, address in enumerate(sorted(tried, key=lambda each: (each in LAST, each in numbered))):
            names = [races[address, caller] for caller in CALLERS if address in numbered]
            world.make_races(names, "private" if PRIVATE in address else "public", live=True)
            words = []
            for caller in CALLERS:
                race_id = races.get((address, caller), "")
                owner = world.accounts.get(caller, "account-somebody")
                asked = Asked(
                    board.store,
                    app.state.services.invitations,
                    f"thing-{number:03}-{caller}",
                    race_id,
                    owner,
                    folder / "models",
                )
                status, location = await call(app, _target(address, asked), *world.form(caller, _fields(address)))
                assert status < 500 or status == 503, (address, caller, status)
                words.append(word(status, location))
            table[address] = tuple(words)
        return table

    table = asyncio.run(call_all())
    board.close()
    return table


def _tried(app: object) -> list[str]:
    pages = [address for address in addresses_of(app) if " /api/v1/" not in address]
    of_a_race = [address for address in pages if address.startswith("GET") and "{race_id}" in address]
    private = [address.replace(" ", f" {PRIVATE}", 1) for address in of_a_race]
    return [*pages, *private]


def _fields(address: str) -> dict[str, str] | None:
    return None if address.startswith("GET") else FIELDS.get(address, {})


def _target(address: str, asked: Asked) -> str:
    """The address with what its parts name, made for this call."""

    def named(part: re.Match[str]) -> str:
        name = part[1]
        return OTHER_PARTS[name] if name in OTHER_PARTS else PARTS[name](asked)

    return re.sub(r"\{(\w+)(?::path)?\}", named, address.replace(PRIVATE, "")) + QUERIES.get(address, "")


def test_every_page_and_form_lets_through_whom_the_table_says(tmp_path: pathlib.Path) -> None:
    expected, observed = read(FILE), observe(tmp_path)
    assert observed.keys() - expected.keys() == set(), "addresses without a line in page_roles.txt"
    assert expected.keys() - observed.keys() == set(), "lines of addresses that there are no more"
    assert {each: words for each, words in observed.items() if expected[each] != words} == {}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(written(CALLERS, observe(pathlib.Path(name))))
