#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: source-tree.sh DIR    copy the current sources there
#
# Tracked files, and new ones that are not ignored; without git, all files except built
# ones. Mtimes are kept, so that a build in an old copy sees what changed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

sources() {
	if [ -e .git ]; then
		git ls-files -z --cached --others --exclude-standard |
			while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done
	else
		find . -type f ! -path './build/*' -print0
	fi
}

[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
# The tar has no entries for directories: they get default modes.
umask 022
mkdir -p "$1"
cd "$top"
sources | tar -c --null -T - --format=posix | tar -C "$1" -x
