"""An authority's folder as an event has it."""

import datetime as dt
import pathlib

import pytest

from raceday.certs.authority_folder import AuthorityFolder

NOW = dt.datetime(2026, 5, 2, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> AuthorityFolder:
    """An authority with its broker's files, and no machine yet."""
    made = AuthorityFolder(tmp_path / "etc")
    made.initialise("Raceday test", ("hall.local", "localhost", "127.0.0.1"), NOW)
    return made
