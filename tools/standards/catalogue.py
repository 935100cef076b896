"""Which requirements each standard has: their numbers, and how strongly each is asked for. No sentence of it.

Read by verdicts.py, which refuses a page that leaves one out. Sources: OWASP Application Security Verification Standard
5.0.0 (2025), `OWASP_Application_Security_Verification_Standard_5.0.0_en.csv` of its repository; ETSI EN 303 645
V2.1.1 (2020-06), clauses 5 and 6 and table B.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standard:
    """A published standard, as far as the product is held against it.

    `chapters`: what each chapter is about, by its number in an id. `strengths`: how strongly each requirement is asked
    for, by its id, in the standard's order. `machines`: whose verdict is given for each of them.
    """

    name: str
    chapters: Mapping[str, str]
    strengths: Mapping[str, str]
    machines: tuple[str, ...]

    def chapter_of(self, number: str) -> str:
        """The chapter of a requirement: the longest number that its own begins with."""
        return max((chapter for chapter in self.chapters if number.startswith(chapter)), key=len)


ASVS_CHAPTERS = {
    "1.": "encoding, injection",
    "2.": "validation, business logic",
    "3.": "browsers",
    "4.": "APIs",
    "5.": "files",
    "6.": "authentication",
    "7.": "sessions",
    "8.": "authorisation",
    "9.": "self-contained tokens",
    "10.": "OAuth, OIDC",
    "11.": "cryptography",
    "12.": "communication",
    "13.": "configuration",
    "14.": "data protection",
    "15.": "architecture, dependencies",
    "16.": "logging, errors",
    "17.": "WebRTC",
}
# The level of each requirement of a section, one digit each in their order.
_ASVS_LEVELS = {
    "1.1": "22",
    "1.2": "1111122223",
    "1.3": "112222222223",
    "1.4": "222",
    "1.5": "123",
    "2.1": "122",
    "2.2": "112",
    "2.3": "12223",
    "2.4": "23",
    "3.1": "3",
    "3.2": "113",
    "3.3": "12223",
    "3.4": "11222233",
    "3.5": "11122333",
    "3.6": "3",
    "3.7": "22333",
    "4.1": "12233",
    "4.2": "23333",
    "4.3": "22",
    "4.4": "1222",
    "5.1": "2",
    "5.2": "112333",
    "5.3": "113",
    "5.4": "222",
    "6.1": "122",
    "6.2": "111111112222",
    "6.3": "11223333",
    "6.4": "112233",
    "6.5": "22222333",
    "6.6": "2223",
    "6.7": "33",
    "6.8": "2222",
    "7.1": "222",
    "7.2": "1111",
    "7.3": "22",
    "7.4": "11222",
    "7.5": "223",
    "7.6": "22",
    "8.1": "1233",
    "8.2": "1123",
    "8.3": "133",
    "8.4": "23",
    "9.1": "111",
    "9.2": "1222",
    "10.1": "22",
    "10.2": "223",
    "10.3": "22223",
    "10.4": "1111122222233333",
    "10.5": "22222",
    "10.6": "22",
    "10.7": "222",
    "11.1": "2233",
    "11.2": "22233",
    "11.3": "11233",
    "11.4": "1222",
    "11.5": "23",
    "11.6": "23",
    "11.7": "33",
    "12.1": "12233",
    "12.2": "11",
    "12.3": "22223",
    "13.1": "2333",
    "13.2": "222223",
    "13.3": "2233",
    "13.4": "1222233",
    "14.1": "22",
    "14.2": "12223333",
    "14.3": "122",
    "15.1": "12233",
    "15.2": "12233",
    "15.3": "1222222",
    "15.4": "3333",
    "16.1": "2",
    "16.2": "22222",
    "16.3": "2222",
    "16.4": "222",
    "16.5": "2223",
    "17.1": "23",
    "17.2": "22223333",
    "17.3": "22",
}
_HIGHEST_LEVEL = 2

ASVS = Standard(
    "OWASP ASVS 5.0.0, levels 1 and 2",
    ASVS_CHAPTERS,
    {
        f"{section}.{place}": f"L{level}"
        for section, levels in _ASVS_LEVELS.items()
        for place, level in enumerate(levels, 1)
        if int(level) <= _HIGHEST_LEVEL
    },
    ("station", "board", "car"),
)

# M: mandatory, R: recommended, C: only under a condition that the provision names.
_ETSI_STATUS = {
    "5.1": ("passwords", "MC MC M MC MC"),
    "5.2": ("reports of vulnerabilities", "M R R"),
    "5.3": ("updates", "R MC MC RC RC RC MC MC RC MC RC RC M RC RC M"),
    "5.4": ("keys at rest", "M MC M M"),
    "5.5": ("communication", "M R R R M R M M"),
    "5.6": ("attack surface", "M M R MC R R R R R"),
    "5.7": ("integrity of software", "R R"),
    "5.8": ("personal data in transit", "R M M"),
    "5.9": ("outages", "R R R"),
    "5.10": ("telemetry", "RC"),
    "5.11": ("deleting data", "M R R R"),
    "5.12": ("installation", "R R R"),
    "5.13": ("input", "M"),
    "6": ("data protection", "M MC M RC MC"),
}

ETSI = Standard(
    "ETSI EN 303 645 V2.1.1",
    {f"{clause}-": about for clause, (about, _) in _ETSI_STATUS.items()},
    {
        f"{clause}-{place}": status
        for clause, (_, statuses) in _ETSI_STATUS.items()
        for place, status in enumerate(statuses.split(), 1)
    },
    ("car", "station"),
)
