#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: check.sh
#
# All tests: lint, the cores in user space, the tools, the test machine itself,
# and the guest suite on every kernel of SUPPORTED (scripts/matrix.sh).
#
# Ends with "N passed, N failed, N skipped", summed up from what each part
# counted. A kernel or tool that cannot be had is skipped by name; with CI=true
# that is a failure.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

logs=$top/build/check
rm -rf "$logs"
mkdir -p "$logs"
began=$SECONDS

step() {
	say "== $* ($((SECONDS - began)) s)"
}

# part NAME COMMAND...: its output is kept, and what tells most is shown; one
# that fails without counting a failure counts as one
part() {
	local name=$1 status=0
	shift
	"$@" >"$logs/$name.log" 2> >(tee -a "$logs/$name.err" | grep -E '^(==|   ) ' >&2) || status=$?
	if [ $status != 0 ] && ! grep -qE '(^| )[1-9][0-9]* failed' "$logs/$name.log"; then
		echo "$name: status $status: 0 passed, 1 failed" >>"$logs/$name.log"
	fi
	tail -n 40 "$logs/$name.log" | grep -E '^(not ok|#|\||.* passed, [0-9]+ failed)' ||
		tail -n 20 "$logs/$name.log" "$logs/$name.err"
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

step "how a build finds out what a kernel offers"
part compat "$top/tests/compat/run.sh"
step "other machines, other compilers"
part portability "$top/scripts/portability.sh"
step "the test machine itself"
selftest_on=$(kernel_ids | head -n 1)
if "$top/scripts/build-modules.sh" "$selftest_on" >"$logs/selftest-modules.out" 2>&1; then
	part selftest "$top/tests/vm/selftest.sh" "$selftest_on"
fi
step "the guest suite on $(kernel_ids | paste -sd' ')"
part matrix "$top/scripts/matrix.sh"
step "a system that boots from an on-demand image"
part boot "$top/tests/vm/boot.sh" 6.1 6.12

step "done"
grep -hE '^not ok' "$logs"/*.log || true
result=$(total)
echo "$result"
[[ $result = *" 0 failed,"* && $result != "0 passed"* ]]
