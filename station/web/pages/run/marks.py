"""The live content of the page of a run: a mark of each run that is on, by which its page sees that it changed.

The page is drawn from the journal, so the stream does not carry it: its script asks for it again (run_live.js).
"""

import zlib
from typing import Any

from station.views.views import View
from station.web.page import PageContent


def run_marks(view: View) -> dict[str, Any]:
    """A mark of each run that is on the track or was the last one, and of the standings and the lost crossings.

    A mark changes with what it stands for.
    """
    runs = {run.run_id: run for run in (*view.runs, *(() if view.run is None else (view.run,)))}
    around = _mark((view.standing, view.uncounted))
    return {"runs": {run_id: _mark(run) for run_id, run in runs.items()}, "around": around}


def mark_of(view: View, run_id: str) -> str:
    """The mark of a page that shows this run as it is in this view; run_live.js makes the same of what it is sent."""
    marks = run_marks(view)
    return f"{marks['runs'].get(run_id, '')} {marks['around']}"


def _mark(what: object) -> str:
    return f"{zlib.crc32(repr(what).encode()):08x}"


def _nothing(_: View) -> dict[str, Any]:
    return {}


RUN = PageContent(_nothing, data=run_marks)
