"""Decides whether a refusal's sentence is about our race or our post, or comes from a gateway. Pure.

Gateways and frameworks quote the request: "Cannot POST /race/api/v1/results", "Unknown host race.example.org", "No type
matches the controller named 'races'". So a word within an address, a word of our own address, and a sentence about
pages, routes and hosts say nothing about a race. In doubt the result is sent again, which costs one request.
"""

import dataclasses
import html
import http
import re
import unicodedata
from urllib.parse import unquote

from shared.protocol.results import Evidence, Result
from shared.rules.ranking import RunLap

_RACE_WORDS = frozenset({"race", "races", "race_id"})
_POST_FIELDS = frozenset(each.name for each in dataclasses.fields(Result) if "_" in each.name)
_POST_WORDS = (
    _RACE_WORDS | _POST_FIELDS | frozenset({"racer", "racers", "lap", "laps", "webhook", "revision", "evidence"})
)
# `evidence.public_key` or `laps.0.lap_ns` is a field within a field, not a host.
_FIELDS = _POST_WORDS | frozenset(
    {each.name for kind in (Result, Evidence, RunLap) for each in dataclasses.fields(kind)} | {"body", "result"}
)
# Words that the machines between here and the leaderboard use.
_OF_THE_WEB = frozenset(
    re.findall(
        r"\w+",
        "page pages url urls uri uris route routes routing router endpoint endpoints controller action handler "
        "mapping resource resources static file files folder directory path paths host hosts hostname domain "
        "domains site sites website vhost bucket function lambda tunnel app apps application deployment tenant "
        "service services proxy gateway upstream backend cluster pod ingress edge cdn dns firewall waf portal wifi "
        "certificate sni blocked denied forbidden malicious attack injection ",
    )
)
# Common words of their sentences.
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "access administrator and any api are bad been browser but can cannot contact could default details does "
        "error exist exists for from get has have here http https index into its login long match matched method "
        "missing moved must name named network none not object our please policy post project request requested "
        "requests response result results rule rules security server sign specified support terms test that the "
        "there this too type unknown use user was were will with you your ",
    )
)
# A race may be called by any of these words, and then its name alone proves nothing.
_COMMON = (
    _OF_THE_WEB
    | _POST_WORDS
    | _SMALL
    | frozenset(word for each in http.HTTPStatus for word in re.findall(r"\w+", each.phrase.casefold()))
)
_ECHOED_JSON = re.compile(r"""\{\s*[\\"':].*(\}|$)""", re.DOTALL)
_TOKEN = re.compile(r"[\w./\\:=@?&%#+~-]+")
_ENDS = re.compile(r"^\W+|\W+$")
_ADDRESS_SIGNS = re.compile(r"[/\\@?&%~]|^[\w.-]+:\d+$")
_NOTHING: frozenset[str] = frozenset()


def own_words(*parts: str) -> frozenset[str]:
    """The words of our own address (host, path): a peer that quotes the address uses them without meaning a race."""
    words = unquote(" ".join(parts)).casefold()
    return frozenset(re.findall(r"\w+", words) + re.findall(r"[\w-]+", words))


def speaks_of_race(race_id: str, sentence: str, own: frozenset[str] = _NOTHING) -> bool:
    """Could only a leaderboard say this? The sentence names the race or says "race", and uses no word of web servers.

    `own`: the words of our own address.
    """
    return _speaks(_RACE_WORDS - own, race_id, sentence, own)


def speaks_of_post(race_id: str, sentence: str, own: frozenset[str] = _NOTHING) -> bool:
    """As `speaks_of_race`, but the words for what a post is made of count too."""
    return _speaks(_POST_WORDS - own, race_id, sentence, own)


def _speaks(telling: frozenset[str], race_id: str, sentence: str, own: frozenset[str]) -> bool:
    name = race_id.casefold()
    words = free_words(sentence)
    names_it = name in words and _tells_alone(name, own)
    says_so = bool(words & telling)
    return (names_it and says_so) or ((names_it or says_so) and not (words - {name}) & _OF_THE_WEB)


def _tells_alone(race_id: str, own: frozenset[str]) -> bool:
    """Does the race's name alone prove that a race is meant?

    Not if it may occur by chance, as "404", "2026-11-28", "v1", "page" or a part of our address may.
    """
    parts = re.split(r"[-_]", race_id)
    letters = len(re.findall(r"[^\W\d_]", race_id))
    common = race_id in own or all(part in own | _COMMON for part in parts)
    return not common and (letters > 2 or (letters > 0 and len(parts) > 1))


def free_words(sentence: str) -> frozenset[str]:
    """The sentence's words in lower case, without those in addresses, in paths, and in our own post quoted back."""
    plain = html.unescape(unquote(html.unescape(sentence)))
    plain = unicodedata.normalize("NFKC", plain).translate({0x2044: "/", 0x2215: "/"}).casefold()
    words: set[str] = set()
    for token in _TOKEN.findall(_ECHOED_JSON.sub(" ", plain)):
        if not _ADDRESS_SIGNS.search(token.rstrip(".?!:;=&#")):
            words |= _words(_ENDS.sub("", token))
    return frozenset(words)


def _words(token: str) -> set[str]:
    if "." in token:
        parts = token.split(".")
        return set(parts) if all(part in _FIELDS or part.isdecimal() for part in parts) else set()
    words = {word for part in re.split(r"[:=#+]+", token) for word in (part, part.replace("-", "_"))}
    return words | ({"webhook"} if any(word.startswith("webhook-") for word in words) else set())
