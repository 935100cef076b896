"""The reference leaderboard as a process, for the vendor's kit."""

from collections.abc import Iterator

import pytest

from tests.leaderboard import sample_races


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sample_races.Running]:
    """A leaderboard process without a race."""
    server = sample_races.start(tmp_path_factory.mktemp("leaderboard"), "")
    yield server
    assert server.stop()[0] == 0
