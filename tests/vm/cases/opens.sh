# SPDX-License-Identifier: GPL-2.0-only
# seconds: 40, debug 200
# where: stock debug
# The OPENs of an image's blobs are sent in parallel: the time of a mount does not depend on
# the number of blobs, but on the latency of the source.

# opens_waiting NR: at least that many OPENs wait for the daemon
opens_waiting() {
	[ "$(grep -c '	OPEN	' $OD_PROC/requests)" -ge "$1" ]
}

# mount_in NAME SECONDS: the mount takes less than SECONDS; sets took
mount_in() {
	local since
	since=$(od_uptime)
	ok "$1: mount" od_mount /mnt/a domain_id=d,fsid=twenty
	took=$(($(od_uptime) - since))
	ok "$1: in less than $2 s" test $took -lt "$2"
}

ok "setup" od_setup
# Twenty serial OPENs would take 20 s. With a delay of 100 ms, other work would dominate.
od_origin --delay-ms=1000
ok "source" test -n "$OD_URL"
ok "daemon" odd --source="$OD_URL" --threads=32
od_mount /mnt/a domain_id=d,fsid=twenty &
mounter=$!
ok "twenty OPENs wait at the same time" od_wait 30 opens_waiting 20
wait $mounter
is "the mount succeeds" $? 0
is "all OPENs complete" "$(od_counter opens)" 21
umount /mnt/a
mount_in "known blobs" 10
note "21 known blobs, 1 s per reply: $took s"
umount /mnt/a
kill_daemons
od_fresh_cache
od_origin --delay-ms=1000
ok "another daemon" odd --source="$OD_URL" --threads=32
mount_in "new blobs" 15
note "21 new blobs, 1 s per reply: $took s"
umount /mnt/a

# --- more options than fit into a page, the limit of mount(2): twenty names of 220 characters ---

# long_names: copies the blobs of the image, from the list in /proc, to longer names
long_names() {
	local nr=0 name long
	long=$(printf 'x%.0s' $(seq 218))
	mkdir -p /mnt/scratch/long
	cp "$OD_BLOBS/twenty" /mnt/scratch/long/
	awk -F '\t' '$6 == "device" { print $5 }' /proc/fs/erofs_od/mounts >/tmp/names
	while read -r name; do
		cp "$OD_BLOBS/$name" "/mnt/scratch/long/$long$((nr + 10))" || return 1
		echo "--device=$long$((nr + 10))"
		nr=$((nr + 1))
	done </tmp/names >/tmp/devices
	[ $nr = 20 ]
}

ok "mount" od_mount /mnt/a fsid=twenty
ok "long names" long_names
umount /mnt/a
kill_daemons
od_fresh_cache
ok "daemon" odd --source=/mnt/scratch/long
ok "erofs-od mount" xargs -a /tmp/devices erofs-od mount --domain=long twenty /mnt/a
is "it has all blobs" "$(grep -c '	device	' /proc/fs/erofs_od/mounts)" 20
ok "the tree is right" mountstorm same /mnt/a $OD_MNT/images/trees/domain
ok "it is read-only" grep -qE ' /mnt/a erofs_od ro,' /proc/mounts
umount /mnt/a
exits 1 "an unknown option" erofs-od mount -o nonsense twenty /mnt/a
says "the message names it" 'nonsense'
rm -rf /mnt/scratch/long
