# SPDX-License-Identifier: GPL-2.0-only
# seconds: 5, debug 55
# where: stock rows short debug
# The same mount with its owners shifted: owners, ACLs, capabilities, and who may read.
acl_of() {
	getfattr --only-values -n system.posix_acl_access "$1" 2>/dev/null | od -An -tx1 | tr -d ' \n'
}

ok "setup" od_setup
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=v-4096-chunk
mkdir -p /mnt/shifted
out=$(idmount /mnt/a /mnt/shifted 100000 2>&1)
status=$?
if [ $status = 77 ]; then
	skip "idmapped mounts" "this kernel has none"
else
	is "an idmapped mount" "$status $out" "0 "
	is "owners are shifted" "$(stat -c '%u %g' /mnt/shifted/b/modes/owner)" "170000 180000"
	is "and root is" "$(stat -c %u /mnt/shifted/b/modes/0777)" 100000
	is "the mount itself is as before" "$(stat -c '%u %g' /mnt/a/b/modes/owner)" "70000 80000"
	# Kernels differ in what getxattr shows of it there (6.1 shifts nothing): what
	# ext4 shows through the same shift is right.
	mkdir -p /mnt/as-ext4
	: >/mnt/scratch/acl
	setfattr -n system.posix_acl_access -v "0x$(acl_of /mnt/a/a/xattrs/acl)" /mnt/scratch/acl
	ok "an idmapped mount of ext4" idmount /mnt/scratch /mnt/as-ext4 100000
	is "an ACL is shown as ext4 shows it" "$(acl_of /mnt/shifted/a/xattrs/acl)" "$(acl_of /mnt/as-ext4/acl)"
	umount /mnt/as-ext4
	# user 1000 (e8030000) and group 2000 (d0070000)
	case $(acl_of /mnt/a/a/xattrs/acl) in
	*e8030000*d0070000*) pass "without the shift it is as in the image" ;;
	*) fail "without the shift it is as in the image" "$(acl_of /mnt/a/a/xattrs/acl)" ;;
	esac
	is "the ACL lets the shifted user read" \
		"$(idmount --as 101000 /mnt/shifted/a/xattrs/acl-only 2>&1)" "by ACL alone"
	notok "and not the one of before" idmount --as 1000 /mnt/shifted/a/xattrs/acl-only
	is "while on the mount itself that one may" \
		"$(idmount --as 1000 /mnt/a/a/xattrs/acl-only 2>&1)" "by ACL alone"
	notok "and not the shifted one" idmount --as 101000 /mnt/a/a/xattrs/acl-only
	# Revision 3, with the root of the user name space that the mount is for.
	is "a capability is shown for the shifted root" \
		"$(getfattr --only-values -n security.capability /mnt/shifted/a/xattrs/capability 2>/dev/null | od -An -tx1 | tr -d ' \n' | cut -c1-8)" 01000003
	same_tree /mnt/a $OD_SUMS/small >/tmp/out && pass "the tree is right" || fail "the tree is right" "$(cat /tmp/out)"
	umount /mnt/shifted
fi
umount /mnt/a
