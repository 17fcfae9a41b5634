# SPDX-License-Identifier: GPL-2.0-only
# seconds: 35, debug 720
# where: stock rows debug
# thin
# Unusual images: chunks of one block to 1 GiB, holes at both ends, files of the maximum
# size, block numbers of more than 32 bits, unsorted device IDs, unknown feature bits.
# od.thin=8: the smallest and the largest block size only
ODD=$OD_MNT/scratch/odd
sizes="9 10 11 12"
[ "$(od_arg thin 1)" -lt 8 ] || sizes="9 12"

# patched NAME IMAGE OFFSET BYTES [OFFSET BYTES]: creates a copy of the image with these bytes
# (a format for printf), without a checksum
patched() {
	local out=$ODD/$1
	cp "$OD_BLOBS/$2" "$out"
	shift 2
	set -- 1032 '\000' "$@"
	while [ $# -gt 1 ]; do
		# shellcheck disable=SC2059 # a format
		printf "$2" | dd of="$out" bs=1 seek="$1" conv=notrunc 2>/dev/null
		shift 2
	done
}

ok "setup" od_setup
mkdir -p $ODD
ok "sparse blobs" oddimage blobs $ODD
for bits in $sizes; do
	ok "an image with blocks of $((1 << bits)) bytes" oddimage chunks $ODD/chunks-$bits $bits
done
ok "daemon" odd --source=$ODD --source=$OD_BLOBS

for name in o-512-512 o-1024-2097152 o-4096-4096 o-4096-1073741824; do
	ok "mount of $name" od_mount /mnt/a fsid=$name
	ok "$name: same as the source" same_tree /mnt/a $OD_SUMS/odd
	umount /mnt/a
done

for bits in $sizes; do
	name="blocks of $((1 << bits)) bytes"
	ok "$name: mount" od_mount /mnt/a domain_id=odd,fsid=chunks-$bits
	ok "$name: all chunks and holes" oddimage check /mnt/a
	od_drop_caches
	before=$(od_reads)
	ok "$name: warm" oddimage check /mnt/a
	is "$name: no READ is sent" "$(od_reads)" "$before"
	is "$name: . is listed, though not in the image" "$(dirways seek /mnt/a 100)" "$((33 - bits + (bits == 12) * 2 + (bits == 9))) entries"
	is "$name: . and .. are listed once" "$(ls -a /mnt/a | awk '/^\.\.?$/' | paste -sd' ')" ". .."
	[ $bits = 12 ] || umount /mnt/a
done

max=9223372036854775807
chunk=8796093022208
is "a file of 2^63-1 bytes" "$(stat -c %s /mnt/a/max-hole)" $max
start=$(cut -d. -f1 /proc/uptime)
is "is a hole" "$(readways seek /mnt/a/max-hole)" "hole 0 $max"
is "has no extents" "$(readways fiemap /mnt/a/max-hole)" ""
is "another one has data in three places" "$(readways seek /mnt/a/max-ends | paste -sd' ')" \
	"data 0 $chunk hole $chunk $((max / 2 + 1)) data $((max / 2 + 1)) $((max / 2 + 1 + chunk)) hole $((max / 2 + 1 + chunk)) $((max - chunk + 1)) data $((max - chunk + 1)) $max"
seconds=$(($(cut -d. -f1 /proc/uptime) - start))
note "$seconds s to seek through 3 * 2^20 chunks"
# Slow debug kernels get more time.
ok "in a reasonable time" test $seconds -le $((20 * $(od_arg thin 1)))
dd if=/mnt/a/max-hole of=/tmp/end bs=4096 count=1 iflag=skip_bytes skip=$((max - 4096)) 2>/dev/null
head -c 4096 /dev/zero >/tmp/zeroes
ok "its last bytes are zeroes" cmp /tmp/end /tmp/zeroes
umount /mnt/a

ok "descending device ids: mount" od_mount /mnt/a fsid=reverse
ok "descending device ids: every byte" mountstorm same /mnt/a $OD_MNT/images/trees/domain
umount /mnt/a

# Undefined compatible bits, and the one that RAFS sets.
oddimage compat $OD_BLOBS/v-4096-flat $ODD/all-bits 0xffffffc0
oddimage compat $OD_BLOBS/reverse $ODD/rafs-bit 0x40000000
ok "all unknown compatible features: mount" od_mount /mnt/a fsid=all-bits
ok "same as the source" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
ok "the feature bit of RAFS: mount" od_mount /mnt/a fsid=rafs-bit
ok "every byte is right" mountstorm same /mnt/a $OD_MNT/images/trees/domain
umount /mnt/a

# Byte 13 of the superblock: extensions; 96: packed inode; 112: root; 128: metabox inode.
patched no-extension m-plain-metabox 1037 '\000'
mount_fails "a metabox without its extension" fsid=no-extension 'needs cleaning'
ok "the log says so" expr "$(od_log)" : '.*metabox without its extension'
patched in-itself m-plain-metabox 1159 '\200'
mount_fails "a metabox in itself" fsid=in-itself 'needs cleaning'
ok "the log says so" expr "$(od_log)" : '.*metabox inode [0-9]*: metabox in itself: -117'
patched packed-in-box m-zstd-boxed-fragments 1127 '\200'
mount_fails "a packed inode in the metabox" fsid=packed-in-box 'needs cleaning'
ok "the log says so" expr "$(od_log)" : '.*packed inode in the metabox'
patched directory v-4096-48bit 1037 '\001' 1104 '\200\001' \
	1152 "\\$(printf %o "$(od -An -j1038 -N1 -tu1 $OD_BLOBS/v-4096-48bit | tr -d ' ')")\\0\\0\\0\\0\\0\\0\\0"
mount_fails "a metabox that is a directory" fsid=directory 'needs cleaning'
ok "the log says so" expr "$(od_log)" : '.*metabox inode [0-9]*: not a regular file: -117'
patched no-box v-4096-48bit 1143 '\200'
mount_fails "an inode of a metabox that does not exist" fsid=no-box 'needs cleaning' 2
ok "the log says so" expr "$(od_log)" : '.*inode [0-9]*: corrupt: outside the image'
patched past-box m-plain-metabox 1140 '\001'
mount_fails "an inode past the metabox" fsid=past-box 'needs cleaning' 2
patched no-shared v-4096-flat 1032 '\010'
mount_fails "shared xattrs in no metabox" fsid=no-shared 'needs cleaning'
ok "the log says so" expr "$(od_log)" : '.*shared xattrs in a metabox that does not exist'
patched no-digest m-inline-ishare 1032 '\040' 1129 '\377'
mount_fails "digests under a name that does not exist" fsid=no-digest 'needs cleaning'
ok "the log says so" expr "$(od_log)" : '.*digests of files under a name that does not exist'
# Marked as compressed, by an algorithm that is not defined yet.
cp $OD_BLOBS/v-4096-flat $ODD/future
printf '\002\000\000\000\020\000' | dd of=$ODD/future bs=1 seek=1104 conv=notrunc 2>/dev/null
mount_fails "an unknown compression algorithm" fsid=future 'not supported'
ok "the log says so" expr "$(od_log)" : '.*unknown compression algorithm'
# Marked as compressed, with an invalid configuration, and without a checksum.
cp $OD_BLOBS/v-4096-flat $ODD/deflate
printf '\000' | dd of=$ODD/deflate bs=1 seek=1032 conv=notrunc 2>/dev/null
printf '\002\000\000\000\004\000' | dd of=$ODD/deflate bs=1 seek=1104 conv=notrunc 2>/dev/null
printf '\006\000\020\000\000\000\000\000' | dd of=$ODD/deflate bs=1 seek=1152 conv=notrunc 2>/dev/null
mount_fails "an invalid configuration" fsid=deflate 'needs cleaning'
ok "the log names the algorithm" expr "$(od_log)" : '.*configuration of DEFLATE compression: invalid window size'
# A symlink stored inline in the inode, and in a block of its own.
for form in flat plain; do
	ok "$form: an image with a NUL in a symlink" \
		oddimage nul $OD_BLOBS/v-4096-$form $ODD/nul-$form /no/such/file
	ok "$form: mount" od_mount /mnt/a fsid=nul-$form
	ok "$form: the symlink is rejected" sh -c 'cat /mnt/a/a/links/dangling 2>&1 | grep "needs cleaning"'
	ok "$form: other symlinks are not" grep -q three /mnt/a/a/links/one
	umount /mnt/a
done
# oddimage has updated the checksum; now a byte changes.
printf 'x' | dd of=$ODD/rafs-bit bs=1 seek=1100 conv=notrunc 2>/dev/null
kill_daemons
od_fresh_cache
ok "daemon" odd --source=$ODD
mount_fails "a superblock with a wrong checksum" fsid=rafs-bit 'needs cleaning'
kill_daemons
rm -rf $ODD
