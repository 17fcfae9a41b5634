# SPDX-License-Identifier: GPL-2.0-only
# seconds: 120
# where: nydus.sh
# An unmodified daemon, nydusd, in drop-in mode: its own images, in a domain and without
# one, and the daemon killed. Run by tests/vm/nydus.sh, which builds the disk with the
# images and adds nydusd to the VM.

# The second disk is that of nydus.sh, not the one with the usual images.
NYDUS=/mnt/images

# nydus IMAGE: starts a new nydusd with an empty cache, configured for this image
nydus() {
	kill_nydus
	od_fresh_cache
	nydusd singleton --fscache $OD_CACHE --fscache-threads 2 --config $NYDUS/$1.json \
		--apisock "/tmp/$1.sock" --log-level info >/tmp/nydusd.log 2>&1 &
	od_wait 20 od_daemon_is bound || { cat /tmp/nydusd.log; return 1; }
}

kill_nydus() {
	killall -9 nydusd 2>/dev/null && while pidof nydusd >/dev/null; do sleep 0.05; done
	return 0
}

# same_files DIR: names and contents equal those of the source
same_files() {
	(cd "$1" && find . | sort | cmp - $NYDUS/names && md5sum -c $NYDUS/md5 >/tmp/md5.out 2>&1) ||
		{ grep -v ': OK$' /tmp/md5.out; return 1; }
}

ok "both modules load, in drop-in mode" sh -c \
	"insmod $OD_MODULES/cachefiles_od.ko && insmod $OD_MODULES/erofs_od.ko dropin=1"
for image in plain zstd; do
	nydus $image
	ok "$image: nydusd binds" od_daemon_is bound
	ok "$image: mount in a domain" timeout 60 mount -t erofs -o "ro,domain_id=shop,fsid=$image" none /mnt/a
	ok "$image: all files are right" same_files /mnt/a
	note "$(od_reads) READs, $(od_counter bytes_filled) bytes filled"
	kill_nydus
	ok "$image: nydusd is killed" od_wait 10 od_daemon_is gone
	od_drop_caches
	ok "$image: all files are right without it" same_files /mnt/a
	umount /mnt/a
	nydus $image
	ok "$image: mount without a domain" timeout 60 mount -t erofs -o "ro,fsid=$image" none /mnt/b
	ok "$image: all files are right" same_files /mnt/b
	umount /mnt/b
done
kill_nydus
od_wait 10 od_daemon_is none
