#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: selftest.sh [KERNEL]
#
# Checks that a run of a test VM fails when it must: one small test for each way
# to fail, and one that must pass.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

id=${1:-$(kernel_ids | head -n 1)}
LOGDIR=$top/build/vm/selftest
export LOGDIR
passed=0
failed=0

# expect VERDICT TESTS TEXT: the run has that verdict, and prints TEXT
expect() {
	local verdict=passes out tests
	read -ra tests <<<"$2"
	out=$("$top/tests/bin/vm.sh" "$id" "${tests[@]/#/selftest-}" 2>&1) || verdict=fails
	if [ $verdict = "$1" ] && grep -qF -- "$3" <<<"$out"; then
		echo "ok - selftest: a run with $2 $1"
		passed=$((passed + 1))
	else
		echo "not ok - selftest: a run with $2 $verdict, or does not say \"$3\""
		sed 's/^/#   /' <<<"$out"
		failed=$((failed + 1))
	fi
}

expect passes good 'od-vm: end status=0'
expect fails warning 'kernel splat'
expect fails notok 'a test that fails'
expect fails status 'the test script succeeds'
expect fails unknown 'no such command'
expect fails panic 'without its last line'
TIMEOUT=8 expect fails hang 'timeout after 8 s'
# With a time limit: not started, killed, hung.
CMDLINE="od.limit=2" expect passes hang 'selftest-hang: the whole test # SKIP time limit reached'
CMDLINE="od.limit=8" expect passes hang 'selftest-hang: the rest of the test # SKIP time limit reached'
CMDLINE="od.limit=30" expect fails hang 'selftest-hang: the test ends'
# Without a time limit, a hung test fails as well, and the next one runs.
CMDLINE="od.patience=1" expect fails 'hang good' 'sleep: sleep 100000'
CMDLINE="od.patience=1" expect fails 'hang good' 'selftest-good took'
# A VM that exits before init is restarted, twice. ends_early NR: the first NR runs of QEMU are
# fake and exit at once.
fake=$(mktemp -d)
trap 'rm -rf "$fake"' EXIT
real=$(command -v qemu-system-x86_64)
cat >"$fake/qemu-system-x86_64" <<END
#!/bin/sh
echo >>"$fake/starts"
[ "\$(wc -l <"$fake/starts")" -gt "\$(cat "$fake/nr")" ] && exec "$real" "\$@"
echo "Oops: int3: 0000 [#1]" >>"$LOGDIR/console.log"
END
chmod +x "$fake/qemu-system-x86_64"
ends_early() {
	echo "$1" >"$fake/nr"
	rm -f "$fake/starts"
}
ends_early 2
PATH=$fake:$PATH expect passes good 'exited before init, restarting'
ends_early 3
PATH=$fake:$PATH expect fails good 'kernel splat: Oops'
echo "selftest: $passed passed, $failed failed"
[ $failed = 0 ]
