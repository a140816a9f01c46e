"""All tasks at once, by the tree, and one at a time through a real daemon, in several orders: (e)."""

import tempfile

from . import charts, daemon, markdown, merging, programs

TITLE = "At once, by the tree, or one at a time"
FILES = ["arrivals-vision", "arrivals-text"]
FORMS = {
    "the paper's form": {"granularity": "tensor", "loss": "labels", "start": "task-vectors", "schedule": "constant"},
    "the default form": {},
}
NEAR = 1.01


def add_arguments(parser):
    parser.add_argument("--forms", nargs="*", default=list(FORMS))
    parser.add_argument("--orders", type=int, default=3, help="orders of arrival of each form, at most 4")
    parser.add_argument("--set", default="vision", choices=["vision", "text"])
    parser.add_argument("--strategies", nargs="*", default=["joint", "hierarchical", "incremental"])
    parser.add_argument("--steps", type=int)


def file(options):
    return f"arrivals-{options.set}"


def title(file):
    return f"{TITLE}: {file.removeprefix('arrivals-')}"


def flags(settings):
    return [part for key, value in settings.items() for part in (f"--{key}", str(value))]


def cost(release):
    """What a fit cost, and its held-out loss over the steps (a tree's: of its root)."""
    curve = [[point["step"], point["held_out"]] for point in release["result"]["curve"] if "held_out" in point]
    return merging.summary(release) | {"curve": curve, "tasks": len(release["tasks"])}


def measure(record, options):
    keys = []
    with merging.opened(options.set) as zoo:
        names = list(zoo.tasks)
        orders = [names, names[::-1], [*names[2:], *names[:2]], [names[1], names[0], names[3], names[2]]][: options.orders]
        for form in options.forms:
            steps = options.steps or (form == "the paper's form" and merging.STEPS[options.set]["supermerge"])
            settings = FORMS[form] | ({"steps": steps} if steps else {})

            def at_once(strategy):
                with tempfile.TemporaryDirectory() as tree:
                    chosen = flags(settings | {"strategy": strategy})
                    place = tree if strategy == "hierarchical" else None
                    with merging.merged(zoo, chosen, tree=place) as (folder, release, figures):
                        return {
                            "set": options.set, "way": strategy, "form": form, "order": [], "arrivals": [cost(release)],
                            "scores": merging.scores(zoo, folder), "versions": figures["versions"],
                        }

            def arriving(strategy, order):
                # The gate is not what is measured here: every task is let in.
                gate = {"maximum-regression": 1}
                with daemon.running(zoo.base, settings | {"strategy": strategy}, gate) as service:
                    costs = []
                    for name in order:
                        service.drop({name: zoo.tasks[name]})
                        folder, release = service.release
                        if not release or name not in [task["name"] for task in release["tasks"]]:
                            raise programs.Failure(f"{name} did not arrive: {service.ledger()[-1]['message']}")
                        costs.append(cost(release))
                    return {
                        "set": options.set, "way": f"{strategy}, one at a time", "form": form, "order": order, "arrivals": costs,
                        "scores": merging.scores(zoo, folder), "versions": costs[-1]["versions"],
                    }

            for strategy in [name for name in ("joint", "hierarchical") if name in options.strategies]:
                keys.append(f"{form}, {strategy}")
                record.run(keys[-1], {"settings": settings}, lambda: at_once(strategy))
            for strategy in [name for name in ("incremental", "hierarchical") if name in options.strategies]:
                for order in orders if strategy == "incremental" else orders[:1]:
                    keys.append(f"{form}, {strategy}, {' '.join(order)}")
                    record.run(keys[-1], {"settings": settings}, lambda: arriving(strategy, order))
    # Some forms, orders or strategies measured again leave the others as they are.
    record.keep(keys, others=True)


def best(arrival):
    return min(loss for _, loss in arrival["curve"])


def passes_to(arrival, loss):
    """Forward and backward passes of a batch until the held-out loss is within 1 % of `loss`; None where it never is.

    Not for a tree, whose curve is its root's alone.
    """
    return next((step * arrival["tasks"] for step, value in arrival["curve"] if value <= NEAR * loss), None)


def of_form(runs, form):
    return [run for run in runs.values() if run["form"] == form]


def joint_of(runs, form):
    return next(run for run in of_form(runs, form) if run["way"] == "joint")


def lines(runs):
    rows = []
    for form in dict.fromkeys(run["form"] for run in runs.values()):
        joint = joint_of(runs, form)
        target = best(joint["arrivals"][0])
        for run in of_form(runs, form):
            last = run["arrivals"][-1]
            reached = passes_to(last, target)
            rows.append([
                form, run["way"], ", ".join(run["order"]), *markdown.each(run["scores"]),
                f"**{merging.average(run):.1f}**", f"{merging.average(run) - merging.average(joint):+.1f}",
                f"{max(a['peak_memory'] for a in run['arrivals']) / 2**20:.0f} MiB",
                f"{sum(a['passes'] for a in run['arrivals'])}", f"{last['passes']}",
                "" if "hierarchical" in run["way"] else "never" if reached is None else str(reached), f"{best(last):.3f}",
                f"{sum(a['seconds'] for a in run['arrivals']):.0f} s"])
    names = list(next(iter(runs.values()))["scores"])
    head = ["form", "way", "order", *names, "average", "against joint", "peak memory", "passes in all",
            "passes of the last arrival", "of these until within 1 % of joint's held-out loss", "held-out loss", "seconds in all"]
    return [
        "One at a time goes through the real daemon: each task is dropped into its registry, and each merge starts from the",
        "deployed release's weights (`incremental`) or from the tree that the last one left (`hierarchical`). A pass is one",
        "forward and backward pass of one task's batch of 16, so a joint step of four tasks is four. The seconds were taken",
        "beside other work on the machine and say little; the passes do not depend on it. A node of the tree is fitted from up to",
        "fan-in × fan-in models, so that with four tasks the root sees all of them again; what a tree's fit holds, in copies of the",
        "model, is measured in [benchmarks.md](../benchmarks.md).", "",
        *markdown.table(head, rows),
    ]


def pictures(runs):
    kind = next(iter(runs.values()))["set"]
    values = {}
    for run in runs.values():
        name = f"{run['form'].removeprefix('the ')}: {run['way']}"
        values[name + f", {sum(other.startswith(name) for other in values) + 1}" * bool(run["order"])] = merging.average(run)
    title = f"Joint, by the tree, and one at a time in several orders, {kind}"
    return {f"arrivals-{kind}": charts.levels(title, values, "percent right, average")}


def claims(runs):
    found, kind = [], next(iter(runs.values()))["set"]
    for form in dict.fromkeys(run["form"] for run in runs.values()):
        joint = joint_of(runs, form)
        mine, target = merging.average(joint), best(joint["arrivals"][0])
        ways = {}
        for run in of_form(runs, form):
            ways.setdefault(run["way"], []).append(run)
        whole = passes_to(joint["arrivals"][0], target)
        for way, limit, text in (
            ("hierarchical", 1, "hierarchical merging keeps the joint fit's accuracy (paper), to a point"),
            ("incremental, one at a time", 0.5, "one at a time, any order, is within 0.5 of joint"),
            ("hierarchical, one at a time", 1, "one at a time by the tree is within a point of joint"),
        ):
            group = ways.get(way, [])
            gaps = [merging.average(run) - mine for run in group]
            figure = f"worst {min(gaps):+.1f} points of {len(gaps)} against joint's {mine:.1f}" if gaps else "no run"
            found.append(markdown.Claim(
                f"{text}: {form}, {kind}", min(gaps) >= -limit if gaps else None, figure, [[joint, run] for run in group]))
        trees = ways.get("hierarchical")
        if trees:
            full, tree = (run["arrivals"][0]["peak_memory"] / 2**20 for run in (joint, trees[0]))
            found.append(markdown.Claim(
                f"hierarchical merging takes less memory than joint (paper: to a quarter of it): {form}, {kind}", tree <= 0.75 * full,
                f"peak {tree:.0f} MiB against joint's {full:.0f}", [[joint, trees[0]]]))
        late = ways.get("incremental, one at a time")
        if late:
            reached = [passes_to(run["arrivals"][-1], target) for run in late]
            figure = f"joint {whole} passes, the last arrival {', '.join('never' if r is None else str(r) for r in reached)}"
            found.append(markdown.Claim(
                f"an arrival costs at most a fifth of the joint fit's passes at equal held-out loss (to 1 %): {form}, {kind}",
                all(r is not None and r <= whole / 5 for r in reached), figure, [[joint, run] for run in late]))
        # The curve of a tree is its root's alone, so that all passes of the arrival count.
        path = ways.get("hierarchical, one at a time")
        if path:
            last = [run["arrivals"][-1] for run in path]
            figure = f"joint {whole} passes, the last arrival {', '.join(str(a['passes']) for a in last)}; held-out loss " + (
                f"{', '.join(f'{best(a):.3f}' for a in last)} against joint's {target:.3f}")
            found.append(markdown.Claim(
                f"an arrival by the tree costs at most a fifth of the joint fit's passes at equal held-out loss (to 1 %): {form}, {kind}",
                all(a["passes"] <= whole / 5 and best(a) <= NEAR * target for a in last), figure, [[joint, run] for run in path]))
    return found
