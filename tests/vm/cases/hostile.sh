# SPDX-License-Identifier: GPL-2.0-only
# seconds: 40, debug 370
# where: stock debug
# thin
# A daemon that does arbitrary things, from many threads and processes, against
# readers that do so as well; both keep being killed. od.seed= od.steps= od.mode= on
# the kernel command line, see hostile.c; the default is both modes, and a random seed.
DOMAIN=$OD_MNT/images/trees/domain
SMALL=$OD_MNT/scratch/small
SLOTS=/mnt/slots

# Copies the tree from an image that an honest daemon serves.
make_small() {
	rm -rf $SMALL
	odd && od_mount /mnt/a fsid=v-4096-plain && same_tree /mnt/a $OD_SUMS/small &&
		cp -a /mnt/a $SMALL && umount /mnt/a
}

# Sets OUT to a file with all of its output.
run_hostile() {
	OUT=/tmp/hostile.$1
	note "$1: od.mode=$1 od.seed=$seed od.steps=$steps"
	hostile "$1" "$seed" "$steps" "$seconds" $OD_CACHE $SLOTS $OD_BLOBS \
		twenty=$DOMAIN reverse=$DOMAIN v-4096-chunk=$SMALL v-512-flat=$SMALL >$OUT 2>&1
}

all_closed() {
	od_daemon_is none
}

# Blobs whose size differed may read as errors, but never as wrong bytes.
nothing_wrong() {
	local status
	od_mount /mnt/a "fsid=$1" || return 0
	hostile check /mnt/a "$2"
	status=$?
	umount /mnt/a
	[ $status != 1 ]
}

all_right() {
	od_mount /mnt/a "fsid=$1" && hostile check /mnt/a "$2" && umount /mnt/a
}

seed=$(od_arg seed)
steps=$(od_arg steps)
modes=$(od_arg mode)
seconds=$(od_arg seconds)
seed=${seed:-$(($(od -An -N2 -tu2 /dev/urandom)))}
steps=${steps:-12000}
# A sample (od.thin=) runs for a shorter time.
seconds=${seconds:-$((10 - 6 * ($(od_arg thin 1) > 1)))}

# Until its deadline, a lookup keeps other lookups of the same name waiting unkillably, those
# by threads of the daemon included; then the next of them starts with a deadline of its own.
ok "modules" od_load metadata_timeout_ms=2000
od_fresh_cache
ok "an fd is closed while a READ is copied" crossing $OD_CACHE $OD_BLOBS one large/sequential
! grep -q ' /mnt/a ' /proc/mounts || umount /mnt/a
od_fresh_cache
ok "a tree to compare with" make_small
kill_daemons
od_fresh_cache
mkdir -p $SLOTS
for mode in ${modes:-right any}; do
	if run_hostile "$mode"; then
		pass "$mode: nothing hangs, nothing is wrong"
	else
		fail "$mode: nothing hangs, nothing is wrong" "$(tail -n 20 $OUT)"
		# Release all resources, as far as the processes can be killed.
		killall -9 hostile 2>/dev/null
		for slot in $SLOTS/*; do umount -l "$slot" 2>/dev/null; done
	fi
	note "$(tail -n 1 $OUT)"
	ok "$mode: the cache is released" od_wait 30 all_closed
	if [ "$mode" = right ]; then
		ok "an honest daemon in the same directory" odd
		for image in twenty reverse; do
			ok "what was left of $image is right" nothing_wrong $image $DOMAIN
		done
		for image in v-4096-chunk v-512-flat; do
			ok "what was left of $image is right" nothing_wrong $image $SMALL
		done
		kill_daemons
	fi
	od_fresh_cache
done
# A slow debug kernel is not the daemon's fault.
ok "the default deadline again" sh -c "echo 60000 >/sys/module/cachefiles_od/parameters/metadata_timeout_ms"
ok "an honest daemon in a fresh directory" odd
ok "serves one tree" all_right twenty $DOMAIN
ok "and the other" all_right v-512-flat $SMALL
kill_daemons
ok "both modules unload" od_unload
rm -rf $SMALL $SLOTS
