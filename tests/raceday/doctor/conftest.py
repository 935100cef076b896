"""An authority's folder, as the tests of certificates have it."""

from tests.raceday.certs.conftest import folder

__all__ = ["folder"]
