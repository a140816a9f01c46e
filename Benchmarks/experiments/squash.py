"""With tanh, with a clamp, and with neither, in-domain and on a task that was not merged: (c)."""

import statistics

from . import charts, markdown, merging

TITLE = "With and without tanh"
KINDS = ["tanh", "clamp", "none"]


def add_arguments(parser):
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--learning-rates", nargs="*", default=["0.01"])


def measure(record, options):
    keys = []
    with merging.opened("vision") as zoo:
        for seed in range(options.seeds):
            for rate in options.learning_rates:
                for kind in KINDS:
                    flags = [*zoo.paper(options.steps), "--squash", kind, "--learning-rate", rate]
                    for out in (None, *zoo.tasks):
                        set = zoo.only([name for name in zoo.tasks if name != out])

                        def fit():
                            with merging.merged(set, flags, seed) as (folder, release, figures):
                                numbers = [abs(v) for row in release["result"]["coefficients"].values() for v in row]
                                figures |= {
                                    "squash": kind, "rate": rate, "left_out": out, "seed": seed, "largest": max(numbers),
                                    "scores": merging.scores(set, folder)}
                                if out:
                                    figures["unseen"] = unseen(zoo, folder, out)
                                return figures

                        keys.append(f"{kind}, {rate}, without {out or 'nothing'}, seed {seed}")
                        record.run(keys[-1], {"flags": flags}, fit)
        for out in zoo.tasks:
            keys.append(f"base, {out}")
            record.run(keys[-1], {}, lambda: {"base_of": out, "score": merging.score(zoo, zoo.base, out)})
    record.keep(keys)


def unseen(zoo, folder, name):
    """Percent right of a merge on a task that did not go in, with that task's own head."""
    return merging.score(zoo, folder, name)


def is_ready(runs):
    return {kind for kind, _ in by_kind(runs)} == set(KINDS) and any("base_of" in run for run in runs.values())


def by_kind(runs):
    found = {}
    for run in runs.values():
        if "squash" in run:
            found.setdefault((run["squash"], run["rate"]), []).append(run)
    return found


def figures(group):
    """Averages of the merges of all four by seed, and the left-out task's scores."""
    whole = [merging.average(run) for run in group if not run["left_out"]]
    three = [merging.average(run) for run in group if run["left_out"]]
    left = {}
    for run in group:
        if run["left_out"]:
            left.setdefault(run["left_out"], []).append(run["unseen"])
    return whole, three, {name: statistics.median(values) for name, values in left.items()}


def lines(runs):
    rows = []
    for (kind, rate), group in by_kind(runs).items():
        whole, three, left = figures(group)
        rows.append([
            kind, rate, f"**{markdown.spread(whole)}**", f"{statistics.mean(three):.1f}", *markdown.each(left),
            f"**{statistics.mean(left.values()):.1f}**", f"{max(run['largest'] for run in group):.2f}"])
    base = {run["base_of"]: run["score"] for run in runs.values() if "base_of" in run}
    rows.append(["base", "", "", "", *markdown.each(base), f"**{statistics.mean(base.values()):.1f}**", ""])
    head = ["coefficient", "learning rate", "all four merged", "three merged, on these",
            *(f"{name}, left out" for name in base), "left out, average", "largest coefficient"]
    return [
        "The paper's form with the coefficient tanh w, with w clamped to [0, 1], and with w itself. In-domain is the average",
        "over the tasks that were merged; “left out” is a task whose checkpoint did not go in, scored with its own head on the",
        "merge of the other three. Where the base with that head does as well, merging brought the task nothing.",
        "", *markdown.table(head, rows),
    ]


def pictures(runs):
    groups = {"all four merged": {}, "three merged,\non these": {}, "the task\nleft out": {}}
    rates = len({rate for _, rate in by_kind(runs)})
    for (kind, rate), group in by_kind(runs).items():
        name = f"{kind}, {rate}" if rates > 1 else kind
        whole, three, left = figures(group)
        for label, value in zip(groups, (statistics.median(whole), statistics.mean(three), statistics.mean(left.values()))):
            groups[label][name] = value
    return {"squash": charts.bars("tanh, clamp, neither: in-domain and out of it", groups, "percent right, average")}


def claims(runs):
    found = by_kind(runs)
    best = {}
    for (kind, _), group in found.items():
        whole, _, left = figures(group)
        if kind not in best or statistics.median(whole) > best[kind][0]:
            best[kind] = statistics.median(whole), statistics.mean(left.values())
    if not {"tanh", "none"} <= set(best):
        return []
    text = ", ".join(f"{kind} {{:.1f}}" for kind in best)
    mine = [run for run in runs.values() if "squash" in run]
    bases = [run for run in runs.values() if "base_of" in run]
    base = statistics.mean(run["score"] for run in bases)
    left = [value for _, value in best.values()]
    # Where no form does as well as the base without any of the tasks, there is nothing that one of them could have helped.
    can_tell = max(left) >= base
    figure = text.format(*left) + f", the base alone {base:.1f}" + ", above all of them" * (not can_tell)
    return [
        markdown.Claim("tanh helps in-domain (paper), by half a point", best["tanh"][0] >= best["none"][0] + 0.5,
                       text.format(*(whole for whole, _ in best.values())), [mine]),
        markdown.Claim("tanh helps on a task that was not merged (paper), by half a point",
                       best["tanh"][1] >= best["none"][1] + 0.5 if can_tell else None, figure, [mine + bases], "can't tell here"),
    ]
