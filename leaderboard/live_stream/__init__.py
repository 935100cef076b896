"""The live stream of a race's standing: one EventSource a browser, keyed rows, always the newest content."""

from leaderboard.live_stream.content import LiveContent
from leaderboard.live_stream.feed import Feed

__all__ = ["Feed", "LiveContent"]
