"""Memory and wake-ups of a daemon that has nothing to do."""

import os
import signal
import subprocess
import tempfile
import time


def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.split(":", 1) for line in file.read().splitlines())


def switches(pid):
    """Voluntary context switches of each thread: every one is a wake-up."""
    counts = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as file:
            for line in file:
                if line.startswith("voluntary_ctxt_switches"):
                    counts[thread] = int(line.split()[1])
    return counts


def measure(daemon, control, base, tasks, seconds):
    """A daemon whose release stands already (static merge of the given tasks), watched for `seconds`."""
    with tempfile.TemporaryDirectory() as directory:
        os.makedirs(f"{directory}/registry/tasks")
        os.makedirs(f"{directory}/state")
        subprocess.run(["cp", "-rL", base, f"{directory}/registry/base"], check=True)
        for task in tasks:
            subprocess.run(["cp", "-rL", task, f"{directory}/registry/tasks/"], check=True)
        with open(f"{directory}/config.yaml", "w") as file:
            file.write(
                f"registry: {directory}/registry\ndeploy: {directory}/deploy\nstate: {directory}/state\n"
                f"socket: {directory}/socket\nsettle: 0s\nmerge: {{method: average}}\n"
            )
        for _ in range(2):
            process = subprocess.Popen([daemon, "--config", f"{directory}/config.yaml"], stderr=subprocess.DEVNULL)
            try:
                deadline = time.monotonic() + 120
                while not os.path.exists(f"{directory}/socket"):
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit("the daemon did not come up")
                    time.sleep(0.05)
                subprocess.run(
                    [control, "--socket", f"{directory}/socket", "rescan", "--wait"], check=True,
                    stdout=subprocess.DEVNULL,
                )
                time.sleep(2)
                before = switches(process.pid)
                time.sleep(seconds)
                # A thread that has come since counts from nothing, also under the number of one that has gone.
                after = switches(process.pid)
                woken = sum(n - before[t] if n >= before.get(t, n + 1) else n for t, n in after.items())
                figures = status(process.pid)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait()
        return {
            "resident": int(figures["VmRSS"].split()[0]) * 1024, "peak": int(figures["VmHWM"].split()[0]) * 1024,
            "seconds": seconds, "wake_ups": woken,
        }
