"""The live content of the page of the screens: a line for each, the scene, and what all of them are told. Pure."""

from dataclasses import dataclass
from typing import Any

from shared.text import Sentence, joined, ntext, text
from station.screens.records import KINDS, MODES, SCENES, SOUNDS, Screen, ScreenMode
from station.screens.register import AWAY_NS
from station.views.views import View
from station.web.page import PageContent
from station.web.pages.chart.presenter import hall_chart
from station.web.pages.screen.presenter import rotation
from station.web.presenters.gates import NOTHING
from station.web.presenters.time_zones import time_of_day

NEXT = 3  # racers of the queue who are named

MODE_WORDS: dict[str, Sentence] = {
    "both": text("Board and run"),
    "board": text("Board"),
    "run": text("Run"),
    "queue": text("Queue"),
    "chart": text("Lap chart"),
    "rotate": text("In turn"),
    "winner": text("Winner"),
    "message": text("Message"),
    "qr": text("QR code"),
    "blank": text("Blank"),
}
KIND_WORDS: dict[str, Sentence] = {"hall": text("Hall"), "pit": text("Pit"), "stream": text("Stream")}
SOUND_WORDS: dict[str, Sentence] = {"none": text("No sound"), "tones": text("Tones"), "voice": text("Voice")}


@dataclass(frozen=True, slots=True)
class ScreenLine:
    """A screen on the list. `away`: it has not asked for a while; `seen`: the time of day when it last did.

    `picture`: what can be read on it now, in words.
    """

    key: str
    screen: Screen
    size: str
    seen: Sentence
    away: bool
    picture: Sentence
    modes: tuple[tuple[str, Sentence], ...]
    kinds: tuple[tuple[str, Sentence], ...]
    sounds: tuple[tuple[str, Sentence], ...]


@dataclass(frozen=True, slots=True)
class SceneButton:
    """A scene: what screens of each kind show, and whether it is the one that was chosen last."""

    name: str
    title: Sentence
    modes: tuple[tuple[Sentence, Sentence], ...]
    on: bool


@dataclass(frozen=True, slots=True)
class ScreensModel:
    """The page of the screens."""

    screen_list: tuple[ScreenLine, ...]
    scenes: tuple[SceneButton, ...]
    message: str
    countdown: Sentence


def screens_model(view: View) -> ScreensModel:
    """The page of the screens for this view."""
    now_ns, shown = view.clock.utc_ns, view.screens
    ends = shown.countdown_utc_ns
    return ScreensModel(
        screen_list=tuple(_line(view, screen, now_ns) for screen in shown.screens),
        scenes=tuple(
            SceneButton(
                name,
                scene.title,
                tuple((KIND_WORDS[kind], MODE_WORDS[mode]) for kind, mode in scene.modes.items()),
                shown.scene == name,
            )
            for name, scene in SCENES.items()
        ),
        message=shown.message,
        countdown=text("") if ends is None else text("Ends at {time}.", time=time_of_day(ends)),
    )


def _line(view: View, screen: Screen, now_ns: int) -> ScreenLine:
    away = now_ns - screen.seen_utc_ns > AWAY_NS
    seen = time_of_day(screen.seen_utc_ns)
    return ScreenLine(
        key=f"screen-{screen.screen_id}",
        screen=screen,
        size=f"{screen.width} × {screen.height}" if screen.width else "",
        seen=text("away since {time}", time=seen) if away else text("here"),
        away=away,
        picture=picture(view, screen.mode),
        modes=tuple((mode, MODE_WORDS[mode]) for mode in MODES),
        kinds=tuple((kind, KIND_WORDS[kind]) for kind in KINDS),
        sounds=tuple((sound, SOUND_WORDS[sound]) for sound in SOUNDS),
    )


def picture(view: View, mode: ScreenMode) -> Sentence:
    """What a screen with this mode shows now, in words; message and countdown of all screens are said apart."""
    leader = view.standing[0].racer if view.standing else ""
    places = ntext("{n} place, {racer} leads", "{n} places, {racer} leads", n=len(view.standing), racer=leader)
    board = places if leader else text("nobody has a place yet")
    on = joined([run.racer for run in view.runs], ", ")
    run = text("on the track: {racers}", racers=on) if view.runs else text("the track is free")
    waiting = joined([line.racer for line in view.queue.lines[:NEXT]], ", ")
    shown: dict[ScreenMode, Sentence] = {
        "both": joined([board, run], " · "),
        "board": board,
        "run": run,
        "queue": text("next: {racers}", racers=waiting) if view.queue.lines else text("nobody waits"),
        "chart": ntext("the laps of {n} run", "the laps of {n} runs", n=len(hall_chart(view).rows)),
        "rotate": joined([MODE_WORDS[each] for each in rotation(view)], " · "),
        "winner": text("the winner so far: {racer}", racer=leader) if leader else text("nobody has a place yet"),
        "message": text("the message: {message}", message=view.screens.message or NOTHING),
        "qr": text("the QR code of the public page"),
        "blank": text("nothing"),
    }
    return shown[mode]


def screens_page_data(view: View) -> dict[str, Any]:
    """What the page's script needs: whether a countdown is on."""
    return {"countdown": view.screens.countdown_utc_ns is not None, "message": view.screens.message}


SCREENS = PageContent(
    screens_model,
    ("scene_list", "told_now"),
    {"screen_list": "screen_line"},
    macros="screens_parts.html",
    data=screens_page_data,
)
