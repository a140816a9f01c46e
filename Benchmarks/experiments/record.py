"""One result's file: docs/results/<name>.json. What is there already is not measured again."""

import datetime
import json
import os
import sys

from . import programs


class Record:
    """Runs by key, saved after each, so that an interrupted experiment goes on where it stopped."""

    def __init__(self, folder, name, command, any_program=False):
        self.path = f"{folder}/{name}.json"
        self.data = read(folder, name) or {"runs": {}}
        self.command = command
        self.program = programs.digest()
        self.any_program = any_program

    def run(self, key, inputs, function):
        """The figures under `key`; `function()` measures them unless they are there for the same inputs and
        program (or any program, where that is asked for)."""
        inputs = inputs | {"program": self.program}
        known = self.data["runs"].get(key)
        if known and (known["inputs"] | {"program": self.program} if self.any_program else known["inputs"]) == inputs:
            return known["figures"]
        figures = function()
        self.data["runs"][key] = {"inputs": inputs, "figures": figures, "made": self.made()}
        self.save()
        print(f"{os.path.basename(self.path)}: {key}", file=sys.stderr)
        return figures

    def keep(self, keys, others=False):
        """Puts the runs into this order and forgets those that the experiment no longer has, or leaves the others behind them."""
        rest = [key for key in self.data["runs"] if key not in keys] if others else []
        self.data["runs"] = {key: self.data["runs"][key] for key in [*keys, *rest]}
        self.save()

    def made(self):
        """Who measured: what is run again later does not speak for what stays."""
        return {"command": self.command, "date": datetime.date.today().isoformat(), "machine": programs.machine(),
                "commit": programs.commit()}

    def save(self):
        self.data["versions"] = versions(self.data["runs"]) or self.data.get("versions", "")
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(f"{self.path}.tmp", "w") as file:
            json.dump(self.data, file, indent=1)
            file.write("\n")
        os.replace(f"{self.path}.tmp", self.path)


def read(folder, name):
    """The content of a result's file; None where it has not been measured."""
    try:
        with open(f"{folder}/{name}.json") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def versions(runs):
    """What computed, as the programs themselves say."""
    found = {run["figures"]["versions"] for run in runs.values() if "versions" in run["figures"]}
    return "; ".join(sorted(found))


def figures(data):
    """Key → figures, and their source: what measured them (the trials: trials.py alone) and where."""
    return {
        key: run["figures"] | {"source": (run["inputs"].get("code", run["inputs"]["program"]), run["made"]["machine"])}
        for key, run in data["runs"].items()}
