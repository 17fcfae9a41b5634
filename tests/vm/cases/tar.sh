# SPDX-License-Identifier: GPL-2.0-only
# seconds: 9, debug 60
# where: stock rows short debug
# An unconverted layer: the blob is the uncompressed tar, and the bootstrap only points into it.
ok "setup" od_setup
ok "daemon" odd
ok "mount of a bootstrap over a tar" od_mount /mnt/a fsid=boot-tar,device=layer.tar
# mkfs.erofs up to 1.9 misparses the fraction of a second if tar has omitted
# trailing zeroes.
seconds='s/^(([^ ]+ ){5}-?[0-9]+)\.[0-9]+/\1/'
ok "the tree is right" same_tree /mnt/a $OD_SUMS/small "$seconds"
od_drop_caches
kill_daemons
ok "and right again from the cache, without the daemon" same_tree /mnt/a $OD_SUMS/small "$seconds"
umount /mnt/a
