#!/usr/bin/env python3
"""Validates bills of materials by the JSON schema that CycloneDX publishes: `check_bom.py FILE…`.

The schema and its validator come with cyclonedx-python-lib[json-validation]. Prints nothing and ends with 0 where every file
is valid for the version that it names and names that version's schema, else with 1 and the faults.
"""
import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.schema._res import BOM_JSON_STRICT
from cyclonedx.validation.json import JsonStrictValidator


def fault(text):
    """Why a bill is not valid; None where it is."""
    bill = json.loads(text)
    version = SchemaVersion[f"V{bill['specVersion'].replace('.', '_')}"]
    schema = json.loads(pathlib.Path(BOM_JSON_STRICT[version]).read_text(encoding="utf-8"))["$id"]
    if bill.get("$schema") != schema:
        return f"$schema is {bill.get('$schema')}: expected {schema}"
    return JsonStrictValidator(version).validate_str(text)


def main():
    faults = 0
    for name in sys.argv[1:]:
        found = fault(pathlib.Path(name).read_text(encoding="utf-8"))
        if found:
            print(f"{name}: {found}", file=sys.stderr)
            faults += 1
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
