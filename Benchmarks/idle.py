"""Memory and wake-ups of a daemon that has nothing to do."""

import os
import subprocess
import tempfile
import time

from service import Daemon, configure


def measure(daemon, control, base, tasks, seconds):
    """A daemon whose release stands already (static merge of the given tasks), watched for `seconds`."""
    with tempfile.TemporaryDirectory() as directory:
        os.makedirs(f"{directory}/registry/tasks")
        subprocess.run(["cp", "-rL", base, f"{directory}/registry/base"], check=True)
        for task in tasks:
            subprocess.run(["cp", "-rL", task, f"{directory}/registry/tasks/"], check=True)
        configure(directory)
        with Daemon(daemon, control, directory) as first:
            first.rescan()
        with Daemon(daemon, control, directory) as idle:
            idle.rescan()
            time.sleep(2)
            woken = idle.wake_ups(seconds)
            return {
                "resident": idle.memory("VmRSS"), "peak": idle.memory("VmHWM"), "seconds": seconds, "wake_ups": woken,
            }
