"""Numbers into words: spread over rounds, ratios round by round, tables as text and as Markdown. Pure functions."""

import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Of one figure over the rounds."""

    median: float
    low: float
    high: float


def spread(values):
    """The Spread of a list of numbers; None of an empty one. A round without the figure (None) does not count."""
    known = [value for value in values if value is not None]
    return Spread(statistics.median(known), min(known), max(known)) if known else None


def ratios(above, below):
    """Round by round; None where a round lacks one of the two or would divide by nothing."""
    return [a / b if a is not None and b is not None and b > 0 else None for a, b in zip(above, below)]


def sums(*lists):
    """Round by round; None where one of them is."""
    return [None if None in values else sum(values) for values in zip(*lists)]


def number(value):
    """Three significant digits, never in scientific notation; a dash for what is not known."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    # Of the rounded value: 99.96 would have four digits else.
    digits = 2 - math.floor(math.log10(abs(float(f"{value:.3g}"))))
    if digits <= 0:
        return f"{value:,.0f}"
    return f"{value:.{digits}f}"


def words(figure):
    """A Spread as "median (low .. high)"."""
    if figure is None:
        return "-"
    if number(figure.low) == number(figure.high):
        return number(figure.median)
    return f"{number(figure.median)} ({number(figure.low)} .. {number(figure.high)})"


def text_table(header, rows):
    """For a terminal: the first column to the left, all others to the right."""
    cells = [header, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = []
    for row in cells:
        padded = [cell.ljust(width) if column == 0 else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "-" * len(max(lines, key=len)))
    return "\n".join(lines)


def markdown_table(header, rows, right=True):
    """A Markdown table; columns after the first to the right unless `right` is false."""
    def joined(row):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    rule = "|---|" + ("---:|" if right else "---|") * (len(header) - 1)
    return "\n".join([joined(header), rule, *map(joined, rows)])
