"""The demo's league, built once for all tests of this folder.

test_live_show.py drives its LIVE race on, and is the last.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from raceday.league_demo.builder import DemoLeague, demo_league
from shared.access.pass_code_hashing import Argon2idHasher

NOW_UTC_NS = int(datetime(2026, 9, 19, 16, 40, tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture(scope="session")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoLeague]:
    cheap = Argon2idHasher(8, 1, 1)
    with demo_league(tmp_path_factory.mktemp("league"), NOW_UTC_NS, hasher=cheap) as made:
        yield made
