"""What screens sound, as live content: the newest announcements, and the start that is in progress."""

from typing import Any

from shared.text.reader import shown
from shared.units import NS_PER_MS
from station.views.trackside.pronunciation import pronounced, pronunciations
from station.views.trackside.start_sequence import staged_start
from station.views.views import View
from station.web.page import PageContent


def sound_data(view: View) -> dict[str, Any]:
    """For sound.js: announcements, oldest first, and the instants of a start, in ms of the station's clock.

    `sentence` is shown, and `pronounced` is what a voice says.
    """
    names = pronunciations(view.event.racers)
    announcements = [
        {
            "number": each.number,
            "kind": each.kind,
            "sentence": shown(each.sentence),
            "pronounced": shown(pronounced(each.sentence, names)),
            "at_ms": each.at_ns / NS_PER_MS,
            "spoken": each.spoken,
        }
        for each in view.announcements
    ]
    start = staged_start(view.procedure)
    instants = (
        {"begun_ms": start.staged_ns / NS_PER_MS, "go_ms": start.go_ns / NS_PER_MS} if start is not None else None
    )
    return {"announcements": announcements, "start": instants}


SOUND = PageContent(lambda view: view, data=sound_data)
