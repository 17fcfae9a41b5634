#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mktree.sh DIR
#
# Creates a source tree for the demo and the tests, mostly from the host's own files: at
# least 200 MB in tens of large files and thousands of tiny ones, and every other kind
# of file and metadata.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

tiny_files=6000
large_bytes=$((110 << 20))
sequential_bytes=$((72 << 20))

# list: prints lines of "large|tiny SIZE PATH"
list() {
	find /usr/bin /usr/lib /usr/sbin -xdev -type f -size +1000k -size -12M -links 1 \
		-printf '%s %p\n' | sort -k2 |
		awk -v max=$large_bytes 'sum < max { sum += $1; print "large", $0 }'
	find /usr/include /usr/share /usr/lib -xdev -type f -size -16 -size +0 -links 1 \
		! -name '*[[:space:]]*' ! -path '*/__pycache__/*' -printf '%s %p\n' | sort -k2 |
		awk -v max=$tiny_files 'NR <= max { print "tiny", $0 }'
}

# copy KIND DIR: copies the listed files of that kind, with all metadata
copy() {
	mkdir -p "$2"
	awk -v kind="$1" '$1 == kind { print substr($3, 2) }' "$work/list" >"$work/copy"
	tar -C / -T "$work/copy" --xattrs -c | tar -C "$2" --xattrs -xp
}

# Creates as many as are missing, on hosts with few packages.
generated() {
	local i
	mkdir -p tiny/generated
	for ((i = $(find tiny -type f | wc -l); i < tiny_files; i++)); do
		seq $((i % 900)) >"tiny/generated/$i"
	done
}

# A file large enough to measure the throughput of sequential reads.
sequential() {
	find large -type f -size +1M -print0 | sort -z | xargs -0 cat 2>/dev/null |
		head -c $sequential_bytes >large/sequential || true
	[ "$(stat -c %s large/sequential)" = $sequential_bytes ] || die "too few large files on this host"
}

many_entries() {
	local i
	mkdir many
	for i in $(seq -w 1 10000); do
		echo "entry $i" >"many/$i"
	done
}

names() {
	mkdir names
	echo 'the longest name' >"names/$(printf 'n%.0s' {1..255})"
	mkdir "names/$(printf 'd%.0s' {1..255})"
	echo 'blanks' >"names/ a name with blanks "
	echo 'line' >"names/two"$'\n'"lines"
	echo 'bytes' >"names/"$'\377\001\200'
	echo 'utf' >'names/ü-ß-日本'
	mkdir -p names/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z
}

links() {
	mkdir links
	ln -s ../names links/relative
	ln -s /no/such/file links/dangling
	ln -s "$(printf 'target/%.0s' {1..580})" links/long
	echo 'three names' >links/one
	ln links/one links/two
	mkdir links/below
	ln links/one links/below/three
}

special() {
	mkdir special
	: >special/empty
	mkdir special/empty-folder
	mkfifo special/fifo
	mknod special/null c 1 3
	mknod special/block b 259 70000
	truncate -s 6M special/sparse
	echo 'an island' | dd of=special/sparse bs=4096 seek=700 conv=notrunc status=none
	echo 'the end' | dd of=special/sparse bs=1 seek=$(((6 << 20) - 8)) conv=notrunc status=none
	truncate -s 1M special/hole-only
	head -c 4096 /usr/bin/env >special/one-block
	head -c 4097 /usr/bin/env >special/one-block-and-a-byte
	head -c 4095 /usr/bin/env >special/a-block-less-a-byte
}

modes() {
	mkdir modes
	local mode
	for mode in 0000 0400 0777 1755 2755 4755 6711; do
		echo "$mode" >modes/$mode
		chmod $mode modes/$mode
	done
	mkdir modes/sticky
	chmod 1777 modes/sticky
	echo 'owner' >modes/owner
	chown 70000:80000 modes/owner
	echo 'old' >modes/old
	touch -d '1970-01-02 03:04:05.678901234 UTC' modes/old
	echo 'late' >modes/late
	touch -d '2105-06-07 08:09:10.987654321 UTC' modes/late
}

xattrs() {
	mkdir xattrs
	local i
	for i in $(seq 20); do
		echo "shared $i" >"xattrs/shared-$i"
		setfattr -n user.shared -v 'the same value in many files' "xattrs/shared-$i"
	done
	echo 'several' >xattrs/several
	setfattr -n user.first -v 1 xattrs/several
	setfattr -n user.empty xattrs/several
	setfattr -n user.binary -v 0x00ff0a5c20 xattrs/several
	setfattr -n trusted.secret -v 'for root alone' xattrs/several
	echo 'long' >xattrs/long
	setfattr -n user.long -v "$(printf 'v%.0s' {1..2000})" xattrs/long
	setfattr -n "user.$(printf 'n%.0s' {1..240})" -v 'long name' xattrs/long
	echo 'capable' >xattrs/capability
	# cap_net_raw in the permitted set, revision 2
	setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 xattrs/capability
	echo 'acl' >xattrs/acl
	setfacl -m u:1000:rw,g:2000:r xattrs/acl
	# Readable only by the users that the ACL names.
	echo 'by ACL alone' >xattrs/acl-only
	chmod 600 xattrs/acl-only
	setfacl -m u:1000:r xattrs/acl-only
	mkdir xattrs/default-acl
	setfacl -d -m u:1000:rwx xattrs/default-acl
	setfattr -n user.folder -v yes xattrs/default-acl
}

# Programs to run from the image: a static one, and one with its libraries.
programs() {
	local lib
	mkdir -p root/bin
	cp /bin/busybox /usr/bin/env root/bin/
	ldd /usr/bin/env | grep -oE '/[^ ]+' | while read -r lib; do
		install -D "$lib" "root$lib"
	done
}

[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
list >"$work/list"
mkdir -p "$1"
cd "$1"
umask 022
copy large large
copy tiny tiny
generated
sequential
many_entries
programs
names
links
special
modes
xattrs
[ "$(du -s --apparent-size --block-size=1M . | cut -f1)" -ge 200 ] ||
	die "too few files on this host for a tree of 200 MB"
