# SPDX-License-Identifier: GPL-2.0-only
# seconds: 40, debug 200
# where: stock debug
# The OPENs of an image's blobs go out together: how long a mount takes does not depend on
# how many blobs the image has, but on how long the source takes for one.

# opens_waiting NR: so many OPENs wait for the daemon at once
opens_waiting() {
	[ "$(grep -c '	OPEN	' $OD_PROC/requests)" -ge "$1" ]
}

# mount_in NAME SECONDS: less than that
mount_in() {
	local since
	since=$(od_uptime)
	ok "$1: mount" od_mount /mnt/a domain_id=d,fsid=twenty
	took=$(($(od_uptime) - since))
	ok "$1: in less than $2 s" test $took -lt "$2"
}

ok "setup" od_setup
# Twenty, one after the other, would take 20 s; at 100 ms, what else there is to do is more.
od_origin --delay-ms=1000
ok "source" test -n "$OD_URL"
ok "daemon" odd --source="$OD_URL" --threads=32
od_mount /mnt/a domain_id=d,fsid=twenty &
mounter=$!
ok "twenty OPENs wait at the same time" od_wait 30 opens_waiting 20
wait $mounter
is "the mount succeeds" $? 0
is "they are answered" "$(od_counter opens)" 21
umount /mnt/a
mount_in "known blobs" 10
note "21 blobs that are known, 1 s for each reply: $took s"
umount /mnt/a
kill_daemons
od_fresh_cache
od_origin --delay-ms=1000
ok "another daemon" odd --source="$OD_URL" --threads=32
mount_in "new blobs" 15
note "21 blobs that are new, 1 s for each reply: $took s"
umount /mnt/a

# --- more options than mount(2) takes: twenty names of 220 characters ---

# long_names: the blobs of the image, as /proc lists them, under longer names
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
is "has them all" "$(grep -c '	device	' /proc/fs/erofs_od/mounts)" 20
ok "the tree is right" mountstorm same /mnt/a $OD_MNT/images/trees/domain
ok "is read-only" grep -qE ' /mnt/a erofs_od ro,' /proc/mounts
umount /mnt/a
exits 1 "an option that there is not" erofs-od mount -o nonsense twenty /mnt/a
says "is named" 'nonsense'
rm -rf /mnt/scratch/long
