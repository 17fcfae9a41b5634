# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 160
# where: stock rows debug
# A mount exported by the kernel's NFS server, and mounted over the loopback
# interface. The replies of rpc.mountd are written into the server's caches
# beforehand. Debug kernels have NFS built in.
nfs_modules() {
	local module
	[ -e /modules/nfs/order ] || return 0
	while read -r module; do
		insmod "/modules/nfs/$module" || return 1
	done </modules/nfs/order
}

# Unloads in reverse order; some modules stay in use for a moment after umount.
nfs_unload() {
	local module
	[ -e /modules/nfs/order ] || return 0
	for module in $(sed '1!G;h;$!d' /modules/nfs/order); do
		module=${module%.ko}
		od_wait 10 try_rmmod "$(echo "$module" | tr - _)" || { echo "$module stays"; return 1; }
	done
}

try_rmmod() {
	grep -q "^$1 " /proc/modules || return 0
	rmmod "$1"
}

# channel NAME LINE: adds an entry to a cache of the server
channel() {
	printf '%s\n' "$2" >"/proc/net/rpc/$1/channel"
}

# Flags: read-only, insecure ports, no subtree check, fsid. Entries never expire. fsid 0 is
# the root.
serve() {
	local forever=2147483647
	mkdir -p /var/lib/nfs/v4recovery
	mount -t nfsd nfsd /proc/fs/nfsd || return 1
	channel auth.unix.ip "nfsd 127.0.0.1 $forever loop" &&
		channel nfsd.export "loop /mnt/a $forever 9219 65534 65534 0" &&
		channel nfsd.fh "loop 1 \\x00000000 $forever /mnt/a" || return 1
	echo 10 >/proc/fs/nfsd/nfsv4gracetime
	echo 10 >/proc/fs/nfsd/nfsv4leasetime
	echo "-2 -3 +4 +4.1" >/proc/fs/nfsd/versions 2>/dev/null ||
		echo "-3 +4 +4.1" >/proc/fs/nfsd/versions || return 1
	echo "tcp 2049" >/proc/fs/nfsd/portlist && echo 2 >/proc/fs/nfsd/threads || return 1
	echo Y >/proc/fs/nfsd/v4_end_grace 2>/dev/null
	return 0
}

stop_serving() {
	echo 0 >/proc/fs/nfsd/threads
	for cache in nfsd.fh nfsd.export auth.unix.ip; do
		echo 2147483647 >/proc/net/rpc/$cache/flush
	done
	umount /proc/fs/nfsd
}

nfs_mount() {
	timeout 60 mount -i -t nfs4 -o "ro,vers=4.1,proto=tcp,sec=sys,addr=127.0.0.1,clientaddr=127.0.0.1$1" \
		127.0.0.1:/ /mnt/nfs
}

mkdir -p /mnt/nfs
ok "setup" od_setup
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=v-4096-chunk
ok "the stock kernel's NFS" nfs_modules
ok "the server serves it" serve
ok "mount over NFS" nfs_mount ""
# NFS does not show trusted xattrs or ACLs in this form, and may show user xattrs.
ok "the tree is right" same_tree /mnt/nfs $OD_SUMS/small 's/^(([^ ]+ ){10})[^ ]+/\1-/'
exec 5</mnt/nfs/b/many/a-name-of-some-length-7
od_drop_caches
is "an open file after drop_caches" "$(cat <&5)" "file 7"
exec 5<&-
od_drop_caches
is "a file deep down" "$(cat /mnt/nfs/a/names/a/b/c/../../../../../b/many/a-name-of-some-length-8)" "file 8"
out=$(touch /mnt/nfs/new 2>&1)
case $out in
*ead-only*) pass "writes fail with EROFS" ;;
*) fail "writes fail with EROFS" "$out" ;;
esac

# The client still has the handles of the previous mount.
stop_serving
# The server drops its references shortly after the flush.
od_wait 10 umount /mnt/a
ok "the same image, mounted again" od_mount /mnt/a fsid=v-4096-chunk
ok "the server serves that" serve
echo 3 >/proc/sys/vm/drop_caches
is "handles outlive a mount" "$(timeout 90 cat /mnt/nfs/b/many/a-name-of-some-length-10)" "file 10"
ok "umount of NFS" umount /mnt/nfs
stop_serving
ok "umount of the exported mount" od_wait 10 umount /mnt/a
ok "the stock kernel's NFS unloads" nfs_unload
