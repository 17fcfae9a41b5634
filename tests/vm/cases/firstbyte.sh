# SPDX-License-Identifier: GPL-2.0-only
# seconds: 60
# where: stock
# alone
# Widening must not delay a missing block: with the default window, the first byte of
# 4 KiB takes at most 1.2 times as long as with a window of 4 KiB.
#
# Load makes a read slower, never faster. So the fastest read with each window counts, and
# rounds with both alternate until the limit is met, ROUNDS times at most; a read that had
# to wait for half a window first would always take several times as long.
ROUNDS=12
FILE=/mnt/a/large/sequential
STEP=$((3 << 20))

# round WINDOW_KIB: measures with an empty cache; sets fastest and median, in microseconds
round() {
	umount /mnt/a 2>/dev/null
	kill_daemons
	od_unload
	od_load ${1:+window_kib=$1} && od_fresh_cache && odd && od_mount /mnt/a fsid=one &&
		stat $FILE >/dev/null && out=$(oddriver misses $FILE $STEP) || return 1
	fastest=${out% *}
	median=${out#* }
}

best_usual=1000000000
best_small=1000000000
met=
cat $OD_BLOBS/one >/dev/null
for nr in $(seq $ROUNDS); do
	round 4 || break
	[ "$fastest" -ge $best_small ] || best_small=$fastest
	small="$fastest, median $median"
	round "" || break
	[ "$fastest" -ge $best_usual ] || best_usual=$fastest
	note "round $nr: window_kib=4: fastest $small us; default window: fastest $fastest, median $median us"
	[ $((best_usual * 10)) -gt $((best_small * 12)) ] || met=yes
	[ -z "$met" ] || [ "$nr" -lt 3 ] || break
done
is "every round was measured" "${out:+yes}" yes
ok "requests were widened" test "$(od_counter bytes_filled)" -gt $((16 * 65536))
is "first byte of 4 KiB: $best_usual us, with window_kib=4 $best_small us: at most 1.2 times" "$met" yes
umount /mnt/a
kill_daemons
