"""Atom feeds (RFC 4287): of the leaderboard's public races, and of a race's results. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from leaderboard.core.race import RaceRecord
from leaderboard.pages.views import RaceHeaderView, race_view, racer_page
from leaderboard.profiles.newest import FeedResult
from leaderboard.scored_laps import utc_text
from leaderboard.store.race_rows import RaceHead
from shared.text import text
from shared.text.reader import language
from shared.units import format_ms

MEDIA_TYPE = "application/atom+xml"
MAX_RACES = 50
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry; its id stays the same whatever changes. `path`: of its page."""

    entry_id: str
    title: str
    path: str
    updated_utc_ns: int
    words: str


def board_feed(title: str, base: str, heads: Iterable[RaceHead], now_utc_ns: int) -> str:
    """The feed of public races: each is updated when it opens and when it ends. `base`: of our addresses."""
    entries = [_race_entry(base, head, now_utc_ns) for head in heads if head.race.stage != "draft"]
    entries.sort(key=lambda entry: entry.updated_utc_ns, reverse=True)
    return _feed(base, "/feed.atom", "/", title, entries[:MAX_RACES], 0)


def race_feed(title: str, base: str, race: RaceRecord, results: Sequence[FeedResult], now_utc_ns: int) -> str:
    """The feed of a race: its newest results that are ranked."""
    path = f"/races/{race.race_id}"
    entries = [
        FeedEntry(
            f"{base}{path}/results/{quote(each.result_id, safe='')}",
            f"{each.name}: {format_ms(each.score_ms)}",
            racer_page(race.race_id, each.racer),
            each.accepted_utc_ns,
            str(
                text("{name} drove {score} in {race}.", name=each.name, score=format_ms(each.score_ms), race=race.name)
            ),
        )
        for each in results
    ]
    return _feed(base, f"{path}/feed.atom", path, f"{race.name} – {title}", entries, _changed(race, now_utc_ns))


def _race_entry(base: str, head: RaceHead, now_utc_ns: int) -> FeedEntry:
    race = head.race
    view: RaceHeaderView = race_view(race, head.racers, head.results, now_utc_ns)
    words = [str(view.ranked_by), str(view.counts), str(view.when)]
    if head.leader is not None and head.leader_score_ms is not None:
        words.append(str(text("{name} leads with {score}.", name=head.leader, score=format_ms(head.leader_score_ms))))
    path = f"/races/{race.race_id}"
    title = f"{race.name}: {view.state_text}"
    return FeedEntry(f"{base}{path}", title, path, _changed(race, now_utc_ns), " ".join(each for each in words if each))


def _changed(race: RaceRecord, now_utc_ns: int) -> int:
    """When the race last opened or ended; 0 if neither has been."""
    times = (race.opens_utc_ns, race.ends_utc_ns())
    return max((at for at in times if at is not None and at <= now_utc_ns), default=0)


def _feed(base: str, own: str, page: str, title: str, entries: Sequence[FeedEntry], updated_utc_ns: int) -> str:
    updated = max([updated_utc_ns, *(entry.updated_utc_ns for entry in entries)])
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={_attribute(language())}>',
        f"<title>{_plain(title)}</title>",
        f"<id>{_plain(base + own)}</id>",
        f"<updated>{utc_text(updated)}</updated>",
        f"<author><name>{_plain(title)}</name></author>",
        f'<link rel="self" type="{MEDIA_TYPE}" href={_attribute(base + own)}/>',
        f'<link rel="alternate" type="text/html" href={_attribute(base + page)}/>',
    ]
    for entry in entries:
        lines += [
            "<entry>",
            f"<title>{_plain(entry.title)}</title>",
            f"<id>{_plain(entry.entry_id)}</id>",
            f"<updated>{utc_text(entry.updated_utc_ns)}</updated>",
            f"<link href={_attribute(base + entry.path)}/>",
            f"<summary>{_plain(entry.words)}</summary>",
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>", ""])


def _plain(words: str) -> str:
    """As XML text; signs that XML 1.0 cannot hold are left out."""
    return escape(_NOT_XML.sub("", words))


def _attribute(words: str) -> str:
    return quoteattr(_NOT_XML.sub("", words))
