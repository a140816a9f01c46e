"""Tables and the lines of the page that compare a figure with a claim."""

import dataclasses
import statistics


# Mark → what differs between runs that are compared, in the order of a run's `source`.
MIXED = {"¹": "runs of different builds of the program (trials: of trials.py)", "²": "runs on different machines"}


@dataclasses.dataclass
class Claim:
    """What somebody says, whether the figures here bear it out (None: `unknown`), those figures, and the groups of runs
    that are compared with each other for it."""

    text: str
    holds: bool | None
    figure: str
    compared: list = dataclasses.field(default_factory=list)
    unknown: str = "not measured here"

    @property
    def verdict(self):
        return {True: "holds here", False: "**does not hold here**", None: self.unknown}[self.holds]

    @property
    def marks(self):
        """Of `MIXED`, what is so."""
        sources = [[run["source"] for run in group] for group in self.compared]
        return [mark for place, mark in enumerate(MIXED) if any(len({s[place] for s in group}) > 1 for group in sources)]


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
