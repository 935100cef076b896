"""Times of day on the pages: in the event's zone on every page, and in the machine's own where the event has none."""

import time
from dataclasses import replace

import pytest

from station.core.event.records import EventInfo
from station.views.event_view import EventView
from station.views.queue_view import QueueLine, QueueView
from station.views.views import View
from station.web.pages.registry import PAGES, TOPICS
from station.web.presenters.time_zones import time_of_day, times_of
from station.web.render import Pages
from tests.station.web.sample_views import VIEW, S

AT_NS = 1_790_000_000 * S  # 14:13:20 UTC


def event_in(zone: str) -> View:
    event = EventInfo("e-1", "Autumn Summit", time_zone=zone)
    return replace(VIEW, event=EventView(event), queue=QueueView((QueueLine("Al", 1, AT_NS),), AT_NS), run=None)


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Berlin", "16:13:20"), ("Asia/Tokyo", "23:13:20")])
def test_times_are_the_events_within_and_the_machines_after(zone: str, shown: str) -> None:
    own = time.strftime("%H:%M:%S", time.localtime(AT_NS // S))
    with times_of(event_in(zone)):
        assert time_of_day(AT_NS) == shown
    assert time_of_day(AT_NS) == own


@pytest.mark.parametrize("zone", ["", "Atlantis/Capital"])
def test_without_a_zone_that_is_known_it_is_the_machines(zone: str) -> None:
    with times_of(event_in(zone)):
        assert time_of_day(AT_NS) == time.strftime("%H:%M:%S", time.localtime(AT_NS // S))


@pytest.mark.parametrize("topic", ["screen", "operate", "live"])
def test_the_hall_race_control_and_spectators_see_the_same_time(topic: str) -> None:
    """This once happened: the spectators read 16:13 where the hall read 14:13."""
    drawn = Pages(PAGES, TOPICS).render(event_in("Europe/Berlin"), topic)
    assert "16:13" in "".join([*drawn.rows.values(), *drawn.parts.values()])
