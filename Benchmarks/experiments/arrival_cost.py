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


def above(run, joint):
    """Per cent by which a fit's held-out loss is above another's."""
    return 100 * (arrivals.best(run) / arrivals.best(joint) - 1)


def lines(runs):
    joint = runs["joint"]
    rows = []
    for name, run in runs.items():
        words = ", ".join(f"`{key}: {value}`" for key, value in run.get("settings", {}).items())
        rows.append([
            "all four at once" if name == "joint" else name, words, str(passes(run)), f"{arrivals.best(run):.3f}",
            f"{above(run, joint):+.1f} %", f"**{merging.average(run):.1f}**"])
    head = ["", "settings", "passes of 16 examples", "held-out loss", "against all at once", "average"]
    return [
        "The default form: the last of the four vision tasks comes to a daemon that has deployed the other three, fitted at once.", "",
        *markdown.table(head, rows), " ".join([*reach(runs), *lever(runs), *rates(runs)]), "",
    ]


def listed(runs, joint):
    return ", ".join(f"{name} {above(run, joint):+.1f} % ({passes(run)} passes)" for name, run in runs.items())


def others(runs):
    return {name: run for name, run in runs.items() if name != "joint"}


def reach(runs):
    """How near the rows come that may be taken, and whether any comes near enough."""
    joint = runs["joint"]
    needed = arrivals.passes_to(joint, arrivals.best(joint))
    allowed = passes(joint) // 5
    cheap = {name: run for name, run in others(runs).items() if passes(run) <= allowed}
    near = {name: run for name, run in others(runs).items() if arrivals.best(run) <= arrivals.NEAR * arrivals.best(joint)}
    few = min(map(passes, others(runs).values()))
    yield (f"All four at once take {passes(joint)} passes, and are within 1 % of their best after {needed}: a fifth is {allowed}, or "
           f"{needed // 5}, as the claim counts" + f", fewer than any row takes ({few})" * (few > needed // 5) + ".")
    if cheap:
        name = min(cheap, key=lambda name: arrivals.best(cheap[name]))
        yield f"Within {allowed} passes the nearest row is “{name}”, {above(cheap[name], joint):+.1f} % against all four at once."
    yield f"Within 1 % of it: {listed(near, joint)}." if near else "No row comes to within 1 % of it, whatever its passes."
    usual = runs["as it is"]
    yield (f"The average over the test sets, as it is, is {merging.average(usual) - merging.average(joint):+.1f} points from that of "
           "all four at once.")


def lever(runs):
    """Whether more steps or larger batches bring more, at the same rate."""
    joint, usual = runs["joint"], runs["as it is"]
    plain = {name: run for name, run in others(runs).items() if "arrival-learning-rate" not in run["settings"]}
    equal = dict(sorted(
        ((name, run) for name, run in plain.items() if passes(run) == passes(usual)), key=lambda item: item[1]["batch"]))
    dear = {name: run for name, run in plain.items() if passes(run) > passes(usual)}
    longer = [run for run in dear.values() if run["batch"] == BATCH]
    larger = [run for run in dear.values() if run["batch"] > BATCH]
    if len(equal) < 2 or not longer or not larger:
        return
    yield f"At {passes(usual)} passes, from small to large batches: {listed(equal, joint)}."
    yield f"With more of them: {listed(dear, joint)}."
    losses = [arrivals.best(run) for run in equal.values()]
    by_steps, by_batch = (min(group, key=arrivals.best) for group in (longer, larger))
    if losses == sorted(losses) and arrivals.best(by_steps) < arrivals.best(by_batch) and passes(by_steps) <= passes(by_batch):
        yield "More steps help more than larger batches do."
    elif losses == sorted(losses, reverse=True) and arrivals.best(by_batch) < arrivals.best(by_steps):
        yield "Larger batches help more than more steps do."
    else:
        yield "The rows do not say whether more steps or larger batches help more."


def rates(runs):
    other = {name: run for name, run in others(runs).items() if "arrival-learning-rate" in run["settings"]}
    if other:
        yield f"At another rate: {listed(other, runs['joint'])}."


def beside(_, everything):
    """The arrivals in which no three tasks were fitted at once, from their own experiment."""
    runs = everything.get("arrivals-vision", {})
    if not any(run["form"] == "the default form" for run in runs.values()):
        return []
    joint = arrivals.joint_of(runs, "the default form")["arrivals"][0]
    rows = [
        [", ".join(run["order"]), str(run["arrivals"][-1]["passes"]), f"{arrivals.best(run['arrivals'][-1]):.3f}",
         f"{above(run['arrivals'][-1], joint):+.1f} %"]
        for run in arrivals.of_form(runs, "the default form") if run["way"] == "incremental, one at a time"]
    return [
        "That is one newcomer to three that were fitted at once. Where every task comes by itself, as in “"
        f"{arrivals.title('arrivals-vision')}”, the last arrival ends here (all four at once: {arrivals.best(joint):.3f}):", "",
        *markdown.table(["order", "passes of the last arrival", "held-out loss", "against all at once"], rows)] if rows else []


def pictures(runs):
    return {"arrival-cost": charts.levels(
        "Held-out loss after an arrival, per cent above all at once",
        {name: above(run, runs["joint"]) for name, run in others(runs).items()}, "per cent")}


def claims(_):
    return []
