"""Tables and the lines of the page that compare a figure with a claim."""

import dataclasses
import statistics


@dataclasses.dataclass
class Claim:
    """What somebody says, whether the figures here bear it out (None: not measured), and those figures."""

    text: str
    holds: bool | None
    figure: str

    @property
    def verdict(self):
        return {True: "holds here", False: "**does not hold here**", None: "not measured here"}[self.holds]


def table(head, rows):
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows), ""]


def spread(values, digits=1):
    """Median, and the lowest and highest in parentheses where there are several."""
    values = list(values)
    text = f"{statistics.median(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def signed(values):
    """As `spread`, with signs."""
    values = list(values)
    text = f"{statistics.median(values):+.1f}"
    return text if len(values) == 1 else f"{text} ({min(values):+.1f} to {max(values):+.1f})"


def each(scores):
    """One task's column after the other."""
    return [f"{value:.1f}" for value in scores.values()]
