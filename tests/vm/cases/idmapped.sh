# SPDX-License-Identifier: GPL-2.0-only
# seconds: 5, debug 55
# where: stock rows short debug
# An idmapped mount: owners, ACLs, capabilities, permissions.
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
	skip "idmapped mounts" "not supported by this kernel"
else
	is "an idmapped mount" "$status $out" "0 "
	is "owners are shifted" "$(stat -c '%u %g' /mnt/shifted/b/modes/owner)" "170000 180000"
	is "root is shifted" "$(stat -c %u /mnt/shifted/b/modes/0777)" 100000
	is "the original mount is unchanged" "$(stat -c '%u %g' /mnt/a/b/modes/owner)" "70000 80000"
	# Kernels differ in what getxattr shows on such a mount (6.1 shifts nothing): ext4
	# with the same idmapping is the reference.
	mkdir -p /mnt/as-ext4
	: >/mnt/scratch/acl
	setfattr -n system.posix_acl_access -v "0x$(acl_of /mnt/a/a/xattrs/acl)" /mnt/scratch/acl
	ok "an idmapped mount of ext4" idmount /mnt/scratch /mnt/as-ext4 100000
	is "an ACL is shown as on ext4" "$(acl_of /mnt/shifted/a/xattrs/acl)" "$(acl_of /mnt/as-ext4/acl)"
	umount /mnt/as-ext4
	# user 1000 (e8030000) and group 2000 (d0070000)
	case $(acl_of /mnt/a/a/xattrs/acl) in
	*e8030000*d0070000*) pass "the original mount shows the ACL of the image" ;;
	*) fail "the original mount shows the ACL of the image" "$(acl_of /mnt/a/a/xattrs/acl)" ;;
	esac
	is "the ACL lets the shifted user read" \
		"$(idmount --as 101000 /mnt/shifted/a/xattrs/acl-only 2>&1)" "by ACL alone"
	notok "and not the unshifted user" idmount --as 1000 /mnt/shifted/a/xattrs/acl-only
	is "on the original mount the unshifted user may read" \
		"$(idmount --as 1000 /mnt/a/a/xattrs/acl-only 2>&1)" "by ACL alone"
	notok "and not the shifted one" idmount --as 101000 /mnt/a/a/xattrs/acl-only
	# Revision 3, with the root ID of the mount's user namespace.
	is "a capability is shown for the shifted root" \
		"$(getfattr --only-values -n security.capability /mnt/shifted/a/xattrs/capability 2>/dev/null | od -An -tx1 | tr -d ' \n' | cut -c1-8)" 01000003
	same_tree /mnt/a $OD_SUMS/small >/tmp/out && pass "the tree is right" || fail "the tree is right" "$(cat /tmp/out)"
	umount /mnt/shifted
fi
umount /mnt/a
