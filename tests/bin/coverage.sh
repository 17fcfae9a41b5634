#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: coverage.sh MODULES_DIR COUNTS...
#
# Line coverage of the files of both modules: MODULES_DIR has them built for kernel
# debug with GCOV_PROFILE=y, COUNTS are the GCOV= files of vm.sh. Prints a table,
# writes uncovered lines to build/coverage/unreached, and fails below 90 % of core/ or
# 80 % of the glue; not with an empty DEMAND=, for tests that did not run in full.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

[ $# -ge 2 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
modules=$1
shift
out=$top/build/coverage
core_wanted=90
glue_wanted=80
demand=${DEMAND-yes}

# lines_of DIR: prints the output of gcov as JSON
lines_of() {
	mount --bind "$1" "$toolchain/work"
	chroot "$toolchain" bash -c 'cd /work && find . -name "*.gcda" | while read -r file; do
		gcov-14 --json-format --stdout -o "$(dirname "$file")" "$file" 2>/dev/null; done'
}
export -f lines_of

rm -rf "$out"
mkdir -p "$out"
toolchain=$("$top/scripts/toolchain.sh" trixie)
export toolchain
for counts; do
	dir=$out/counts
	rm -rf "$dir"
	mkdir "$dir"
	(cd "$modules" && find . -name '*.gcno' -print0 | tar -c --null -T -) | tar -C "$dir" -x
	# The modules were built at /work in a chroot; the disk is larger than the tar on it.
	tar -C "$dir" -xf "$counts" --strip-components=2 ./work
	unshare -m --propagation private bash -c 'lines_of "$1"' lines_of "$dir" |
		jq -r '.files[] | .file as $f | .lines[] | "\($f) \(.line_number) \(.count)"' >>"$out/lines"
done
rm -rf "$out/counts"

# The modules' own files, by line: the sum of the counts of all objects.
grep -E '^(\./|/work/)?(cachefiles_od|erofs_od|compat)/[a-z_/]*\.[ch] ' "$out/lines" |
	sed -E 's,^(\./|/work/),,' | awk '
	{ key = $1 " " $2; seen[key] += $3 }
	END { for (key in seen) print key, seen[key] }' | sort -k1,1 -k2,2n >"$out/merged"
[ -s "$out/merged" ] || die "no counts of the modules were found"
awk '$3 == 0 { print $1 ":" $2 }' "$out/merged" >"$out/unreached"

awk -v core_wanted=$core_wanted -v glue_wanted=$glue_wanted -v demand="$demand" '
	{ all[$1]++; hit[$1] += $3 > 0
	  part = $1 ~ /\/core\// ? "core" : "glue"; part_all[part]++; part_hit[part] += $3 > 0 }
	END {
		for (file in all)
			printf "%-36s %5d of %5d lines  %5.1f %%\n", file, hit[file], all[file],
				100 * hit[file] / all[file] | "sort"
		close("sort")
		wanted["core"] = core_wanted; wanted["glue"] = glue_wanted
		for (part in wanted) {
			percent = part_all[part] ? 100 * part_hit[part] / part_all[part] : 0
			good = percent >= wanted[part]
			printf "%s - coverage: %.1f %% of the lines of %s, %d %% wanted%s\n",
				good || !demand ? "ok" : "not ok", percent, part, wanted[part],
				good || demand ? "" : " # SKIP not all tests have run"
			if (good) passed++; else if (demand) failed++; else skipped++
		}
		printf "coverage: %d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed > 0
	}' "$out/merged"
