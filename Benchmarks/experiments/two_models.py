"""Two models: SuperMerge against Task Arithmetic at its best λ: (a)."""

import itertools

from . import charts, markdown, merging

TITLE = "Two models"
FILES = ["two-models-vision", "two-models-text", "two-models-t5"]
SCALES = [tenth / 10 for tenth in range(1, 11)]


def add_arguments(parser):
    parser.add_argument("set", choices=["vision", "text", "t5"])
    parser.add_argument("--pairs", type=int, help="the first so many pairs")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--scales", type=float, nargs="*", default=SCALES, help="λ tried in hindsight, on the test sets")
    parser.add_argument("--forms", nargs="*", default=["the paper's form"])


def file(options):
    return f"two-models-{options.set}"


def title(file):
    return f"{TITLE}: {file.removeprefix('two-models-')}"


def measure(record, options):
    with merging.opened(options.set) as zoo:
        pairs = list(itertools.combinations(zoo.tasks, 2))[: options.pairs]
        forms = {"the paper's form": zoo.paper(options.steps), "the default form": []}
        keys = []
        for pair in pairs:
            set = zoo.only(pair)
            flags = {f"SuperMerge, {form}": forms[form] for form in options.forms}
            flags["Task Arithmetic, λ searched"] = ["--method", "task-arithmetic", "--scale", "search"]
            for scale in options.scales:
                flags[f"Task Arithmetic, λ = {scale:g}"] = ["--method", "task-arithmetic", "--scale", str(scale)]
            for name, chosen in flags.items():
                keys.append(f"{' + '.join(pair)}, {name}")
                record.run(keys[-1], {"flags": chosen}, lambda: merging.measured(set, chosen) | {
                    "method": name, "pair": " + ".join(pair), "set": options.set})
            keys.append(f"{' + '.join(pair)}, own")
            record.run(keys[-1], {}, lambda: {
                "method": "own checkpoints", "pair": " + ".join(pair), "set": options.set,
                "scores": {name: merging.score(set, set.tasks[name], name) for name in pair}})
    record.keep(keys)


def by_pair(runs):
    """Pair → method → figures; Task Arithmetic's fixed λs become the best of them on the test sets."""
    found = {}
    for run in runs.values():
        methods = found.setdefault(run["pair"], {})
        name = run["method"]
        if "λ = " in name:
            name = "Task Arithmetic, best λ on test"
            run = run | {"scale": run["method"].split("= ")[1]}
            if name in methods and merging.average(methods[name]) >= merging.average(run):
                continue
        methods[name] = run
    best, searched = "Task Arithmetic, best λ on test", "Task Arithmetic, λ searched"
    for methods in found.values():
        if {best, searched} <= set(methods) and merging.average(methods[searched]) > merging.average(methods[best]):
            methods[best] = methods[searched] | {"scale": "the searched one"}
    return found


def lines(runs):
    rows = []
    tried = dict.fromkeys(run["method"].split("= ")[1] for run in runs.values() if "λ = " in run["method"])
    for pair, methods in by_pair(runs).items():
        for name, run in methods.items():
            rows.append([pair, name + (f" ({run['scale']})" if "scale" in run else ""), *markdown.each(run["scores"]),
                         f"**{merging.average(run):.1f}**"])
    return [
        f"“Best λ on test” is Task Arithmetic in hindsight: of λ = {', '.join(tried)} the one that is best on the test sets",
        "themselves, which nobody has; “λ searched” is the best of 0 to 1 by 0.05 on the validation sets.", "",
        *markdown.table(["pair", "method", "first", "second", "average"], rows),
    ]


def pictures(runs):
    groups = {
        pair.replace(" + ", "\n"): {name: merging.average(run) for name, run in methods.items()}
        for pair, methods in by_pair(runs).items()
    }
    kind = next(iter(runs.values()))["set"]
    return {f"two-models-{kind}": charts.bars(f"Pairs of models, {kind}", groups, "percent right, average")}


def claims(runs):
    found, pairs = [], by_pair(runs)
    kind = next(iter(runs.values()))["set"]
    for peer in ("Task Arithmetic, λ searched", "Task Arithmetic, best λ on test"):
        for form in dict.fromkeys(name for methods in pairs.values() for name in methods if "SuperMerge" in name):
            both = {
                pair: (methods[form], methods[peer]) for pair, methods in pairs.items() if form in methods and peer in methods}
            gaps = [merging.average(mine) - merging.average(theirs) for mine, theirs in both.values()]
            if gaps:
                found.append(markdown.Claim(
                    f"two models: {form} beats {peer}: {kind}", min(gaps) > 0,
                    f"better on {sum(gap > 0 for gap in gaps)} of {len(gaps)} pairs, "
                    f"{min(gaps):+.1f} to {max(gaps):+.1f} points; {by_task(both)}", list(map(list, both.values()))))
    return found


def by_task(both):
    """On which tasks the first of each pair's two merges is below the second, though its average may be above."""
    gaps = {(pair, task): value - theirs["scores"][task] for pair, (mine, theirs) in both.items()
            for task, value in mine["scores"].items()}
    below = {place: gap for place, gap in gaps.items() if gap < 0}
    text = f"below it on {len(below)} of {len(gaps)} tasks" if below else "below it on no task"
    if len(both) == 1:
        (mine, theirs), = both.values()
        return f"{text}: " + ", ".join(
            f"{task} {value:.1f} against {theirs['scores'][task]:.1f}" for task, value in mine["scores"].items())
    if below:
        pair, task = min(below, key=below.get)
        text += f", furthest on {task} of {pair}, {below[pair, task]:+.1f}"
    return text
