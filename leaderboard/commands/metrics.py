"""The leaderboard's figures for Prometheus, and the server that offers them; called by `raceday leaderboard`."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

from fastapi import FastAPI
from prometheus_client.metrics_core import Metric

from leaderboard.config import LeaderboardConfig
from leaderboard.live_stream import Feed
from leaderboard.web.post_figures import PostFigures
from shared.metrics import families
from shared.metrics.server import metrics_server


def leaderboard_metrics(posts: PostFigures, streams: int, max_streams: int) -> Iterator[Metric]:
    """All but what every machine reports. `streams`: open live pages."""
    by_status = {str(status): float(count) for status, count in sorted(dict(posts.by_status).items())}
    yield families.counters("raceday_posts", "Posts of results, by the status of the answer.", "code", by_status)
    what = "How long a post of a result took, with its commit."
    yield families.histogram("raceday_post_seconds", what, posts.latencies.counts())
    yield families.gauge("raceday_posts_in_work", "Posts that are being applied.", posts.in_work)
    yield families.gauge("raceday_live_streams", "Open streams of live pages.", streams)
    yield families.gauge("raceday_live_streams_max", "How many this process takes.", max_streams)


def gather(app: FastAPI, feed: Feed, folder: pathlib.Path) -> Callable[[], Iterator[Metric]]:
    """What the leaderboard reports at each scrape. `folder`: on the disk of its data."""

    def gathered() -> Iterator[Metric]:
        yield families.build_info("leaderboard")
        yield from leaderboard_metrics(app.state.posts, feed.browsers, feed.max_browsers)
        yield from families.common(app.state.refusals, folder, app.state.open_connections())

    return gathered


def offer_metrics(
    config: LeaderboardConfig, app: FastAPI, feed: Feed, number: int, ending: contextlib.ExitStack
) -> str:
    """Begins to answer Prometheus until `ending` ends; the address. Raises ConfigError.

    `number`: of this process among several, each of which answers on the port after that of the one before.
    """
    folder = pathlib.Path(config.store.path).absolute().parent
    server = metrics_server(config.metrics, gather(app, feed, folder), "This leaderboard", app.state.refusals, number)
    ending.callback(server.close)
    server.start()
    return f"http://{config.metrics.host}:{server.port}/metrics"
