# SPDX-License-Identifier: GPL-2.0-only
# seconds: 8
# where: stock rows
# IMA measures a file at each open, not only once: data that is fetched again may differ.
IMA=/sys/kernel/security/ima
IMAGE=measured0
NAME=a-name-of-some-length-8

# uuid_of FILE: prints the UUID of the image
uuid_of() {
	od -An -v -tx1 -j1072 -N16 "$1" | tr -d ' \n' |
		sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12})/\1-\2-\3-\4-\5/'
}

measurements() {
	grep -c "$NAME *\$" $IMA/ascii_runtime_measurements
}

mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
if [ ! -e $IMA/policy ]; then
	skip "IMA" "this kernel has none, or has a policy already"
	return
fi
ok "modules" od_load
ok "an image with a UUID of its own" oddimage copies $OD_BLOBS/v-4096-plain /mnt/scratch/measured 1
# A policy stays until the next boot, and must not affect other tests.
ok "a policy for it" sh -c "echo 'measure func=FILE_CHECK fsuuid=$(uuid_of /mnt/scratch/$IMAGE)' >$IMA/policy"
od_fresh_cache
ok "daemon" odd --source=/mnt/scratch
ok "mount" od_mount /mnt/a fsid=$IMAGE
file=/mnt/a/b/many/$NAME
is "the file" "$(cat "$file")" "file 8"
is "it was measured" "$(measurements)" 1
is "the file again" "$(cat "$file")" "file 8"
is "it has not changed" "$(measurements)" 1
offset=$(readways fiemap "$file" | awk '{ print $2 }')
# Keeps the inode in memory.
exec 3<"$file"
printf FILE | dd of="$(od_cache_file $IMAGE)" bs=1 seek="$offset" conv=notrunc 2>/dev/null
sync
od_drop_caches
is "the changed file" "$(cat "$file")" "FILE 8"
is "it was measured once more" "$(measurements)" 2
exec 3<&-
umount /mnt/a
rm /mnt/scratch/$IMAGE
