"""docs/results/README.md and its pictures, from the JSON files alone."""

from . import EXPERIMENTS, markdown, record

HEAD = """# Results

Written by `Benchmarks/results page` from the JSON files in this folder; no number is typed by hand. Percent right on test sets
that nothing was fitted or chosen on; everything fitted or searched saw the tasks' validation sets alone, of which a quarter was
held out for choosing the step. Medians over seeds, lowest and highest in parentheses. A causal language model, SmolLM2-135M, has
[a page of its own](causal.md).
"""


def made(folder):
    """File name → content of the page and its pictures."""
    files, sections, claims = {}, [], []
    for name, experiment in EXPERIMENTS.items():
        measured = {}
        for file in getattr(experiment, "FILES", [name]):
            data = record.read(folder, file)
            runs = record.figures(data) if data else {}
            if not runs or hasattr(experiment, "is_ready") and not experiment.is_ready(runs):
                continue
            measured[file] = runs
            title = experiment.title(file) if hasattr(experiment, "title") else experiment.TITLE
            sections += [f"## {title}", "", *experiment.lines(runs)]
            for picture, content in experiment.pictures(runs).items():
                files[f"{picture}.svg"] = content
                sections += [f"![{title}]({picture}.svg)", ""]
            sections += [stamp(data), ""]
            claims += experiment.claims(runs)
        claims += experiment.overall(measured) if hasattr(experiment, "overall") else []
    rows = [[claim.text, claim.verdict, claim.figure] for claim in claims]
    lines = [HEAD, "## What is claimed, and what was found here", "", *markdown.table(["claim", "here", "figures"], rows)]
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
    programs = sorted({run["inputs"]["program"] for run in data["runs"].values()})
    return f"`{data['command']}`; {data['date']}; {data['machine']}; {data['versions']}; program {', '.join(programs)}."
