"""Numbers that stand in sentences, in the notation of the reader's language."""

from dataclasses import dataclass

from babel.numbers import format_decimal


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A number as a value of a sentence, in the notation of its language: 12,800 and 12.800; 1.53 m/s and 1,53 m/s."""

    value: float
    decimals: int = 0
    unit: str = ""

    def in_language(self, language: str) -> str:
        """The number in this language, with its unit."""
        pattern = f"#,##0.{'0' * self.decimals}" if self.decimals else "#,##0"
        number = str(format_decimal(self.value, pattern, locale=language))
        return f"{number}\N{NO-BREAK SPACE}{self.unit}" if self.unit else number
