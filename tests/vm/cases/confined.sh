# SPDX-License-Identifier: GPL-2.0-only
# seconds: 30, debug 300
# where: stock rows debug
# A daemon and a reader, each confined by an AppArmor profile. The reader's
# profile does not allow the cache, which is read with the cache's credentials.
# The last process of a mount namespace exits, and closes blobs when it no longer has
# namespaces.
SECURITY=/sys/kernel/security
mount -t securityfs none $SECURITY 2>/dev/null
if ! grep -q apparmor $SECURITY/lsm || ! command -v apparmor_parser >/dev/null; then
	skip "confined readers" "no AppArmor"
	umount $SECURITY
	return
fi

# Any task may use a file that an unconfined task opened, so the daemon is confined, too.
cat >/tmp/profiles <<END
profile od-daemon flags=(attach_disconnected) {
	file,
	capability,
	network,
	ptrace,
	signal,
}
profile od-reader flags=(attach_disconnected) {
	capability,
	signal,
	/ r,
	/bin/** rmix,
	/usr/** rmix,
	/lib/** rm,
	/lib64/** rm,
	/etc/** r,
	/dev/** rw,
	/proc/** r,
	/tmp/** rw,
	/mnt/a/** r,
	/mnt/a/ r,
}
END

# confined PROFILE PATH...: takes a path, as the shell runs some of its applets without exec(2)
confined() {
	local profile=$1
	shift
	sh -c "echo 'exec $profile' >/proc/self/attr/exec && exec \"\$@\"" sh "$@"
}

denials() {
	dmesg | grep -c 'apparmor="DENIED"'
}

a_denial() {
	[ "$(denials)" -gt 0 ]
}

reads_right() {
	confined od-reader /bin/busybox sha256sum /mnt/a/large/sequential | cut -d' ' -f1 | grep -qx "$wanted"
}

wanted=$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)
ok "setup" od_setup
ok "profiles" apparmor_parser --config-file=/dev/null --replace --skip-cache /tmp/profiles
confined od-daemon /usr/bin/erofs-odd --dir=$OD_CACHE --source=$OD_BLOBS >/tmp/erofs-odd.log 2>&1 &
ok "the daemon" od_wait 10 od_daemon_is bound
is "is confined" "$(cat "/proc/$(pidof erofs-odd)/attr/current")" "od-daemon (enforce)"
ok "mount" od_mount /mnt/a fsid=one
is "the reader is confined" \
	"$(confined od-reader /bin/busybox cat /proc/self/attr/current)" "od-reader (enforce)"
file=$(find $OD_CACHE/cache -name Done)
notok "it may not read the cache" confined od-reader /bin/busybox cat "$file"
ok "the denial is logged" od_wait 10 a_denial
dmesg -c >/dev/null
ok "cold, the reader reads" reads_right
ok "and the small files" confined od-reader /usr/bin/treesum /mnt/a/tiny
od_drop_caches
ok "cached, the reader reads" reads_right
ok "and the small files" confined od-reader /usr/bin/treesum /mnt/a/tiny
is "pages of the cache file in the page cache" \
	"$(storage resident "$file")" 0
ok "a mount namespace with a mount ends" \
	unshare -m sh -c "mount -t erofs_od -o ro,fsid=v-4096-flat none /mnt/b && treesum /mnt/b"
ok "the blob's map is on disk" test -s "$(od_map_file "$(od_cache_file v-4096-flat)")"
is "denials" "$(denials)" 0
is "failed reads" "$(od_counter failures)" 0
umount /mnt/a
kill_daemons
apparmor_parser --config-file=/dev/null --remove /tmp/profiles
umount $SECURITY
