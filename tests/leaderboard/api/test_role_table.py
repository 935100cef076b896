"""Who may call what: every call of the OpenAPI document as every kind of caller, beside role_table.txt.

Each line of the file is a call in a public race, in a private race, or of no race ("-"), with what each caller gets:
401, 403, 404, or "ok" for whoever is let through (a document without fields is then mostly 422: that is "ok" too).
A call that is not in the file fails the test. `python -m tests.leaderboard.api.test_role_table` prints the lines as
they are now: read each one before you put it into the file.
"""

import asyncio
import pathlib
import re
import sys
import tempfile

import pytest
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.race import Visibility
from leaderboard.credentials import Credentials
from shared.access.pass_code_hashing import Argon2idHasher
from tests.leaderboard.api.role_cases import CALLERS, NOW, RoleCase, RoleWorld, cases

FILE = pathlib.Path(__file__).with_name("role_table.txt")
# What stands for the other parts of addresses; what is not here is "none", which exists nowhere.
PARTS = {"alias": "somebody", "session_id": "none", "role": "commentator", "season_id": "league", "number": "1"}
# The document of a call, where who may call depends on it; {} for all others.
DOCUMENTS: dict[str, object] = {
    "POST /api/v1/accounts/{alias}/roles": {"role": "commentator", "season": "league"},
}
QUERIES = {
    "DELETE /api/v1/accounts/{alias}/roles/{role}": "?season=league",
    "POST /api/v1/import": "?race=none&format=league",
}
NOWHERE = "nowhere-0000"


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[RoleCase, dict[str, tuple[int, bytes]]]:
    """What every caller got."""
    return observe(tmp_path_factory.mktemp("roles"))


def observe(folder: pathlib.Path) -> dict[RoleCase, dict[str, tuple[int, bytes]]]:
    """Call everything as everybody; each call has a race of its own, so that none changes what another meets."""
    board, app = _app(folder)
    found = cases(app.openapi())
    world = RoleWorld(app, board.store)
    races: dict[str, Visibility] = {}
    addresses = {}
    for number, case in enumerate(found):
        for caller in CALLERS:
            race_id = f"race-{number:03}-{caller}"
            addresses[case, caller] = _address(case, race_id)
            if case.race != "-":
                races[race_id] = "public" if case.race == "public" else "private"
    world.make_races(races)

    async def call_all() -> dict[RoleCase, dict[str, tuple[int, bytes]]]:
        return {
            case: {
                caller: await world.call(caller, case.method, addresses[case, caller], _document(case))
                for caller in CALLERS
            }
            for case in found
        }

    got = asyncio.run(call_all())
    board.close()
    return got


def _app(folder: pathlib.Path) -> tuple[LeaderboardService, FastAPI]:
    board = open_board(folder / "board.db")
    cheap = Argon2idHasher(memory_kib=8, passes=1)
    app, _ = create_app(board, Credentials((), ""), LeaderboardConfig(), lambda: NOW, cheap)
    return board, app


def _address(case: RoleCase, race_id: str) -> str:
    values = PARTS | {"race_id": race_id}
    path = re.sub(r"\{(\w+)\}", lambda part: values.get(part[1], "none"), case.path)
    return path + QUERIES.get(f"{case.method} {case.path}", "")


def _document(case: RoleCase) -> object:
    return DOCUMENTS.get(f"{case.method} {case.path}", {})


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
    world.make_races({})

    async def compare() -> list[str]:
        different = []
        for case, got in observed.items():
            for caller in ("nobody", "removed"):
                status, body = got[caller]
                if case.race != "private":
                    continue
                never = await world.call(caller, case.method, _address(case, NOWHERE), _document(case))
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
