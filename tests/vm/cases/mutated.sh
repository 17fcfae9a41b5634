# SPDX-License-Identifier: GPL-2.0-only
# seconds: 40, debug 410
# where: stock debug
# thin
# Images of all kinds with a few bytes changed at random: they give an error or some data,
# never a crash, a hang, or a module that cannot be unloaded. On the kernel command line:
#   od.seed=N    seed, to repeat a run; random by default
#   od.steps=N   number of images, by default half as many with od.thin=
#   od.first=N   the first step, to repeat a single one
IMAGES='boot boot-tar flat v-512-index v-1024-flat v-2048-index v-4096-index v-4096-chunk
	v-4096-compact v-4096-prefix v-4096-compressed z-lz4-all z-lz4-metabox z-lz4-tails z-deflate
	z-zstd-48bit z-lzma m-zstd-fragments m-lzma-boxed-tails m-inline-boxed-prefix boxed reverse
	twenty layer-over tiny'
BATCH=100

# batch SEED FIRST NR: two workers run the steps, alternating
batch() {
	local worker pids='' pid status=0 images
	images=$(for image in $IMAGES; do echo "$OD_BLOBS/$image"; done)
	for worker in 0 1; do
		mkdir -p /mnt/worker$worker
		# shellcheck disable=SC2086 # a list
		mutate "$1" $(($2 + worker)) 2 $((($3 + 1 - worker) / 2)) /tmp/blobs \
			/mnt/worker$worker $images >/tmp/worker$worker 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || status=1
	done
	cat /tmp/worker0 /tmp/worker1 >>/tmp/mutated
	return $status
}

# Prints one line with the sums of the workers' counts.
total() {
	awk '/rejected/ {
			for (i = 1; i < NF; i += 2) {
				if (!($(i + 1) in sum))
					word[++n] = $(i + 1)
				sum[$(i + 1)] += $i
			}
		}
		END { for (i = 1; i <= n; i++) printf "%d %s ", sum[word[i]], word[i] }' /tmp/mutated
}

seed=$(od_arg seed "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')")
steps=$(od_arg steps $((48 - 24 * ($(od_arg thin 1) > 1))))
first=$(od_arg first 0)
note "od.seed=$seed od.first=$first od.steps=$steps"
ok "setup" od_setup
mkdir -p /tmp/blobs
: >/tmp/mutated
end=$((first + steps))
at=$first
status=0
# Each batch has its own cache and daemon, to limit the use of disk space.
while [ "$at" -lt $end ] && [ $status = 0 ]; do
	nr=$((end - at < BATCH ? end - at : BATCH))
	od_fresh_cache
	odd --source=/tmp/blobs --source=$OD_BLOBS || status=1
	[ $status != 0 ] || batch "$seed" "$at" $nr || status=1
	[ $status = 0 ] || break
	at=$((at + nr))
	[ "$at" -lt $end ] || break
	kill_daemons
done
if [ $status = 0 ]; then
	pass "$steps changed images: no crash and no hang"
else
	fail "seed $seed, between step $at and $((at + nr))" "$(tail -n 20 /tmp/mutated)"
fi
note "$(total)"
is "every one was tried" "$(awk '/rejected/ { sum += $1 + $3 } END { print sum }' /tmp/mutated)" "$steps"
[ "$steps" -lt 16 ] || ok "some of them mount" awk '/rejected/ { sum += $3 } END { exit !(sum * 4 >= '"$steps"') }' /tmp/mutated

# The changed images must not have affected other images.
ok "mount of an unchanged image" od_mount /mnt/a fsid=v-4096-index
ok "every byte is right" same_tree /mnt/a $OD_SUMS/small
rm -rf /tmp/blobs
