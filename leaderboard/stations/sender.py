"""Which station sent a post: a webhook secret belongs to a station, and a station posts only its own results."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.errors import Refused


@dataclass(frozen=True, slots=True)
class Sender:
    """The stations whose secret signed a post, and all stations that have one (`named`).

    "" among `stations` is a secret that names none: it may post for any station that has no secret of its own.
    """

    stations: frozenset[str] = frozenset({""})
    named: frozenset[str] = frozenset()

    def check(self, station: str) -> None:
        """Check that the sender may post results of `station`. Raises Refused if it may not."""
        if station in self.stations or ("" in self.stations and station not in self.named):
            return
        owner = ", ".join(sorted(self.stations - {""}))
        signed = f"the secret of {owner}" if owner else "a secret that names no station, and this one has its own"
        raise Refused(
            f"The result is of the station {station[:80]!r}, but signed with {signed}: "
            "give each station the secret of its own name."
        )


ANY_SENDER = Sender()


def sender_of(keys: Iterable[bytes], stations: Mapping[bytes, str]) -> Sender:
    """Who signed with these keys; `stations` holds the name that each known key belongs to ("" is any)."""
    return Sender(frozenset(stations[key] for key in keys), frozenset(stations.values()) - {""})


def check_key(pinned: str, public_key: str) -> None:
    """Check that a correction bears the key that the result was first posted with. Raises Refused if it does not."""
    if pinned and public_key != pinned:
        origin = f"with the key {public_key[:16]}..." if public_key else "without a key"
        raise Refused(
            f"The result was first posted by the station with the key {pinned[:16]}..., the correction comes {origin}: "
            "only the station that made a result may correct it."
        )
