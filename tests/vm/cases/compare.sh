# SPDX-License-Identifier: GPL-2.0-only
# seconds: 150, debug 900
# where: stock rows pages debug
# thin
# Every byte of the tree, in all three mount forms: cold, and with the daemon
# stopped once all data is present. The three are compared in parallel.
# od.thin=N: one form only
forms="one tags devices"
[ "$(od_arg thin 1)" = 1 ] || forms=tags
mkdir -p /mnt/one /mnt/tags /mnt/devices
ok "setup" od_setup
od_origin
ok "daemon with an HTTP source" odd --source="$OD_URL"
ok "mount: one blob" od_mount /mnt/one fsid=one
ok "mount: two data blobs, named by tags" od_mount /mnt/tags fsid=boot
ok "mount: two data blobs, named by device=" \
	od_mount /mnt/devices domain_id=dom,fsid=boot,device=data-a,device=data-b
# shellcheck disable=SC2086 # a list
compare_all cold $forms
note "$(od_reads) READs, $(od_counter bytes_filled) bytes filled"

killall erofs-odd
od_wait 10 od_daemon_is gone
od_drop_caches
# shellcheck disable=SC2086
compare_all "daemon stopped" $forms
