"""The races that the leaderboard should have, in a file beside the journal: the station writes it, sync offers them.

Everything in it follows from the journal, so it is written anew at each start and after each change; sync reads it
again when the file is another one.
"""

import contextlib
import json
import pathlib
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import BadInput, StorageError
from shared.files import write_whole
from shared.protocol.races import MAX_OFFER_BYTES, RaceOffer, decode_offer, encode_offer

OFFERS_FILE = "races.offered"
MAX_RACES = 1000


@dataclass(frozen=True, slots=True)
class RaceOffers:
    """The race that is on ("": none), and every race that has been opened, by its id."""

    current: str = ""
    races: tuple[RaceOffer, ...] = ()

    def offer(self, race_id: str) -> RaceOffer | None:
        """The offer of this race; None if the station never opened it."""
        return next((each for each in self.races if each.race_id == race_id), None)


class OffersWriter:
    """Writes the file when what should be in it has changed. `log` gets a sentence if the disk refuses."""

    def __init__(self, data_dir: pathlib.Path, log: Callable[[str], None]) -> None:
        self._path, self._log = data_dir / OFFERS_FILE, log
        self._written: RaceOffers | None = None

    def update(self, offers: RaceOffers) -> None:
        """Makes the file say this. A race is timed without it: if the disk refuses, the next change tries again."""
        if offers == self._written:
            return
        try:
            write_offers(self._path, offers)
            self._written = offers
        except StorageError as error:
            self._log(str(error))


def write_offers(path: pathlib.Path, offers: RaceOffers) -> None:
    """Writes the file, whole or not at all. Raises StorageError."""
    lines = [json.dumps(offers.current).encode(), *(encode_offer(each) for each in offers.races)]
    try:
        write_whole(path, b"\n".join(lines) + b"\n", is_durable=True)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror}); free some space.") from None


class OffersReader:
    """The file as sync reads it, each version of it once."""

    def __init__(self, data_dir: pathlib.Path) -> None:
        self._path = data_dir / OFFERS_FILE
        self._read: tuple[int, int, int] | None = None
        self._offers = RaceOffers()

    def offers(self) -> RaceOffers:
        """What the station offers now; nothing before its first start. Raises StorageError."""
        try:
            status = self._path.stat()
            identity = (status.st_ino, status.st_mtime_ns, status.st_size)
            if identity != self._read:
                self._offers = _parsed(self._path.read_bytes())
                self._read = identity
        except FileNotFoundError:
            self._read, self._offers = None, RaceOffers()
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be read ({error.strerror}).") from None
        return self._offers


def _parsed(data: bytes) -> RaceOffers:
    """The offers in the file's bytes; a line that is damaged is left out, since the station writes the file anew."""
    first, *lines = data[: MAX_RACES * MAX_OFFER_BYTES].splitlines() or [b'""']
    races = []
    for line in lines:
        with contextlib.suppress(BadInput):
            races.append(decode_offer(line))
    with contextlib.suppress(ValueError, RecursionError):
        current = json.loads(first)
        return RaceOffers(current if isinstance(current, str) else "", tuple(races))
    return RaceOffers("", tuple(races))
