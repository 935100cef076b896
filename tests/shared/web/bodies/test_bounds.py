"""Which bound a request has: the first row that fits, else the default."""

import pytest

from shared.web.bodies.bounds import SMALL_BYTES, BodyBound, BodyBounds

TABLE = BodyBounds(
    (
        BodyBound("POST", "/races/{race_id}/picture", 4_000_000, within_s=60.0),
        BodyBound("POST", "/races/{page:path}", 65_536),
        BodyBound("PUT", "/races/{race_id}", sender="signer"),
    )
)


@pytest.mark.parametrize(
    ("method", "path", "max_bytes", "sender"),
    [
        ("POST", "/races/cup/picture", 4_000_000, "known"),
        ("POST", "/races/cup/picture/", 65_536, "known"),
        ("POST", "/races/cup/entries/Anna/restore", 65_536, "known"),
        ("POST", "/races", SMALL_BYTES, "known"),
        ("PUT", "/races/cup", SMALL_BYTES, "signer"),
        ("PUT", "/races/cup/picture", SMALL_BYTES, "known"),
        ("PATCH", "/races/cup", SMALL_BYTES, "known"),
        ("GET", "/races/cup/picture", SMALL_BYTES, "nobody"),
        ("DELETE", "/nothing/here", SMALL_BYTES, "known"),
        ("POST", "//races/cup/picture", SMALL_BYTES, "known"),
        ("POST", "/races/cup/picture\n", 4_000_000, "known"),  # as the router itself reads it
    ],
)
def test_the_first_row_that_fits_counts(method: str, path: str, max_bytes: int, sender: str) -> None:
    bound = TABLE.of(method, path)
    assert (bound.max_bytes, bound.sender) == (max_bytes, sender)


def test_a_connection_may_stay_as_long_as_the_longest_body() -> None:
    assert TABLE.longest_s == 60.0
    assert BodyBounds().longest_s == 10.0
