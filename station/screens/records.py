"""What is on file of the screens: each browser that shows the event, the scene, and what all of them are told. Frozen.

Stored in one file beside the journal (register.py), never in it: what a projector shows is no part of a result.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from shared.text import Sentence, text

ScreenKind = Literal["hall", "pit", "stream"]
ScreenMode = Literal["both", "board", "run", "queue", "chart", "rotate", "winner", "message", "qr", "blank"]
SceneName = Literal["before", "heat", "break", "finals", "awards"]
SoundMode = Literal["none", "tones", "voice"]

KINDS: tuple[ScreenKind, ...] = get_args(ScreenKind)
MODES: tuple[ScreenMode, ...] = get_args(ScreenMode)
SOUNDS: tuple[SoundMode, ...] = get_args(SoundMode)
MAX_SCREENS = 60
MAX_NAME_CHARS = 40
MAX_MESSAGE_CHARS = 120
MAX_COUNTDOWN_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Scene:
    """What the screens of each kind show, chosen with one click."""

    title: Sentence
    modes: dict[ScreenKind, ScreenMode]


SCENES: dict[SceneName, Scene] = {
    "before": Scene(text("Before"), {"hall": "qr", "pit": "queue", "stream": "both"}),
    "heat": Scene(text("Heat"), {"hall": "both", "pit": "queue", "stream": "both"}),
    "break": Scene(text("Break"), {"hall": "rotate", "pit": "queue", "stream": "chart"}),
    "finals": Scene(text("Finals"), {"hall": "both", "pit": "board", "stream": "both"}),
    "awards": Scene(text("Awards"), {"hall": "winner", "pit": "board", "stream": "winner"}),
}


@dataclass(frozen=True, slots=True)
class Screen:
    """A browser that shows the event. `mode`: what it shows. `sound`: what it lets the hall know of.

    `identified` and `reloaded` count how often an official asked for that; a browser follows a count that grew.
    `seen_utc_ns`: when it last asked, to a few seconds. `page`: what it has open; `width` and `height` in px.
    """

    screen_id: str
    name: str
    kind: ScreenKind = "hall"
    mode: ScreenMode = "both"
    sound: SoundMode = "none"
    identified: int = 0
    reloaded: int = 0
    seen_utc_ns: int = 0
    page: str = "screen"
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class ScreensView:
    """All screens, the scene ("": none was chosen), and what all are told.

    `message`: "" for none. `countdown_utc_ns`: when the countdown ends; None: there is none.
    """

    screens: tuple[Screen, ...] = ()
    scene: SceneName | Literal[""] = ""
    message: str = ""
    countdown_utc_ns: int | None = None
