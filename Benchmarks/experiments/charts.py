"""Bars, lines with error bars, heat maps and histograms."""

import math

from .svg import Canvas

LEFT, RIGHT, TOP, BOTTOM = 56, 20, 76, 56


def ticks(low, high, wanted=5):
    """Round numbers that span a range."""
    step = 10 ** math.floor(math.log10((high - low) / wanted or 1))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= wanted)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [index * step for index in range(first, last + 1)]


def frame(title, values, unit, width=760, height=340, from_zero=False):
    """An empty chart with its vertical axis; gives the canvas and the function from value to height."""
    canvas = Canvas(width, height, title)
    low, high = min(values), max(values)
    marks = ticks(min(low, 0) if from_zero else low, max(high, low + 1e-9))
    floor, ceiling = marks[0], marks[-1]

    def place(value):
        return height - BOTTOM - (value - floor) / (ceiling - floor) * (height - TOP - BOTTOM)

    for mark in marks:
        canvas.line(LEFT, place(mark), width - RIGHT, place(mark))
        canvas.text(LEFT - 8, place(mark) + 4, f"{mark:g}", anchor="end", class_="soft")
    canvas.text(width - RIGHT, 26, unit, anchor="end", class_="soft", size=11)
    return canvas, place


def bars(title, groups, unit, from_zero=True):
    """`groups`: label → {series: value}."""
    series = list(dict.fromkeys(name for group in groups.values() for name in group))
    canvas, place = frame(title, [v for group in groups.values() for v in group.values()], unit, from_zero=from_zero)
    canvas.legend(series, LEFT, 46)
    room = (canvas.width - LEFT - RIGHT) / len(groups)
    wide = min(34, room * 0.8 / len(series))
    ground = place(0) if from_zero else canvas.height - BOTTOM
    for index, (label, group) in enumerate(groups.items()):
        middle = LEFT + room * (index + 0.5)
        for name, value in group.items():
            x = middle + (series.index(name) - len(series) / 2) * wide
            top, bottom = sorted((place(value), ground))
            canvas.rectangle(x + 1, top, wide - 2, bottom - top, f"f{series.index(name)}", rx=1)
            if wide >= 22:
                canvas.text(x + wide / 2, top - 4, f"{value:.0f}", size=9, anchor="middle", class_="soft")
        for row, part in enumerate(label.split("\n")):
            canvas.text(middle, canvas.height - BOTTOM + 18 + 14 * row, part, size=11, anchor="middle")
    return canvas.document()


def lines(title, series, unit, axis, logarithmic=False, level=()):
    """`series`: name → {x: (low, middle, high)}; `level`: (name, value) pairs drawn across."""
    values = [v for points in series.values() for p in points.values() for v in p] + [value for _, value in level]
    canvas, place = frame(title, values, unit)
    canvas.legend([*series, *(name for name, _ in level)], LEFT, 46)
    xs = sorted({x for points in series.values() for x in points})
    scale = (lambda x: math.log2(x)) if logarithmic else float
    low, high = scale(xs[0]), scale(xs[-1])

    def across(x):
        return LEFT + 24 + (scale(x) - low) / ((high - low) or 1) * (canvas.width - LEFT - RIGHT - 48)

    for x in xs:
        canvas.text(across(x), canvas.height - BOTTOM + 18, f"{x:g}", anchor="middle", class_="soft")
    canvas.text(canvas.width / 2, canvas.height - 14, axis, anchor="middle", class_="soft")
    for index, points in enumerate(series.values()):
        shift = 4 * (index - (len(series) - 1) / 2)
        placed = [(across(x) + shift, place(points[x][1])) for x in sorted(points)]
        canvas.path(placed, f"s{index}")
        for (x, y), key in zip(placed, sorted(points)):
            canvas.line(x, place(points[key][0]), x, place(points[key][2]), f"s{index}", 1.5)
            canvas.add("circle", cx=x, cy=y, r=3.5, class_=f"f{index}")
    for index, (_, value) in enumerate(level):
        canvas.line(LEFT, place(value), canvas.width - RIGHT, place(value), f"s{len(series) + index}", 1.5,
                    stroke_dasharray="6 4")
    return canvas.document()


def heat(title, columns, rows, values, low=-1, high=1):
    """A cell for each row and column: the first colour is positive, the second negative, stronger is larger."""
    cell, left, tall = 14, 110, 26
    label = 6.2 * max(len(name) for name in columns)
    canvas = Canvas(int(left + cell * len(columns) + 30), int(70 + tall * len(rows) + label + 20), title)
    canvas.legend([f"positive, full at {high:g}", f"negative, full at {low:g}"], 20, 48)
    for r, name in enumerate(rows):
        y = 62 + r * tall
        canvas.text(left - 8, y + tall / 2 + 4, name, anchor="end")
        for c, value in enumerate(values[r]):
            strength = min(1, value / high if value > 0 else value / low)
            x = left + c * cell
            canvas.rectangle(x, y, cell, tall, "rule", stroke_width=0.5)
            canvas.rectangle(x, y, cell, tall, "f0" if value > 0 else "f1", fill_opacity=round(strength, 3))
    for c, name in enumerate(columns):
        x, y = left + c * cell + cell / 2 + 4, 70 + tall * len(rows)
        canvas.text(x, y, name, size=10, anchor="end", class_="soft", transform=f"rotate(-90 {x} {y})")
    return canvas.document()


def histogram(title, series, unit, axis, width=0.05):
    """`series`: name → numbers; share of them in bins of a width, drawn as steps."""
    edges = [math.floor(v / width) for values in series.values() for v in values]
    bins = list(range(min(min(edges), 0), max(edges) + 2))
    shares = {
        name: [100 * sum(math.floor(v / width) == b for v in values) / len(values) for b in bins]
        for name, values in series.items()
    }
    canvas, place = frame(title, [0] + [s for share in shares.values() for s in share], unit, from_zero=True)
    canvas.legend(list(series), LEFT, 46)
    room = (canvas.width - LEFT - RIGHT) / len(bins)
    for index, share in enumerate(shares.values()):
        points = []
        for place_, value in enumerate(share):
            points += [(LEFT + room * place_, place(value)), (LEFT + room * (place_ + 1), place(value))]
        canvas.path(points, f"s{index}")
        ground = [(points[-1][0], place(0)), (points[0][0], place(0))]
        canvas.path(points + ground, f"f{index}", 0, fill_opacity=0.15)
    every = max(1, len(bins) // 12)
    for place_, edge in enumerate(bins):
        if edge % every == 0:
            canvas.text(LEFT + room * place_, canvas.height - BOTTOM + 18, f"{edge * width:.2f}", size=11,
                        anchor="middle", class_="soft")
    canvas.text(canvas.width / 2, canvas.height - 14, axis, anchor="middle", class_="soft")
    return canvas.document()


def levels(title, values, unit):
    """A horizontal bar for each name, its figure at its end."""
    left, tall = 300, 24
    canvas = Canvas(760, 50 + tall * len(values), title)
    canvas.text(canvas.width - 20, 26, unit, anchor="end", class_="soft", size=11)
    for index, (name, value) in enumerate(values.items()):
        y = 40 + index * tall
        length = max(value, 0) / max(max(values.values()), 1e-9) * (canvas.width - left - 60)
        canvas.text(left - 8, y + 16, name, anchor="end")
        canvas.rectangle(left, y + 4, length, tall - 8, "f0", rx=2)
        canvas.text(left + length + 6, y + 16, f"{value:.1f}")
    return canvas.document()
