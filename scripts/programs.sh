#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: programs.sh          print the programs that go into the test machine
#
# Those that are not built are left out; a test that needs one says so.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

for program in "$top"/build/tools/{erofs-od,erofs-odd,origin} \
	"$top"/build/tests/{treesum,fakedaemon,oddriver,protocol}; do
	[ ! -x "$program" ] || echo "$program"
done
for program in getfattr setfattr fsck.erofs; do
	command -v "$program" || true
done
