#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: planted.sh [SECONDS]   default: 20 s for each
#
# Checks that each fuzzer finds bugs: plants one in a copy of each core, which the fuzzer
# has to find, starting from the seeds of the tree only. Ends with "planted: N passed,
# N failed".
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

# TARGET FILE SED: the bugs
bugs() {
	cat <<-'END'
		command cachefiles_od/core/command.c s/v == 0 || v > OD_ERRNO_MAX/v == 0/
		message cachefiles_od/core/message.c s/strlen(msg->open.volume_key) + 1 + msg/strlen(msg->open.volume_key) + msg/
		key cachefiles_od/core/key.c s/if (base64 > NAME_MAX)/if (base64 > NAME_MAX + 4)/
		request cachefiles_od/core/request.c s/\[OD_REQ_UNDELIVER\] = OD_REQ_QUEUED/[OD_REQ_UNDELIVER] = OD_REQ_SENT/
		extents cachefiles_od/core/extents.c s/start ? start - 1 : 0/start/
		mapfile cachefiles_od/core/mapfile.c s/prev_end \&\& start <= prev_end/prev_end \&\& start < prev_end/
		limit cachefiles_od/core/limit.c s/free >>= 1/free >>= 2/
		sb erofs_od/core/sb.c s/ || sb->blkbits > OD_BLKBITS_MAX//
		inode erofs_od/core/inode.c s/if (len < inode->inode_size)/if (0)/
		dirent erofs_od/core/dirent.c s/to <= from || to > block->len/to <= from/
		zmap erofs_od/core/zplace.c s/if (x->off > size || x->encoded_len > size - x->off)/if (0)/
		zmap erofs_od/core/zrecords.c s/min(r->end, inode->size)/r->end/
		chunkmap erofs_od/core/chunkmap.c s/if (x->off >= size)/if (0)/
		blobtab erofs_od/core/blobtab.c s/at < b->uniaddr && \*len > b->uniaddr - at/0/
		xattr erofs_od/core/xattr.c s/if (size > left)/if (0)/
		xxhash erofs_od/core/xxhash.c s/rol32(acc\[2\], 12)/rol32(acc[2], 13)/
	END
}

seconds=${1:-20}
passed=0 failed=0
cd "$top"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need_root "fuzz.sh builds in a chroot"
"$top/scripts/toolchain.sh" trixie-llvm >/dev/null
mkdir -p "$work/cache"
ln -s "$cache/toolchains" "$work/cache/toolchains"
export EROFS_OD_CACHE=$work/cache
while read -r target file change; do
	copy=$(mktemp -d "$work/$target.XXXXXX")
	cp -a --parents -t "$copy" SUPPORTED scripts tests/bin include shim cachefiles_od/core erofs_od/core tests/fuzz
	sed -i "$change" "$copy/$file"
	started=$(date +%s)
	if cmp -s "$file" "$copy/$file"; then
		error="the bug does not apply: $file has no such line"
	elif "$copy/tests/bin/fuzz.sh" "$seconds" "$target" >"$work/log" 2>&1 </dev/null; then
		error="the bug was not found"
	else
		error=
	fi
	if [ -z "$error" ] && grep -q "^not ok - fuzz: $target" "$work/log"; then
		why=$(grep -oE -m1 'broken: .*|runtime error: .*|AddressSanitizer: [a-z-]+' "$work/log" || true)
		echo "ok - planted: $target, $(($(date +%s) - started)) s with building: $why"
		passed=$((passed + 1))
	else
		echo "not ok - planted: $target: ${error:-$(tail -n 3 "$work/log")}"
		failed=$((failed + 1))
	fi
done < <(bugs)
echo "planted: $passed passed, $failed failed"
[ $failed = 0 ]
