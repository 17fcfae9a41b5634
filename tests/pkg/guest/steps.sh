# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the user of a fresh Debian does, step by step; sourced by guest/run behind
# tests/vm/guest/lib.sh. RUNNING says whether the kernel here is the system's own: in
# a mere root nothing can be loaded, and steps leave that out.
PKG=/pkg
STATE=/var/tmp/od-pkgtest
NAMES='cachefiles_od erofs_od'

# readme NAME: the commands that README.md has behind the comment <!-- try: NAME -->
readme() {
	awk -v name="$1" '
		$0 == "<!-- try: " name " -->" { here = 1; next }
		here && /^    / { sub(/^    /, ""); print; seen = 1; next }
		here && seen && NF { exit }' $PKG/README.md
}

# as_typed NAME: those commands, in a shell as a user's, which stops at the first that fails
as_typed() {
	local commands
	commands=$(readme "$1")
	[ -n "$commands" ] || { fail "README.md has commands called $1" && return; }
	(cd $PKG/packages && bash -e -x -c "$commands" </dev/null) >"/tmp/typed.$1" 2>&1
	result "README, $1: works as typed" $? "$(tail -n 20 "/tmp/typed.$1")"
}

# result NAME STATUS WHY
result() {
	if [ "$2" = 0 ]; then pass "$1"; else fail "$1" "$3"; fi
}

# quietly COMMAND...: what it says shows if it fails
quietly() {
	"$@" >/tmp/quietly 2>&1 </dev/null || { tail -n 20 /tmp/quietly && return 1; }
}

# installed_for RELEASE: both modules, where DKMS puts them, and depmod knows them
installed_for() {
	local name
	for name in $NAMES; do
		modinfo -k "$1" -F filename "$name" | grep "/lib/modules/$1/updates/dkms/$name\.ko" || return 1
	done
}

# gone_for RELEASE
gone_for() {
	! find "/lib/modules/$1/" -name '*_od.ko*' | grep . &&
		! grep -E '_od\.ko' "/lib/modules/$1/modules.dep"
}

# version_for RELEASE
version_for() {
	modinfo -k "$1" -F version erofs_od
}

# All that is on the disk and is neither a log nor what apt and dpkg keep of any package.
snapshot() {
	find / -xdev \( -path /pkg -o -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \
		-o -path /var/tmp -o -path /var/log -o -path /var/cache/apt -o -path /var/cache/debconf \
		-o -path /var/cache/ldconfig -o -path /var/cache/man -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /root \) \
		-prune -o -print | sort
}

# is_of_others FILE: no package has it in its list, and yet it is somebody else's: what
# depmod and initramfs-tools make for a new kernel, what alternatives, nginx, dbus and
# systemd keep, the key of the machine's owner that DKMS made, folders that are Fedora's
# and that rpm makes in a Debian
is_of_others() {
	case $1 in
	/boot/* | /vmlinuz* | /initrd.img* | "/lib/modules/$NEW/modules."*) ;;
	/etc/alternatives/* | /etc/nginx/* | /var/www | /var/www/* | /var/lib/nginx/*) ;;
	/etc/rc?.d/*nginx | /etc/systemd/system/*/nginx.service | /var/lib/dbus/machine-id) ;;
	/var/lib/dkms | /var/lib/dkms/mok.* | /var/lib/rpm/* | /etc/sysconfig | /usr/share/licenses) ;;
	/var/lib/initramfs-tools/* | /var/lib/systemd/* | /var/lib/private/*) ;;
	*) [[ $(readlink "$1") = /etc/alternatives/* ]] ;;
	esac
}

# /bin, /sbin and /lib are links to what /usr has, and packages name either.
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

# out_of_range_is_77 RELEASE: the status by which DKMS's own postinst knows to go on
out_of_range_is_77() {
	local status=0
	dkms build -m erofs-od -v "$V1" -k "$1" || status=$?
	[ $status = 77 ]
}

# A kernel that is out of range: its name is enough, it is never built for.
step_out_of_range() {
	local release=7.99.0-fake status=0
	mkdir -p /lib/modules/$release
	ln -sfn "$(readlink -f "/lib/modules/$OLD/build")" /lib/modules/$release/build
	run-parts --exit-on-error --arg=$release /etc/kernel/header_postinst.d >/tmp/range 2>&1 || status=$?
	result "a kernel that is out of range is no error of its package" $status "$(cat /tmp/range)"
	ok "and the reason is told" grep -F "erofs-od: kernel $release gets no modules: this version is for" /tmp/range
	notok "it has no modules" ls /lib/modules/$release/updates
	ok "DKMS says that it left it out, when asked to build" out_of_range_is_77 $release
	rm -rf /lib/modules/$release
}

step_install() {
	snapshot >$STATE/before
	as_typed install
	ok "both modules are there for $OLD" installed_for "$OLD"
	is "DKMS knows that they are installed" \
		"$(dkms status -k "$OLD" | grep -cF "erofs-od/$V1, $OLD, x86_64: installed")" 1
	is "their version" "$(version_for "$OLD")" "$V1"
	ok "the tools have the same" sh -c "erofs-od --version | grep -xF 'erofs-od $V1'"
}

step_use() {
	[ -n "$RUNNING" ] || return 0
	as_typed "first mount"
	ok "every byte is the source's" same_bytes /usr/share/doc /mnt/hello
	ok "the service runs" systemctl is-active erofs-odd
	ok "erofs-od doctor has no objection" erofs-od doctor
	as_typed unmount
	notok "nothing is mounted" grep erofs_od /proc/mounts
}

step_new_kernel() {
	ok "a new kernel is installed, with its headers" quietly \
		apt-get -y --no-install-recommends install "linux-headers-$NEW" "linux-image-$NEW"
	ok "both modules were built for $NEW by themselves" installed_for "$NEW"
}

# The image of the first mount, on the new kernel; half of it is not in the cache yet.
mount_for_upgrade() {
	ok "the service came up by itself" od_wait 60 systemctl is-active erofs-odd
	dd if=/dev/urandom of=/var/tmp/blob-source bs=1M count=24 status=none
	mkdir -p /var/tmp/tree /mnt/hello
	mv /var/tmp/blob-source /var/tmp/tree/big
	ok "an image for the upgrade" quietly mkfs.erofs /var/www/html/upgrade /var/tmp/tree
	ok "it mounts" erofs-od mount upgrade /mnt/hello
	ok "a part of it is read" sh -c 'head -c 1000000 /mnt/hello/big | cmp -n 1000000 - /var/tmp/tree/big'
	daemon=$(systemctl show -P MainPID erofs-odd)
}

after_upgrade() {
	is "what is loaded is still the old version" "$(cat /sys/module/erofs_od/version)" "$V1"
	ok "and the upgrade has said so" grep -F "version $V1 of the modules stays loaded" /tmp/quietly
	ok "the daemon is another process" test "$(systemctl show -P MainPID erofs-odd)" != "$daemon"
	ok "all of the image, through the new daemon, is the source's" same_bytes /var/tmp/tree /mnt/hello
	ok "unmounted" umount /mnt/hello
	ok "the old modules go" sh -c 'systemctl stop erofs-odd && modprobe -r erofs_od cachefiles_od'
	ok "the new ones come" systemctl start erofs-odd
	is "what is loaded now" "$(cat /sys/module/erofs_od/version)" "$V2"
	ok "the image mounts with them" erofs-od mount upgrade /mnt/hello
	ok "all of it is the source's, from the cache of the old version" same_bytes /var/tmp/tree /mnt/hello
}

step_upgrade() {
	[ -z "$RUNNING" ] || mount_for_upgrade
	ok "an upgrade" quietly apt-get -y install $PKG/newer/erofs-od-*.deb
	is "what is built for $NEW" "$(version_for "$NEW")" "$V2"
	is "DKMS has one version" "$(dkms status | cut -d, -f1 | sort -u)" "erofs-od/$V2"
	[ -z "$RUNNING" ] || after_upgrade
}

step_dropin() {
	[ -n "$RUNNING" ] || return 0
	umount /mnt/hello
	as_typed drop-in
	ok "an unchanged client's mount, of type erofs" mount -t erofs -o fsid=upgrade none /mnt/hello
	notok "the kernel's own erofs is not loaded" test -e /sys/module/erofs
	ok "every byte is the source's" same_bytes /var/tmp/tree /mnt/hello
	ok "unmounted" umount /mnt/hello
	ok "it says that it is on" erofs-od dropin status
}

step_remove() {
	if [ -n "$RUNNING" ]; then
		systemctl start erofs-odd
		ok "an image is mounted" erofs-od mount upgrade /mnt/hello
	fi
	ok "removal" quietly apt-get -y remove erofs-od-dkms erofs-od-tools
	ok "no module is left for $OLD" gone_for "$OLD"
	ok "no module is left for $NEW" gone_for "$NEW"
	is "DKMS knows of none" "$(dkms status | grep -c erofs-od)" 0
	notok "the drop-in mode is off" test -e /etc/modprobe.d/erofs-od-dropin.conf
	if [ -n "$RUNNING" ]; then
		ok "what is in the cache can be read as before" same_bytes /var/tmp/tree /mnt/hello
		ok "unmounted" umount /mnt/hello
		# The user's own folder; and modprobe does not know modules without files.
		rmdir /mnt/hello
		ok "both modules unload" rmmod erofs_od cachefiles_od
	fi
	ok "purge" quietly apt-get -y purge erofs-od-dkms erofs-od-tools
	ok "what came along goes" quietly apt-get -y autoremove --purge
	snapshot >$STATE/after
	ok "nothing is left behind" nothing_left
}

# The next boot: what the service and the cache keep.
step_use_again() {
	ok "both modules load with the service" od_wait 60 test -d /sys/module/erofs_od
	mkdir -p /mnt/hello
	ok "the image of the first mount mounts again" erofs-od mount hello /mnt/hello
	ok "every byte is the source's" same_bytes /usr/share/doc /mnt/hello
	ok "unmounted" erofs-od umount /mnt/hello
}

# rpm's packages, in a Debian: what they need is there by apt, which rpm does not know.
# Installing, upgrading and removing runs their scriptlets.
step_rpm() {
	local rpm="rpm --nodeps"
	# By the one name of curl that all suites have: its library is what the tools need.
	ok "DKMS, rpm, headers and curl" quietly apt-get -y --no-install-recommends install dkms rpm \
		"linux-headers-$OLD" libcurl4-openssl-dev
	snapshot >$STATE/before
	# shellcheck disable=SC2086 # a command and its options
	ok "installed" quietly $rpm --install $PKG/rpm/erofs-od-{dkms,tools}-*.rpm
	ok "both modules are there for $OLD" installed_for "$OLD"
	is "their version" "$(version_for "$OLD")" "$V1"
	ok "the tools have the same" sh -c "erofs-od --version | grep -xF 'erofs-od $V1'"
	ok "every file is as packaged" rpm --verify --nodeps erofs-od-dkms erofs-od-tools
	# shellcheck disable=SC2086
	ok "upgraded" quietly $rpm --upgrade $PKG/newer-rpm/erofs-od-{dkms,tools}-*.rpm
	is "what is built for $OLD" "$(version_for "$OLD")" "$V2"
	is "DKMS has one version" "$(dkms status | cut -d, -f1 | sort -u)" "erofs-od/$V2"
	ok "the drop-in mode is enabled" erofs-od dropin enable
	# shellcheck disable=SC2086
	ok "removed" quietly $rpm --erase erofs-od-dkms erofs-od-tools
	ok "no module is left for $OLD" gone_for "$OLD"
	is "DKMS knows of none" "$(dkms status | grep -c erofs-od)" 0
	snapshot >$STATE/after
	ok "nothing is left behind" nothing_left
}
