#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: fuzz.sh [SECONDS [TARGET...]]   default: 60 s for each fuzzer in tests/fuzz; 0: seeds only
#
# Fuzzes every parser of both cores with libFuzzer, ASan and UBSan, two in parallel:
# starts from the seeds in tests/fuzz/corpus and the units that earlier runs have found,
# which are kept in the cache. Prints one line per fuzzer, and at the end "fuzz: N passed,
# N failed, N skipped". An input that crashes, hangs or leaks is printed and kept in
# build/fuzz; FUZZ_UNIT=FILE fuzz.sh 0 TARGET runs that file only. LANES=N sets the
# number of fuzzers in parallel.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/fuzz/lib.sh"

passed=0 failed=0 skipped=0

result() {
	echo "fuzz: $passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}

# run TARGET: prints the log of the fuzzer
run() {
	local limit=(-runs=0) inputs=("/tmp/units/$1" "/tmp/out/seeds/$1")
	[ "$seconds" = 0 ] || limit=(-max_total_time="$seconds")
	if [ -n "${FUZZ_UNIT-}" ]; then
		cp "$FUZZ_UNIT" "$out/unit-$1"
		inputs=("/tmp/out/unit-$1")
	fi
	mkdir -p "$units/$1"
	unpack_seeds "$1" "$out/seeds/$1"
	[ -e "$out/seeds/$1/seed-1" ] || die "$1: ERROR: no seeds, see tests/fuzz/seeds.sh"
	in_root "/tmp/out/bin/fuzz_$1" "${limit[@]}" -max_len=8192 -timeout=20 \
		-rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="/tmp/out/$1-" \
		"${inputs[@]}"
}

# figure NAME TARGET: prints a statistic of the fuzzer
figure() {
	sed -n "s/^stat::$1: *//p" "$out/$2.log"
}

# reproducer TARGET: prints the input that failed, if any
reproducer() {
	local file
	file=$(sed -n 's|.*Test unit written to /tmp/out/||p' "$out/$1.log" | tail -n 1)
	[ -n "$file" ] || return 0
	echo "#   $out/$file, in base64:"
	base64 "$out/$file" | sed 's/^/#   /'
}

tell_failure() {
	echo "not ok - fuzz: $1"
	grep -E ': broken: |runtime error|ERROR: |SUMMARY: |^    #[0-9] .* /work/' "$out/$1.log" |
		head -n 12 | sed 's/^/#   /' || true
	[ -s "$out/$1.log" ] || echo "#   no output"
	reproducer "$1"
	failed=$((failed + 1))
}

# tell TARGET STATUS
tell() {
	local coverage runs
	coverage=$(grep -oE "cov: [0-9]+" "$out/$1.log" | tail -n 1 || true)
	runs=$(figure number_of_executed_units "$1")
	if [ "$2" != 0 ] || [ -z "$coverage" ] || [ "${runs:-0}" = 0 ]; then
		tell_failure "$1"
		return
	fi
	echo "ok - fuzz: $1: $runs executions, ${coverage#cov: } edges, $(figure new_units_added "$1") new units"
	passed=$((passed + 1))
}

# In the order in which they were started.
tell_first() {
	local status=0
	wait "${running[0]#*:}" || status=$?
	tell "${running[0]%%:*}" $status
	running=("${running[@]:1}")
}

seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
mapfile -t targets < <(fuzz_targets)
[ $# -lt 2 ] || targets=("${@:2}")
need_root "it builds in a chroot"
toolchain=$("$top/scripts/toolchain.sh" trixie-llvm) || {
	[ "${CI-}" != true ] || die "no tool chain with clang"
	skipped=${#targets[@]}
	echo "ok - fuzz # SKIP no tool chain with clang"
	result
	exit
}
fuzz_build || die "the fuzzers do not build"
running=()
# A job is a shell with the fuzzer as its child, and both ignore SIGINT.
trap 'for job in "${running[@]}"; do pkill -P "${job#*:}" || true; done' EXIT
trap 'exit 1' INT TERM
for target in "${targets[@]}"; do
	[ ${#running[@]} -lt "${LANES:-2}" ] || tell_first
	run "$target" >"$out/$target.log" 2>&1 &
	running+=("$target:$!")
done
while [ ${#running[@]} -gt 0 ]; do
	tell_first
done
result
