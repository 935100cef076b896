"""How a name is searched for: without marks, case and doubled blanks. Pure; the store keeps names like that."""

import unicodedata

MAX_CHARACTERS = 60  # of what somebody searches for


def folded(name: str) -> str:
    """The name as it is searched for: 'Émile  ØRSTED' is 'emile ørsted'."""
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(letter for letter in plain if unicodedata.category(letter) != "Mn")
    # Once more: folding may compose what it folds, and NUL is no text for PostgreSQL.
    return " ".join(unicodedata.normalize("NFKD", letters.casefold()).replace("\0", " ").split())
