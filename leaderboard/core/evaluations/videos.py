"""A video of a run: from being asked for to its file, or to the reason why there is none. Pure."""

from dataclasses import dataclass, replace
from typing import Literal

from shared.text import Sentence, text
from shared.units import NS_PER_S

VideoState = Literal["waiting", "running", "done", "failed"]
MAX_ATTEMPTS = 3
CLAIM_NS = 900 * NS_PER_S  # so long a farm may take
AGAIN_AFTER_NS = 60 * NS_PER_S  # one that failed is asked for anew then


@dataclass(frozen=True, slots=True)
class RunVideo:
    """The video of the run with this trace. `seed`: of its world, secret until the race is closed."""

    trace_sha256: str
    race_id: str
    seed: int
    conditions_sha256: str
    state: VideoState
    asked_utc_ns: int
    attempt: int = 0
    claim_id: str = ""
    farm: str = ""
    until_utc_ns: int = 0
    reason: str = ""


VIDEO_WORDS: dict[VideoState, Sentence] = {
    "waiting": text("The video waits for a farm that has nothing else to do."),
    "running": text("The video is being made."),
    "done": text("The video is there."),
    "failed": text("The video could not be made."),
}


def asked_again(video: RunVideo, now_utc_ns: int) -> RunVideo:
    """After somebody asked for it once more: one that failed some time ago waits again."""
    if video.state != "failed" or now_utc_ns - video.until_utc_ns < AGAIN_AFTER_NS:
        return video
    return replace(video, state="waiting", attempt=0, reason="", asked_utc_ns=now_utc_ns)


def given(video: RunVideo, claim_id: str, farm: str, now_utc_ns: int) -> RunVideo:
    """After it was given to a farm."""
    return replace(
        video,
        state="running",
        attempt=video.attempt + 1,
        claim_id=claim_id,
        farm=farm,
        until_utc_ns=now_utc_ns + CLAIM_NS,
    )


def came_to_nothing(video: RunVideo, reason: str, now_utc_ns: int) -> RunVideo:
    """After a farm failed, or said nothing until its time was up: another may try, a few times."""
    state: VideoState = "failed" if video.attempt >= MAX_ATTEMPTS else "waiting"
    return replace(video, state=state, claim_id="", farm="", until_utc_ns=now_utc_ns, reason=reason)
