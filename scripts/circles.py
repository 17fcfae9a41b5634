#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Usage: circles.py DIRECTORY...    print each circle of calls between the files of a directory

A file depends on another one if it names a non-static function that the other one defines;
the files of core/ count as the module's. Tables of operations are not calls: the VFS calls
through them.
"""
import pathlib
import re
import sys

NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\b(?:struct|enum) \w+', re.S)
DEFINITION = re.compile(r"^(?!static)[a-z][\w *]*?[\s*](\w+)\([^;{}]*?\)\n\{", re.M)


def calls(directory):
    """The files of a directory, each with the files whose functions it names."""
    texts = {path: NOISE.sub("", path.read_text())
             for path in sorted(pathlib.Path(directory).rglob("*.c"))}
    homes = {name: path for path, text in texts.items() for name in DEFINITION.findall(text)}
    return {path: {homes[name] for name in set(re.findall(r"\w+", text)) & homes.keys()} - {path}
            for path, text in texts.items()}


def reached(graph, start):
    """All files that a file depends on, directly or indirectly."""
    seen, left = set(), [start]
    while left:
        for path in graph[left.pop()] - seen:
            seen.add(path)
            left.append(path)
    return seen


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    found = False
    for directory in sys.argv[1:]:
        graph = calls(directory)
        closure = {path: reached(graph, path) for path in graph}
        for path, others in graph.items():
            for other in sorted(others):
                if path in closure[other]:
                    print(f"{path} calls {other}, which depends on it")
                    found = True
        if not graph:
            print(f"{directory}: no files")
            found = True
    return found


if __name__ == "__main__":
    sys.exit(main())
