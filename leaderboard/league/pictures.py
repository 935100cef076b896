"""Takes pictures of races and seasons: decoded, made smaller, encoded anew from their pixels. For api/ and pages/.

What is stored holds nothing of the file that was sent but its pixels: no metadata, no trailing bytes, no other format.
"""

import hashlib
import io
import threading
import warnings

import sqlalchemy as sa
from PIL import Image, ImageOps, UnidentifiedImageError

from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownItem, UnknownRace
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.race import RaceRecord
from leaderboard.league.changes import seen_race
from leaderboard.league.races import RaceService
from leaderboard.league.seasons import SeasonService, seen_season
from leaderboard.store import league_rows
from leaderboard.store.database import Store
from leaderboard.store.league_rows import Blob
from shared.errors import BadInput
from shared.text import text

MAX_PICTURE_BYTES = 4 * 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_SIDE = 1600  # of what is stored
_FORMATS = ("PNG", "JPEG", "WEBP")
_QUALITY = 82
# A picture of 25 Mpx takes 100 MB while it is decoded: one at a time.
_DECODING = threading.Lock()


def picture_of(content: bytes) -> Blob:
    """The picture that is stored for these bytes. Raises BadInput for what is no picture, or is too large."""
    if len(content) > MAX_PICTURE_BYTES:
        raise BadInput(text("The picture is larger than {max} MB: make it smaller.", max=4))
    with _DECODING:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                return _encoded(_pixels(content))
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
            raise BadInput(text("This is no picture that can be read: send a PNG, JPEG or WebP file.")) from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise BadInput(_too_many()) from None


def _pixels(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:  # known before a pixel is decoded
            raise BadInput(_too_many())
        picture.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded smaller at once
        upright = ImageOps.exif_transpose(picture)
        has_alpha = "A" in upright.getbands() or "transparency" in upright.info
        plain = upright.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((MAX_SIDE, MAX_SIDE))
    return plain


def _too_many() -> str:
    return text("The picture has more than {max} million pixels: make it smaller.", max=25)


def _encoded(pixels: Image.Image) -> Blob:
    fresh = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    out = io.BytesIO()
    fresh.save(out, "WEBP", quality=_QUALITY, method=4)
    made = out.getvalue()
    return Blob(hashlib.sha256(made).hexdigest(), "image/webp", fresh.width, fresh.height, made)


class PictureService:
    """The pictures of one store's races and seasons."""

    def __init__(self, store: Store, races: RaceService, seasons: SeasonService) -> None:
        self._store, self._races, self._seasons = store, races, seasons

    def set_of_race(
        self, caller: Caller, race_id: str, content: bytes | None, now_utc_ns: int, edition: int | None = None
    ) -> RaceRecord:
        """Give a race this picture, or (None) none. Raises as `RaceService.change` does, and BadInput."""
        self._races.check_may_edit(caller, race_id)  # before a stranger's picture is decoded or stored
        sha256 = "" if content is None else self._keep(content, now_utc_ns)
        return self._races.change(caller, race_id, {"picture_sha256": sha256}, now_utc_ns, edition=edition)

    def set_of_season(self, caller: Caller, season_id: str, content: bytes | None, now_utc_ns: int) -> SeasonRecord:
        """Give a season this picture, or (None) none. Raises as `SeasonService.change` does, and BadInput."""
        self._seasons.check_may_edit(caller, season_id)
        sha256 = "" if content is None else self._keep(content, now_utc_ns)
        return self._seasons.change(caller, season_id, {"picture_sha256": sha256}, now_utc_ns)

    def of_race(self, caller: Caller, race_id: str, sha256: str) -> tuple[Blob, bool]:
        """The race's picture, and whether everybody may see it. Raises UnknownRace, if it has another one too."""
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
            if not race.picture_sha256 or race.picture_sha256 != sha256:
                raise UnknownRace.of(race_id)
            return _blob(db, sha256), race.visibility == "public" and race.stage not in ("draft", "deleted")

    def of_season(self, caller: Caller, season_id: str, sha256: str) -> tuple[Blob, bool]:
        """The season's picture, and whether everybody may see it. Raises UnknownItem."""
        with self._store.read() as db:
            season = seen_season(db, caller, season_id)
            if not season.picture_sha256 or season.picture_sha256 != sha256:
                raise UnknownItem.of("picture", sha256)
            return _blob(db, sha256), season.stage != "draft"

    def _keep(self, content: bytes, now_utc_ns: int) -> str:
        blob = picture_of(content)
        with self._store.write() as db:
            league_rows.add_blob(db, blob, now_utc_ns)
        return blob.sha256


def _blob(db: sa.Connection, sha256: str) -> Blob:
    blob = league_rows.blob(db, sha256)
    if blob is None:
        raise UnknownItem.of("picture", sha256)
    return blob
