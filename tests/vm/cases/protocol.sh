# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 140
# where: stock rows short debug kasan
# The device and the anonymous fd, call by call, as a daemon sees them.
ok "setup" od_setup
protocol $OD_CACHE $OD_BLOBS one large/sequential >/tmp/protocol.out 2>&1
is "the test program succeeds" $? 0
while read -r verdict name; do
	case $verdict in
	pass) pass "$name" ;;
	*) fail "$verdict $name" ;;
	esac
done </tmp/protocol.out
! grep -q " /mnt/a " /proc/mounts || umount /mnt/a
