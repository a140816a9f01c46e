"""Pictures without a plotting library: SVG with a ground of its own and colours for light and dark readers."""

from xml.sax.saxutils import escape

LIGHT = {
    "ground": "#ffffff", "ink": "#1f2328", "soft": "#59636e", "rule": "#d1d9e0",
    "series": ["#0969da", "#bc4c00", "#1a7f37", "#8250df", "#6e7781", "#bf3989"],
}
DARK = {
    "ground": "#0d1117", "ink": "#e6edf3", "soft": "#9198a1", "rule": "#3d444d",
    "series": ["#58a6ff", "#f0883e", "#56d364", "#bc8cff", "#8b949e", "#ff7bc0"],
}


def style(colours):
    rules = [
        f".ground{{fill:{colours['ground']}}}", f".ink{{fill:{colours['ink']}}}", f".soft{{fill:{colours['soft']}}}",
        f".rule{{stroke:{colours['rule']};fill:none}}", f".axis{{stroke:{colours['soft']};fill:none}}",
    ]
    for index, colour in enumerate(colours["series"]):
        rules.append(f".f{index}{{fill:{colour}}}.s{index}{{stroke:{colour};fill:none}}")
    return "".join(rules)


class Canvas:
    """Elements in drawing order."""

    def __init__(self, width, height, title):
        self.width, self.height, self.parts = width, height, []
        self.title = title
        self.text(20, 26, title, size=15, weight="bold")

    def add(self, name, content=None, **attributes):
        given = " ".join(
            f'{key.rstrip("_").replace("_", "-")}="{escape(number(value), {chr(34): "&quot;"})}"'
            for key, value in attributes.items())
        self.parts.append(f"<{name} {given}/>" if content is None else f"<{name} {given}>{escape(content)}</{name}>")

    def text(self, x, y, content, size=12, anchor="start", class_="ink", weight="normal", **more):
        self.add("text", content, x=x, y=y, class_=class_, font_size=size, text_anchor=anchor, font_weight=weight, **more)

    def line(self, x1, y1, x2, y2, class_="rule", width=1, **more):
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_, stroke_width=width, **more)

    def rectangle(self, x, y, width, height, class_, **more):
        self.add("rect", x=x, y=y, width=width, height=height, class_=class_, **more)

    def path(self, points, class_, width=2, **more):
        self.add("polyline", points=" ".join(f"{number(x)},{number(y)}" for x, y in points), class_=class_,
                 stroke_width=width, **more)

    def legend(self, names, left, y):
        """A swatch and a name for each series, in as many rows as it takes."""
        x = left
        for index, name in enumerate(names):
            if x > left and x + 15 + 6.6 * len(name) > self.width - 10:
                x, y = left, y + 15
            self.rectangle(x, y - 9, 10, 10, f"f{index}", rx=2)
            self.text(x + 15, y, name)
            x += 30 + 6.6 * len(name)

    def document(self):
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'font-family="system-ui, sans-serif" role="img"><title>{escape(self.title)}</title>'
            f"<style>{style(LIGHT)}@media(prefers-color-scheme:dark){{{style(DARK)}}}</style>"
            f'<rect class="ground" width="{self.width}" height="{self.height}" rx="6"/>')
        return "\n".join([head, *self.parts, "</svg>"]) + "\n"


def number(value):
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
