"""What might be added to the default form, tried in PyTorch on the vision tasks, alone and together."""

import hashlib
import json
import statistics

import zoo

from . import charts, markdown, merging, programs

TITLE = "What was tried beside the default form: trialled in PyTorch, not built into supermerge"
STEPS = 300
# Words → a trial of Benchmarks/trials.py.
TRIALS = {
    "rows, columns and mixtures, distilled": {},
    "penalty towards the first coefficients": {"penalty": 0.3},
    "the same, a tenth of it": {"penalty": 0.03},
    "sharpness-aware steps, half as many": {"sam": 1, "steps": STEPS // 2},
    "each loss divided by its first value": {"normalise": "start"},
    "each loss divided by its checkpoint's entropy": {"normalise": "entropy"},
    "activations of every linear layer distilled, too": {"layers": 0.3},
    "the same, three times as much": {"layers": 1},
    "task vectors trimmed and elected (TIES)": {"ties": 0.3},
    "shared singular directions scaled down (SVC)": {"svc": 1},
    "a coefficient for each singular component": {"form": "component"},
    "singular components masked (AdaRank)": {"mask": 1},
    "SVC, activations and losses divided, together": {"svc": 1, "layers": 0.3, "normalise": "start"},
    "penalty and activations, together": {"penalty": 0.03, "layers": 0.3},
    "a coefficient for each tensor, distilled": {"form": "tensor"},
    "the same by L-BFGS, without mixtures": {"form": "tensor", "lbfgs": 20},
}
FIRST = next(iter(TRIALS))
# Those that the program can do, by its flags.
FLAGS = {FIRST: f"--steps {STEPS}", "a coefficient for each tensor, distilled": (
    f"--granularity tensor --loss distillation --learning-rate 0.03 --steps {STEPS}")}
MEANINGS = [
    "ProDistill's authors distil layer by layer, each to its end before the next; here the activations of all layers are",
    "distilled at once, in one fit. “Divided”: a checkpoint's own distillation loss is 0, so that there is nothing of its own to",
    "divide by; each task's loss is divided by what it is at the first coefficients (`normalise=start`, also in “together”), or by",
    "the mean entropy of what its checkpoint answers (`normalise=entropy`), and then all by one number: the mean factor is 1.",
]


def add_arguments(parser):
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--trials", nargs="*", help="these alone, by the beginnings of their names")


def measure(record, options):
    keys = []
    for seed in range(options.seeds):
        for name, trial in TRIALS.items():
            key = f"{name}, seed {seed}"
            if not options.trials or any(map(name.startswith, options.trials)):
                record.run(key, {"trial": trial, "steps": STEPS, "code": digest()}, lambda: measured(name, {"steps": STEPS} | trial, seed))
            keys += [key] * (key in record.data["runs"])
    record.keep(keys, others=True)


def digest():
    """First characters of the SHA-256 of what runs the trials."""
    with open(f"{programs.ROOT}/Benchmarks/trials.py", "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def measured(name, trial, seed):
    words = ",".join(f"{key}={value}" for key, value in trial.items())
    threads = ["--threads", programs.THREADS] if programs.THREADS != "0" else []
    out, _ = programs.call([
        programs.PYTHON, f"{programs.ROOT}/Benchmarks/trials.py", f"{zoo.SHARED}/vision", "--trial", words, "--seed", str(seed),
        *threads])
    found = json.loads(out)
    return {"name": name, "words": words} | {
        key: found[key] for key in ("seed", "weights", "passes", "best_step", "held_out", "accuracy", "average", "versions")}


def ended(run):
    """The figures with the steps that the trial had, at most."""
    given = dict(word.split("=") for word in run["words"].split(","))
    return run | {"steps": int(given.get("lbfgs", given["steps"]))}


def is_ready(runs):
    return len(by_name(runs)) > 1 and FIRST in by_name(runs)


def by_name(runs):
    found = {}
    for run in runs.values():
        found.setdefault(run["name"], []).append(run)
    return found


def gaps(runs):
    """Name → what each seed's average is above the first trial's of that seed."""
    groups = by_name(runs)
    first = {run["seed"]: run["average"] for run in groups[FIRST]}
    return {
        name: [run["average"] - first[run["seed"]] for run in group if run["seed"] in first] for name, group in groups.items()}


def lines(runs):
    rows, found = [], gaps(runs)
    for name, group in by_name(runs).items():
        rows.append([
            merging.marked(name, map(ended, group)), f"`{group[0]['words']}`", f"`{FLAGS[name]}`" if name in FLAGS else "not built",
            str(group[0]["weights"]), f"{statistics.median(run['passes'] for run in group):.0f}",
            markdown.spread((run["held_out"] for run in group), 3), f"**{markdown.spread(run['average'] for run in group)}**",
            markdown.signed(found[name])])
    head = ["trial", "`Benchmarks/trials.py --trial`", "`supermerge merge`", "weights", "passes", "held-out loss", "average",
            "against the first line"]
    return [
        f"All of them, also what the program has flags for, ran in PyTorch, with a batch of 16 a task and at most {STEPS} steps;",
        "the first line is the program's default form in as many. The held-out loss is the distillation's alone, whatever else is",
        "fitted, and decides what is kept; the averages over the test sets are reported, and decide nothing.", *MEANINGS, "",
        *markdown.table(head, rows), *merging.unfinished(map(ended, runs.values())),
    ]


def pictures(runs):
    averages = {name: statistics.median(run["average"] for run in group) for name, group in by_name(runs).items()}
    return {"trials": charts.levels("What was tried beside the default form, vision", averages, "percent right, average")}


def claims(runs):
    losses = {name: statistics.median(run["held_out"] for run in group) for name, group in by_name(runs).items()}
    first = losses.pop(FIRST)
    nearest = min(losses, key=losses.get)
    above = {name: statistics.median(values) for name, values in gaps(runs).items() if name != FIRST}
    best = max(above, key=above.get)
    seeds = max(map(len, by_name(runs).values()))
    return [markdown.Claim(
        "nothing that was tried beside the default form (in PyTorch) has a lower held-out loss: vision", losses[nearest] >= first,
        f"{first:.3f}; lowest of the other {len(losses)}: {nearest}, {losses[nearest]:.3f} ({seeds} seed{'s' * (seeds > 1)}). "
        f"Test averages, which decide nothing: highest with {best}, {above[best]:+.1f} points", [list(runs.values())])]
