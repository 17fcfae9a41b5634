# SPDX-License-Identifier: GPL-2.0-only
# seconds: debug 60
# where: debug kasan
# The table of long xattr name prefixes, on kernels that detect out-of-bounds reads: the
# names differ in length, and none is NUL-terminated.
ok "setup" od_setup
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=v-4096-prefix
ok "same as the source" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
