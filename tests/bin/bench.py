#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tables, JSON and plots of the measurements of tests/vm/cases/bench.sh and scale.sh.

Called by bench.sh. Reads lines of the guests: "# measured CASE TARGET ROUND BUSY WALL [FIGURE...]",
in nanoseconds; FIGURE is the number of READs of a cold case, for first-byte and mounts after the
total. "# scaled WHAT NUMBER MICROSECONDS": what one more costs, with NUMBER of them.
"""
import argparse
import json
import os
import statistics
import sys

BASE = "ext4"
OURS = ("od-a", "od-b")
FORMER = ("former-a", "former-b")
WARM = {
    "sequential": "sequential, 48 MiB by 1 MiB",
    "random-4k": "random, 2,000 of 4 KiB",
    "random-64k": "random, 500 of 64 KiB",
    "readers-8": "8 readers, random, 512 of 64 KiB",
    "readers-64": "64 readers, random, 512 of 64 KiB",
    "walk": "walk, metadata dropped",
    "hot-walk": "walk, hot",
    "small-files": "small files, all dropped",
}
COLD = {
    "cold-sequential": "sequential, 48 MiB by 1 MiB",
    "cold-small-files": "small files",
}
MOUNTS = {
    "mount-new": "mount, empty cache",
    "mount-known": "mount, cached",
}
SCALED = {
    "new": "Mounts of images over the same 20 blobs, empty cache: processor time of each",
    "known": "The same, cached",
    "blobs": "Mounts of images with 21 blobs that no other one uses: processor time for each blob",
}
FIRST = "first-byte"
ZIPPED = {
    "zip-sequential": "sequential, 48 MiB by 1 MiB",
    "zip-random-4k": "random, 500 of 4 KiB",
    "zip-small-files": "small files",
}
ZIPPED_BASE = "erofs-file"
# Limit for the cost of reading compressed data, relative to stock erofs on a file.
ZIPPED_LIMIT = 1.10
COLD_ZIPPED = ("od-plain", "od-lz4", "od-zstd")
# Variation between boots, in percent. Cold cases wait for the host's disk, and background work
# during that time varies.
NOISE = {True: 6.0, False: 20.0}


def columns(case):
    if case == FIRST or case in MOUNTS:
        return ["busy", "wall", "total", "reads"]
    return ["busy", "wall", "reads"]


def lines_of(log):
    """Split lines; none if that part was not run."""
    try:
        with open(log, encoding="utf-8", errors="replace") as lines:
            return [line.split() for line in lines]
    except FileNotFoundError:
        return []


def figures_of(folder):
    """{case: {target: {figure: [a value for each round]}}}, {what: {number: us}}, the kernel"""
    cases = {}
    scale = {}
    release = None
    for words in (lines_of(os.path.join(folder, "results.log")) +
                  lines_of(os.path.join(folder, "scale", "results.log"))):
        if words[:3] == ["#", "up", "after"]:
            release = words[5].rstrip(",")
        elif words[:2] == ["#", "measured"]:
            case, target = words[2:4]
            figures = cases.setdefault(case, {}).setdefault(target, {})
            for name, value in zip(columns(case), words[5:]):
                figures.setdefault(name, []).append(int(value))
        elif words[:2] == ["#", "scaled"]:
            scale.setdefault(words[2], {})[int(words[3])] = int(words[4])
    return cases, scale, release


def medians(cases):
    result = {}
    for case, targets in cases.items():
        for target, figures in targets.items():
            row = {name: statistics.median(values) for name, values in figures.items()}
            row["rounds"] = figures["busy"]
            result.setdefault(case, {})[target] = row
    return result


def print_table(title, heads, rows):
    if not rows:
        return
    print(title)
    widths = [max(len(row[i]) for row in [heads] + rows) for i in range(len(heads))]
    for row in [heads, ["-" * width for width in widths]] + rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |")
    print()


def ms(nanoseconds):
    value = nanoseconds / 1e6
    return ("%.1f" if value >= 10 else "%.2f") % value


def targets_of(results):
    seen = []
    for case in WARM:
        seen += [target for target in results.get(case, {}) if target not in seen]
    return seen


def warm_table(results):
    targets = targets_of(results)
    rows = []
    for case, name in WARM.items():
        row = results.get(case, {})
        if BASE not in row:
            continue
        base = row[BASE]["busy"]
        cells = ["%.2f" % (row[target]["busy"] / base) if target in row else "-"
                 for target in targets if target != BASE]
        rows.append([name, ms(base)] + cells)
    print_table("Cached data: ms of processor time on ext4; for the others, times that of ext4",
                ["case", "ext4, ms"] + [target for target in targets if target != BASE], rows)


def zipped_table(results):
    """Returns the cases over the limit."""
    rows = []
    over = []
    for algorithm in "lz4", "zstd":
        for case, name in ZIPPED.items():
            row = {target[:-len(algorithm) - 1]: figures["busy"]
                   for target, figures in results.get(case, {}).items()
                   if target.endswith("-" + algorithm)}
            if "od" in row:
                base = row.get(ZIPPED_BASE)
                if base and row["od"] > ZIPPED_LIMIT * base:
                    over.append("%s, %s" % (algorithm, name))
                rows.append(["%s, %s" % (algorithm, name), ms(base) if base else "-", ms(row["od"])] +
                            ["%.2f" % (row[target] / base) if base and target in row else "-"
                             for target in ("od", "erofs-loop", "squashfs")])
    print_table("Compressed data, cached: ms of processor time; times that of stock erofs on a file",
                ["case", "erofs, ms", "erofs_od, ms", "erofs_od", "erofs-loop", "squashfs"], rows)
    return over


def cold_table(results):
    rows = []
    for case, name in COLD.items():
        for target in OURS + FORMER + COLD_ZIPPED:
            if target in results.get(case, {}):
                row = results[case][target]
                rows.append([name, target, ms(row["busy"]), "%d" % row["reads"]])
    print_table("Empty cache, erofs-odd with a local directory: ms of processor time",
                ["case", "target", "ms", "READs"], rows)
    rows = []
    for target in OURS + FORMER:
        if target in results.get(FIRST, {}):
            row = results[FIRST][target]
            rows.append([target] + ["%.0f" % (row[name] / 1e3)
                                    for name in ("busy", "wall", "total")])
    print_table("First byte of a 4 KiB read that misses, us; total: until all that it began is over",
                ["target", "processor", "elapsed", "processor, total"], rows)


def mount_table(results):
    rows = []
    for case, name in MOUNTS.items():
        for target, row in results.get(case, {}).items():
            rows.append([name, target] + [ms(row[figure]) for figure in ("busy", "wall", "total")])
    print_table("Mounts, ms; total: until all that they began is over",
                ["case", "target", "processor", "elapsed", "processor, total"], rows)


def scale_table(scale):
    for what, title in SCALED.items():
        print_table(title, ["number", "us"],
                    [["%d" % number, "%d" % cost]
                     for number, cost in sorted(scale.get(what, {}).items())])


def changes(results, last):
    rows = []
    for case, targets in results.items():
        for target, row in targets.items():
            for name in ("busy", "reads"):
                before = last.get("cases", {}).get(case, {}).get(target, {}).get(name)
                if not before:
                    continue
                percent = 100 * (row[name] - before) / before
                if abs(percent) > NOISE[case in WARM or case in ZIPPED]:
                    show = ms if name == "busy" else lambda value: "%d" % value
                    rows.append([case, target, name, show(before), show(row[name]),
                                 "%+.1f %%" % percent])
    return rows


def compare(results, data, path):
    try:
        with open(path, encoding="utf-8") as file:
            last = json.load(file)
    except FileNotFoundError:
        print("No earlier run to compare with: there is no %s" % path)
        return
    if last.get("release") != data["release"] or last.get("images") != data["images"]:
        print("Not comparable with %s: another kernel (%s) or other test images" %
              (path, last.get("release")))
        return
    if not results:
        return
    rows = changes(results, last)
    title = ("Since %s (%s): what changed by more than %d %%, cold cases by %d %%" %
             (path, last.get("commit"), NOISE[True], NOISE[False]))
    print_table(title, ["case", "target", "figure", "before", "now", "change"], rows)
    if not rows:
        print(title + ": nothing")


def plot(results, data, folder):
    try:
        import matplotlib
    except ImportError:
        print("No plots: python3-matplotlib is not installed")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    cases = [case for case in WARM if BASE in results.get(case, {})]
    if not cases:
        return
    targets = targets_of(results)
    figure, axes = pyplot.subplots(figsize=(11, 5))
    width = 0.8 / len(targets)
    for nr, target in enumerate(targets):
        values = [results[case][target]["busy"] / results[case][BASE]["busy"]
                  if target in results[case] else 0 for case in cases]
        axes.bar([at + nr * width for at in range(len(cases))], values, width, label=target)
    axes.set_xticks([at + 0.4 - width / 2 for at in range(len(cases))])
    axes.set_xticklabels(cases)
    axes.set_ylabel("processor time, ext4 = 1")
    axes.set_title("Cached data, %s" % data["release"])
    axes.legend()
    figure.tight_layout()
    path = os.path.join(folder, "warm.png")
    figure.savefig(path)
    print("Plot: %s" % path)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--kernel", "--images", "--commit", "--last"):
        parser.add_argument(name, required=True)
    parser.add_argument("folder")
    args = parser.parse_args()
    cases, scale, release = figures_of(args.folder)
    if not cases and not scale:
        sys.exit("%s: nothing was measured" % args.folder)
    results = medians(cases)
    rounds = {len(row["rounds"]) for targets in results.values() for row in targets.values()}
    if len(rounds) > 1:
        sys.exit("%s: not every case has as many rounds: %s" % (args.folder, sorted(rounds)))
    data = {"kernel": args.kernel, "release": release, "commit": args.commit,
            "images": args.images, "rounds": max(rounds, default=0), "unit": "ns",
            "cases": results, "scale_us": scale}
    print("\n%s, %s, medians of %d rounds\n" % (release, args.commit, data["rounds"])
          if cases else "\n%s, %s\n" % (release, args.commit))
    warm_table(results)
    over = zipped_table(results)
    cold_table(results)
    mount_table(results)
    scale_table(scale)
    compare(results, data, args.last)
    path = os.path.join(args.folder, "bench.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
    print("Figures: %s" % path)
    plot(results, data, args.folder)
    if over:
        sys.exit("More than %.2f times stock erofs on a file: %s" % (ZIPPED_LIMIT, "; ".join(over)))


if __name__ == "__main__":
    main()
