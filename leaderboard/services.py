"""All services of one leaderboard over one store, and what runs beside the server. A new service is a field here.

Called by app.py, which gives each router the services that it needs.
"""

import asyncio
import contextlib
import pathlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from leaderboard.accounts.claim import Claim
from leaderboard.accounts.entrance.entrance import Entrance
from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.services import AccountServices
from leaderboard.attempts.service import AttemptService
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.evaluations.arrivals import WorkArrivals
from leaderboard.evaluations.brackets.heat_replays import HeatReplays
from leaderboard.evaluations.brackets.heats import DrivenHeats
from leaderboard.evaluations.brackets.live_heats import LiveBrackets
from leaderboard.evaluations.live.live_turns import LiveTurns
from leaderboard.evaluations.places import FairPlaces
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.evaluations.replays.driven_results import DrivenResults
from leaderboard.evaluations.replays.videos import RunVideos
from leaderboard.evaluations.service import Evaluations
from leaderboard.evaluations.traces import RunTraces
from leaderboard.league.community import CommunityService
from leaderboard.league.entries import EntryService
from leaderboard.league.invitations import InvitationService
from leaderboard.league.opener import SeriesOpener
from leaderboard.league.people import AccountPeople
from leaderboard.league.services import LeagueServices
from leaderboard.league.sight import RaceSight
from leaderboard.live_races.service import LiveRaces
from leaderboard.live_races.shared_feeds import SharedFeeds
from leaderboard.notices.sender import NoticeSender
from leaderboard.notices.subscriptions import NoticeSubscriptions
from leaderboard.profiles.history import PlaceHistories
from leaderboard.profiles.racer import RacerProfiles
from leaderboard.seasons.divisions import race_moved
from leaderboard.seasons.services import SeasonServices
from leaderboard.submissions.services import SubmissionServices
from leaderboard.web.search_throttle import SearchThrottle
from shared.access.pass_code_hashing import PassCodeHasher


@dataclass(frozen=True, slots=True)
class LeaderboardServices:
    """What the routers are given. `sender` and `opener` run in the background while the app serves (`running`)."""

    board: LeaderboardService
    accounts: AccountServices
    league: LeagueServices
    sight: RaceSight
    entries: EntryService
    invitations: InvitationService
    attempts: AttemptService
    community: CommunityService
    live_feeds: SharedFeeds
    live: LiveRaces
    histories: PlaceHistories
    profiles: RacerProfiles
    seasons: SeasonServices
    subscriptions: NoticeSubscriptions
    sender: NoticeSender
    opener: SeriesOpener
    searches: SearchThrottle
    submissions: SubmissionServices
    traces: RunTraces
    conditions: RaceConditions
    evaluations: Evaluations
    live_turns: LiveTurns
    live_brackets: LiveBrackets
    heats: DrivenHeats
    heat_replays: HeatReplays
    arrivals: WorkArrivals
    driven_results: DrivenResults
    videos: RunVideos

    @classmethod
    def over(
        cls,
        board: LeaderboardService,
        credentials: Credentials,
        config: LeaderboardConfig,
        utc_ns: Callable[[], int],
        hasher: PassCodeHasher | None = None,
    ) -> "LeaderboardServices":
        """The services over a board's store; each tells the board's watchers what it changed.

        `hasher`: of passphrases.
        """
        store, people, feeds = board.store, AccountPeople(), SharedFeeds()
        live, seasons = LiveRaces(store, feeds), SeasonServices.over(store)
        league = LeagueServices.over(store, board.changed, config.races.community_per_account, race_moved)
        sender = NoticeSender(store, config.notices, utc_ns)
        board.watch(sender.changed)
        attempts = AttemptService(store, board.changed)
        conditions = RaceConditions(store, board.changed)
        secret, arrivals = credentials.admin_token, WorkArrivals()
        submissions = SubmissionServices.over(
            store, attempts, config.submissions, utc_ns, FairPlaces(), lambda _race_id: arrivals.announce()
        )
        return cls(
            board,
            account_services(board, config, hasher),
            league,
            RaceSight(store),
            EntryService(store, people, board.changed),
            InvitationService(store, people, credentials.admin_token, board.changed),
            attempts,
            league.community,
            feeds,
            live,
            PlaceHistories(store),
            RacerProfiles(store),
            seasons,
            NoticeSubscriptions(store, config.notices),
            sender,
            SeriesOpener(league.series, utc_ns),
            SearchThrottle(),
            submissions,
            RunTraces(store, board, submissions.submissions),
            conditions,
            Evaluations(store, submissions.archives, board.changed, secret, config.farm.claim_s),
            LiveTurns(store, live, board.changed),
            LiveBrackets(live, seasons.brackets),
            DrivenHeats(store, seasons.brackets, config.farm.claim_s),
            HeatReplays(store, seasons.brackets),
            arrivals,
            DrivenResults(store, submissions, conditions),
            RunVideos(store, submissions.submissions),
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the app serves: series open their races, notices are sent, uploads that were given up end."""
        self.sender.start()
        tasks = [asyncio.create_task(each.run()) for each in (self.opener, self.submissions.upkeep)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self.sender.close)


def account_services(
    board: LeaderboardService, config: LeaderboardConfig, hasher: PassCodeHasher | None = None
) -> AccountServices:
    """The services of accounts over the board's store."""
    periods = SessionPeriods.of_hours(config.accounts.session_idle_h, config.accounts.session_hours)
    entrance = Entrance(board.store, periods, hasher)
    return AccountServices.over(
        entrance, Claim(board.store, pathlib.Path(config.secrets.claim_file), entrance.throttle)
    )
