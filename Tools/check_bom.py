#!/usr/bin/env python3
"""Validates bills of materials with CycloneDX's own validator: `check_bom.py FILE…`; needs cyclonedx-python-lib[json-validation].

Prints nothing and ends with 0 where every file is valid for the version that it names, else with 1 and the faults.
"""
import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main():
    faults = 0
    for name in sys.argv[1:]:
        text = pathlib.Path(name).read_text(encoding="utf-8")
        version = SchemaVersion[f"V{json.loads(text)['specVersion'].replace('.', '_')}"]
        fault = JsonStrictValidator(version).validate_str(text)
        if fault:
            print(f"{name}: {fault}", file=sys.stderr)
            faults += 1
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
