# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The steps of a user of a new Debian; sourced by guest/run, after tests/vm/guest/lib.sh.
# RUNNING is set if the system runs its own kernel: in a chroot, steps skip everything that
# needs the modules to be loaded.
PKG=/pkg
STATE=/var/tmp/od-pkgtest
NAMES='cachefiles_od erofs_od'

# readme NAME: prints the commands in README.md after the comment <!-- try: NAME -->
readme() {
	awk -v name="$1" '
		$0 == "<!-- try: " name " -->" { found = 1; next }
		found && /^    / { sub(/^    /, ""); print; seen = 1; next }
		found && seen && NF { exit }' $PKG/README.md
}

# as_typed NAME: runs them in a shell as a user would, up to the first that fails
as_typed() {
	local commands
	commands=$(readme "$1")
	[ -n "$commands" ] || { fail "README.md has commands named $1" && return; }
	(cd $PKG/packages && bash -e -x -c "$commands" </dev/null) >"/tmp/typed.$1" 2>&1
	result "README, $1: works as typed" $? "$(tail -n 20 "/tmp/typed.$1")"
}

# result NAME STATUS WHY
result() {
	if [ "$2" = 0 ]; then pass "$1"; else fail "$1" "$3"; fi
}

# quietly COMMAND...: prints its output only if it fails
quietly() {
	"$@" >/tmp/quietly 2>&1 </dev/null || { tail -n 20 /tmp/quietly && return 1; }
}

# installed_for RELEASE: both modules are where DKMS installs them, and depmod has seen them
installed_for() {
	local name
	for name in $NAMES; do
		modinfo -k "$1" -F filename "$name" | grep "/lib/modules/$1/updates/dkms/$name\.ko" || return 1
	done
}

# removed_for RELEASE
removed_for() {
	! find "/lib/modules/$1/" -name '*_od.ko*' | grep . &&
		! grep -E '_od\.ko' "/lib/modules/$1/modules.dep"
}

# version_for RELEASE
version_for() {
	modinfo -k "$1" -F version erofs_od
}

# Lists all files on the disk, except logs and the state of apt and dpkg.
snapshot() {
	find / -xdev \( -path /pkg -o -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \
		-o -path /var/tmp -o -path /var/log -o -path /var/cache/apt -o -path /var/cache/debconf \
		-o -path /var/cache/ldconfig -o -path /var/cache/man -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /root \) \
		-prune -o -print | sort
}

# is_of_others FILE: in no package's list, and not created by these packages: files of depmod
# and initramfs-tools for a new kernel, state of alternatives, nginx, dbus and systemd, the
# machine owner key of DKMS, Fedora's directories that rpm creates in a Debian
is_of_others() {
	case $1 in
	/boot/* | /vmlinuz* | /initrd.img* | "/lib/modules/$NEW/modules."*) ;;
	/etc/alternatives/* | /etc/nginx/* | /var/www | /var/www/* | /var/lib/nginx/*) ;;
	/etc/rc?.d/*nginx | /etc/systemd/system/*/nginx.service | /var/lib/dbus/machine-id) ;;
	/var/lib/dkms | /var/lib/dkms/mok.* | /var/lib/rpm/* | /etc/sysconfig | /usr/share/licenses) ;;
	/usr/share/selinux | /usr/share/selinux/devel | /usr/share/selinux/devel/include) ;;
	/usr/share/selinux/devel/include/contrib | /usr/share/selinux/packages) ;;
	/var/lib/initramfs-tools/* | /var/lib/systemd/* | /var/lib/private/*) ;;
	*) [[ $(readlink "$1") = /etc/alternatives/* ]] ;;
	esac
}

# /bin, /sbin and /lib are symlinks to /usr, and packages use either path.
nothing_left() {
	local merged='s,^/usr/\(bin\|sbin\|lib\)/,/\1/,'
	comm -13 $STATE/before $STATE/after | sed "$merged" |
		grep -vxFf <(sed "$merged" /var/lib/dpkg/info/*.list) |
		while read -r file; do is_of_others "$file" || echo "$file"; done | { ! grep .; }
}

same_bytes() {
	(cd "$1" && find . -type f -exec sha256sum {} +) | sort -k2 >/tmp/left
	(cd "$2" && find . -type f -exec sha256sum {} +) | sort -k2 >/tmp/right
	[ -s /tmp/left ] && diff /tmp/left /tmp/right | head -n 5 | { ! grep .; }
}

# out_of_range_is_77 RELEASE: the exit status after which the postinst of DKMS continues
out_of_range_is_77() {
	local status=0
	dkms build -m erofs-od -v "$V1" -k "$1" || status=$?
	[ $status = 77 ]
}

# A kernel that is out of range: only its name is needed, nothing is built for it.
step_out_of_range() {
	local release=7.99.0-fake status=0
	mkdir -p /lib/modules/$release
	ln -sfn "$(readlink -f "/lib/modules/$OLD/build")" /lib/modules/$release/build
	run-parts --exit-on-error --arg=$release /etc/kernel/header_postinst.d >/tmp/range 2>&1 || status=$?
	result "a kernel out of range does not fail its package" $status "$(cat /tmp/range)"
	ok "and the reason is printed" grep -F "erofs-od: kernel $release gets no modules: this version is for" /tmp/range
	notok "it has no modules" ls /lib/modules/$release/updates
	ok "dkms build exits with status 77" out_of_range_is_77 $release
	rm -rf /lib/modules/$release
}

# stand_in_for_weak_modules: a fake of RHEL's weak-modules, which links modules into the
# directories of other kernels. DKMS 3.0 calls it on Debian as well, 3.2 only on RHEL.
stand_in_for_weak_modules() {
	printf '#!/bin/sh\necho "$@" >>%s/weak-modules\n' $STATE >/sbin/weak-modules
	chmod 755 /sbin/weak-modules
}

step_install() {
	snapshot >$STATE/before
	stand_in_for_weak_modules
	as_typed install
	notok "no module is linked for another kernel" cat $STATE/weak-modules
	rm /sbin/weak-modules
	ok "both modules are installed for $OLD" installed_for "$OLD"
	is "dkms status says installed" \
		"$(dkms status -k "$OLD" | grep -cF "erofs-od/$V1, $OLD, x86_64: installed")" 1
	is "their version" "$(version_for "$OLD")" "$V1"
	ok "the tools have the same version" sh -c "erofs-od --version | grep -xF 'erofs-od $V1'"
}

step_use() {
	[ -n "$RUNNING" ] || return 0
	as_typed "first mount"
	ok "every byte is right" same_bytes /usr/share/doc /mnt/hello
	ok "the service is active" systemctl is-active erofs-odd
	ok "erofs-od doctor finds no problem" erofs-od doctor
	as_typed unmount
	notok "nothing is mounted" grep erofs_od /proc/mounts
}

# mount_partly NAME: mounts an image of which only a part is in the cache
mount_partly() {
	rm -rf /var/tmp/tree
	mkdir -p /var/tmp/tree /mnt/hello
	dd if=/dev/urandom of=/var/tmp/tree/big bs=1M count=24 status=none
	ok "an image" quietly mkfs.erofs "/var/www/html/$1" /var/tmp/tree
	ok "it mounts" erofs-od mount "$1" /mnt/hello
	ok "a part of it is read" sh -c 'head -c 1000000 /mnt/hello/big | cmp -n 1000000 - /var/tmp/tree/big'
	daemon=$(systemctl show -P MainPID erofs-odd)
}

# reading: reads a MiB every half a minute, until $STATE/read is removed
reading() {
	local nr=1
	while [ -e $STATE/read ]; do
		cmp -n 1048576 -i $((nr << 20)) /mnt/hello/big /var/tmp/tree/big || return 1
		[ $((nr += 1)) -lt 24 ] || nr=1
		sleep 30
	done
}

# after_new_kernel PID: ends the process that runs reading, and checks the mount
after_new_kernel() {
	rm $STATE/read
	wait "$1"
	result "the image was right throughout" $? "$(cat /tmp/reading)"
	is "the modules stay loaded" "$(cat /sys/module/erofs_od/version)" "$V1"
	is "the daemon is the same" "$(systemctl show -P MainPID erofs-odd)" "$daemon"
	ok "the whole image is right" same_bytes /var/tmp/tree /mnt/hello
	ok "erofs-od doctor finds nothing against the new kernel" erofs-od doctor --kernel="$NEW"
	ok "unmounted" umount /mnt/hello
}

step_new_kernel() {
	if [ -n "$RUNNING" ]; then
		mount_partly update
		: >$STATE/read
		reading >/tmp/reading 2>&1 &
		reader=$!
	fi
	ok "a new kernel is installed, with its headers" quietly \
		apt-get -y --no-install-recommends install "linux-headers-$NEW" "linux-image-$NEW"
	ok "both modules were built for $NEW automatically" installed_for "$NEW"
	[ -z "$RUNNING" ] || after_new_kernel "$reader"
}

# Mounts an image on the new kernel.
mount_for_upgrade() {
	ok "the service starts at boot" od_wait 60 systemctl is-active erofs-odd
	mount_partly upgrade
}

after_upgrade() {
	is "the old version is still loaded" "$(cat /sys/module/erofs_od/version)" "$V1"
	ok "and the upgrade has said so" grep -F "version $V1 of the modules stays loaded" /tmp/quietly
	ok "the daemon has been restarted" test "$(systemctl show -P MainPID erofs-odd)" != "$daemon"
	ok "the whole image is right, through the new daemon" same_bytes /var/tmp/tree /mnt/hello
	ok "unmounted" umount /mnt/hello
	ok "the old modules unload" sh -c 'systemctl stop erofs-odd && modprobe -r erofs_od cachefiles_od'
	ok "the service starts" systemctl start erofs-odd
	is "the new version is loaded" "$(cat /sys/module/erofs_od/version)" "$V2"
	ok "the image mounts with it" erofs-od mount upgrade /mnt/hello
	ok "the whole image is right, from the cache of the old version" same_bytes /var/tmp/tree /mnt/hello
}

step_upgrade() {
	[ -z "$RUNNING" ] || mount_for_upgrade
	ok "an upgrade" quietly apt-get -y install $PKG/newer/erofs-od-*.deb
	is "the version built for $NEW" "$(version_for "$NEW")" "$V2"
	is "DKMS has one version" "$(dkms status | cut -d, -f1 | sort -u)" "erofs-od/$V2"
	[ -z "$RUNNING" ] || after_upgrade
}

step_dropin() {
	[ -n "$RUNNING" ] || return 0
	umount /mnt/hello
	as_typed drop-in
	ok "mount of type erofs, as by an unmodified client" mount -t erofs -o fsid=upgrade none /mnt/hello
	notok "stock erofs is not loaded" test -e /sys/module/erofs
	ok "every byte is right" same_bytes /var/tmp/tree /mnt/hello
	ok "unmounted" umount /mnt/hello
	ok "dropin status says active" erofs-od dropin status
}

step_remove() {
	if [ -n "$RUNNING" ]; then
		systemctl start erofs-odd
		ok "an image is mounted" erofs-od mount upgrade /mnt/hello
	fi
	ok "removal" quietly apt-get -y remove erofs-od-dkms erofs-od-tools
	ok "no module is left for $OLD" removed_for "$OLD"
	ok "no module is left for $NEW" removed_for "$NEW"
	is "DKMS has no version" "$(dkms status | grep -c erofs-od)" 0
	notok "drop-in mode is disabled" test -e /etc/modprobe.d/erofs-od-dropin.conf
	if [ -n "$RUNNING" ]; then
		ok "cached data can still be read" same_bytes /var/tmp/tree /mnt/hello
		ok "unmounted" umount /mnt/hello
		# The user's own directory. With rmmod, as modprobe needs the files of the modules.
		rmdir /mnt/hello
		ok "both modules unload" rmmod erofs_od cachefiles_od
	fi
	ok "purge" quietly apt-get -y purge erofs-od-dkms erofs-od-tools
	ok "autoremove of the dependencies" quietly apt-get -y autoremove --purge
	snapshot >$STATE/after
	ok "nothing is left behind" nothing_left
}

# After a reboot: the service and the cache persist.
step_use_again() {
	ok "the service loads both modules" od_wait 60 test -d /sys/module/erofs_od
	mkdir -p /mnt/hello
	ok "the image of the first mount mounts again" erofs-od mount hello /mnt/hello
	ok "every byte is right" same_bytes /usr/share/doc /mnt/hello
	ok "unmounted" erofs-od umount /mnt/hello
}

# The rpm packages, on Debian: apt installs their dependencies, which rpm does not know of.
# Tests the scriptlets of install, upgrade and removal.
step_rpm() {
	local rpm="rpm --nodeps" names="erofs-od-dkms erofs-od-kmod-common erofs-od-selinux erofs-od-tools"
	# The tools need libcurl, whose -dev package has the same name in all suites.
	ok "DKMS, rpm, headers and curl" quietly apt-get -y --no-install-recommends install dkms rpm \
		"linux-headers-$OLD" libcurl4-openssl-dev
	snapshot >$STATE/before
	# shellcheck disable=SC2086 # a command and its options
	ok "installed" quietly $rpm --install $PKG/rpm/erofs-od-{dkms,kmod-common,selinux,tools}-*.rpm
	ok "both modules are installed for $OLD" installed_for "$OLD"
	is "their version" "$(version_for "$OLD")" "$V1"
	ok "the tools have the same version" sh -c "erofs-od --version | grep -xF 'erofs-od $V1'"
	# shellcheck disable=SC2086 # a list
	ok "every file is as packaged" rpm --verify --nodeps $names
	# What kmodtool makes each akmod package depend on.
	is "modules built by akmods find their settings" \
		"$(rpm -q --provides --whatprovides erofs-od-kmod-common | grep '^erofs-od-kmod-common = ')" \
		"erofs-od-kmod-common = $V1-1"
	# shellcheck disable=SC2086
	ok "upgraded" quietly $rpm --upgrade $PKG/newer-rpm/erofs-od-{dkms,kmod-common,selinux,tools}-*.rpm
	is "the version built for $OLD" "$(version_for "$OLD")" "$V2"
	is "DKMS has one version" "$(dkms status | cut -d, -f1 | sort -u)" "erofs-od/$V2"
	ok "drop-in mode is enabled" erofs-od dropin enable
	# shellcheck disable=SC2086
	ok "removed" quietly $rpm --erase $names
	ok "no module is left for $OLD" removed_for "$OLD"
	is "DKMS has no version" "$(dkms status | grep -c erofs-od)" 0
	snapshot >$STATE/after
	ok "nothing is left behind" nothing_left
}
