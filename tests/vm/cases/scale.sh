# SPDX-License-Identifier: GPL-2.0-only
# seconds: 300
# where: scale.sh
# A thousand images in one domain, mounted one after the other: the CPU time and memory that
# the last mounts take, compared with the first ones, and the objects that use the memory.
# Then thousands of blobs, and of waiting READs. For a clock that counts instructions.
# od.images=N: that many images, a multiple of 50
COPIES=$OD_MNT/scratch/copies
TWENTY=$OD_BLOBS/twenty
IMAGES=$(od_arg images 1000)
BATCH=50
LAST=$((IMAGES - BATCH))

# busy: prints the CPU time since boot, in microseconds
busy() {
	awk '/^cpu/ { sum += $8 } END { printf "%d", sum / 1000 }' /proc/schedstat
}

# mount_batch FIRST: mounts BATCH images; sets took, in microseconds per image
mount_batch() {
	took=$(busy)
	mountstorm mount /mnt/many domain_id=many copy "$1" $BATCH 1 || return 1
	took=$((($(busy) - took) / BATCH))
}

# scaled WHAT NUMBER: prints some of the figures, for tests/bin/bench.py
scaled() {
	case $2 in
	50 | 100 | 200 | 500 | 1000 | 210 | 1050 | 5040) note "scaled $1 $2 $took" ;;
	esac
}

# mount_all NAME WHAT: mounts all images; compares with the second batch, as the first one also
# starts threads
mount_all() {
	local from first='' last=''
	for from in $(seq 0 $BATCH $LAST); do
		mount_batch "$from" || break
		scaled "$2" $((from + BATCH))
		[ "$from" != $BATCH ] || first=$took
		[ "$from" != $LAST ] || last=$took
	done
	is "$1: all are mounted" "$from ${last:+yes}" "$LAST yes"
	note "$1: each of the second $BATCH mounts takes $first us, each of the last $BATCH $last us"
	ok "$1: the last take at most a fifth more" test $((last * 10)) -le $((first * 12))
}

# memory_use: prints the bytes in objects of each slab cache, and in other memory of the kernel
# and of processes
memory_use() {
	od_pinned >/dev/null
	awk 'FNR == NR && /^[a-z]/ && $2 ~ /^[0-9]+$/ { print $1, $2 * $4; next }
		/^(Percpu|PageTables|AnonPages|KernelStack|Shmem):/ { sub(":", "", $1); print $1, $2 * 1024 }' \
		/proc/slabinfo /proc/meminfo
}

# memory_table WHAT BEFORE AFTER NUMBER: prints the growth divided by NUMBER, by object
memory_table() {
	note "memory of $1, slab and other: $(awk -v nr="$4" 'FNR == NR { before[$1] = $2; next }
		{ sum += $2 - before[$1] } END { printf "%d", sum / nr }' "$2" "$3") bytes"
	awk -v nr="$4" 'FNR == NR { before[$1] = $2; next }
		{ bytes = ($2 - before[$1]) / nr } bytes >= 32 { printf "%d %s\n", bytes, $1 }' "$2" "$3" |
		sort -rn | while read -r bytes what; do
		note "memory of $1: $bytes $what"
	done
}

ok "setup" od_setup
mkdir -p $COPIES /mnt/many
# Same as LimitNOFILE= of the unit: the daemon has an open file for each blob.
ulimit -n 1048576
ok "$IMAGES images over the same 20 blobs" oddimage copies $TWENTY $COPIES/copy "$IMAGES"
kill_daemons
od_fresh_cache
ok "daemon" odd --source=$COPIES --source=$OD_BLOBS
blank=$(od_pinned)
mount_all "unknown to the cache" new
all=$(od_pinned)
note "memory: $(((all - blank) * 1024 / IMAGES)) bytes for each mount with its blob"
ok "all are unmounted" mountstorm umount /mnt/many 0 "$IMAGES" 1
mount_all "known to it" known
ok "status" sh -c "erofs-od status -v >/dev/null"
ok "all are unmounted again" mountstorm umount /mnt/many 0 "$IMAGES" 1
# The first mounts start threads, and open the blobs that all share.
ok "some are mounted" mountstorm mount /mnt/many domain_id=many copy 0 $BATCH 1
memory_use >/tmp/blank
ok "the others are mounted" mountstorm mount /mnt/many domain_id=many copy $BATCH $LAST 1
memory_use >/tmp/all
memory_table "a mount and its blob" /tmp/blank /tmp/all $LAST
ok "these are unmounted" mountstorm umount /mnt/many 0 "$IMAGES" 1
memory_use >/tmp/blank
ok "50 are mounted without a domain" mountstorm mount /mnt/many "" copy 0 50 1
memory_use >/tmp/all
memory_table "a mount and its 21 blobs" /tmp/blank /tmp/all 50
ok "these are unmounted" mountstorm umount /mnt/many 0 50 1

# --- five thousand blobs; five hundred mounts in fifty domains ---

mount_in_domains() {
	local nr
	for nr in $(seq 0 49); do
		mountstorm mount /mnt/many "domain_id=many$nr" copy $((nr * 10)) 10 1 || return 1
	done
}

# mount_alone: mounts 240 images without a domain, each with its 21 blobs
mount_alone() {
	local from
	for from in $(seq 0 10 230); do
		took=$(busy)
		mountstorm mount /mnt/many "" copy "$from" 10 1 || return 1
		took=$((($(busy) - took) / 210))
		scaled blobs $(((from + 10) * 21)) >>/tmp/alone
	done
}

if [ "$IMAGES" -ge 500 ]; then
	ok "240 images are mounted without a domain" mount_alone
	cat /tmp/alone
	is "5,040 blobs are open" "$(od_counter blobs)" 5040
	ok "status" sh -c "erofs-od status -v >/dev/null"
	ok "they are unmounted" mountstorm umount /mnt/many 0 240 1
	ok "500 images are mounted in 50 domains" mount_in_domains
	is "domains and blobs" "$(od_counter volumes) $(od_counter blobs)" "50 1500"
	ok "they are unmounted" mountstorm umount /mnt/many 0 500 1
fi
kill_daemons

# --- ten thousand waiting READs ---

FILE=/mnt/a/large/sequential

hits_take() {
	manyreads hits $FILE 1000
}

reads_proc() {
	while :; do
		cat $OD_PROC/requests $OD_PROC/blobs $OD_PROC/caches
		erofs-od status -v
	done >/dev/null
}

od_wait 10 od_daemon_is none
ok "modules" od_unload
ok "READs are not widened" od_load window_kib=4
od_fresh_cache
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=one
alone=$(hits_take)
killall -STOP erofs-odd
ok "10,000 READs" manyreads ahead $FILE $((4 << 20)) 4096 10000
ok "they wait" od_wait 10 od_waiting 10000
reads_proc &
reader=$!
sleep 1
longest=$(hits_take)
kill $reader
note "the longest of 1000 reads of present data: $alone us; with these, while /proc is read: $longest us"
ok "/proc does not stall reads" test "$longest" -lt 100000
before=$(od_uptime)
ok "a forced unmount" umount -f /mnt/a
ok "ends all of them at once" test $(($(od_uptime) - before)) -le 5
killall -CONT erofs-odd
kill_daemons
