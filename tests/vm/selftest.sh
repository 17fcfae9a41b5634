#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: selftest.sh [KERNEL]
#
# Proves that a run of the test machine fails when it has to: a tiny test for
# each way in which it must, and one that must pass.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

id=${1:-$(kernel_ids | head -n 1)}
LOGDIR=$top/build/vm/selftest
export LOGDIR
passed=0
failed=0

# expect VERDICT TESTS TEXT: the run ends so, and says TEXT
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
expect fails warning 'the kernel complains'
expect fails notok 'a test that fails'
expect fails status 'the test script ends well'
expect fails unknown 'no such command'
expect fails panic 'without its last line'
TIMEOUT=8 expect fails hang 'timeout after 8 s'
# What has a limit of its own: not begun, cut off, stuck.
CMDLINE="od.limit=2" expect passes hang 'selftest-hang: all of it # SKIP the time is over'
CMDLINE="od.limit=8" expect passes hang 'selftest-hang: all that is left of it # SKIP the time is over'
CMDLINE="od.limit=30" expect fails hang 'selftest-hang: it ends'
# One that is stuck fails where nothing has a limit, too, and the next one begins.
CMDLINE="od.patience=1" expect fails 'hang good' 'sleep: sleep 100000'
CMDLINE="od.patience=1" expect fails 'hang good' 'selftest-good took'
# A kernel that ends before init is started again, twice. QEMU is real after ends_early NR times.
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
PATH=$fake:$PATH expect passes good 'ended before init; once more'
ends_early 3
PATH=$fake:$PATH expect fails good 'the kernel complains: Oops'
echo "selftest: $passed passed, $failed failed"
[ $failed = 0 ]
