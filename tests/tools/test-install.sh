#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make install and make uninstall, into a directory, and the error of make without kernel
# headers. OD_BUILD is the build directory. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
root=$dir/root built=$dir/built
unset MAKEFLAGS MFLAGS MAKELEVEL

run() {	# TARGET [VARIABLE=VALUE...]
	make -s -C "$top" O="$OD_BUILD" SANITIZE=1 KREL=6.12-test BUILT="$built" DESTDIR="$root" "$@"
}

installed() {
	(cd "$root" && find . -type f | sort)
}

exits 2 'no kernel headers in /none: install those of kernel 6.12-test' run modules KDIR=/none
exits 2 'the modules are not built: run make first' run install
mkdir "$built"
echo one >"$built/cachefiles_od.ko"
echo two >"$built/erofs_od.ko"
exits 0 '' run install
same './etc/apparmor.d/erofs-odd
./etc/default/erofs-odd
./etc/modules-load.d/erofs-od.conf
./lib/modules/6.12-test/updates/erofs-od/cachefiles_od.ko
./lib/modules/6.12-test/updates/erofs-od/erofs_od.ko
./usr/local/lib/modprobe.d/erofs-od.conf
./usr/local/lib/systemd/system/erofs-odd.service
./usr/local/lib/udev/rules.d/60-erofs-od.rules
./usr/local/sbin/erofs-od
./usr/local/sbin/erofs-odd
./usr/local/share/man/man8/erofs-od.8
./usr/local/share/man/man8/erofs-odd.8' "$(installed)" "make install: modules, tools, man pages, units, a profile"
exits 0 '^erofs-od ' "$root/usr/local/sbin/erofs-od" --version
same "ExecStart=/usr/local/sbin/erofs-odd" \
	"$(grep -o '^ExecStart=[^ ]*' "$root/usr/local/lib/systemd/system/erofs-odd.service")" \
	"the unit starts the daemon that was installed"
exits 0 '' run uninstall
same "" "$(installed)" "make uninstall removes all of it"
exits 0 '' run install PREFIX=/usr
same "" "$(cmp "$top/packaging/systemd/erofs-odd.service" "$root/usr/lib/systemd/system/erofs-odd.service" 2>&1)" \
	"with PREFIX=/usr the unit is that of the packages"
echo 'SOURCES="--source=/srv"' >"$root/etc/default/erofs-odd"
exits 0 '' run install PREFIX=/usr
exits 0 '' run uninstall PREFIX=/usr
same './etc/default/erofs-odd' "$(installed)" "an edited configuration file is kept"
same 'SOURCES="--source=/srv"' "$(cat "$root/etc/default/erofs-odd")" "as it was"
finish
