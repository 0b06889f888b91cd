"""Unreadable values: their number in a column, examples, and what to do about them.

A value is unreadable if it is something else than the number, the boolean or the word of a closed category that the
column requires. A value outside of its bounds is readable; an empty field or a word for a missing value is no value.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Dict, List, Optional, Sequence

from job import BadInput

EXAMPLES = 3
EXAMPLE_CHARACTERS = 40
_COLUMNS_TOLD = 3

_SHAPES = [
    (kind, re.compile(pattern, re.ASCII))
    for kind, pattern in [
        ("grouped by dots", r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d{1,3}(\.\d{3}){2,}"),
        ("grouped by commas", r"[+-]?\d{1,3}(,\d{3})+\.\d+|[+-]?\d{1,3}(,\d{3}){2,}"),
        ("grouped by spaces, comma", r"[+-]?\d{1,3}( \d{3})+,\d+"),
        ("grouped by spaces", r"[+-]?\d{1,3}( \d{3})+(\.\d+)?"),
        ("grouped by apostrophes", "[+-]?\\d{1,3}(['\u2019]\\d{3})+(\\.\\d+)?"),
        ("comma and three digits", r"[+-]?[1-9]\d{0,2},\d{3}"),
        ("decimal comma", r"[+-]?\d*,\d+|[+-]?\d+,"),
        ("decimal point", r"[+-]?\d+\.\d+"),
        ("with a unit", r"[^\d\s]{0,3} ?[+-]?\d[\d., ]* ?[^\d\s]{1,10}|[^\d\s]{1,3} ?\d[\d., ]*"),
    ]
]
_ADVICE = {
    "grouped by dots": 'add `input: { decimal: ",", thousands: "." }` to the document',
    "grouped by commas": 'add `input: { thousands: "," }` to the document',
    "grouped by spaces, comma": 'add `input: { decimal: ",", thousands: " " }` to the document',
    "grouped by spaces": 'add `input: { thousands: " " }` to the document',
    "grouped by apostrophes": 'add `input: { thousands: "\'" }` to the document',
    "comma and three digits": 'add `input: { thousands: "," }` to the document, or `input: { decimal: "," }` if the '
    "comma begins the fraction",
    "decimal comma": 'add `input: { decimal: "," }` to the document',
    "decimal point": "write numbers with the marks that the document's `input` names, or change those",
    "with a unit": "write numbers without units and signs",
}
_WANTED = {
    "integer": "is no whole number",
    "number": "is no number",
    "boolean": "is neither true nor false",
    "category": "is no word of its closed category",
}


class Values:
    """Counts of the values of one column in one file."""

    def __init__(self, name: str, type: str, words: Optional[Sequence[str]] = None):
        self.name, self.type = name, type
        self.missing = 0
        self.unreadable = 0
        self.examples: List[str] = []
        self._shapes: Counter[str] = Counter()
        self._words = {word.lower(): word for word in words or ()}

    def add(self, field: str) -> None:
        """Counts an unreadable value."""
        self.unreadable += 1
        if len(self.examples) < EXAMPLES:
            example = shown(field)
            if example not in self.examples:
                self.examples.append(example)
        self._shapes[self._shape(field)] += 1

    def _shape(self, field: str) -> str:
        text = " ".join(field.split())
        if self.type == "category":
            return "another case" if text.lower() in self._words else "another word"
        if self.type == "boolean":
            return "another word"
        return next((kind for kind, pattern in _SHAPES if pattern.fullmatch(text)), "text")

    def advice(self) -> str:
        """What to do, depending on what most of the values look like."""
        shape = self._shapes.most_common(1)[0][0] if self._shapes else ""
        # Next to 12,5, 15,735 is a fraction; next to 1,234,567 it is not.
        if shape == "comma and three digits":
            shape = next((it for it in ("decimal comma", "grouped by commas") if self._shapes[it]), shape)
        if shape == "grouped by dots" and self._shapes["decimal comma"] > self._shapes[shape]:
            shape = "decimal comma"
        if shape == "another case":
            words = ", ".join(f"`{word}`" for word in list(self._words.values())[:5])
            return f"write its words as the document does ({words}), or add these to `categories.values`"
        if shape == "another word" and self.type == "category":
            return "add them to `categories.values`, or say `open: true`"
        if shape == "another word":
            return "write true or false, or give the column the type category"
        if shape == "text":
            return "correct them; if they stand for a missing value, name them in `input: { missing: [...] }`"
        return _ADVICE[shape]

    def told(self, rows: int) -> Dict[str, Any]:
        """The counts in the form of a summary."""
        return {
            "column": self.name,
            "values": rows - self.missing,
            "unreadable": self.unreadable,
            "examples": self.examples,
        }


def refuse(name: str, columns: Sequence[Values], rows: int, share: float) -> None:
    """Refuses the file called `name` if more than `share` of a column's values can't be read."""
    wrong = [one for one in columns if one.unreadable > share * (rows - one.missing)]
    if not wrong:
        return
    wrong.sort(key=lambda one: -one.unreadable)
    parts = []
    for one in wrong[:_COLUMNS_TOLD]:
        examples = ", ".join(f"`{example}`" for example in one.examples)
        values = rows - one.missing
        parts.append(
            f"{one.unreadable} of {values} values of `{one.name}` don't read ({examples}: {_WANTED[one.type]}): "
            f"{one.advice()}"
        )
    more = len(wrong) - _COLUMNS_TOLD
    rest = f"; and {more} more columns" if more > 0 else ""
    raise BadInput(
        "UnreadableValues",
        f"{name}: {'; '.join(parts)}{rest}. `cleaning.max_unreadable` allows {share * 100:g} % of a column",
    )


def merge(told: Dict[str, Dict[str, Any]], columns: Sequence[Values], rows: int) -> None:
    """Adds the counts of one file to those of all files."""
    for one in columns:
        if not one.unreadable:
            continue
        mine = one.told(rows)
        known = told.setdefault(one.name, mine)
        if known is not mine:
            for count in ("values", "unreadable"):
                known[count] += mine[count]
            known["examples"] = list(dict.fromkeys(known["examples"] + mine["examples"]))[:EXAMPLES]


def shown(field: str) -> str:
    """A value for messages: shortened, and without control characters."""
    cut = field[: EXAMPLE_CHARACTERS + 1]
    text = "".join(_escaped(character) for character in cut)
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "\u2026"


def _escaped(character: str) -> str:
    if character.isprintable() and character != "`":
        return character
    if character == "`":
        return "'"
    return character.encode("unicode_escape").decode("ascii")
