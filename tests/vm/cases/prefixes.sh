# SPDX-License-Identifier: GPL-2.0-only
# seconds: 310, debug 360
# where: stock debug
# thin
# Every prefix of an image, every single byte inverted, and a single bit inverted in
# every byte: an error or the right data, never a crash or a hang. od.thin=N: every Nth
# byte, from a random start below N, or from od.first=, to repeat a run

# mount_all PREFIX NR GOOD: four workers, each with its own domain and mount point,
# mount and read PREFIX0, PREFIX1, ...; prints the sums of their counts,
# "R rejected, M mounted, W wrong", or their output on failure
mount_all() {
	local worker part=$(($2 / 4 + 1)) from pids='' pid
	for worker in 0 1 2 3; do
		mkdir -p /mnt/worker$worker
		from=$((worker * part))
		oddriver mounts "$1" $from $((from + part < $2 ? part : $2 - from)) \
			domain_id=worker$worker "$3" /mnt/worker$worker >/tmp/worker$worker 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || { cat /tmp/worker?; return 1; }
	done
	cat /tmp/worker? | awk '/rejected/ { r += $1; m += $3; w += $5 }
		END { print r " rejected, " m " mounted, " w " wrong" }'
}

# total_is "R rejected, M mounted, W wrong" NR: all NR images were tried
total_is() {
	local r=${1%% rejected*} m
	m=${1#*rejected, }
	[ $((r + ${m%% mounted*})) = "$2" ]
}

thin=$(od_arg thin 1)
first=$(od_arg first $(($(od -An -N2 -tu2 /dev/urandom) % thin)))

ok "setup" od_setup
mkdir -p /tmp/blobs
nr=$(oddriver cut $OD_BLOBS/tiny /tmp/blobs "$thin" "$first")
ok "daemon" odd --source=/tmp/blobs --source=$OD_BLOBS
ok "mount of the whole image" od_mount /mnt/a domain_id=whole,fsid=tiny
good=$(oddriver sum /mnt/a)
ok "the whole image can be read" test -n "$good"
umount /mnt/a
result=$(mount_all t "$nr" "$good")
note "od.thin=$thin od.first=$first: $nr prefixes: $result"
ok "every prefix was tried" total_is "$result" "$nr"
ok "every prefix: an error or the right data" expr "$result" : '.* 0 wrong$'
rm -f /tmp/blobs/t*

# The image has no checksum, which would reject any change to the first block.
for kind in f b; do
	name='inverted byte'
	[ $kind = f ] || name='inverted bit'
	nr=$(oddriver flip $OD_BLOBS/tiny /tmp/blobs "$thin" "$first" $kind)
	result=$(mount_all $kind "$nr" "$good")
	note "$nr times an $name: $result"
	ok "every $name: no crash and no hang" total_is "$result" "$nr"
	rm -f /tmp/blobs/$kind*
done
killall erofs-odd
rm -rf /tmp/blobs
