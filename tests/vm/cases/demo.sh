# SPDX-License-Identifier: GPL-2.0-only
# seconds: 60
# where: demo.sh
# The demo: mounts an image before its data is present, reads a few files and shows
# the cost; then compares every byte, in all three mount forms.

# milliseconds since boot
ms() {
	awk '{ print int($1 * 1000) }' /proc/uptime
}

mib() {
	awk -v bytes="${1:-0}" 'BEGIN { printf "%.1f MiB", bytes / 1048576 }'
}

say() {
	echo "  $*"
}

# Prints a progress bar until /tmp/progress is removed.
progress() {
	local total=$1 got
	while [ -e /tmp/progress ]; do
		sleep 2
		got=$(od_counter bytes_filled)
		awk -v got="$got" -v total="$total" -v reads="$(od_reads)" 'BEGIN {
			part = total ? got / total : 0
			if (part > 1) part = 1
			for (bar = ""; length(bar) < int(part * 30);) bar = bar "#"
			printf "  [%-30s] %3d %%  %.1f of %.1f MiB cached, %d requests\n",
				bar, part * 100, got / 1048576, total / 1048576, reads }'
	done
}

start_progress() {
	touch /tmp/progress
	progress "$1" &
	PROGRESS=$!
}

stop_progress() {
	rm -f /tmp/progress
	wait $PROGRESS
}

bytes_of() {
	local blob sum=0
	for blob in "$@"; do
		sum=$((sum + $(stat -c %s $OD_BLOBS/"$blob")))
	done
	echo $sum
}

mkdir -p $OD_MNT/one $OD_MNT/tags $OD_MNT/devices
echo
echo "== An image that is mounted before its data is present"
say "kernel $(uname -r); loaded of the stock modules cachefiles, fscache, netfs, erofs: $(cut -d' ' -f1 /proc/modules | grep -xcE "$OD_STOCK")"
ok "both modules load" od_setup
od_origin
say "the blobs are at $OD_URL"
ok "the daemon erofs-odd runs" odd --source="$OD_URL"

size=$(bytes_of one)
start=$(ms)
ok "mount of one blob of $(mib "$size")" od_mount $OD_MNT/one fsid=one
say "mounted after $(($(ms) - start)) ms: $(mib "$(od_counter bytes_filled)") fetched, $(od_reads) requests"

start=$(ms)
head -c 1 $OD_MNT/one/large/sequential >/dev/null
say "the first byte of a file came after $(($(ms) - start)) ms"
for file in links/one xattrs/acl special/one-block; do
	cat "$OD_MNT/one/$file" >/dev/null || fail "read of $file"
done
ls $OD_MNT/one/many >/dev/null
say "a few files and a directory of 10,000 entries read: $(mib "$(od_counter bytes_filled)") of $(mib "$size") fetched, $(od_reads) requests"

echo "== All mount forms, every byte compared with the source"
ok "mount of a bootstrap with two data blobs, named by tags" od_mount $OD_MNT/tags fsid=boot
ok "mount of the same with device= options" \
	od_mount $OD_MNT/devices domain_id=demo,fsid=boot,device=data-a,device=data-b
two=$(bytes_of boot data-a data-b)
start_progress $((size + 2 * two))
compare_all "cold; type mode owner time size sha256 xattrs target as in the source" one tags devices
stop_progress
od_drop_caches
before=$(od_reads)
compare_all "page cache dropped" one tags devices
is "nothing was fetched twice" "$(od_reads)" "$before"
killall erofs-odd origin
od_wait 10 od_daemon_is gone
od_drop_caches
compare_all "daemon and source stopped" one tags devices
echo "== $(wc -l <$OD_SUMS/tree) paths, $(mib "$(cat $OD_SUMS/size)") of data, compared nine times"
