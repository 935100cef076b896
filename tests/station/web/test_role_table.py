"""Who may call what at the station: every address as every kind of caller, beside role_table.txt.

`python -m tests.station.web.test_role_table` prints the lines as they are now: read each one before you put it into
the file. A paired device alone, without a person who is signed in, is a caller of its own; so is a script's token.
"""

import asyncio
import json
import pathlib
import re
import sys
import tempfile

from station.access.roles import Role
from station.access.station_access import StationAccess
from station.access.tokens import DEVICE_COOKIE, SESSION_COOKIE, ShownTokens
from station.web.app import create_app
from tests.access_table import HOST, Table, addresses_of, call, read, word, written
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import cheap_access, session_of
from tests.station.web.test_access import ADMIN

FILE = pathlib.Path(__file__).with_name("role_table.txt")
PEOPLE = {role.word: role for role in Role}
CALLERS = ("nobody", *PEOPLE, "tablet", "screen", "script")
# What an address names, and what is sent where who may call depends on it.
PARTS = {"race_id": "race-1", "run_id": "run-7", "racer": "anna", "number": "1"}
PARTS |= {"name": "a.zip", "act": "make", "code": "a"}
DOCUMENTS: dict[str, object] = {
    "POST /api/v1/commands": {"command": "void_lap", "number": 1},
    "POST /api/v1/preview": {"command": "void_lap", "number": 1},
    "POST /api/v1/checklist": {"line": "road", "done": True},
    "POST /api/v1/screens": {"act": "reload"},
    "POST /api/v1/sync": {"rejected": False, "webhook_id": "", "author": ""},
}
OF_OFFICIALS = ("GET /live?topics=operate",)  # the same address asks for more


def headers_of(access: StationAccess) -> dict[str, dict[str, str]]:
    """What each kind of caller sends along."""
    ours = {"origin": f"http://{HOST}", "content-type": "application/json", "accept": "text/html"}
    sessions = {word: session_of(access, f"the {word}", role) for word, role in PEOPLE.items()}
    tokens = {}
    for name, kind, role in (("tablet", "tablet", Role.REFEREE), ("screen", "screen", Role.VIEWER)):
        offer = access.people.offer_pairing(ADMIN, name, kind, role)  # type: ignore[arg-type]
        tokens[name] = access.people.pair(offer.code, ShownTokens(), "127.0.0.1")
    return {
        "nobody": ours,
        **{word: ours | {"cookie": f"{SESSION_COOKIE}={token}"} for word, token in sessions.items()},
        **{name: ours | {"cookie": f"{DEVICE_COOKIE}={token}"} for name, token in tokens.items()},
        "script": ours | {"authorization": f"Bearer {access.people.make_token('a test', 'a script', Role.OPERATOR)}"},
    }


def observe(folder: pathlib.Path) -> Table:
    """Call everything as everybody."""
    access = cheap_access(folder)
    app = create_app(FakeStation(), access, send=lambda _: None)

    headers = headers_of(access)
    # Signing out comes last: it ends sessions.
    addresses = sorted([*addresses_of(app), *OF_OFFICIALS], key=lambda each: each == "POST /sign-out")

    async def call_all() -> Table:
        table: Table = {}
        for address in addresses:
            words = []
            for caller in CALLERS:
                target = re.sub(r"\{(\w+)(:path)?\}", lambda part: PARTS[part[1]], address)
                body = b"" if address.startswith("GET") else json.dumps(DOCUMENTS.get(address, {})).encode()
                status, location = await call(app, target, headers[caller], body)
                assert status < 500 or status == 503, (address, caller, status)
                words.append(word(status, location))
            table[address] = tuple(words)
        return table

    table = asyncio.run(call_all())
    app.state.live.close()
    access.close()
    return table


def test_every_address_lets_through_whom_the_table_says(tmp_path: pathlib.Path) -> None:
    expected, observed = read(FILE), observe(tmp_path)
    assert observed.keys() - expected.keys() == set(), "addresses without a line in role_table.txt"
    assert expected.keys() - observed.keys() == set(), "lines of addresses that there are no more"
    assert {each: words for each, words in observed.items() if expected[each] != words} == {}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(written(CALLERS, observe(pathlib.Path(name))))
