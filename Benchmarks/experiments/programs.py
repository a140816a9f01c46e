"""The programs that are measured, and the machine they run on.

SUPERMERGE names the program to measure (default: the release build); its neighbours are the daemon and its client.
THREADS is passed on to it (default: all cores). Accuracy does not depend on it, but on a machine that others use one is faster.
"""

import hashlib
import os
import resource
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUPERMERGE = os.path.abspath(os.environ.get("SUPERMERGE", f"{ROOT}/.build/release/supermerge"))
THREADS = os.environ.get("THREADS", "0")
PYTHON = os.environ.get("PYTHON", sys.executable)


class Failure(Exception):
    """A program ended with a status that was not expected."""


def neighbour(name):
    return os.path.join(os.path.dirname(SUPERMERGE), name)


def call(command, accepted=(0,), **options):
    """Standard output of a command, and the seconds of processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in accepted:
        raise Failure(f"{' '.join(command)}\nended with {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def digest():
    """First characters of the program's SHA-256: figures of another build are measured again."""
    with open(SUPERMERGE, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def commit():
    """The commit that the working tree is at, with a + where it has changes to what is built or to what measures."""
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--", "Sources", "Benchmarks")
    return git("rev-parse", "--short", "HEAD") + "+" * bool(changed)


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    return f"{model}, {os.cpu_count()} cores"
