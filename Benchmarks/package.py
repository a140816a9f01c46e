"""Sizes of the Debian package that Packaging/build made."""

import glob
import os
import subprocess
import tempfile


def measure(folder):
    """Bytes of the newest package in `folder` and of what it installs, by its first folders."""
    package = max(glob.glob(f"{folder}/supermerged_*.deb"), key=os.path.getmtime, default=None)
    if package is None:
        raise SystemExit(f"{folder} has no package; make deb first")
    fields = subprocess.run(
        ["dpkg-deb", "-f", package, "Version", "Installed-Size"], capture_output=True, text=True, check=True
    )
    fields = dict(line.split(": ", 1) for line in fields.stdout.splitlines())
    parts = {}
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
        for directory, _, names in os.walk(root):
            part = "/".join(os.path.relpath(directory, root).split("/")[:2])
            for name in names:
                path = f"{directory}/{name}"
                if not os.path.islink(path):
                    parts[part] = parts.get(part, 0) + os.path.getsize(path)
    return {
        "version": fields["Version"],
        "package": os.path.getsize(package),
        "installed": int(fields["Installed-Size"]) * 1024,
        "parts": dict(sorted(parts.items())),
    }
