#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Usage: check-workflows.py
#
# Prints files in .github/workflows that are not valid YAML or not a workflow, or that
# run anything other than commands of tests/bin/ci.sh.
import pathlib
import re
import sys

import yaml

top = pathlib.Path(__file__).resolve().parent.parent
usage = re.search(r"^# Usage: ci\.sh \[(.*)\]$", (top / "tests/bin/ci.sh").read_text(), re.M)
commands = {words.split()[0] for words in usage.group(1).split("|")}
call = re.compile(r"tests/bin/ci\.sh (\w+)( \$\{\{ matrix\.(\w+) \}\})?")


def complaints(workflow):
    if not {"name", True, "jobs"} <= set(workflow):
        yield "name, on or jobs is missing"
    for name, job in workflow.get("jobs", {}).items():
        if not isinstance(job.get("runs-on"), str) or not job.get("steps"):
            yield f"job {name} has no runner or no steps"
        needs = job.get("needs", [])
        for other in [needs] if isinstance(needs, str) else needs:
            if other not in workflow["jobs"]:
                yield f"job {name} needs {other}, which is none"
        rows = job.get("strategy", {}).get("matrix", {})
        for step in job.get("steps", []):
            if ("run" in step) == ("uses" in step):
                yield f"job {name}: a step either runs or uses something"
            if "uses" in step and not re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]):
                yield f"job {name} uses {step['uses']}"
            if "run" not in step:
                continue
            command = step["run"]
            output = re.fullmatch(r'echo "\w+=\$\((.*)\)" >>"\$GITHUB_OUTPUT"', command)
            found = call.fullmatch(output.group(1) if output else command)
            if not found or found.group(1) not in commands:
                yield f"job {name} runs what ci.sh does not have: {command}"
            elif found.group(3) and found.group(3) not in rows:
                yield f"job {name}: its matrix has no {found.group(3)}"


for path in sorted((top / ".github/workflows").glob("*.yml")):
    try:
        for complaint in complaints(yaml.safe_load(path.read_text())):
            print(f"{path.relative_to(top)}: {complaint}")
    except yaml.YAMLError as error:
        print(f"{path.relative_to(top)}: {error}")
