# SPDX-License-Identifier: GPL-2.0-only
# seconds: 12, debug 115
# where: stock rows short debug
# Readers and a daemon frozen by the cgroup freezer while one waits for the other.
CG=/mnt/cgroup

# in_group GROUP COMMAND...: runs it in a cgroup, in the background
in_group() {
	local group=$1
	shift
	sh -c 'echo $$ >'"$CG/$group"'/cgroup.procs; exec "$@"' sh "$@" &
}

freeze() {
	echo "$2" >$CG/$1/cgroup.freeze
}

is_frozen() {
	grep -qx 'frozen 1' $CG/$1/cgroup.events
}

file=/mnt/a/large/sequential
wanted=$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)

# start_reader: starts a checksum of the file, in the reader's cgroup
start_reader() {
	in_group reader sha256sum $file >/tmp/frozen
	READER=$!
}

ok "setup" od_setup
mkdir -p $CG
ok "cgroups" mount -t cgroup2 none $CG
mkdir -p $CG/daemon $CG/reader
ok "daemon" odd
pidof erofs-odd >$CG/daemon/cgroup.procs
ok "mount" od_mount /mnt/a fsid=one
stat $file >/dev/null

freeze daemon 1
ok "the daemon is frozen" od_wait 10 is_frozen daemon
start_reader
ok "a reader waits for it" od_wait 10 od_waiting 1
freeze reader 1
sleep 1
freeze daemon 0
ok "the daemon thaws: the reader freezes on the reply" od_wait 20 is_frozen reader
ok "and does not finish" kill -0 $READER
freeze reader 0
ok "it thaws, and finishes" od_wait 60 has_ended $READER
is "with the right data" "$(cut -d' ' -f1 /tmp/frozen)" "$wanted"
umount /mnt/a

kill_daemons
od_fresh_cache
ok "another daemon" odd
pidof erofs-odd >$CG/daemon/cgroup.procs
ok "mount" od_mount /mnt/a fsid=one
stat $file >/dev/null
freeze daemon 1
start_reader
ok "a reader waits" od_wait 10 od_waiting 1
freeze reader 1
kill -9 $READER
ok "killed while both are frozen: it exits" od_wait 10 has_ended $READER
freeze reader 0
ok "unmount while the daemon is frozen" od_umount /mnt/a
freeze daemon 0
kill_daemons
rmdir $CG/daemon $CG/reader
umount $CG
