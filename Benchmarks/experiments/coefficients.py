"""The learned coefficients of layers × tasks: (b)."""

import re

from . import charts, markdown, merging

TITLE = "Learned coefficients"
FILES = ["coefficients-vision", "coefficients-text"]


def add_arguments(parser):
    parser.add_argument("set", choices=["vision", "text"])
    parser.add_argument("--steps", type=int)


def file(options):
    return f"coefficients-{options.set}"


def title(file):
    return f"{TITLE}: {file.removeprefix('coefficients-')}"


def fitted(zoo, flags):
    """The coefficients of a merge, layer → task → number, with what it cost."""
    with merging.merged(zoo, flags) as (_, release, figures):
        names = [task["name"] for task in release["tasks"]]
        table = {layer: dict(zip(names, row)) for layer, row in release["result"]["coefficients"].items()}
        return figures | {"set": zoo.kind, "coefficients": {layer: table[layer] for layer in sorted(table, key=order)}}


def order(layer):
    """From the input to the output, numbers by value."""
    place = 0 if re.search(r"embed|stem|token", layer) else 1 if re.search(r"\.\d+\.", layer) else 2
    return place, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", layer)]


def measure(record, options):
    with merging.opened(options.set) as zoo:
        flags = zoo.paper(options.steps)
        record.run("the paper's form", {"flags": flags}, lambda: fitted(zoo, flags))
    record.keep(["the paper's form"])


def short(layers):
    """Names of layers without what all of them begin with."""
    first = layers[0].split(".")[0]
    return [layer.removeprefix(f"{first}.") if all(l.startswith(f"{first}.") for l in layers) else layer for layer in layers]


def groups(table):
    """Kind of layer → all coefficients of its layers: the same place in every block."""
    found = {}
    for layer, row in table.items():
        found.setdefault(re.sub(r"\d+", "·", layer), []).extend(row.values())
    return found


def lines(runs):
    table = next(iter(runs.values()))["coefficients"]
    tasks = list(next(iter(table.values())))
    every = [value for row in table.values() for value in row.values()]
    rows = [
        [f"`{kind}`", f"{sum(values) / len(values):.2f}", f"{min(values):.2f}", f"{max(values):.2f}"]
        for kind, values in groups(table).items()]
    means = ", ".join(f"{task} {sum(row[task] for row in table.values()) / len(table):.2f}" for task in tasks)
    return [
        f"tanh w of the paper's form: {len(table)} layers × {len(tasks)} tasks. Mean by task: {means}. "
        f"{100 * sum(value < 0 for value in every) / len(every):.0f} % are negative; they go from {min(every):.2f} to "
        f"{max(every):.2f}.", "", *markdown.table(["layers", "mean", "lowest", "highest"], rows),
    ]


def pictures(runs):
    run = next(iter(runs.values()))
    table, kind = run["coefficients"], run["set"]
    tasks, layers = list(next(iter(table.values()))), list(table)
    values = [[table[layer][task] for layer in layers] for task in tasks]
    title = f"Merge coefficients of each layer and task, {kind}"
    return {f"coefficients-{kind}": charts.heat(title, short(layers), tasks, values)}


def claims(runs):
    return []
