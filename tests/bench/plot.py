# SPDX-License-Identifier: MIT
"""Plots as SVG: panels of lines, each point with the spread of its rounds.
"""
from html import escape

COLOURS = ("#d55e00", "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9",
           "#666666", "#000000")
WIDTH, HEIGHT = 330, 220
LEFT, TOP, ROOM, PLOT = 58, 34, 250, 140


def tick(value):
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:.3g}"


def ceiling(value):
    """The next round number, so that four lines are round too."""
    step = 1e-9
    while value > 40 * step:
        step *= 10
    for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10, 12, 16, 20, 24, 32,
                   40):
        if value <= factor * step:
            return factor * step
    return value


def text(x, y, words, anchor="middle", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>'
            f'{escape(str(words))}</text>')


def line(x1, y1, x2, y2, colour, width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def axes(title, unit, names, top, place):
    yield text(LEFT, 14, title, "start", ' font-weight="bold"')
    yield text(LEFT, 27, unit, "start", ' fill="#555"')
    for quarter in range(5):
        y = TOP + PLOT - PLOT * quarter / 4
        yield line(LEFT, y, LEFT + ROOM, y, "#ddd")
        yield text(LEFT - 5, y + 4, tick(top * quarter / 4), "end")
    for name in names:
        yield text(place(name), TOP + PLOT + 15, name)


def curve(points, colour, width, place, height):
    """points: {name: (middle, least, most)}"""
    spots = [(place(name), *map(height, values))
             for name, values in points.items()]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, *_ in spots)
    yield (f'<polyline points="{path}" fill="none" stroke="{colour}" '
           f'stroke-width="{width}"/>')
    for x, y, least, most in spots:
        yield line(x, least, x, most, colour)
        yield (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 0.6}" '
               f'fill="{colour}"/>')


def panel(title, unit, curves, colours):
    """curves: {label: {name on the x axis: (middle, least, most)}}"""
    names = list(dict.fromkeys(name for points in curves.values()
                               for name in points))
    top = ceiling(max((values[2] for points in curves.values()
                       for values in points.values()), default=1) or 1)
    step = ROOM / max(1, len(names))

    def place(name):
        return LEFT + step * (names.index(name) + 0.5)

    def height(value):
        return TOP + PLOT - PLOT * value / top
    yield from axes(title, unit, names, top, place)
    for at, (label, points) in reversed(list(enumerate(curves.items()))):
        yield from curve(points, colours[label], 2.4 if at == 0 else 1.4,
                         place, height)


def plot(path, panels):
    """panels: [(title, unit, curves)], two beside each other."""
    labels = list(dict.fromkeys(label for _, _, curves in panels
                                for label in curves))
    colours = {label: COLOURS[at % len(COLOURS)]
               for at, label in enumerate(labels)}
    across = min(2, len(panels))
    down = -(-len(panels) // across)
    width, columns = across * WIDTH, across + 1
    legend = 16 * -(-len(labels) // columns) + 10
    total = down * HEIGHT + legend
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
             f'height="{total}" viewBox="0 0 {width} {total}" '
             'font-family="sans-serif" font-size="11">',
             f'<rect width="{width}" height="{total}" fill="#fff"/>']
    for at, (title, unit, curves) in enumerate(panels):
        x, y = at % across * WIDTH, at // across * HEIGHT
        parts.append(f'<g transform="translate({x},{y})">')
        parts += panel(title, unit, curves, colours)
        parts.append("</g>")
    for at, label in enumerate(labels):
        x = 16 + at % columns * (width - 20) / columns
        y = down * HEIGHT + 8 + at // columns * 16
        parts.append(line(x, y - 4, x + 18, y - 4, colours[label], 3))
        parts.append(text(x + 23, y, label, "start"))
    path.write_text("\n".join([*parts, "</svg>", ""]))
