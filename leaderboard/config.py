"""The leaderboard's settings, one dataclass per table of the TOML file. Relative paths are beside that file."""

import dataclasses
import pathlib
import re
from dataclasses import dataclass, field

from shared.config import load, setting
from shared.errors import ConfigError
from shared.metrics.settings import MetricsOptions
from shared.web.host_names import host_names

# What a Content-Security-Policy may hold as a source, and nothing that ends it.
_ORIGIN = re.compile(r"\*|https?://(?:\*\.)?[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,200}[a-zA-Z0-9])?(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where it listens; port 0 takes any free one."""

    host: str = setting("127.0.0.1", what="the address to listen on")
    port: int = setting(8090, min=0, max=65535, what="0 takes any free port")
    allowed_hosts: tuple[str, ...] = setting(
        (), what="answer only to these names, beside addresses and local names; empty: to any, as behind a proxy"
    )

    tls_certificate: str = setting("", what="the certificate for browsers; with it the port speaks https too")
    tls_key: str = setting("", what="the key of `tls_certificate`, readable by the service alone")
    sign_in_over_http: bool = setting(False, what="people may sign in without https all the same")
    trusted_proxy: str = setting(
        "", what="the address of the proxy in front, whose X-Forwarded-For and -Proto are believed; empty: nobody's"
    )

    processes: int = setting(
        1,
        min=1,
        max=64,
        what="processes that answer behind the one port, each counting tries itself; more than one need PostgreSQL",
    )

    def __post_init__(self) -> None:
        host_names(self.allowed_hosts, "server.allowed_hosts")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where races and results are stored."""

    path: str = setting("leaderboard.db", what="the SQLite file")
    url: str = setting("", what="postgresql://... instead of the file")

    @property
    def place(self) -> str:
        """The URL, or the path if there is none, as `open_store` takes it."""
        return self.url or self.path


@dataclass(frozen=True, slots=True)
class FanoutSettings:
    """How several processes tell one another which race has changed."""

    url: str = setting("", what="redis://host:6379/0 (Redis or Valkey); empty: PostgreSQL passes it on")


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """The files of the secrets, which are never in the config itself. `raceday leaderboard init` makes them."""

    webhook_files: tuple[str, ...] = ("secrets/webhook.secret",)  # one secret of a station in each
    admin_file: str = setting("secrets/admin.token", what="the bearer token of the admin calls")
    claim_file: str = setting("secrets/claim.code", what="the code by which the first account becomes admin")


@dataclass(frozen=True, slots=True)
class LeaderboardLimits:
    """What one leaderboard handles at once, and how often it updates the browsers."""

    tolerance_s: int = setting(300, min=10, max=3600, what="how old or new a webhook-timestamp may be")
    posts_at_once: int = setting(
        64, min=1, max=1000, what="posts handled at once; more are answered 503 with Retry-After"
    )
    browsers_at_once: int = setting(
        1000, min=1, max=100_000, what="open live pages; more are answered 503 with Retry-After"
    )
    rows_live: int = setting(200, min=1, max=10_000, what="rows of a standing that a live page shows")
    heartbeat_s: float = setting(
        15.0, min=0.05, max=60, what="how often a live page is rendered again without a reported change"
    )


@dataclass(frozen=True, slots=True)
class RaceSettings:
    """Who may create races, and how many. Whoever holds a station's secret posts the results of its races anyway."""

    from_stations: bool = setting(
        True, what="a station may create its races, and change the rules of those that it created"
    )
    community_per_account: int = setting(
        10, min=1, max=1000, what="open or future community races that an account may have"
    )


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Notices to receivers that organisers name: signed webhooks of what happens in races."""

    allow_private_networks: bool = setting(False, what="also send to addresses of private networks and this machine")
    allow_plain_http: bool = setting(False, what="also send by http://, which others on the way can read")
    ca_file: str = setting("", what="a PEM file, if receivers' certificates are signed by a private CA", file=True)
    per_race: int = setting(5, min=0, max=100, what="receivers of one race; 0: none are taken")
    give_up_days: int = setting(3, min=1, max=30, what="a receiver that takes nothing for so long is sent no more")


@dataclass(frozen=True, slots=True)
class EmbedSettings:
    """Which other sites may show boards of public races in their pages."""

    sites: tuple[str, ...] = setting(
        (), what='origins such as "https://club.example", whose pages may hold /embed/RACE in a frame; "*": all'
    )

    def __post_init__(self) -> None:
        for each in self.sites:
            if _ORIGIN.fullmatch(each) is None:
                raise ConfigError(
                    f"embeds.sites holds {each[:80]!r}: write origins such as 'https://club.example', or '*' for all."
                )


@dataclass(frozen=True, slots=True)
class SubmissionSettings:
    """Models that racers upload, and their submissions to virtual races. A MB is a million bytes."""

    folder: str = setting("models", what="the folder of the models' archives; all processes share it")
    max_archive_mb: int = setting(300, min=1, max=10_000, what="how large an archive may be")
    account_mb: int = setting(3000, min=1, max=1_000_000, what="how much an account may keep, uploads with it")
    account_models: int = setting(100, min=1, max=100_000, what="how many models an account may keep")
    account_uploads: int = setting(4, min=1, max=100, what="unfinished uploads of an account")
    upload_h: float = setting(24.0, min=0.01, max=720, what="an upload to which nothing was added for so long ends")
    in_work_per_racer: int = setting(
        1, min=1, max=10_000, what="submissions of a racer at once, in a race that says nothing of it"
    )


@dataclass(frozen=True, slots=True)
class FarmSettings:
    """Farms, which drive the submissions of virtual races."""

    claim_s: float = setting(
        120.0,
        min=0.1,
        max=7200,
        what="a run that a farm has claimed and does not extend is given to another after so long",
    )


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """How long a sign-in lasts."""

    session_idle_h: float = setting(336.0, min=0.1, max=8760, what="a session that was not used for so long ends")
    session_hours: float = setting(2160.0, min=0.1, max=8760, what="every session ends after so long")


@dataclass(frozen=True, slots=True)
class LeaderboardConfig:
    """All settings of leaderboard.toml."""

    title: str = setting("Leaderboard", what="what the pages call this board")
    server: ServerSettings = field(default_factory=ServerSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    fanout: FanoutSettings = field(default_factory=FanoutSettings)
    secrets: SecretFiles = field(default_factory=SecretFiles)
    races: RaceSettings = field(default_factory=RaceSettings)
    accounts: AccountSettings = field(default_factory=AccountSettings)
    limits: LeaderboardLimits = field(default_factory=LeaderboardLimits)
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    embeds: EmbedSettings = field(default_factory=EmbedSettings)
    submissions: SubmissionSettings = field(default_factory=SubmissionSettings)
    farm: FarmSettings = field(default_factory=FarmSettings)
    metrics: MetricsOptions = field(default_factory=MetricsOptions)


def read(path: pathlib.Path) -> LeaderboardConfig:
    """The checked file, its relative paths made absolute. Raises ConfigError."""
    config = load(path, LeaderboardConfig)
    if config.server.processes > 1 and not config.store.url:
        raise ConfigError(
            f"`server.processes` is {config.server.processes}, and a SQLite file has one process that writes: "
            "set `store.url` to a PostgreSQL database, or `server.processes` to 1."
        )
    beside = path.absolute().parent
    secrets = SecretFiles(
        tuple(str(beside / file) for file in config.secrets.webhook_files),
        str(beside / config.secrets.admin_file),
        str(beside / config.secrets.claim_file),
    )
    store = dataclasses.replace(config.store, path=str(beside / config.store.path))
    submissions = dataclasses.replace(config.submissions, folder=str(beside / config.submissions.folder))
    return dataclasses.replace(config, store=store, secrets=secrets, submissions=submissions)
