"""How many labelled examples the fit needs: (d)."""

import statistics
import tempfile

from . import charts, examples, markdown, merging

TITLE = "Fewer labelled examples"
SIZES = [4, 8, 16, 32, 64, 128, 256]
IN_ALL = 32


def add_arguments(parser):
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--default-seeds", type=int, default=1, help="seeds of the default form")
    parser.add_argument("--default-sizes", type=int, nargs="*", default=[8, 32, 256])
    parser.add_argument("--steps", type=int)


def measure(record, options):
    with merging.opened("vision") as zoo:
        best = {}

        def arithmetic(set, seed):
            """Task Arithmetic at the λ that is best on these examples; the same λ gives the same model, scored once."""
            flags = ["--method", "task-arithmetic", "--scale", "search"]
            with merging.merged(set, flags, seed) as (folder, release, figures):
                scale = release["result"]["coefficients"]
                key = tuple(map(tuple, scale.values()))
                best[key] = best.get(key) or merging.scores(set, folder)
                return figures | {"scores": best[key]}

        def forms(seed):
            paper = zoo.paper(options.steps)
            for size in SIZES:
                yield size, seed, "the paper's form", paper, None
                yield size, seed, "Task Arithmetic, λ searched", [], arithmetic
            yield IN_ALL // len(zoo.tasks), seed, f"the paper's form, {IN_ALL} in all, batch 4", [*paper, "--batch", "4"], None
            if seed < options.default_seeds:
                for size in options.default_sizes:
                    yield size, seed, "the default form", ["--steps", str(options.steps)] if options.steps else [], None

        keys = []
        for size, seed, form, flags, function in (row for seed in range(options.seeds) for row in forms(seed)):
            keys.append(f"{form}, {size} a task, seed {seed}")

            def fit():
                with tempfile.TemporaryDirectory() as directory:
                    set = zoo.only(zoo.tasks)
                    for name, folder in zoo.tasks.items():
                        set.tasks[name] = examples.subset(folder, size, seed, f"{directory}/{name}")
                    figures = function(set, seed) if function else merging.measured(set, flags, seed)
                return figures | {"form": form, "size": size, "seed": seed}

            record.run(keys[-1], {"flags": flags, "size": size, "seed": seed}, fit)
        record.keep(keys)


def averages(runs):
    """Form → size → averages over the tasks, one for each seed."""
    found = {}
    for run in runs.values():
        found.setdefault(run["form"], {}).setdefault(run["size"], []).append(merging.average(run))
    return found


def lines(runs):
    found = averages(runs)
    sizes = sorted({size for points in found.values() for size in points})
    rows = [
        [form, *(markdown.spread(points[size]) if size in points else "" for size in sizes)]
        for form, points in found.items()
    ]
    seeds = {form: max(map(len, points.values())) for form, points in found.items()}
    return [
        "Average over the four vision tasks, by the number of labelled examples of each task (a quarter of them held out for",
        "choosing the step). The examples are drawn plainly at random from each validation set, not by class, so that a small",
        "set lacks classes. Median over seeds, lowest and highest in parentheses; "
        + "; ".join(f"{form}: {count} seed{'s' * (count > 1)}" for form, count in seeds.items()) + ".", "",
        *markdown.table(["form", *map(str, sizes)], rows),
    ]


def pictures(runs):
    series = {
        form: {size: (min(v), statistics.median(v), max(v)) for size, v in points.items()}
        for form, points in averages(runs).items()
    }
    title = "Accuracy by number of labelled examples, vision"
    return {"validation-size": charts.lines(title, series, "percent right, average", "examples of each task", True)}


def claims(runs):
    found = averages(runs)
    form = next((form for form in found if "in all" in form), None)
    if not form:
        return []
    size, values = next(iter(found[form].items()))
    peer = found["Task Arithmetic, λ searched"]
    same, most = statistics.median(peer[size]), statistics.median(peer[max(peer)])
    mine = statistics.median(values)
    return [markdown.Claim(
        f"{IN_ALL} labelled examples in all still beat Task Arithmetic at its best λ", mine > max(same, most),
        f"{mine:.1f} against {same:.1f} with λ searched on the same examples and {most:.1f} with λ searched on "
        f"{max(peer)} a task, vision")]
