"""What an arrival of the default form costs, and what was tried to make it cost less: one newcomer to three deployed tasks."""

import os
import shutil
import tempfile

from . import arrivals, charts, daemon, markdown, merging, programs

TITLE = "What an arrival costs"
BATCH = 16
# Words → settings beside the defaults.
VARIANTS = {
    "as it is": {},
    "twice the steps": {"arrival-share": 0.4},
    "half the rate": {"arrival-learning-rate": 0.05},
    "twice the rate": {"arrival-learning-rate": 0.2},
    "half the batch, twice the steps": {"batch": 8, "arrival-share": 0.4},
    "twice the batch, half the steps": {"batch": 32, "arrival-share": 0.1},
    "four times the batch, as many steps": {"batch": 64},
}


def add_arguments(parser):
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS))


def measure(record, options):
    keys = ["joint"]
    gate = {"maximum-regression": 1}
    with merging.opened("vision") as zoo, tempfile.TemporaryDirectory() as directory:
        *old, new = zoo.tasks

        def joint():
            with merging.merged(zoo, []) as (folder, release, _):
                return arrivals.cost(release) | {"scores": merging.scores(zoo, folder)}

        def deployed():
            """The folder of a daemon that has deployed the first three tasks."""
            if not os.path.exists(f"{directory}/site"):
                with daemon.running(zoo.base, {}, gate) as service:
                    service.drop({name: zoo.tasks[name] for name in old})
                    shutil.copytree(service.folder, f"{directory}/site", symlinks=True, ignore=shutil.ignore_patterns("socket"))
            return f"{directory}/site"

        def arrival(settings):
            with daemon.running(zoo.base, settings | {"strategy": "incremental"}, gate, deployed(), {new: zoo.tasks[new]}) as service:
                service.control("rescan", "--wait")
                folder, release = service.release
                if new not in [task["name"] for task in release["tasks"]]:
                    raise programs.Failure(f"{new} did not arrive: {service.ledger()[-1]['message']}")
                return arrivals.cost(release) | {"scores": merging.scores(zoo, folder)}

        record.run("joint", {}, joint)
        for name in options.variants:
            keys.append(name)
            settings = VARIANTS[name]
            record.run(name, {"settings": settings}, lambda: arrival(settings) | {
                "settings": settings, "batch": settings.get("batch", BATCH)})
    record.keep(keys, others=True)


def is_ready(runs):
    return "joint" in runs and "as it is" in runs


def passes(run):
    """Forward and backward passes of one task's 16 examples."""
    return run["steps"] * run["tasks"] * run.get("batch", BATCH) // BATCH


def lines(runs):
    target = arrivals.best(runs["joint"])
    rows = []
    for name, run in runs.items():
        words = ", ".join(f"`{key}: {value}`" for key, value in run.get("settings", {}).items())
        rows.append([
            "all four at once" if name == "joint" else name, words, str(passes(run)), f"{arrivals.best(run):.3f}",
            f"{100 * (arrivals.best(run) / target - 1):+.1f} %", f"**{merging.average(run):.1f}**"])
    head = ["", "settings", "passes of 16 examples", "held-out loss", "against all at once", "average"]
    return [
        "The default form: the last of the four vision tasks comes to a daemon that has deployed the other three, fitted at once.", "",
        *markdown.table(head, rows), obstacle(runs), "",
    ]


def obstacle(runs):
    """What the figures say of why the loss stays above."""
    noisy, quiet = (runs.get(name) for name in ("as it is", "four times the batch, as many steps"))
    if not noisy or not quiet:
        return ""
    gaps = [100 * (arrivals.best(run) / arrivals.best(runs["joint"]) - 1) for run in (noisy, quiet)]
    if gaps[1] > gaps[0] / 2:
        return ""
    return (
        f"The steps are not too few but too noisy: with four times the examples in each, as many of them end {gaps[1]:.1f} % above all "
        f"four at once instead of {gaps[0]:.1f} %. More steps or larger batches buy that back at the price of the passes. The average "
        f"over the test sets is {merging.average(noisy) - merging.average(runs['joint']):+.1f} points from that of all four at once.")


def pictures(runs):
    return {"arrival-cost": charts.levels(
        "Held-out loss after an arrival, per cent above all at once", {
            name: 100 * (arrivals.best(run) / arrivals.best(runs["joint"]) - 1) for name, run in runs.items() if name != "joint"},
        "per cent")}


def claims(_):
    return []
