"""Every baseline and every form of SuperMerge: the main tables."""

import statistics

import zoo

from . import charts, markdown, merging

TITLE = "Every method"
FILES = ["table-vision", "table-text"]
ROWS = ["--granularity", "row", "--learning-rate", "0.03", "--mixup", "0", "--patience", "1000", *merging.PLAIN]
GATED = [
    "--granularity",
    "row-column",
    "--loss",
    "distillation",
    "--learning-rate",
    "0.03",
    "--patience",
    "1000",
    *merging.PLAIN,
]
# What the zoo's page calls them.
REFERENCE = {
    "average weights": "average", "task-arithmetic": "task-arithmetic, λ searched", "ties": "ties, λ searched",
    "adamerging": "adamerging", "supermerge": "supermerge, the paper's form",
}
# So many steps of AdaMerging, too, which is still improving after those of the reference figures.
LONGER = {"vision": 1000, "text": 500}
# Static methods at the λ that their authors take, which need no example at all.
DATA_FREE = ["task-arithmetic", "ties", "tsv-m", "iso-c", "iso-cts"]
SEEDLESS = [
    "average",
    *(f"{name}, no examples" for name in DATA_FREE),
    *(f"{name}, λ searched" for name in ("task-arithmetic", "ties", "tsv-m", "iso-c", "iso-cts")),
]


def methods(zoo, steps):
    """Name → (whether it is one of the paper's baselines, flags)."""
    fit = ["--steps", str(steps or merging.STEPS[zoo.kind]["supermerge"])]
    found = {"average": (True, ["--method", "average"])}
    for name in ("task-arithmetic", "ties", "dare", "tsv-m", "iso-c", "iso-cts"):
        found[f"{name}, λ searched"] = (True, ["--method", name, "--scale", "search"])
    for name in DATA_FREE:
        found[f"{name}, no examples"] = (True, ["--method", name])
    longer = 2 * steps if steps else LONGER[zoo.kind]
    return found | {
        "regmean": (True, ["--method", "regmean"]),
        "regmean++": (True, ["--method", "regmean++"]),
        "lot": (True, ["--method", "lot"]),
        "adamerging": (True, zoo.adamerging(steps)),
        f"adamerging, {longer} steps": (True, zoo.adamerging(longer)),
        "supermerge, the paper's form": (False, zoo.paper(steps)),
        "supermerge, rows": (False, [*fit, *ROWS, "--loss", "labels"]),
        "supermerge, rows, both losses": (False, [*fit, *ROWS, "--loss", "both"]),
        "supermerge, rows, distillation": (False, [*fit, *ROWS, "--loss", "distillation"]),
        "supermerge, rows and columns, distillation": (False, [*fit, *GATED, "--mixup", "0"]),
        "supermerge, the same and mixtures": (False, [*fit, *GATED, "--mixup", "8"]),
        "calibrate": (False, ["--method", "calibrate"]),
        "supermerge, calibrated": (
            False, ["--start", "calibrated", "--schedule", "cosine", "--steps", str(steps or 200)]),
        "supermerge, no flags": (False, ["--steps", str(steps)] if steps else []),
    }


def add_arguments(parser):
    parser.add_argument("set", choices=["vision", "text"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--methods", nargs="*", help="these alone, by the beginnings of their names")
    parser.add_argument("--steps", type=int)


def file(options):
    return f"table-{options.set}"


def title(file):
    return f"{TITLE}: {file.removeprefix('table-')}"


def measure(record, options):
    keys = ["base", "own", "reference"]
    with merging.opened(options.set) as zoo:
        record.run("base", {}, lambda: {"scores": merging.scores(zoo, zoo.base), "set": options.set})
        record.run("own", {}, lambda: {
            "scores": {name: merging.score(zoo, zoo.tasks[name], name) for name in zoo.tasks}})
        record.run("reference", {}, lambda: {"averages": reference(options.set)})
        for seed in range(options.seeds):
            for name, (is_baseline, flags) in methods(zoo, options.steps).items():
                if seed and name in SEEDLESS:
                    continue
                key = f"{name}, seed {seed}"
                if options.methods and not any(name.startswith(wanted) for wanted in options.methods):
                    keys += [key] * (key in record.data["runs"])
                    continue
                keys.append(key)
                record.run(key, {"flags": flags}, lambda: merging.measured(zoo, flags, seed) | {
                    "method": name, "baseline": is_baseline, "seed": seed, "flags": flags})
    # Fewer seeds leave those that were measured before.
    record.keep(keys, others=True)


def is_ready(runs):
    return {"base", "own"} <= set(runs) and any(run.get("baseline") for run in runs.values())


def by_method(runs):
    found = {}
    for run in runs.values():
        if "method" in run:
            found.setdefault(run["method"], []).append(run)
    return found


def medians(group):
    """Each task's median over the seeds, and the averages over the tasks by seed."""
    scores = {name: statistics.median(run["scores"][name] for run in group) for name in group[0]["scores"]}
    return scores, [merging.average(run) for run in group]


def bounds(runs):
    """The best baseline's name and average, and the own checkpoints' average."""
    baselines = {
        name: statistics.median(medians(group)[1]) for name, group in by_method(runs).items() if group[0]["baseline"]}
    best = max(baselines, key=baselines.get)
    return best, baselines[best], merging.average(runs["own"])


def closed(average, low, high):
    return 100 * (average - low) / (high - low)


def lines(runs):
    best, low, high = bounds(runs)
    rows = [["base with the tasks' heads", *markdown.each(runs["base"]["scores"]),
             f"**{merging.average(runs['base']):.1f}**", "", "", "", ""]]
    for name, group in by_method(runs).items():
        scores, averages = medians(group)
        middle = statistics.median(averages)
        ours = not group[0]["baseline"]
        rows.append([
            merging.marked(name, group), *markdown.each(scores),
            f"**{middle:.1f}**" + markdown.spread(averages).removeprefix(f"{middle:.1f}"),
            f"{middle - low:+.1f}" if ours else "", f"{closed(middle, low, high):.0f} %" if ours else "",
            passes(group),
            f"{statistics.median(run['seconds'] for run in group):.0f} s"])
    rows.append(["each task's own checkpoint", *markdown.each(runs["own"]["scores"]), f"**{high:.1f}**", "", "", "", ""])
    head = ["model", *runs["own"]["scores"], "average", "over the best baseline", "headroom closed", "passes", "merge"]
    flags = [[name, f"`{' '.join(group[0]['flags'])}`"] for name, group in by_method(runs).items()]
    return [
        f"The best baseline is {best} with {low:.1f}; headroom is the distance from there to the tasks' own checkpoints,",
        f"{high:.1f}. A pass is one forward and backward pass of one task's batch; forward passes alone are not counted.",
        "",
        *markdown.table(head, rows),
        *merging.unfinished(runs.values()),
        "<details><summary>Flags of <code>supermerge merge</code></summary>",
        "",
        *markdown.table(["model", "flags"], flags),
        "</details>",
        "",
    ]


def passes(group):
    known = [run["passes"] for run in group if run["passes"] is not None]
    return f"{statistics.median(known):.0f}" if known else "?"


def pictures(runs):
    groups = {"base": merging.average(runs["base"])}
    groups |= {name: statistics.median(medians(group)[1]) for name, group in by_method(runs).items()}
    groups["own checkpoints"] = merging.average(runs["own"])
    kind = runs["base"]["set"]
    return {f"table-{kind}": charts.levels(f"Average over the tasks, {kind}", groups, "percent right")}


def claims(runs):
    best, low, high = bounds(runs)
    found, kind = [], runs["base"]["set"]
    groups = by_method(runs)
    paper, default = "supermerge, the paper's form", "supermerge, no flags"
    own, base = runs["own"], runs["base"]
    found += against_reference(runs, groups)
    if paper in groups:
        middle = statistics.median(medians(groups[paper])[1])
        found.append(markdown.Claim(
            f"SuperMerge outperforms the other merging methods (paper): {kind}", middle > low,
            f"the paper's form {middle:.1f}, {best} {low:.1f}, {middle - low:+.1f}{late(groups[best])}",
            [groups[paper] + groups[best]]))
        found.append(markdown.Claim(
            f"the merged model achieves similar performance to the fine-tuned models (paper), to two points: {kind}",
            middle >= high - 2, f"the paper's form {middle:.1f}, the tasks' own checkpoints {high:.1f}", [groups[paper] + [own]]))
    if default in groups:
        scores, averages = medians(groups[default])
        middle = statistics.median(averages)
        for share in (65, 80):
            found.append(markdown.Claim(
                f"the default form closes at least {share} % of the headroom: {kind}", closed(middle, low, high) >= share,
                f"{closed(middle, low, high):.0f} %, {middle:.1f} between {low:.1f} and {high:.1f}{late(groups[best])}",
                [groups[default] + groups[best] + [own]]))
        under = {name: value - base["scores"][name] for name, value in scores.items()}
        worst = min(under, key=under.get)
        found.append(markdown.Claim(
            f"with the default form no task is below its base: {kind}", under[worst] >= 0,
            f"nearest: {worst}, {under[worst]:+.1f} points", [groups[default] + [base]]))
        if paper in groups:
            peer = medians(groups[paper])[0]
            gaps = {name: value - peer[name] for name, value in scores.items()}
            worst = min(gaps, key=gaps.get)
            found.append(markdown.Claim(
                f"with the default form no task is more than a point below the paper's form: {kind}", gaps[worst] >= -1,
                f"lowest: {worst}, {gaps[worst]:+.1f} points", [groups[default] + groups[paper]]))
    return found


def late(group):
    """What has to be said of a baseline that ended too early."""
    return "; the best baseline was still improving when it ended" if any(map(merging.is_unfinished, group)) else ""


def reference(kind):
    """Method of ours → average of an independent implementation on the same files, as the zoo's own page has it."""
    with open(f"{zoo.SHARED}/README.md") as file:
        section = file.read().split(f"\n{kind.capitalize()} (")[1].split("\n\n")[1]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in section.splitlines()]
    return {REFERENCE[row[0]]: float(row[-1]) for row in rows if row[0] in REFERENCE}


def against_reference(runs, groups):
    if "reference" not in runs:
        return []
    known = runs["reference"]["averages"]
    gaps = {name: statistics.median(medians(groups[name])[1]) - known[name] for name in known if name in groups}
    worst = min(gaps, key=gaps.get)
    return [markdown.Claim(
        "no method is more than a point below an independent implementation on the same files: " + runs["base"]["set"],
        gaps[worst] >= -1,
        f"lowest of {len(gaps)}: {worst}, {gaps[worst]:+.1f} points", [groups[name] for name in gaps])]


def overall(found):
    """What is claimed over both sets; `found`: file → runs."""
    if len(found) < len(FILES):
        return []
    margins, compared = {}, []
    for runs in found.values():
        best, low, _ = bounds(runs)
        group = by_method(runs).get("supermerge, the paper's form")
        if not group:
            return []
        compared.append(group + by_method(runs)[best])
        margins[runs["base"]["set"]] = statistics.median(medians(group)[1]) - low
    mean = statistics.mean(margins.values())
    return [markdown.Claim(
        "the paper's form is at least 5 points above the best baseline, mean over both sets", mean >= 5,
        f"{mean:+.1f}: " + ", ".join(f"{kind} {margin:+.1f}" for kind, margin in margins.items())
        + "".join(dict.fromkeys(map(late, compared))), compared)]
