"""The opening of the results page: one table and one picture, from the runs of the main tables."""

import statistics

from . import markdown, svg, table

PAPER, DEFAULT = "supermerge, the paper's form", "supermerge, no flags"
NOT_YET = "The row of the default is that of a fit that starts at the task vectors (`start: task-vectors`), not yet of today's default: {}."
LEFT, ROW, WIDTH, LIMIT = 250, 22, 760, 100


def figures(everything):
    """Set → rows (name, average, share of the headroom closed or None), for the sets that are measured."""
    found = {}
    for file in table.FILES:
        runs = everything.get(file, {})
        if not table.is_ready(runs):
            continue
        best, low, high = table.bounds(runs)
        groups = table.by_method(runs)
        rows = [("base model with the tasks' heads", table.merging.average(runs["base"]), None)]
        if "average" in groups:
            rows.append(("averaged weights", middle(groups["average"]), None))
        rows.append((f"best other method ({best.split(',')[0]})", low, 0.0))
        for name, method in (("SuperMerge, as in the paper", PAPER), ("SuperMerge, default", DEFAULT)):
            if method in groups:
                average = middle(groups[method])
                rows.append((name, average, table.closed(average, low, high)))
        rows.append(("one fine-tuned model per task", high, 100.0))
        found[runs["base"]["set"]] = rows
    return found


def middle(group):
    return statistics.median(table.medians(group)[1])


def lines(everything):
    """The table and the picture's link; empty where nothing is measured."""
    found = figures(everything)
    if not found:
        return []
    names = ["base model with the tasks' heads", "averaged weights", "best other method", "SuperMerge, as in the paper",
             "SuperMerge, default", "one fine-tuned model per task"]
    rows = []
    for name in names:
        cells = []
        for kind in found:
            row = next((row for row in found[kind] if row[0].startswith(name)), None)
            cells.append("" if row is None else cell(row))
        bold = "**" if name == "SuperMerge, default" else ""
        rows.append([f"{bold}{name}{bold}", *cells])
    older = [kind for kind in found if is_older(everything[f"table-{kind}"])]
    return [
        "One merged model against one fine-tuned model per task: test accuracy in percent, average over the tasks.",
        "In parentheses: how much of the way from the best other merging method to the fine-tuned models is covered.", "",
        *markdown.table(["model", *found], rows), "![Average test accuracy](overview.svg)", "",
        *([NOT_YET.format(", ".join(older)), ""] if older else [])]


def is_older(runs):
    """Whether a row of the default is of a program that did not calibrate."""
    group = table.by_method(runs).get("supermerge, no flags", [])
    return any(not any("calibration solved" in note for note in run["notes"]) for run in group)


def cell(row):
    name, average, closed = row
    if name.startswith("best other"):
        return f"{average:.1f} ({name.split('(')[1]}"
    return f"{average:.1f}" + (f" ({closed:.0f} %)" if closed not in (None, 100.0) else "")


def picture(everything):
    """One panel per set, one bar per model, 0 to 100 percent; the default form in the second colour."""
    found = figures(everything)
    height = 44 + sum(30 + ROW * len(rows) for rows in found.values())
    canvas = svg.Canvas(WIDTH, height, "Average test accuracy over the tasks, percent")
    top = 40
    for kind, rows in found.items():
        canvas.text(20, top + 16, kind, weight="bold")
        top += 24
        for name, average, _ in rows:
            length = average / LIMIT * (WIDTH - LEFT - 60)
            canvas.text(LEFT - 8, top + 15, name, anchor="end")
            canvas.rectangle(LEFT, top + 3, length, ROW - 6, "f1" if name == "SuperMerge, default" else "f0", rx=2)
            canvas.text(LEFT + length + 6, top + 15, f"{average:.1f}")
            top += ROW
        top += 6
    return canvas.document()
