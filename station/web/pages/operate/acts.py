"""What an official can press: a command with its values, a key, and the reason why it cannot be done now. Pure."""

from dataclasses import dataclass, replace
from typing import Literal

from shared.text import Sentence

Tone = Literal["", "primary", "danger"]


@dataclass(frozen=True, slots=True)
class Act:
    """One button. `id`: of its element; `texts`, `numbers`, `flags`: the command's fields.

    `key`: its shortcut. `why_not`: why it cannot be done now, "" if it can. `ask`: the title of a dialog that first
    asks for a reason. `dialog`: the dialog that it opens instead of sending a command; "checklist" is only shown if a
    line of it is not well. `for_screen_readers`: what is not said by the label alone.
    `now`: the browser adds its time of day. `may_be_silent`: what `ask` asks may be confirmed without a reason.
    """

    id: str
    label: Sentence
    command: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()
    flags: tuple[str, ...] = ()
    key: str = ""
    why_not: str = ""
    tone: Tone = ""
    ask: str = ""
    dialog: str = ""
    for_screen_readers: str = ""
    now: bool = False
    may_be_silent: bool = False

    def unless(self, why_not: str) -> "Act":
        """The same act, which cannot be done now for this reason; unchanged if there is none."""
        return replace(self, why_not=why_not) if why_not and not self.why_not else self

    def as_primary(self) -> "Act":
        """The same act as the one that comes next."""
        return replace(self, tone="primary")
