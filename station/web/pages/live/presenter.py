"""The live content of the page for everybody at the track."""

from station.web.page import PageContent
from station.web.presenters.page import page_model

PARTS = ("run", "clock_label", "incidents", "tiles", "window", "decisions")
LISTS = {"together": "car", "laps": "lap", "places": "place"}
LIVE = PageContent(page_model, PARTS, LISTS)
