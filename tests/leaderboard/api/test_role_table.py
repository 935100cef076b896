"""Who may call what: every call of the OpenAPI document as every kind of caller, beside role_table.txt.

Each line of the file is a call in a public race, in a private race, or of no race ("-"; "other": of what another
account has), with what each caller gets: 401, 403, 404, or "ok" for whoever is let through (a document without fields
is then mostly 422: that is "ok" too). A call that is not in the file fails the test.
`python -m tests.leaderboard.api.test_role_table` prints the lines as they are now: read each one before you put it
into the file.
"""

import asyncio
import json
import pathlib
import re
import sys
import tempfile

import pytest
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, SubmissionSettings
from leaderboard.core.race import Visibility
from leaderboard.credentials import Credentials
from shared.access.pass_code_hashing import Argon2idHasher
from tests.leaderboard.api.role_cases import CALLERS, NOW, RoleCase, RoleWorld, cases
from tests.leaderboard.api.role_things import OF_A_RACE, PARTS, Asked

FILE = pathlib.Path(__file__).with_name("role_table.txt")
# The document of a call, where who may call depends on it; {} for all others. "RACE": the race of the call.
_NEW_RACE = {"name": "New", "track": "Oval", "season_id": "league"}
_MONTHLY = {
    "name": "Monthly",
    "series_id": "RACE",
    "every": "month",
    "first": "2100-01-31T18:00",
    "zone": "UTC",
    "race": _NEW_RACE,
}
DOCUMENTS: dict[str, object] = {
    "POST /api/v1/accounts/{alias}/roles": {"role": "commentator", "season": "league"},
    "POST /api/v1/brackets": {"race_id": "RACE", "name": "Cup"},
    "POST /api/v1/events": {"name": "Day", "season_id": "league"},
    "POST /api/v1/notices": {"url": "https://hooks.example/b", "kinds": ["race.final"], "race_id": "RACE"},
    "PATCH /api/v1/notices/{receiver_id}": {"paused": True},
    "POST /api/v1/races": _NEW_RACE,
    "POST /api/v1/races/{race_id}/queue": {"racers": ["anna"]},
    "POST /api/v1/races/{race_id}/queue/speed": {"multiplier": 1.5},
    "POST /api/v1/series": _MONTHLY,
}
# Whose document or query names a race.
NAME_A_RACE = frozenset({"POST /api/v1/brackets", "POST /api/v1/notices", "POST /api/v1/import", "POST /api/v1/series"})
QUERIES = {
    "DELETE /api/v1/accounts/{alias}/roles/{role}": "?season=league",
    "POST /api/v1/import": "?race=RACE&format=league",
}
NOWHERE = "nowhere-0000"


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[RoleCase, dict[str, tuple[int, bytes]]]:
    """What every caller got."""
    return observe(tmp_path_factory.mktemp("roles"))


def observe(folder: pathlib.Path) -> dict[RoleCase, dict[str, tuple[int, bytes]]]:
    """Call everything as everybody; each call has things of its own, so that none changes what another meets."""
    board, app = _app(folder)
    found = cases(app.openapi())
    world = RoleWorld(app, board.store)
    races: dict[tuple[RoleCase, str], str] = {}
    for number, case in enumerate(found):
        if case.race in ("public", "private") or OF_A_RACE & _parts(case) or case.call in NAME_A_RACE:
            races |= {(case, caller): f"race-{number:03}-{caller}" for caller in CALLERS}
    world.make_keys(list(races.values()))
    invitations = app.state.services.invitations

    def address(number: int, case: RoleCase, caller: str) -> str:
        other = "account-somebody"
        owner = other if case.race == "other" else world.accounts.get(caller, other)
        asked = Asked(
            board.store,
            invitations,
            f"thing-{number:03}-{caller}",
            races.get((case, caller), ""),
            owner,
            folder / "models",
        )
        if "/invitation" in case.path:
            PARTS["token"](asked)  # there is one to show, or to make anew
        return _address(case, asked.race_id, {part: PARTS[part](asked) for part in _parts(case)})

    async def call_all() -> dict[RoleCase, dict[str, tuple[int, bytes]]]:
        # Calls of no race come first: each of those that read a whole season would read a thousand races.
        got: dict[RoleCase, dict[str, tuple[int, bytes]]] = {case: {} for case in found}
        for number, case in sorted(enumerate(found), key=lambda each: (each[1], CALLERS[0]) in races):
            names = [races[case, caller] for caller in CALLERS if (case, caller) in races]
            visibility: Visibility = "private" if case.race == "private" else "public"
            world.make_races(names, visibility, live="/queue" in case.path or "/winner" in case.path)
            for caller in CALLERS:
                path, document = address(number, case, caller), _document(case, races.get((case, caller), ""))
                got[case][caller] = await world.call(caller, case.method, path, document)
        return got

    got = asyncio.run(call_all())
    board.close()
    return got


def _app(folder: pathlib.Path) -> tuple[LeaderboardService, FastAPI]:
    board = open_board(folder / "board.db")
    cheap = Argon2idHasher(memory_kib=8, passes=1)
    config = LeaderboardConfig(submissions=SubmissionSettings(folder=str(folder / "models")))
    app, _ = create_app(board, Credentials((), ""), config, lambda: NOW, cheap)
    return board, app


def _parts(case: RoleCase) -> set[str]:
    """What the address of the call names."""
    return set(re.findall(r"\{(\w+)\}", case.path))


def _address(case: RoleCase, race_id: str, values: dict[str, str]) -> str:
    named = {"race_id": race_id} | values
    path = re.sub(r"\{(\w+)\}", lambda part: named[part[1]], case.path)
    return path + QUERIES.get(case.call, "").replace("RACE", race_id)


def _document(case: RoleCase, race_id: str) -> object:
    return json.loads(json.dumps(DOCUMENTS.get(case.call, {})).replace("RACE", race_id))


def word(status: int) -> str:
    """What the table says of a status."""
    return str(status) if status in (401, 403, 404) else "ok"


def lines(got: dict[RoleCase, dict[str, tuple[int, bytes]]]) -> dict[str, str]:
    """The table's lines by their calls."""
    return {case.name: " ".join(f"{word(each[caller][0]):<4}" for caller in CALLERS) for case, each in got.items()}


def expected() -> dict[str, str]:
    """The file's lines by their calls: three words, then one for each caller."""
    rows = [line.split() for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {" ".join(row[:3]): " ".join(row[3:]) for row in rows if row}


def test_every_part_of_an_address_names_a_thing(observed: dict[RoleCase, dict[str, tuple[int, bytes]]]) -> None:
    """Where nothing is there, all are told so, whatever their roles: the table would say nothing of these calls."""
    assert set().union(*map(_parts, observed)) == PARTS.keys()
    absent = [f"{case.name} admin" for case, got in observed.items() if case.race != "other" and got["admin"][0] == 404]
    assert absent == []


def test_every_call_lets_through_whom_the_table_says(
    observed: dict[RoleCase, dict[str, tuple[int, bytes]]],
) -> None:
    table = expected()
    seen = {" ".join(name.split()): " ".join(row.split()) for name, row in lines(observed).items()}
    assert seen.keys() - table.keys() == set(), "calls without a line in role_table.txt"
    assert table.keys() - seen.keys() == set(), "lines of calls that there are no more"
    assert {name: row for name, row in seen.items() if table[name] != row} == {}


def test_nobody_gets_an_error_of_ours(observed: dict[RoleCase, dict[str, tuple[int, bytes]]]) -> None:
    statuses = {f"{case.name} {caller}": got[0] for case, each in observed.items() for caller, got in each.items()}
    wrong = {name: status for name, status in statuses.items() if status >= 500}
    assert wrong == {}


def test_a_private_race_answers_as_one_that_never_was(
    observed: dict[RoleCase, dict[str, tuple[int, bytes]]], tmp_path: pathlib.Path
) -> None:
    board, app = _app(tmp_path)
    world = RoleWorld(app, board.store)

    async def compare() -> list[str]:
        different = []
        for case, got in observed.items():
            for caller in ("nobody", "removed"):
                status, body = got[caller]
                if case.race != "private":
                    continue
                path = _address(case, NOWHERE, dict.fromkeys(_parts(case) - {"race_id"}, "none"))
                never = await world.call(caller, case.method, path, _document(case, NOWHERE))
                named = re.sub(rb"race-\d{3}-[a-z]+", NOWHERE.encode(), body)
                if (status, named) != never:
                    different.append(f"{case.name} {caller}: {status} {named!r}, never: {never}")
        return different

    assert asyncio.run(compare()) == []
    board.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        table = lines(observe(pathlib.Path(place)))
    sys.stdout.write(f"# {'':<71} " + " ".join(f"{caller[:4]:<4}" for caller in CALLERS) + "\n")
    sys.stdout.writelines(f"{name} {row}\n" for name, row in table.items())
