# SPDX-License-Identifier: GPL-2.0-only
# Every prefix of an image, and every single inverted byte of its metadata: an
# error or the right data, never a crash or a hang.
ok "setup" od_setup
mkdir -p /tmp/blobs
size=$(oddriver cut $OD_BLOBS/tiny /tmp/blobs)
ok "daemon" odd --source=/tmp/blobs
ok "mount of the whole image" od_mount /mnt/a domain_id=whole,fsid="t$size"
good=$(oddriver sum /mnt/a)
ok "the whole image can be read" test -n "$good"
umount /mnt/a
result=$(oddriver mounts t 0 "$size" domain_id=cut "$good" 2>&1)
note "prefixes of 0 to $((size - 1)) bytes: $(echo "$result" | tail -n 1)"
ok "every prefix: an error or the right data" expr "$result" : '[0-9]* refused, [0-9]* mounted, 0 wrong$'
rm -f /tmp/blobs/t*

# With the superblock's checksum the first block would be refused as a whole.
nr=$(oddriver flip $OD_BLOBS/tiny /tmp/blobs "$size")
result=$(timeout 240 oddriver mounts f 0 "$nr" domain_id=flip 0 2>&1 | grep -v '^wrong:')
note "$nr inverted bytes: $(echo "$result" | tail -n 1)"
ok "every inverted byte: mounts or does not, reads or does not, and ends" \
	expr "$result" : '[0-9]* refused, [0-9]* mounted, [0-9]* wrong$'
killall erofs-odd
rm -rf /tmp/blobs
