# SPDX-License-Identifier: GPL-2.0-only
# The same mount with its owners shifted: owners, ACLs, capabilities, and who may read.
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
	# user 1000 (e8030000) and group 2000 (d0070000) plus 100000: 888a0100, 708e0100
	acl=$(getfattr --only-values -n system.posix_acl_access /mnt/shifted/a/xattrs/acl | od -An -tx1 | tr -d ' \n')
	case $acl in
	*888a0100*708e0100*) pass "an ACL's owners are shifted" ;;
	*) fail "an ACL's owners are shifted" "$acl" ;;
	esac
	acl=$(getfattr --only-values -n system.posix_acl_access /mnt/a/a/xattrs/acl | od -An -tx1 | tr -d ' \n')
	case $acl in
	*e8030000*d0070000*) pass "without the shift they are as in the image" ;;
	*) fail "without the shift they are as in the image" "$acl" ;;
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
