"""A task that has nothing in common with the others: who loses, and does the gate catch it: (f)."""

import tempfile

from . import charts, daemon, markdown, merging, strangers

TITLE = "A task that has nothing in common with the others"
FORMS = {
    "the paper's form": {
        "granularity": "tensor",
        "loss": "labels",
        "steps": 300,
        "start": "task-vectors",
        "schedule": "constant",
    },
    "the default form": {},
}


def add_arguments(parser):
    parser.add_argument("--forms", nargs="*", default=list(FORMS))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--finetune-steps", type=int, default=300)


def measure(record, options):
    keys = []
    with merging.opened("vision") as zoo, tempfile.TemporaryDirectory() as directory:
        made = {}

        def stranger(kind):
            """The stranger's folder, made when it is first needed, and its test set."""
            if kind not in made:
                made[kind] = f"{directory}/{kind}", strangers.make(zoo.base, kind, f"{directory}/{kind}", options.finetune_steps)
            return made[kind]

        def merge(form, settings, kind):
            """Scores of the joint merge of the four and of one stranger, where there is one."""
            set = zoo.only(zoo.tasks)
            if kind:
                set.tasks[kind] = stranger(kind)[0]
            chosen = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
            with merging.merged(set, chosen) as (folder, _, figures):
                figures |= {"form": form, "stranger": kind, "scores": merging.scores(set, folder, zoo.tasks)}
                if kind:
                    figures["stranger_score"] = merging.score(set, folder, kind, stranger(kind)[1])
                    figures["stranger_own"] = merging.score(set, set.tasks[kind], kind, stranger(kind)[1])
                return figures

        def admit(form, settings, kind):
            """What a daemon that has deployed the four says when the stranger arrives."""
            with daemon.running(zoo.base, settings) as service:
                service.drop(zoo.tasks)
                lines = service.drop({kind: stranger(kind)[0]})
                decision = next(line for line in reversed(lines) if "scores" in line.get("details", {}))
                return {
                    "form": form, "stranger": kind, "event": decision["event"], "message": decision["message"],
                    "gate": decision["details"]["scores"],
                }

        for form in options.forms:
            settings = FORMS[form] | ({"steps": options.steps} if options.steps else {})
            inputs = {"settings": settings, "finetune_steps": options.finetune_steps}
            for kind in (None, *strangers.KINDS):
                keys.append(f"{form}, {kind or 'the four'}")
                record.run(keys[-1], inputs, lambda: merge(form, settings, kind))
            for kind in strangers.KINDS:
                keys.append(f"{form}, {kind}, gate")
                record.run(keys[-1], inputs, lambda: admit(form, settings, kind))
    record.keep(keys)


def is_ready(runs):
    """Whether the four have been merged with a stranger yet."""
    return any(run["stranger"] for run in runs.values())


def merges(runs):
    """(form, stranger or None) → figures."""
    return {(run["form"], run["stranger"]): run for run in runs.values() if "scores" in run}


def lines(runs):
    found = merges(runs)
    names = list(next(iter(found.values()))["scores"])
    rows = []
    for (form, kind), run in found.items():
        four = found[form, None]
        rows.append([
            form, kind or "none", *markdown.each(run["scores"]), f"**{merging.average(run):.1f}**",
            f"{merging.average(run) - merging.average(four):+.1f}" if kind else "",
            f"{run['stranger_score']:.1f}" if kind else "", f"{run['stranger_own']:.1f}" if kind else ""])
    verdicts = [
        [run["form"], run["stranger"], run["event"], run["message"], "; ".join(
            f"{task} {score['before']:.3f} → {score['after']:.3f}" + (f" (p = {score['p']:.2g})" if "p" in score else "")
            for task, score in run["gate"].items())]
        for run in runs.values() if "gate" in run
    ]
    head = ["form", "stranger", "event", "message", "figures"]
    gated = [
        "The same arrivals at a real daemon that has deployed the four: what its ledger says, and its gate's figures",
        "(held-out accuracy before and after, p of McNemar's test). A fall stops a merge where it is larger than the task allows and",
        "p is below 0.05; a newcomer has to be better than the base with its head, however little.", "",
        *markdown.table(head, verdicts)]
    return [
        "Two checkpoints were fine-tuned from the vision base to have nothing in common with the four tasks: "
        + "; ".join(f"`{kind}`, {text}" for kind, text in strangers.KINDS.items()) + ".", "",
        *markdown.table(["form", "stranger", *names, "average of the four", "change", "stranger, merged", "stranger, own"], rows),
        *(gated if verdicts else []),
    ]


def pictures(runs):
    groups = {}
    for (form, kind), run in merges(runs).items():
        for task, score in run["scores"].items():
            groups.setdefault(f"{task}\n{form}", {})[kind or "the four alone"] = score
    return {"nothing-in-common": charts.bars("Who loses when a stranger is merged", groups, "percent right")}


def claims(runs):
    found = []
    for run in runs.values():
        if "gate" in run:
            both = [merges(runs)[run["form"], kind] for kind in (None, run["stranger"])]
            four, five = map(merging.average, both)
            found.append(markdown.Claim(
                f"the gate stops a task that has nothing in common: {run['stranger']}, {run['form']}",
                run["event"] != "published", f"{run['event']}; the four's test average {four:.1f} alone, {five:.1f} with it", [both]))
    return found
