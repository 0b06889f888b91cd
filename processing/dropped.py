"""Rows that are not trained on: their number, the reasons, and what to do if there are too many.

A row is dropped if its target or a required value is missing, or is outside of the bounds of a rule that drops. A file
that loses many rows no longer represents the data it came from, and neither does a model trained on the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Dict, List, NamedTuple, Optional

from features import number_text
from job import BadInput
from unreadable import EXAMPLES, shown

_REASONS_TOLD = 5
_GROUPED = re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII)


class Reason(NamedTuple):
    """Why a row is dropped."""

    text: str
    """Continues "has"."""
    column: str
    """A raw column, or the target."""
    bound: Optional[str] = None
    """The bound of the column's rule that the value violates: `min` or `max`."""
    limit: float = 0.0
    """The value of that bound."""
    required: bool = False
    """Whether the column is required and its value missing."""


class Drops:
    """Counts of dropped rows."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.grouped: Counter[str] = Counter()
        """Rows among `counts` with a value below its bound that looks like 12.345."""
        self._reasons: Dict[str, Reason] = {}
        self._examples: Dict[str, List[str]] = {}
        self._grouped_examples: Dict[str, str] = {}

    def add(self, reason: Reason, field: str, may_be_grouped: bool) -> None:
        """Counts a row, with the field that is the reason. `may_be_grouped`: a point in the field may group digits."""
        text, field = reason.text, field.strip()
        self.counts[text] += 1
        self._reasons.setdefault(text, reason)
        examples = self._examples.setdefault(text, [])
        if field and len(examples) < EXAMPLES:
            example = shown(field)
            if example not in examples:
                examples.append(example)
        if may_be_grouped and reason.bound == "min" and _GROUPED.fullmatch(field):
            self.grouped[text] += 1
            self._grouped_examples.setdefault(text, field)

    def merge(self, other: Drops) -> None:
        """Adds the counts of another file."""
        self.counts.update(other.counts)
        self.grouped.update(other.grouped)
        self._grouped_examples = {**other._grouped_examples, **self._grouped_examples}
        self._reasons = {**other._reasons, **self._reasons}

    def grouping(self, rows: int) -> str:
        """What to add to the document if most of `rows` rows were dropped because of values that look like 12.345."""
        for text, count in self.grouped.most_common(1):
            if count * 2 > rows:
                example = self._grouped_examples[text]
                line = '`input: { decimal: ",", thousands: "." }`'
                return (
                    f". {count} of these look like `{example}`: if its point groups digits, add {line} to the document"
                )
        return ""

    def remedy(self, rows: int) -> str:
        """What to do if most of `rows` rows were dropped for one reason."""
        for text, count in self.counts.most_common(1):
            if count * 2 > rows:
                return f". {_advice(self._reasons[text])}"
        return ""

    def refuse(self, name: str, rows: int, share: float) -> None:
        """Refuses the file called `name` if more than `share` of its readable rows are dropped."""
        lost = sum(self.counts.values())
        if lost <= share * rows:
            return
        (first, count), *others = self.counts.most_common()
        examples = ", ".join(f"`{example}`" for example in self._examples[first])
        told = [has(count, first) + (f" ({examples})" if examples else "")]
        told += [has(count, text) for text, count in others[: _REASONS_TOLD - 1]]
        more = len(self.counts) - len(told)
        rest = f" and {more} more reason{'s' if more > 1 else ''}" if more > 0 else ""
        advice = self.grouping(count) or f". {_advice(self._reasons[first])}"
        raise BadInput(
            "TooManyDropped",
            f"{name}: {lost} of {rows} rows would not be trained on: {', '.join(told)}{rest}{advice}. "
            f"`cleaning.max_dropped` allows {share * 100:g} % of a file's rows: raise it if these are to be left out",
        )


def has(count: int, reason: str) -> str:
    """`3 have a price below 500`."""
    return f"{count} {'has' if count == 1 else 'have'} {reason}"


def _advice(reason: Reason) -> str:
    name = reason.column
    if reason.bound:
        return (
            f"If `{name}` is in another unit than its rule, write it in the rule's; if such values are real, change "
            f"`{reason.bound}: {number_text(reason.limit)}` of `{name}` in `cleaning.rules`"
        )
    if reason.required:
        return (
            f"Fill `{name}` in, or take `required: true` away from it in the document's `schema`: then rows without it "
            "are trained on"
        )
    return f"Write a number into `{name}`, or leave such rows out of the file"
