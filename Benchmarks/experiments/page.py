"""docs/results/README.md and its pictures, from the JSON files alone."""

from . import EXPERIMENTS, record

HEAD = """# Results

Written by `Benchmarks/results page` from the JSON files in this folder; no number is typed by hand. Percent right on test sets
that nothing was fitted or chosen on; everything fitted or searched saw the tasks' validation sets alone, of which a quarter was
held out for choosing the step. Medians over seeds, lowest and highest in parentheses.
"""


def write(folder):
    sections, claims = [], []
    for name, experiment in EXPERIMENTS.items():
        measured = {}
        for file in getattr(experiment, "FILES", [name]):
            data = record.read(folder, file)
            if not data or not data["runs"]:
                continue
            runs = measured[file] = record.figures(data)
            sections += [f"## {getattr(experiment, 'title', lambda _: experiment.TITLE)(file)}", "", *experiment.lines(runs)]
            for picture, content in experiment.pictures(runs).items():
                with open(f"{folder}/{picture}.svg", "w") as out:
                    out.write(content)
                sections += [f"![{experiment.TITLE}]({picture}.svg)", ""]
            sections += [stamp(data), ""]
            claims += experiment.claims(runs)
        claims += experiment.overall(measured) if hasattr(experiment, "overall") else []
    lines = [HEAD, "## What is claimed, and what was found here", ""]
    lines += ["| claim | here | figures |", "| --- | --- | --- |"]
    lines += [f"| {claim.text} | {claim.verdict} | {claim.figure} |" for claim in claims]
    with open(f"{folder}/README.md", "w") as out:
        out.write("\n".join([*lines, "", *sections]).rstrip("\n") + "\n")


def stamp(data):
    programs = sorted({run["inputs"]["program"] for run in data["runs"].values()})
    return f"`{data['command']}`; {data['date']}; {data['machine']}; {data['versions']}; program {', '.join(programs)}."
