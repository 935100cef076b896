"""How a name is searched for: without marks, case and doubled blanks. Pure; the store keeps names like that."""

import unicodedata

MAX_CHARACTERS = 60  # of what somebody searches for
# No index finds the middle of a name, so that all names of the table are read (docs/decisions/0083).
NAMES_READ_FREELY = 20_000
MIN_INSIDE_CHARACTERS = 3  # of what is searched for inside more names than that


def is_free(racers: int) -> bool:
    """Whether all names of a table of so many racers may be read for anybody at any time."""
    return racers <= NAMES_READ_FREELY


def is_sought_inside(wanted: str, racers: int) -> bool:
    """Whether names of a table of so many racers are searched for what stands inside them."""
    return len(wanted) >= MIN_INSIDE_CHARACTERS or is_free(racers)


def folded(name: str) -> str:
    """The name as it is searched for: 'Émile  ØRSTED' is 'emile ørsted'."""
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(letter for letter in plain if unicodedata.category(letter) != "Mn")
    # Once more: folding may compose what it folds, and NUL is no text for PostgreSQL.
    return " ".join(unicodedata.normalize("NFKD", letters.casefold()).replace("\0", " ").split())
