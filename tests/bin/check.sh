#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: check.sh
#
# All tests: lint, the cores in user space and under a fuzzer, the tools, the packages,
# the test machine itself, a kernel made for testing, and the guest suite on every
# kernel of SUPPORTED (tests/bin/matrix.sh). What takes long is soak.sh's.
#
# Ends with "N passed, N failed, N skipped", summed up from what each part
# counted. A kernel or tool that cannot be had is skipped by name; with CI=true
# that is a failure.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/parts.sh"
. "$(dirname "$0")/cases.sh"

# What the last part needs: the others need the processors, and this the network. What
# cannot be had is told there.
download() {
	local id
	for id in $(kernel_ids); do
		kernel_row "$id"
		[ "$row_arch" = amd64 ] || row_toolchain+=-$row_arch
		if "$top/scripts/kernels.sh" fetch "$id"; then
			"$top/scripts/toolchain.sh" "$row_toolchain" || true
		fi
	done
}

# beside COMMAND...: in the background, as soon as one of two places is free
beside() {
	while [ "$(jobs -pr | grep -cvx "$downloader")" -ge 2 ]; do
		wait -n || true
	done
	"$@" &
}

# The functions that part calls: in its condition, a failure would not end them.
selftest() {
	local on
	on=$(kernel_ids | head -n 1)
	"$top/scripts/build-modules.sh" "$on" >"$logs/selftest-modules.out" 2>&1 &&
		"$top/tests/vm/selftest.sh" "$on"
}

need_root "it builds in a chroot and makes device nodes for the test images"
begin "$top/build/check"
step "what the tests need"
"$top/scripts/deps.sh"
quick_parts
download >"$logs/download.out" 2>&1 &
downloader=$!

step "two at a time: a kernel with KASAN, lockdep and kmemleak: $(cases_for kasan | paste -sd' ')"
# shellcheck disable=SC2046 # a list
beside part debug "$top/tests/bin/debug.sh" debug $(cases_for kasan)
step "packages, in the root of a fresh Debian 12 and 13"
beside part packages "$top/tests/pkg/packages.sh"
step "every parser under libFuzzer"
LANES=1 beside part fuzz "$top/tests/bin/fuzz.sh" 30
step "other machines, other compilers"
beside part portability "$top/tests/bin/portability.sh"
step "a system that boots from an on-demand image, a machine whose power is cut"
beside part boot "$top/tests/vm/boot.sh" 6.1 6.12
beside part powercut "$top/tests/vm/powercut.sh" 6.12
step "kernels that load what is signed, and nothing else"
beside part signing "$top/tests/vm/signing.sh" 6.1 6.12
step "the test machine itself, what the unit tests notice"
beside part selftest selftest
LANES=1 beside part mutants "$top/tests/bin/mutants.sh" --unit
wait

step "the guest suite on $(kernel_ids | paste -sd' ')"
part matrix "$top/tests/bin/matrix.sh" --short
finish
