"""docs/results/README.md and its pictures, from the JSON files (and from the program's source where it has the number)."""

from . import EXPERIMENTS, markdown, overview, record

PROVENANCE = """## How the figures were made

Written by `Benchmarks/results page` from the JSON files in this folder; no number is typed by hand. Percent right on test sets
on which no weight, scale or step was fitted or chosen: what is fitted or searched sees the tasks' validation sets alone, of which
a quarter is held out for choosing the step. The program's defaults were settled on these tasks, so that tasks which are not here
are the fairer test. Medians over seeds where there are several, lowest and highest in parentheses. A causal language model,
SmolLM2-135M, has [a page of its own](causal.md).
"""


def made(folder):
    """File name → content of the page and its pictures."""
    files, sections, claims = {}, [], []
    known = {file: record.read(folder, file) for name, experiment in EXPERIMENTS.items()
             for file in getattr(experiment, "FILES", [name])}
    everything = {file: record.figures(data) for file, data in known.items() if data}
    for name, experiment in EXPERIMENTS.items():
        measured = {}
        for file in getattr(experiment, "FILES", [name]):
            data, runs = known[file], everything.get(file, {})
            if not runs or hasattr(experiment, "is_ready") and not experiment.is_ready(runs):
                continue
            measured[file] = runs
            title = experiment.title(file) if hasattr(experiment, "title") else experiment.TITLE
            sections += [f"## {title}", "", *experiment.lines(runs)]
            if hasattr(experiment, "beside"):
                sections += experiment.beside(runs, everything)
            for picture, content in experiment.pictures(runs).items():
                files[f"{picture}.svg"] = content
                sections += [f"![{title}]({picture}.svg)", ""]
            sections += stamp(data)
            claims += experiment.claims(runs)
        claims += experiment.overall(measured) if hasattr(experiment, "overall") else []
    rows = [[claim.text, " ".join([claim.verdict, *claim.marks]), claim.figure] for claim in claims]
    opening = overview.lines(everything)
    if opening:
        files["overview.svg"] = overview.picture(everything)
    lines = ["# Results", "", *opening, PROVENANCE]
    lines += ["## Claims", "", *markdown.table(["claim", "here", "figures"], rows)]
    marks = {mark for claim in claims for mark in claim.marks}
    notes = [f"{mark} compares {text}." for mark, text in markdown.MIXED.items() if mark in marks]
    lines += [" ".join([*notes, "Which, stands beneath each section."]), ""] if notes else []
    files["README.md"] = "\n".join([*lines, *sections]).rstrip("\n") + "\n"
    return files


def write(folder):
    for name, content in made(folder).items():
        with open(f"{folder}/{name}", "w") as file:
            file.write(content)


def stale(folder):
    """The files that are not what the JSON says."""
    found = []
    for name, content in made(folder).items():
        try:
            with open(f"{folder}/{name}") as file:
                if file.read() != content:
                    found.append(name)
        except FileNotFoundError:
            found.append(name)
    return found


def stamp(data):
    """Where each run comes from: what was measured again is of another program than what stayed."""
    groups = {}
    for key, run in data["runs"].items():
        made = run["made"]
        source = (made["command"], made["date"], made["machine"], run["inputs"]["program"], made["commit"])
        groups.setdefault(source, []).append(key)
    rows = [[str(len(keys)), "; ".join(keys), f"`{command}`", date, machine, f"{program}, {commit}"]
            for (command, date, machine, program, commit), keys in groups.items()]
    total = len(data["runs"])
    count = f"{total} run{'s' * (total > 1)}, {', '.join(sorted({row[3] for row in rows}))}"
    return [
        f"<details><summary>Where the figures come from: {count}</summary>", "",
        *markdown.table(["runs", "which", "command", "date", "machine", "program (SHA-256), commit"], rows),
        f"{data['versions']}.", "", "</details>", ""]
