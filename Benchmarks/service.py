"""A daemon that averages what lies in a registry, and what the kernel says of its process."""

import os
import signal
import subprocess
import time


def configure(directory, registry=None):
    """Writes a configuration into a folder that gets `deploy`, `state` and, where none is given, has `registry`."""
    os.makedirs(f"{directory}/state", exist_ok=True)
    with open(f"{directory}/config.yaml", "w") as file:
        file.write(
            f"registry: {registry or f'{directory}/registry'}\ndeploy: {directory}/deploy\nstate: {directory}/state\n"
            f"socket: {directory}/socket\nsettle: 0s\nmerge: {{method: average}}\n")


class Daemon:
    """Runs for as long as the block that it is opened for."""

    def __init__(self, program, control, directory):
        self.program, self.control, self.directory = program, control, directory

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.program, "--config", f"{self.directory}/config.yaml"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 120
            while not os.path.exists(f"{self.directory}/socket"):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the daemon did not come up")
                time.sleep(0.01)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def rescan(self):
        subprocess.run(
            [self.control, "--socket", f"{self.directory}/socket", "rescan", "--wait"], check=True,
            stdout=subprocess.DEVNULL)

    def status(self):
        """/proc's lines about the process."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return dict(line.split(":", 1) for line in file.read().splitlines())

    def memory(self, name):
        """Bytes: VmRSS is what is resident, VmHWM the most that was."""
        return int(self.status()[name].split()[0]) * 1024

    def switches(self):
        """Voluntary context switches of each thread: every one is a wake-up."""
        counts = {}
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{thread}/status") as file:
                for line in file:
                    if line.startswith("voluntary_ctxt_switches"):
                        counts[thread] = int(line.split()[1])
        return counts

    def wake_ups(self, seconds):
        """How often its threads wake in that time. One that has come since counts from nothing, also under the number of one
        that has gone."""
        before = self.switches()
        time.sleep(seconds)
        return sum(n - before[t] if n >= before.get(t, n + 1) else n for t, n in self.switches().items())

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
