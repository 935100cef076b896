"""What screens sound, as live content: the newest announcements, and the start that is in progress."""

from typing import Any

from shared.units import NS_PER_MS
from station.views.views import View
from station.web.page import PageContent


def sound_data(view: View) -> dict[str, Any]:
    """For sound.js: announcements, oldest first, and the instants of a start, in ms of the station's clock."""
    announcements = [
        {
            "number": each.number,
            "kind": each.kind,
            "sentence": each.sentence,
            "at_ms": each.at_ns / NS_PER_MS,
            "spoken": each.spoken,
        }
        for each in view.announcements
    ]
    return {"announcements": announcements, "start": None}


SOUND = PageContent(lambda view: view, data=sound_data)
