"""Eight tasks, of which no fit of the tree but the smallest sees as many as a joint fit: (e) with a tree that is one."""

import dataclasses
import tempfile

from . import arrivals, charts, markdown, merging, strangers

TITLE = "A tree of eight tasks"
FORMS = {"the paper's form": merging.PAPER, "the default form": []}
BASELINES = {"average": ["--method", "average"], "task-arithmetic, λ searched": ["--method", "task-arithmetic", "--scale", "search"]}


def add_arguments(parser):
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--finetune-steps", type=int, default=300)
    parser.add_argument("--forms", nargs="*", default=list(FORMS))


def measure(record, options):
    keys = []
    inputs = {"steps": options.steps, "finetune_steps": options.finetune_steps}
    with merging.opened("vision") as zoo, tempfile.TemporaryDirectory() as directory:
        tests = {}

        def eight():
            """The zoo's four and four more, made when they are first needed."""
            for kind in strangers.RELATIVES:
                if kind not in tests:
                    tests[kind] = strangers.make(zoo.base, kind, f"{directory}/{kind}", options.finetune_steps)
            return dataclasses.replace(zoo, tasks=zoo.tasks | {kind: f"{directory}/{kind}" for kind in tests})

        def score(set, folder, name):
            return merging.score(set, folder, name, tests.get(name))

        def merge(form, strategy):
            set = eight()
            flags = [*FORMS[form], "--steps", str(options.steps), "--strategy", strategy]
            with tempfile.TemporaryDirectory() as tree:
                with merging.merged(set, flags, tree=tree if strategy == "hierarchical" else None) as (folder, release, _):
                    nodes = release["result"]["tree"] or []
                    return arrivals.cost(release) | {
                        "form": form, "way": strategy, "nodes": [node["tasks"] for node in nodes], "flags": flags,
                        "scores": {name: score(set, folder, name) for name in set.tasks}}

        def baseline(name):
            set = eight()
            with merging.merged(set, BASELINES[name]) as (folder, _, figures):
                return figures | {"form": name, "way": "", "scores": {task: score(set, folder, task) for task in set.tasks}}

        for name in BASELINES:
            keys.append(name)
            record.run(name, inputs, lambda: baseline(name))
        for form in options.forms:
            for strategy in ("joint", "hierarchical"):
                keys.append(f"{form}, {strategy}")
                record.run(keys[-1], inputs | {"form": form}, lambda: merge(form, strategy))
        keys.append("own")
        record.run("own", inputs, lambda: {
            "form": "", "way": "each task's own checkpoint",
            "scores": {name: score(eight(), eight().tasks[name], name) for name in eight().tasks}})
    record.keep(keys, others=True)


def is_ready(runs):
    return any(run["way"] == "hierarchical" for run in runs.values())


def lines(runs):
    rows = []
    for run in runs.values():
        joint = next((other for other in runs.values() if other["form"] == run["form"] and other["way"] == "joint"), run)
        fitted = "peak_memory" in run
        rows.append([
            run["form"], merging.marked(run["way"], [run]), *markdown.each(run["scores"]), f"**{merging.average(run):.1f}**",
            f"{merging.average(run) - merging.average(joint):+.1f}" if "nodes" in run else "",
            str(run["passes"]) if fitted else "", f"{run['peak_memory'] / 2**20:.0f} MiB" if fitted else ""])
    names = list(next(iter(runs.values()))["scores"])
    flags = next(run["flags"] for run in runs.values() if "flags" in run)
    kinds = "; ".join(f"`{kind}`, {text}" for kind, text in strangers.RELATIVES.items())
    return [
        f"The four vision tasks and four more that were fine-tuned here: {kinds}.",
        "With a fan-in of two a fit of the tree has weights for four tasks or nodes at most, the joint one for all eight. Steps at",
        f"most in each fit: {flags[flags.index('--steps') + 1]}.", "",
        *markdown.table(["form", "way", *names, "average", "against joint", "passes", "peak memory"], rows),
        *merging.unfinished(runs.values())]


def pictures(runs):
    values = {
        ": ".join(part for part in (run["form"].removeprefix("the "), run["way"]) if part): merging.average(run)
        for run in runs.values()}
    return {"eight-tasks": charts.levels("Eight tasks at once and by the tree", values, "percent right, average")}


def claims(runs):
    found = []
    for form in FORMS:
        ways = {run["way"]: run for run in runs.values() if run["form"] == form}
        if {"joint", "hierarchical"} <= set(ways):
            whole = merging.average(ways["joint"])
            gap = merging.average(ways["hierarchical"]) - whole
            found.append(markdown.Claim(
                f"hierarchical merging keeps the joint fit's accuracy (paper), to a point: eight tasks, {form}, vision", gap >= -1,
                f"{gap:+.1f} against joint's {whole:.1f}", [list(ways.values())]))
        plain = {name: run for name, run in runs.items() if name in BASELINES}
        best = max(map(merging.average, plain.values()), default=None)
        words = ", ".join(f"{name} {merging.average(run):.1f}" for name, run in plain.items())
        for way, run in ways.items():
            figure = f"{merging.average(run):.1f} against {words}" if plain else "no run of either"
            found.append(markdown.Claim(
                f"neither averaging nor Task Arithmetic is better: eight tasks, {form}, {way}, vision",
                merging.average(run) >= best if plain else None, figure, [[run, *plain.values()]] if plain else []))
    return found
