"""How many labelled examples the fit needs: (d)."""

import re
import statistics
import tempfile

from . import charts, examples, markdown, merging, programs

TITLE = "Fewer labelled examples"
SIZES = [4, 8, 16, 32, 64, 128, 256]
IN_ALL = 32
PAPER, DEFAULT = "the paper's form", "the default form"
ROWS, TENSORS = "rows and columns, forced", "tensors and both losses, forced"
# What the default form becomes with many examples and with few, whatever their number. With few it keeps the rate of rows; a
# `--granularity tensor` that is given has a lower one of its own.
FORCED = {
    ROWS: ["--granularity", "row-column"],
    TENSORS: ["--granularity", "tensor", "--loss", "both", "--learning-rate", "0.03"],
    f"{TENSORS}, rate 0.01": ["--granularity", "tensor", "--loss", "both", "--learning-rate", "0.01"],
}


def add_arguments(parser):
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--default-seeds", type=int, default=3, help="seeds of the default form, and of the forced ones")
    parser.add_argument("--default-sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--forced-sizes", type=int, nargs="*", default=[16, 24, 32], help="where either form of the default is forced")
    parser.add_argument("--forms", nargs="*", help="these alone, by the beginnings of their names")
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
                yield size, seed, PAPER, paper, None
                yield size, seed, "Task Arithmetic, λ searched", [], arithmetic
            yield IN_ALL // len(zoo.tasks), seed, f"{PAPER}, {IN_ALL} in all, batch 4", [*paper, "--batch", "4"], None
            if seed < options.default_seeds:
                steps = ["--steps", str(options.steps)] if options.steps else []
                for size in options.default_sizes:
                    yield size, seed, DEFAULT, steps, None
                for size in options.forced_sizes:
                    for form, flags in FORCED.items():
                        yield size, seed, form, [*flags, *steps], None

        keys = []
        for size, seed, form, flags, function in (row for seed in range(options.seeds) for row in forms(seed)):
            key = f"{form}, {size} a task, seed {seed}"
            if options.forms and not any(form.startswith(wanted) for wanted in options.forms):
                keys += [key] * (key in record.data["runs"])
                continue
            keys.append(key)

            def fit():
                with tempfile.TemporaryDirectory() as directory:
                    set = zoo.only(zoo.tasks)
                    for name, folder in zoo.tasks.items():
                        set.tasks[name] = examples.subset(folder, size, seed, f"{directory}/{name}")
                    figures = function(set, seed) if function else merging.measured(set, flags, seed)
                return figures | {"form": form, "size": size, "seed": seed}

            record.run(keys[-1], {"flags": flags, "size": size, "seed": seed}, fit)
        # Fewer sizes or seeds leave those that were measured before.
        record.keep(keys, others=True)


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
    text = [
        "Average over the four vision tasks, by the number of labelled examples of each task (a quarter of them held out for",
        "choosing the step). The examples are drawn plainly at random from each validation set, not by class, so that a small",
        "set lacks classes. Median over seeds, lowest and highest in parentheses; "
        + "; ".join(f"{form}: {count} seed{'s' * (count > 1)}" for form, count in seeds.items()) + ".", "",
        *markdown.table(["form", *map(str, sizes)], rows),
    ]
    return text + threshold(found)


def program_threshold():
    """From how many examples a task on the program takes weights for rows and columns, as its source says."""
    with open(f"{programs.ROOT}/Sources/WorkerProtocol/Settings/ResolvedSettings.swift") as file:
        return float(re.search(r"examplesForRows = ([\d.]+)", file.read())[1])


def threshold(found):
    """Whether the forced forms bear out where the program changes from one to the other."""
    limit = program_threshold()
    rows, tensors = (
        {size: statistics.median(values) for size, values in found.get(form, {}).items()} for form in (ROWS, TENSORS))
    sizes = sorted(rows.keys() & tensors.keys())
    if not sizes:
        return []
    figures = "; ".join(f"{size}: {rows[size]:.1f} against {tensors[size]:.1f}" for size in sizes)
    wrong = [str(size) for size in sizes if (rows[size] > tensors[size]) != (size >= limit)]
    verdict = f"That does not bear it out at {' and '.join(wrong)}." if wrong else "That bears it out."
    return [
        f"From {limit:g} examples a task on the default form has weights for rows and columns, below one for each tensor and both",
        f"losses (`examplesForRows` in ResolvedSettings.swift). Both forced, rows and columns against tensors: {figures}. {verdict}",
        "",
    ]


def pictures(runs):
    series = {
        form: {size: (min(v), statistics.median(v), max(v)) for size, v in points.items()}
        for form, points in averages(runs).items() if form not in FORCED
    }
    title = "Accuracy by number of labelled examples, vision"
    return {"validation-size": charts.lines(title, series, "percent right, average", "examples of each task", True)}


def claims(runs):
    return in_all(runs) + by_size(runs)


def of(runs, form, size):
    """Seed → figures."""
    return {run["seed"]: run for run in runs.values() if run["form"] == form and run["size"] == size}


def by_size(runs):
    """Whether the default form takes a task below the paper's form, at each size, over the seeds that both have."""
    found = []
    for size in SIZES:
        mine, peer = of(runs, DEFAULT, size), of(runs, PAPER, size)
        seeds = sorted(mine.keys() & peer.keys())
        text = f"with the default form no task is more than a point below the paper's form: {size} examples a task, vision"
        if not seeds:
            found.append(markdown.Claim(text, None, "no run"))
            continue
        gaps = {
            task: statistics.median(mine[seed]["scores"][task] for seed in seeds)
            - statistics.median(peer[seed]["scores"][task] for seed in seeds) for task in mine[seeds[0]]["scores"]}
        worst = min(gaps, key=gaps.get)
        found.append(markdown.Claim(
            text, gaps[worst] >= -1, f"lowest: {worst}, {gaps[worst]:+.1f} points, {len(seeds)} seed{'s' * (len(seeds) > 1)}",
            [[group[seed] for group in (mine, peer) for seed in seeds]]))
    return found


def in_all(runs):
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
        f"{max(peer)} a task, vision", [[
            run for run in runs.values() if run["form"] == form
            or run["form"] == "Task Arithmetic, λ searched" and run["size"] in (size, max(peer))]])]
