#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Usage: loglines.py    print what differs between the modules and operations.rst

Documentation/operations.rst explains each line that the modules log, with an example.
Lines without an example and examples that match no line are printed.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = TOP / "Documentation/operations.rst"
CALL = re.compile(r'\b(pr|erofs_od)_(?:err|warn|info|notice)(?:_ratelimited|_limited|_once)?\([^"]*?((?:\s*"(?:[^"\\]|\\.)*")+)')
# The mount, which lines of erofs_od_err() and the like begin with.
MOUNT = "%*pE: "
SPEC = re.compile(r"%[-+#0-9.*]*(?:[hlz]*[diuxX]|pE|s|c)")


def lines_of(path):
    """The format strings that a file logs; those of a mount are prefixed by its fsid."""
    for kind, text in CALL.findall(path.read_text()):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
        text = text.removesuffix("\\n").replace('\\"', '"')
        if text != MOUNT:
            yield MOUNT + text if kind == "erofs_od" else text


def pattern(text):
    """Examples of the plain text that a format string can produce."""
    parts = [re.escape(part).replace("%%", "%") for part in SPEC.split(text)]
    return re.compile(".*?".join(parts))


def main():
    paths = sorted(TOP.glob("cachefiles_od/*.[ch]")) + sorted(TOP.glob("erofs_od/*.[ch]"))
    lines = {(path.name, text) for path in paths for text in lines_of(path)}
    log = DOCUMENT.read_text().split("Kernel log: cachefiles_od", 1)[1]
    rows = re.findall(r"^   \* - (.*?)^     - ", log, re.M | re.S)
    examples = [" ".join(text.split()) for row in rows for text in re.findall(r"``(.*?)``", row, re.S)]
    wrong = [f"{name}: {text}" for name, text in sorted(lines)
             if not any(pattern(text).fullmatch(example) for example in examples)]
    wrong += [f"{DOCUMENT.name}: {example}" for example in examples
              if not any(pattern(text).fullmatch(example) for _, text in lines)]
    print("\n".join(wrong))
    return bool(wrong) or not lines


if __name__ == "__main__":
    sys.exit(main())
