"""A real daemon over a registry of its own, for experiments in which tasks arrive."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from . import programs

REFUSED = 3


class Daemon:
    def __init__(self, folder):
        self.folder = folder

    def control(self, *arguments, accepted=(0,)):
        command = [programs.neighbour("supermergectl"), "--socket", f"{self.folder}/socket", *arguments]
        return programs.call(command, accepted)[0]

    def drop(self, tasks):
        """Puts tasks (folders by name) into the registry at once and waits for the decision: its ledger lines, oldest first."""
        seen = len(self.ledger())
        places = {f"{self.folder}/registry/tasks/.{name}.tmp": f"{self.folder}/registry/tasks/{name}" for name in tasks}
        for place, task in zip(places, tasks.values()):
            shutil.copytree(task, place, symlinks=False)
        for place, final in places.items():
            os.rename(place, final)
        self.control("rescan", "--wait", accepted=(0, REFUSED))
        return self.ledger()[seen:]

    def ledger(self):
        with open(f"{self.folder}/state/ledger.jsonl") as file:
            return [json.loads(line) for line in file]

    @property
    def release(self):
        """Folder and release.json of what is deployed; None and None before the first release."""
        current = f"{self.folder}/deploy/current"
        if not os.path.exists(current):
            return None, None
        with open(f"{current}/release.json") as file:
            return os.path.realpath(current), json.load(file)


@contextlib.contextmanager
def running(base, merge, gate=None, former=None, tasks=None):
    """A daemon on a registry that holds the base alone; `merge` and `gate` are sections of its configuration. `former`: the
    folder of an earlier daemon, with which this one goes on, and `tasks` (folders by name) came meanwhile."""
    folder = tempfile.mkdtemp()
    try:
        if former:
            shutil.copytree(former, folder, symlinks=True, dirs_exist_ok=True)
        else:
            os.makedirs(f"{folder}/registry/tasks")
            os.makedirs(f"{folder}/state")
            shutil.copytree(base, f"{folder}/registry/base", symlinks=False)
        for name, task in (tasks or {}).items():
            shutil.copytree(task, f"{folder}/registry/tasks/{name}", symlinks=False)
        sections = {
            "merge": merge | {"threads": programs.THREADS}, "gate": gate or {}, "retain": {"versions": 100},
        }
        with open(f"{folder}/configuration.yaml", "w") as file:
            file.write(
                f"registry: {folder}/registry\ndeploy: {folder}/deploy\nstate: {folder}/state\n"
                f"socket: {folder}/socket\nsettle: 0s\nworker: {programs.SUPERMERGE}\n")
            for name, values in sections.items():
                if values:
                    file.write(f"{name}: {{{', '.join(f'{key}: {value}' for key, value in values.items())}}}\n")
        with open(f"{folder}/log", "w") as log:
            process = subprocess.Popen(
                [programs.neighbour("supermerged"), "--config", f"{folder}/configuration.yaml"], stderr=log)
        try:
            deadline = time.monotonic() + 120
            while not os.path.exists(f"{folder}/socket"):
                if process.poll() is not None or time.monotonic() > deadline:
                    with open(f"{folder}/log") as log:
                        raise programs.Failure(f"the daemon did not come up\n{log.read()[-2000:]}")
                time.sleep(0.1)
            yield Daemon(folder)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    finally:
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)
