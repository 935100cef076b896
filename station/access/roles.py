"""The roles of people at an event, each of which may do what those before it may."""

from enum import IntEnum

from shared.errors import BadInput
from shared.text import Sentence, text


class Role(IntEnum):
    """What a person may do; `Role.OPERATOR >= Role.REFEREE` holds."""

    VIEWER = 0  # looks at the public pages
    RACER = 1  # sees his own runs and queue
    REFEREE = 2  # rules: incidents, laps, penalties, runs, official
    OPERATOR = 3  # runs the event: racers, queue, start, stop, races
    ADMIN = 4  # people, devices, backup, settings

    @property
    def word(self) -> str:
        """The name that settings, forms and the command line use: "operator"."""
        return self.name.lower()

    @property
    def title(self) -> Sentence:
        """The role as a page shows it."""
        return _TITLES[self]


_TITLES = {
    Role.VIEWER: text("Viewer"),
    Role.RACER: text("Racer"),
    Role.REFEREE: text("Referee"),
    Role.OPERATOR: text("Operator"),
    Role.ADMIN: text("Admin"),
}


def role_of_word(word: str) -> Role:
    """The role that a form or a command line names. Raises BadInput."""
    by_word = {role.word: role for role in Role}
    if word not in by_word:
        raise BadInput(
            text("There is no role {word}; the roles are {roles}.", word=repr(word[:20]), roles=", ".join(by_word))
        )
    return by_word[word]
