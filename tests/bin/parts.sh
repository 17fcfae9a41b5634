# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Runs parts of tests and counts their results: sourced, after lib.sh.

# begin DIR: directory of the parts' logs
begin() {
	logs=$1
	rm -rf "$logs"
	mkdir -p "$logs"
	started=$SECONDS
}

step() {
	say "== $* ($((SECONDS - started)) s)"
}

# processor_time: sets busy to the CPU seconds of all exited children of this shell
processor_time() {
	local user system
	# In a pipe, times would run in a subshell.
	times >"$logs/times.$BASHPID"
	{ read -r _ && read -r user system; } <"$logs/times.$BASHPID"
	rm "$logs/times.$BASHPID"
	busy=$(awk -F '[ms]' '{ sum += $1 * 60 + $2 } END { print int(sum) }' <<<"$user"$'\n'"$system")
}

# part NAME COMMAND...: logs its output and prints the most important lines; a
# failure that it has not counted counts as one
part() {
	local name=$1 status=0 since=$SECONDS busy before
	processor_time
	before=$busy
	shift
	"$@" >"$logs/$name.log" 2> >(tee -a "$logs/$name.err" | grep -E '^(==|   ) ' >&2) || status=$?
	if [ $status != 0 ] && ! grep -qE '(^| )[1-9][0-9]* failed' "$logs/$name.log"; then
		echo "$name: status $status: 0 passed, 1 failed" >>"$logs/$name.log"
	fi
	tail -n 60 "$logs/$name.log" | grep -E '^(not ok|#|\||.* passed, [0-9]+ failed)' ||
		tail -n 20 "$logs/$name.log" "$logs/$name.err"
	processor_time
	busy=$((busy - before))
	echo "$((SECONDS - since)) $name $busy" >>"$logs/times"
	say "   $name took $((SECONDS - since)) s, and $busy s of processor time"
}

# show_failures LOG...: failed checks, with their details
show_failures() {
	awk '/^not ok/ { why = 1; print; next } /^#   / { if (why) print; next } { why = 0 }' "$@"
}

# slowest NR: prints the slowest parts
slowest() {
	[ -s "$logs/times" ] || return 0
	echo "# the slowest parts: seconds, and CPU seconds"
	sort -rn "$logs/times" | head -n "$1" | awk '{ printf "# %-12s %5d %5d\n", $2, $1, $3 }'
}

# finish: prints failed checks, the ten slowest parts, and the sums; fails if anything did
finish() {
	local result
	step "done"
	slowest 10
	show_failures "$logs"/*.log
	result=$(grep -hoE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$logs"/*.log |
		awk '{ p += $1; f += $3; s += $5 }
			END { printf "%d passed, %d failed, %d skipped\n", p, f, s }')
	echo "$result"
	[[ $result = *" 0 failed,"* && $result != "0 passed"* ]]
}

# quick_parts: runs the parts that need no VM and no kernel
quick_parts() {
	step "lint, unit tests, tools"
	part lint "$top/scripts/lint.sh"
	part unit make -C "$top/tests/unit" check threads
	part tools make -C "$top/tools" all origin check
	make -s -C "$top/tests/vm" >&2
	step "probes of kernel features"
	part compat "$top/tests/compat/run.sh"
}

# boot_tests NAME KERNEL CASE...: runs guest tests in a VM of their own
boot_tests() {
	local name=$1 kernel=$2
	shift 2
	LOGDIR=$top/build/vm/$name "$top/tests/bin/vm.sh" "$kernel" "$@"
}

# boot_secured CASE FILES ARGUMENTS KERNEL...: runs a case with a security module on each
# kernel, with ARGUMENTS on its command line and FILES in its root
boot_secured() {
	local case=$1 id status=0 arguments=$3
	export FILES=$2 TIMEOUT=${TIMEOUT:-1800}
	shift 3
	make -s -C "$top/tools" all origin >&2
	make -s -C "$top/tests/vm" >&2
	DISK=${DISK:-$("$top/tests/images/mkimage.sh")}
	export DISK
	for id; do
		CMDLINE="$arguments ${CMDLINE-}" boot_tests "$case-$id" "$id" "$case" || status=1
	done
	return $status
}
