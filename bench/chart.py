"""A line chart as SVG: both axes logarithmic, one colour and one mark a series. Pure functions, no library."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 230, 46, 56
# Told apart by colour-blind readers as well (Okabe and Ito), and on dark pages.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")


def decades(values):
    """The powers of ten that enclose all values, as exponents: (first, last), at least one decade apart."""
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def power(exponent):
    return f"{10**exponent:,}" if exponent >= 0 else f"{10.0**exponent:.{-exponent}f}"


class _Axes:
    def __init__(self, points):
        self.x_decades = decades([x for x, _ in points])
        self.y_decades = decades([y for _, y in points])

    def x(self, value):
        return LEFT + _share(value, self.x_decades) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - _share(value, self.y_decades) * (HEIGHT - TOP - BOTTOM)


def _share(value, span):
    return (math.log10(value) - span[0]) / (span[1] - span[0])


def _text(x, y, words, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def _grid(axes):
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for exponent in range(axes.x_decades[0], axes.x_decades[1] + 1):
        x = axes.x(10**exponent)
        yield f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>'
        yield _text(x, bottom + 18, power(exponent))
    for exponent in range(axes.y_decades[0], axes.y_decades[1] + 1):
        y = axes.y(10.0**exponent)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>'
        yield _text(LEFT - 8, y + 4, power(exponent), "end")


def _series(axes, index, name, points, label_y):
    colour = COLOURS[index % len(COLOURS)]
    corners = [(axes.x(x), axes.y(y)) for x, y in points]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
    yield f'<path fill="none" stroke="{colour}" stroke-width="2" d="M{line}"/>'
    for x, y in corners:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
    yield _text(corners[-1][0] + 10, label_y, name, "start", f' style="fill:{colour}"')


def _label_heights(axes, series):
    """Where each name stands beside its last point, moved apart so that no two overlap."""
    wanted = sorted((axes.y(points[-1][1]) + 4, index) for index, (_, points) in enumerate(series))
    heights, last = {}, -math.inf
    for y, index in wanted:
        last = max(y, last + 15)
        heights[index] = last
    return heights


def log_chart(title, x_title, y_title, series):
    """The whole SVG. `series` is [(name, [(x, y), ...]), ...]; points that are not above 0 are left out."""
    series = [(name, [(x, y) for x, y in points if x > 0 and y > 0]) for name, points in series]
    series = [(name, points) for name, points in series if points]
    if not series:
        raise ValueError("a chart without points")
    axes = _Axes([point for _, points in series for point in points])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title, {chr(34): "&quot;"})}">',
        "<style>text{font:12px sans-serif;fill:#555}.grid{stroke:#bbb;stroke-width:.6}.title{font-size:15px}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        _text(LEFT, 26, title, "start", ' class="title"'), *_grid(axes),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_title),
        _text(0, 0, y_title, "middle", f' transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)"')]
    heights = _label_heights(axes, series)
    for index, (name, points) in enumerate(series):
        parts += _series(axes, index, name, points, heights[index])
    return "\n".join([*parts, "</svg>", ""])
