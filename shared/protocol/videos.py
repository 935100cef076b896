"""What a farm and a leaderboard say to each other of videos: a run whose video is to be made. As JSON over HTTP."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from shared.conditions import Conditions, check_conditions
from shared.errors import BadInput
from shared.text import text

MAX_VIDEO_BYTES = 24 << 20
MP4_MARK = b"ftyp"  # at the fifth byte


@dataclass(frozen=True, slots=True)
class VideoWork:
    """A video to make. `trace`: the trace's file in base64; `deadline_s`: so many seconds from now another gets it."""

    claim: str
    trace: str
    seed: int
    conditions: Conditions
    deadline_s: float


_WORK = TypeAdapter(VideoWork)


def encode_work(work: VideoWork) -> bytes:
    """As JSON."""
    return _WORK.dump_json(work)


def decode_work(payload: bytes) -> VideoWork:
    """What a leaderboard answered, checked. Raises BadInput."""
    try:
        work = _WORK.validate_json(payload, strict=True)
    except ValidationError:
        raise BadInput(text("What answers there is no leaderboard.")) from None
    check_conditions(work.conditions)
    return work


def check_video(file: bytes) -> bytes:
    """The file, if it is an MP4. Raises BadInput."""
    if file[4:8] != MP4_MARK:
        raise BadInput(text("The file is no video: an MP4 is expected."))
    return file
