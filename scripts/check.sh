#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: check.sh
#
# All tests: lint, the cores in user space, the tools, the test machine itself,
# and the guest suite on every kernel of SUPPORTED, two machines side by side.
# What measures time runs with nothing beside it, at the end.
#
# Ends with "N passed, N failed, N skipped", summed up from what each part
# counted. A kernel or tool that cannot be had is skipped by name; with CI=true
# that is a failure.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

logs=$top/build/check
rm -rf "$logs"
mkdir -p "$logs"
# Guest tests whose result is a speed.
timed="cold"
began=$SECONDS

step() {
	say "== $* ($((SECONDS - began)) s)"
}

# part NAME COMMAND...: its output is shown and kept; one that fails without
# counting a failure counts as one
part() {
	local name=$1 status=0
	shift
	"$@" >"$logs/$name.log" 2>&1 || status=$?
	if [ $status != 0 ] && ! grep -qE '(^| )[1-9][0-9]* failed' "$logs/$name.log"; then
		echo "$name: status $status: 0 passed, 1 failed" >>"$logs/$name.log"
	fi
	tail -n 40 "$logs/$name.log" | grep -E '^(not ok|# .*(MB/s|READs)|.* passed, [0-9]+ failed)' ||
		tail -n 20 "$logs/$name.log"
}

guest_tests() {
	local name
	for name in "$top"/tests/vm/cases/*.sh; do
		name=$(basename "$name" .sh)
		case " $timed demo " in
		*" $name "*) ;;
		*) [[ $name = selftest-* ]] || echo "$name" ;;
		esac
	done
}

# vm_part ID NAME TEST...
vm_part() {
	local id=$1 name=$2
	shift 2
	DISK=$disk TIMEOUT=1800 LOGDIR=$top/build/vm/$id-$name \
		part "vm-$id-$name" "$top/scripts/vm.sh" "$id" "$@"
}

total() {
	grep -hoE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$logs"/*.log |
		awk '{ p += $1; f += $3; s += $5 }
			END { printf "%d passed, %d failed, %d skipped\n", p, f, s }'
}

need_root "it builds in a chroot and makes device nodes for the test images"
step "what the tests need"
"$top/scripts/deps.sh"
step "lint, unit tests, tools"
part lint "$top/scripts/lint.sh"
part unit make -C "$top/tests/unit" check
part tools make -C "$top/tools" all origin check
make -s -C "$top/tests/vm" >&2

step "kernels, modules, images"
ids=()
for id in $(kernel_ids); do
	if ! "$top/scripts/kernels.sh" fetch "$id" >/dev/null 2>"$logs/fetch-$id.err"; then
		say "kernel $id cannot be had: $(tail -n 1 "$logs/fetch-$id.err")"
		if [ "${CI-}" = true ]; then
			echo "kernel $id: 0 passed, 1 failed" >"$logs/kernel-$id.log"
		else
			echo "kernel $id: 0 passed, 0 failed, 1 skipped" >"$logs/kernel-$id.log"
		fi
		continue
	fi
	part "modules-$id" "$top/scripts/build-modules.sh" "$id"
	if grep -qE '(warning|error):' "$logs/modules-$id.log"; then
		echo "modules for $id build without a warning: 0 passed, 1 failed" >>"$logs/modules-$id.log"
	else
		echo "modules for $id build without a warning: 1 passed, 0 failed" >>"$logs/modules-$id.log"
	fi
	ids+=("$id")
done
disk=$("$top/tests/images/mkimage.sh")

step "the test machine itself"
[ ${#ids[@]} = 0 ] || part selftest "$top/tests/vm/selftest.sh" "${ids[0]}"
step "the guest suite on ${ids[*]}"
mapfile -t tests < <(guest_tests)
running=0
for id in "${ids[@]}"; do
	vm_part "$id" suite "${tests[@]}" &
	running=$((running + 1))
	if [ $running = 2 ]; then
		wait -n
		running=1
	fi
done
wait
step "what is measured"
for id in "${ids[@]}"; do
	# shellcheck disable=SC2086 # a list
	vm_part "$id" timed $timed
done

step "done"
grep -hE '^not ok' "$logs"/*.log || true
result=$(total)
echo "$result"
[[ $result = *" 0 failed,"* && $result != "0 passed"* ]]
