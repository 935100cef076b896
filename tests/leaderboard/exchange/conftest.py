"""Stores for the imports of this folder: one of the test's own, and one for tests that have a race of their own."""

import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.store.database import Store, open_store


@pytest.fixture
def store(tmp_path: pathlib.Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "a.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """For tests that have a race of their own each, or store nothing."""
    opened = open_store(tmp_path_factory.mktemp("boards") / "a.db")
    yield opened
    opened.close()
