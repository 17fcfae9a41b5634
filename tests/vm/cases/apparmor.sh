# SPDX-License-Identifier: GPL-2.0-only
# seconds: 150
# where: apparmor.sh
# The profile of packaging/apparmor, enforced: the daemon with the directories of its unit, with
# an HTTP source, killed and restarted, and while it culls; what the profile denies; a cache and
# a source elsewhere, allowed by a local rule.
SECURITY=/sys/kernel/security
PROFILE=/etc/apparmor.d/erofs-odd
LOCAL=/etc/apparmor.d/local/erofs-odd
SOURCE=/srv/erofs-od
ELSEWHERE=/mnt/scratch/elsewhere
OD_CACHE=/var/cache/erofs-od
PIDFILE=/run/daemon.pid

load_profile() {
	apparmor_parser --config-file=/dev/null --replace --skip-cache $PROFILE
}

# unit_odd [OPTION...]: starts erofs-odd like a service manager that keeps the device; the
# daemon inherits a pipe, as it may not write to files of a test
unit_odd() {
	rm -f $NOTIFY_SOCKET
	(
		exec >/dev/null 2>&1
		fdstore $PIDFILE erofs-odd --dir=$OD_CACHE "$@" 2>&1 | cat >>/tmp/erofs-odd.log
	) &
	od_wait 10 od_daemon_is bound
}

started_again() {
	[ "$(cat $PIDFILE)" != "$1" ] && od_daemon_is bound
}

stop_daemon() {
	kill_daemons
	od_wait 5 od_daemon_is none
}

confinement_of() {
	cat "/proc/$1/attr/current"
}

# as_daemon APPLET...: runs it with the daemon's profile, by a busybox that has the daemon's
# path. The output goes through a pipe, see unit_odd.
as_daemon() {
	# shellcheck disable=SC3038 # busybox has it
	(exec -a busybox /usr/local/sbin/erofs-odd "$@") 2>&1 </dev/null | cat >/tmp/as-daemon
	# The applet's status is lost in the pipe.
	! grep -q 'denied\|not permitted' /tmp/as-daemon || { cat /tmp/as-daemon; return 1; }
}

denials() {
	dmesg | grep -c 'apparmor="DENIED"'
}

no_denials() {
	is "$1: denials" "$(denials)" 0
	dmesg | grep 'apparmor="DENIED"' | sort -u -k 5 | head -n 20 | sed 's/^/#   /'
	dmesg -c >/dev/null
}

# denied NAME REGEX COMMAND...: it fails, and a matching denial is logged
denied() {
	local name=$1 regex=$2
	shift 2
	notok "$name" "$@"
	ok "$name: the denial is logged" od_wait 10 sh -c \
		"dmesg | grep 'apparmor=\"DENIED\"' | grep 'profile=\"erofs-odd\"' | grep -q '$regex'"
	dmesg -c >/dev/null
}

# Without auditd, the kernel logs ten denials per five seconds, and drops the others.
echo 0 >/proc/sys/kernel/printk_ratelimit

reads_right() {
	sha256sum "$1" | cut -d' ' -f1 | grep -qx "$wanted"
}

has_not() {
	[ -z "$(od_cache_file "$1")" ]
}

punched() {
	[ "$(od_counter bytes_punched)" -gt 0 ]
}

# reads_elsewhere IMAGE: in a mount namespace in which the cache is not mounted
reads_elsewhere() {
	unshare -m sh -c "umount $OD_CACHE && umount -l /mnt/scratch &&
		mount -t erofs_od -o ro,fsid=$1 none /mnt/b && exec treesum /mnt/b" >/tmp/elsewhere &&
		[ -s /tmp/elsewhere ]
}

mkdir -p $OD_CACHE $SOURCE $ELSEWHERE /run/systemd /etc/erofs-odd /usr/local/sbin ${LOCAL%/*}
export NOTIFY_SOCKET=/run/systemd/notify
mkdir -p /mnt/scratch/cache
ok "the directories of the unit" sh -c \
	"mount --bind /mnt/scratch/cache $OD_CACHE && mount --bind $OD_BLOBS $SOURCE"
ok "securityfs" mount -t securityfs none $SECURITY
ok "AppArmor is enabled" grep -q apparmor $SECURITY/lsm
ok "the profile loads" load_profile
is "it is enforced" "$(grep '^erofs-odd ' $SECURITY/apparmor/profiles)" "erofs-odd (enforce)"
wanted=$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)
ok "modules" od_load
dmesg -c >/dev/null

# --- a directory, metrics, a restart ---

ok "the daemon" unit_odd --source=$SOURCE --metrics=/run/erofs-odd.metrics --metrics=9100
is "it is confined" "$(confinement_of "$(cat $PIDFILE)")" "erofs-odd (enforce)"
ok "mount" od_mount /mnt/a fsid=one
ok "cold: the file is right" reads_right /mnt/a/large/sequential
od_drop_caches
ok "cached: right again" reads_right /mnt/a/large/sequential
ok "a mount and reads where the cache is not mounted" reads_elsewhere v-1024-flat
ok "the blob's map is on disk" test -s "$(od_map_file "$(od_cache_file v-1024-flat)")"
ok "the profile is replaced" load_profile
ok "metrics on a socket" test -S /run/erofs-odd.metrics
ok "metrics on a port" sh -c "wget -q -O - http://127.0.0.1:9100/metrics | grep -q '^erofs_odd_'"
ok "the cache's counters are among them" \
	sh -c "wget -q -O - http://127.0.0.1:9100/metrics | grep -q '^erofs_od_cache_.* [1-9]'"
pid=$(cat $PIDFILE)
kill -9 "$pid"
ok "killed, it is started again, with the device" od_wait 10 started_again "$pid"
is "and is confined" "$(confinement_of "$(cat $PIDFILE)")" "erofs-odd (enforce)"
ok "another image mounts" od_mount /mnt/b fsid=v-4096-plain
ok "every byte is right, through the new daemon" same_tree /mnt/b $OD_SUMS/small
umount /mnt/b
is "failed reads" "$(od_counter failures)" 0
umount /mnt/a
no_denials "directory"

# --- HTTP, credentials, free space ---

stop_daemon
rm -rf "${OD_CACHE:?}"/*
od_origin
echo "$OD_URL" >/etc/erofs-odd/url
echo token >/etc/erofs-odd/token
ok "a daemon with an HTTP source, and a size limit" unit_odd --source-file=/etc/erofs-odd/url \
	--token-file=/etc/erofs-odd/token --cache-size=12M --cold=1 --stats=/run/erofs-odd.stats
for image in v-1024-flat v-1024-plain v-4096-flat; do
	ok "$image is right" od_use $image
done
ok "the oldest one is culled" od_wait 20 has_not v-1024-flat
ok "mount of an image larger than the cache" od_mount /mnt/a fsid=one
ok "it is right" reads_right /mnt/a/large/sequential
sleep 2
ok "ranges of it are punched" od_wait 20 punched
ok "counters in a file" test -s /run/erofs-odd.stats
is "failed reads" "$(od_counter failures)" 0
umount /mnt/a
no_denials "HTTP"

# --- denied accesses ---

stop_daemon
cp /bin/busybox /usr/local/sbin/erofs-odd
echo 'root:*:1::::::' >/etc/shadow
ok "the daemon's profile: its own files can be read" as_daemon head -c 4 /etc/erofs-odd/token $SOURCE/one
ok "and written" as_daemon touch $OD_CACHE/file
no_denials "allowed"
denied "/etc/shadow" 'name="/etc/shadow"' as_daemon cat /etc/shadow
denied "a file outside of the cache" 'name="/mnt/scratch/file"' as_daemon touch /mnt/scratch/file
denied "a file beside the source" 'name="/srv/file"' as_daemon touch /srv/file
denied "a file with credentials" 'name="/etc/erofs-odd/new"' as_daemon touch /etc/erofs-odd/new
denied "the module's control file" 'name="/proc/fs/cachefiles_od/control"' \
	as_daemon dd if=/dev/zero of=/proc/fs/cachefiles_od/control count=1
denied "another program" 'name="/bin/busybox"' as_daemon env /bin/busybox true
denied "owners of files" 'capname="chown"' as_daemon chown 1 $OD_CACHE/file
denied "mounts" 'operation="mount"' as_daemon mount -t tmpfs none /mnt/b
rm $OD_CACHE/file
denied "a source of another directory" "name=\"$OD_BLOBS/\"" \
	timeout 60 erofs-odd --dir=$OD_CACHE --source=$OD_BLOBS

# --- elsewhere ---

OD_CACHE=$ELSEWHERE
denied "a cache elsewhere" "name=\"$ELSEWHERE" timeout 60 erofs-odd --dir=$OD_CACHE --source=$SOURCE
echo "$ELSEWHERE/{,**} rw, $OD_BLOBS/{,**} r," >$LOCAL
ok "a local rule" load_profile
ok "a cache and a source elsewhere" unit_odd --source=$OD_BLOBS
ok "an image is right" od_use v-2048-plain
no_denials "elsewhere"
stop_daemon
apparmor_parser --config-file=/dev/null --remove $PROFILE
umount /var/cache/erofs-od $SOURCE $SECURITY
