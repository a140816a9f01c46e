"""Merging against fine-tuning on all tasks with the same examples and passes: FLOPs, time, accuracy: (g)."""

import json
import os
import subprocess

from . import charts, markdown, merging, programs

TITLE = "Merging against fine-tuning on the same examples"
RATES = [1e-4, 3e-4, 1e-3, 3e-3]
LOOK = 10
BATCH, HOLDOUT = 16, 0.25
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "joint_training.py")


def add_arguments(parser):
    parser.add_argument("--steps", type=int)
    parser.add_argument("--rates", type=float, nargs="*", default=RATES)
    parser.add_argument("--forms", nargs="*", default=["the paper's form", "the default form"])


def train(zoo, steps, rate):
    """Scores and cost of a joint fine-tune, in a PyTorch process of its own."""
    request = {
        "base": zoo.base, "tasks": zoo.tasks, "test": zoo.test, "steps": steps, "batch": BATCH, "rate": rate,
        "every": LOOK, "holdout": HOLDOUT, "seed": 0, "threads": int(programs.THREADS),
    }
    environment = os.environ | {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "4000"}
    done = subprocess.run(
        [programs.PYTHON, SCRIPT], input=json.dumps(request), capture_output=True, text=True, env=environment)
    if done.returncode:
        raise programs.Failure(f"{SCRIPT} failed: set PYTHON to a Python with PyTorch\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(record, options):
    keys = []
    with merging.opened("vision") as zoo:
        steps = options.steps or merging.STEPS["vision"]["supermerge"]
        for rate in options.rates:
            keys.append(f"fine-tuning, {rate:g}")
            record.run(keys[-1], {"steps": steps}, lambda: train(zoo, steps, rate) | {
                "way": "fine-tuning", "passes": steps * len(zoo.tasks), "steps": steps})
        default = ["--steps", str(steps)] if options.steps else []
        forms = {"the paper's form": zoo.paper(options.steps), "the default form": default}
        for form in options.forms:
            keys.append(f"SuperMerge, {form}")
            # The default form asks each task's own checkpoint about 8 mixtures for every fitted example.
            taught = 8 * 192 * len(zoo.tasks) if form == "the default form" else 0
            record.run(keys[-1], {"flags": forms[form]}, lambda: merging.measured(zoo, forms[form]) | {
                "way": keys[-1], "tasks": len(zoo.tasks), "taught": taught})
    record.keep(keys)


def is_ready(runs):
    """Whether there is something to compare yet."""
    return len({run["way"] == "fine-tuning" for run in runs.values()}) == 2


def rivals(runs):
    """The fine-tune whose learning rate was best on the held-out examples, and the merges."""
    tuned = min((run for run in runs.values() if run["way"] == "fine-tuning"), key=lambda run: run["held_out"])
    return tuned, [run for run in runs.values() if run["way"] != "fine-tuning"]


def operations(run, tuned):
    """FLOPs of a whole fit: passes, the looks at the held-out examples, and what each method does to the weights in a step.

    A pass has the same graph in both. A merge adds, for each step, task and shared parameter, a multiplication and an addition
    to make θm and the same for the dot product with τ; AdamW about twelve operations for each trained parameter.
    """
    looks = (run["steps"] // LOOK + 1) * HOLDOUT * 256 * len(run["scores"])
    forward = tuned["forward_flops"] / BATCH * looks
    if run is tuned:
        return run["passes"] * tuned["pass_flops"] + forward + 12 * run["steps"] * run["trained"]
    forward += tuned["forward_flops"] / BATCH * run["taught"]
    return run["passes"] * tuned["pass_flops"] + forward + 4 * run["passes"] * tuned["shared"]


def lines(runs):
    tuned, merges = rivals(runs)
    rows = []
    for name, run in [(f"fine-tuning, learning rate {tuned['rate']:g}", tuned), *((run["way"], run) for run in merges)]:
        rows.append([
            merging.marked(name, [run]), *markdown.each(run["scores"]), f"**{merging.average(run):.1f}**", str(run["passes"]),
            f"{operations(run, tuned) / 1e12:.2f}", f"{run['seconds']:.0f} s", f"{run['processor_seconds']:.0f} s",
            f"{run.get('weights', run.get('trained')):,}"])
    head = ["way", *tuned["scores"], "average", "passes", "TFLOP", "time", "processor time", "trained numbers"]
    tried = ", ".join(
        f"{run['rate']:g}: {merging.average(run):.1f}" for run in runs.values() if run["way"] == "fine-tuning")
    return [
        "The base, with the tasks' heads, fine-tuned by PyTorch on all four tasks together: the same validation examples (a",
        "quarter held out, which chose the learning rate and the step) and the passes of the paper's form. Average by rate:",
        f"{tried}. FLOPs are PyTorch's own count of a pass (matrix products and convolutions) times the passes, the looks at",
        "the held-out examples (and at the mixtures that the default form asks the checkpoints about), and the arithmetic on the",
        "weights. What the checkpoints' own training took isn't known: the zoo doesn't say.", "",
        *markdown.table(head, rows), *merging.unfinished([tuned, *merges]),
    ]


def pictures(runs):
    tuned, merges = rivals(runs)
    groups = {task: {"fine-tuning": tuned["scores"][task]} | {run["way"]: run["scores"][task] for run in merges}
              for task in tuned["scores"]}
    return {"fine-tuning": charts.bars("The same examples: fine-tuned or merged", groups, "percent right")}


def claims(runs):
    tuned, merges = rivals(runs)
    return [
        markdown.Claim(
            f"on the same examples merging is better than fine-tuning on all tasks: {run['way']}",
            merging.average(run) > merging.average(tuned),
            f"{merging.average(run):.1f} against {merging.average(tuned):.1f}, "
            f"{operations(run, tuned) / 1e12:.2f} against {operations(tuned, tuned) / 1e12:.2f} TFLOP, {budget(run, tuned)}",
            [[run, tuned]])
        for run in merges] + [
        markdown.Claim(
            "merging takes about 1,000 times fewer FLOPs than fine-tuning on all tasks (paper)", None,
            f"a pass costs nearly the same ({operations(merges[0], tuned) / operations(tuned, tuned):.2f} times the FLOPs for as "
            "many passes), so that it depends on the passes, and what the checkpoints' own training took isn't known",
            [[merges[0], tuned]])]


def budget(run, tuned):
    """The passes of both."""
    if run["passes"] == tuned["passes"]:
        return f"{run['passes']} passes each"
    times = run["passes"] / tuned["passes"]
    return f"not at equal passes: {run['passes']} against fine-tuning's {tuned['passes']}, {times:.1f} times as many"
