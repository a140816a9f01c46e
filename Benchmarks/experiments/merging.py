"""Merges by the program, scored on test sets that nothing was fitted or chosen on."""

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import statistics
import tempfile

import zoo

from . import programs

# A fit without calibration and with an even rate.
PLAIN = ["--start", "task-vectors", "--schedule", "constant"]
PAPER = ["--granularity", "tensor", "--loss", "labels", "--patience", "1000", *PLAIN]
UNFINISHED = " †"
# Steps that the zoo's reference figures were made with.
STEPS = {
    "vision": {"supermerge": 300, "adamerging": 500}, "text": {"supermerge": 150, "adamerging": 150},
    "t5": {"supermerge": 300, "adamerging": 500},
}


@dataclasses.dataclass
class Zoo:
    """A base, its tasks' folders by name, and the folder of the test sets."""

    kind: str
    base: str
    tasks: dict
    test: str

    def only(self, names):
        return dataclasses.replace(self, tasks={name: self.tasks[name] for name in names})

    def paper(self, steps=None):
        """Flags of the paper's form."""
        return ["--steps", str(steps or STEPS[self.kind]["supermerge"]), *PAPER]

    def adamerging(self, steps=None):
        return ["--method", "adamerging", "--patience", "1000", "--steps", str(steps or STEPS[self.kind]["adamerging"])]


@contextlib.contextmanager
def opened(kind):
    with zoo.zoo(kind) as (base, names, full):
        test = f"{os.path.dirname(base)}/test" if kind == "t5" else f"{zoo.SHARED}/{kind}/test"
        yield Zoo(kind, base, {name: f"{full}/{name}" for name in names}, test)


def score(set, model, name, data=None):
    """Percent right on a task's test set."""
    out, _ = programs.call([
        programs.SUPERMERGE, "evaluate", "--model", model, "--task", set.tasks[name], "--base", set.base, "--json",
        "--threads", "1", "--data", data or f"{set.test}/{name}.safetensors"])
    return 100 * json.loads(out)["value"]


def scores(set, model, names=None):
    """Percent right on each task's test set, two at a time on one thread each."""
    names = list(names or set.tasks)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(lambda name: score(set, model, name), names)))


def summary(release):
    """The figures of a release.json that say what a merge cost."""
    result = release["result"]
    fits = [(n["steps"], len(n["tasks"])) for n in result["tree"] if not n["is_reused"]] if result["tree"] else [
        (result["steps"], len(result["tasks"]))]
    keys = ("seconds", "peak_memory", "weights", "steps", "best_step", "notes")
    # Of a start that is chosen by trying both, the steps of the other one, too.
    counted = sum(phase["backward"] for phase in result.get("passes", {}).values())
    named = ", ".join(f"{name} {result['versions'][name]}" for name in ("libtorch", "blas", "threads"))
    return {key: result[key] for key in keys} | {"passes": counted or sum(s * k for s, k in fits), "versions": named}


@contextlib.contextmanager
def merged(set, flags, seed=0, tree=None):
    """The folder of a merge of all tasks of a set, its release.json, and its summary."""
    with tempfile.TemporaryDirectory() as directory:
        tasks = [part for folder in set.tasks.values() for part in ("--task", folder)]
        command = [
            programs.SUPERMERGE, "merge", "--base", set.base, *tasks, "--output", f"{directory}/merged", *flags,
            "--seed", str(seed), "--threads", programs.THREADS, *(["--tree", tree] if tree else [])]
        _, seconds = programs.call(command)
        with open(f"{directory}/merged/release.json") as file:
            release = json.load(file)
        yield f"{directory}/merged", release, summary(release) | {"processor_seconds": seconds}


def measured(set, flags, seed=0, tree=None):
    """Summary of a merge with its test scores."""
    with merged(set, flags, seed, tree) as (folder, _, figures):
        return figures | {"scores": scores(set, folder)}


def is_unfinished(run):
    """Whether a fit was best at its last step. A fit that says no steps of its own took those of its flags."""
    flags = run.get("flags", [])
    last = run.get("steps") or "--steps" in flags and int(flags[flags.index("--steps") + 1])
    return bool(last) and run.get("best_step") == last


def marked(name, group):
    """The name of a row, with the mark of `unfinished` where one of its runs is."""
    return name + UNFINISHED * any(map(is_unfinished, group))


def unfinished(runs):
    """The footnote for such rows, where there are any."""
    if not any(map(is_unfinished, runs)):
        return []
    return [
        f"{UNFINISHED.strip()} Best at its last step, where there are several seeds with one of them at least: it was still improving "
        "when it ended.", ""]


def average(figures):
    return statistics.mean(figures["scores"].values())
