"""A sentence in English that remembers its template and its values, so that a page can show it in another language.

Used wherever a sentence for people is written. Example: `text("{racer} is on the track.", racer="Ada")`.
"""

from collections.abc import Mapping
from types import MappingProxyType


class Sentence(str):
    """A `str` in English, made from `template` with `values`."""

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> "Sentence":
        """The sentence; raises KeyError if the template names a value that is not given."""
        sentence = super().__new__(cls, template.format_map(values) if values else template)
        sentence.template = template
        sentence.values = MappingProxyType(dict(values))
        return sentence

    def __reduce__(self) -> tuple[type["Sentence"], tuple[str, dict[str, object]]]:
        return Sentence, (self.template, dict(self.values))


def text(template: str, /, **values: object) -> Sentence:
    """The English sentence of this template with these values; braces in it stand for values only if some are given."""
    return Sentence(template, values)
