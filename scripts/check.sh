#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: check.sh
#
# All tests: lint, the cores in user space and under a fuzzer, the tools, the test
# machine itself, a kernel made for testing, and the guest suite on every kernel of
# SUPPORTED (scripts/matrix.sh). What takes long is soak.sh's.
#
# Ends with "N passed, N failed, N skipped", summed up from what each part
# counted. A kernel or tool that cannot be had is skipped by name; with CI=true
# that is a failure.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/parts.sh"

# On the kernel made for testing: what is short, and reaches most. soak.sh has the rest.
debug_cases="debug-kunit debug-faults load badinput protocol nfs"

need_root "it builds in a chroot and makes device nodes for the test images"
begin "$top/build/check"
step "what the tests need"
"$top/scripts/deps.sh"
quick_parts
step "every parser under libFuzzer"
part fuzz "$top/scripts/fuzz.sh" 60
step "what the unit tests notice"
part mutants "$top/scripts/mutants.sh" --unit

step "packages, in the root of a fresh Debian 12 and 13"
part packages "$top/tests/pkg/packages.sh"

step "a kernel with KASAN, lockdep and kmemleak: $debug_cases"
# One machine does not keep two cores busy. What measures a time has them for itself.
# shellcheck disable=SC2086 # a list
part debug "$top/scripts/debug.sh" debug $debug_cases &
step "other machines, other compilers"
part portability "$top/scripts/portability.sh"
step "the test machine itself"
selftest_on=$(kernel_ids | head -n 1)
if "$top/scripts/build-modules.sh" "$selftest_on" >"$logs/selftest-modules.out" 2>&1; then
	part selftest "$top/tests/vm/selftest.sh" "$selftest_on"
fi
step "a system that boots from an on-demand image, a machine whose power is cut"
part boot "$top/tests/vm/boot.sh" 6.1 6.12
DISK=$("$top/tests/images/mkimage.sh")
export DISK
part powercut boot_tests powercut 6.12 powercut
step "kernels that load what is signed, and nothing else"
part signing "$top/tests/vm/signing.sh" 6.1 6.12
wait
step "the guest suite on $(kernel_ids | paste -sd' ')"
part matrix "$top/scripts/matrix.sh" --short
finish
