# SPDX-License-Identifier: GPL-2.0-only
# seconds: 60, debug 330
# where: stock debug
# thin
# 64 readers of 8 mounts in 4 domains, each with 20 blobs, while the daemon is killed
# and restarted, images are mounted and unmounted, memory runs low and the cache's file
# system runs full. od.seed= od.seconds= od.thin= on the kernel command line, see stress.c.
TREE=$OD_MNT/images/trees/domain
COPIES=$OD_MNT/scratch/copies

# Without the daemon's own limit for free space, so that the file system runs full.
run_stress() {
	stress "$seed" "$seconds" $OD_CACHE /mnt/stress $TREE copy \
		erofs-odd --dir=$OD_CACHE --source=$COPIES --source=$OD_BLOBS \
		--bstop=0 --bcull=1 --brun=2 >/tmp/stress 2>&1
}

unbound() {
	od_daemon_is none
}

# Prints the number of fills that were passed to readers, or rejected.
no_space() {
	dmesg | grep -c 'out of space (-ENOSPC)\|rejected: -28'
}

seed=$(od_arg seed)
seconds=$(od_arg seconds)
seed=${seed:-$(($(od -An -N2 -tu2 /dev/urandom)))}
# A sample (od.thin=) is shorter.
seconds=${seconds:-$((25 - 15 * ($(od_arg thin 1) > 1)))}

# READs are small, so that there are many.
ok "modules" od_load window_kib=16
od_fresh_cache
mkdir -p $COPIES /mnt/stress
ok "8 images over the same 20 blobs" oddimage copies $OD_BLOBS/twenty $COPIES/copy 8
note "od.seed=$seed od.seconds=$seconds"
if run_stress; then
	pass "every byte is right, and errors have a reason"
else
	fail "every byte is right, and errors have a reason" "$(grep -vE '^erofs-odd|^$' /tmp/stress | tail -n 40)"
fi
note "$(grep '^reads ' /tmp/stress), ENOSPC in the log $(no_space)"
ok "the file system was full" test "$(no_space)" -gt 0
ok "nothing is mounted" sh -c "! grep ' /mnt/stress/' /proc/mounts"
ok "the cache is unbound" od_wait 30 unbound
ok "both modules unload" od_unload
rm -rf $COPIES
