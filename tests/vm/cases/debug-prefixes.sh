# SPDX-License-Identifier: GPL-2.0-only
# seconds: debug 60
# where: debug kasan
# The table of long xattr name prefixes, where reads beyond a record are seen: each
# name has its own length, and none ends with a NUL.
ok "setup" od_setup
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=v-4096-prefix
ok "it is the source" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
