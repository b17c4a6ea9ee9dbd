"""Plots of bench/growth.py as SVG: points joined by lines over logarithmic axes."""
import math

COLORS = ("#20639b", "#ed8b00", "#3caea3", "#b0413e", "#6b4c9a", "#8a8d91", "#5a7d2a", "#c2569b", "#333333", "#00a0b8", "#a06a2c", "#9bb51f")


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def readable(value):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


class Series:
    """One line: [(x, y)]. Without a line it is marks alone; without marks, a limit drawn thin."""

    def __init__(self, label, points, color=None, line=True, marks=True, dashed=False, square=False):
        self.label, self.points, self.color = label, [p for p in points if p[1]], color
        self.line, self.marks, self.dashed, self.square = line, marks, dashed, square


class Axis:
    """From values to places between two ends."""

    def __init__(self, low, high, start, end, logarithmic):
        self.low, self.high, self.start, self.end, self.logarithmic = low, high, start, end, logarithmic

    def __call__(self, value):
        f = math.log10 if self.logarithmic else float
        return self.start + (self.end - self.start) * (f(value) - f(self.low)) / (f(self.high) - f(self.low))

    def ticks(self):
        if not self.logarithmic:
            step = 0.5 if self.high - self.low < 5 else 1
            return [self.low + i * step for i in range(int((self.high - self.low) / step) + 1)]
        decades = range(math.floor(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if self.high / self.low < 1000 else (1,)
        return [v for e in decades for v in (step * 10.0**e for step in steps) if self.low <= v <= self.high]


def decades(values):
    """Ends for a logarithmic axis with a little room."""
    return 0.8 * min(values), 1.25 * max(values)


def plot(title, x_label, y_label, series, y_range=None, logarithmic_y=True, x_range=None):
    series = [s for s in series if s.points]
    if not series:
        return None
    left, right, top, bottom, width, height = 62, 290, 34, 44, 820, 400
    xs = [x for s in series for x, _ in s.points]
    ys = [y for s in series for _, y in s.points]
    x = Axis(*(x_range or decades(xs)), left, width - right, True)
    y = Axis(*(y_range or decades(ys)), height - bottom, top, logarithmic_y)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
           f'font-size="11"><rect width="100%" height="100%" fill="white"/>'
           f'<clipPath id="inside"><rect x="{left}" y="{top}" width="{width - right - left}" '
           f'height="{height - bottom - top}"/></clipPath>'
           f'<text x="{left}" y="20" font-size="14">{escaped(title)}</text>']
    for tick in x.ticks():
        at = f"{x(tick):.1f}"
        out.append(f'<line x1="{at}" x2="{at}" y1="{top}" y2="{height - bottom}" stroke="#ddd"/>'
                   f'<text x="{at}" y="{height - bottom + 15}" text-anchor="middle">{readable(tick)}</text>')
    for tick in y.ticks():
        at = f"{y(tick):.1f}"
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{at}" y2="{at}" stroke="#ddd"/>'
                   f'<text x="{left - 6}" y="{float(at) + 4:.1f}" text-anchor="end">{readable(tick)}</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">{escaped(x_label)}</text>'
               f'<text transform="translate(14 {(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">'
               f'{escaped(y_label)}</text>')
    for i, s in enumerate(series):
        color = s.color or COLORS[i % len(COLORS)]
        dash = ' stroke-dasharray="5 4"' if s.dashed else ""
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in s.points)
        if s.line:
            out.append(f'<polyline clip-path="url(#inside)" points="{path}" fill="none" stroke="{color}" '
                       f'stroke-width="{1.8 if s.marks else 1.2}"{dash}/>')
        key = top + 8 + 17 * i
        if s.line:
            out.append(f'<line x1="{width - right + 14}" x2="{width - right + 36}" y1="{key}" y2="{key}" stroke="{color}" '
                       f'stroke-width="1.8"{dash}/>')
        if s.marks:
            marks = [(x(a), y(b)) for a, b in s.points] + [(width - right + 25, key)]
            if s.square:
                out += [f'<rect x="{a - 4:.1f}" y="{b - 4:.1f}" width="8" height="8" fill="{color}"/>' for a, b in marks]
            else:
                out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{3 if s.line else 4.5}" fill="{color}"/>' for a, b in marks]
        out.append(f'<text x="{width - right + 42}" y="{key + 4}">{escaped(s.label)}</text>')
    return "\n".join(out + ["</svg>", ""])
