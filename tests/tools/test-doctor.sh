#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# erofs-od doctor on fake systems, each with one thing wrong. OD_BUILD is the build
# directory. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/sysroot.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

states() {	# every finding that is not ok, but for the space, which is this host's
	doctor --json | python3 -c 'import json, sys
for f in json.load(sys.stdin)["findings"]:
    if f["state"] != "ok" and f["id"] != "cache-space":
        print(f["id"], f["state"])'
}

# --- nothing is wrong ---

fresh
# Whether the file system has user xattrs depends on this host.
xattrs=ok
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.od", b"1")' "$root/var/cache/erofs-od" \
	2>/dev/null || xattrs=note
same "$([ $xattrs = ok ] || echo cache-mount note)" "$(states)" "nothing is wrong"
exits 0 '^0 problems' doctor
exits 0 '^ok +kernel-range +kernel 6\.12\.0-test is supported' doctor
exits 0 "^erofs-od $version, Some Debian, kernel 6\.12\.0-test, .* pages\$" doctor
range=$(. "$top/scripts/lib.sh" && supported_range)
finding "the range is SUPPORTED's" kernel-range ok "$range" ''
python3 - "$(doctor --json)" "$version" $release <<'P'
import json, os, sys
report = json.loads(sys.argv[1])
assert list(report) == ["version", "kernel", "distribution", "arch", "page_size", "findings"]
assert report["version"] == sys.argv[2] and report["kernel"] == sys.argv[3], report
assert report["distribution"] == "Some Debian" and report["arch"] == os.uname().machine, report
assert report["page_size"] == os.sysconf("SC_PAGESIZE"), report
P
result $? "the report says what it is about"
python3 - "$(doctor --json)" "$(rm -r "${root:?}/sys/module/erofs_od" "${root:?}/dev" && doctor --json)" <<'P'
import json, sys
for text in sys.argv[1:]:
    findings = json.loads(text)["findings"]
    assert len(set(f["id"] for f in findings)) == len(findings), "an id comes twice"
    for one in findings:
        assert one["state"] in ("ok", "note", "problem"), one
        assert one["text"] and "\n" not in one["text"], one
        assert (one["remedy"] is None) == (one["state"] == "ok"), one
P
result $? "each finding has an id, a state, a sentence, and a remedy where it is not ok"
same "$(sed -n '/^Kernel$/,$s/^``\([a-z-]*\)``$/\1/p' "$top/Documentation/doctor.rst" | sort)" \
	"$(doctor --json | python3 -c 'import json, sys
for f in json.load(sys.stdin)["findings"]: print(f["id"])' | sort)" \
	"Documentation/doctor.rst tells each finding, and no other"

# --- the kernel ---

echo 5.9.1-old >"$root/proc/sys/kernel/osrelease"
finding "an old kernel" kernel-range problem '5\.9\.1-old' "$range"
echo 4.18.0-25-generic >"$root/proc/sys/kernel/osrelease"
finding "a plain 4.18" kernel-range problem '4\.18\.0-25-generic' "$range"
finding "RHEL's 4.18" kernel-range ok 'is supported' '' --kernel=4.18.0-553.16.1.el8_10.x86_64
finding "another kernel than the one that runs" kernel-range ok "$release" '' --kernel=$release
finding "of which nothing is loaded" modules-loaded ok 'is not running' '' --kernel=$release
fresh
rm -r "${root:?}/lib/modules/$release/build"
finding "no headers, but modules" kernel-headers note 'not installed' \
	"^apt install linux-headers-$release\$"
rm "${root:?}/lib/modules/$release/updates/dkms"/*.ko
rm -r "${root:?}/sys/module"/{erofs_od,cachefiles_od}
index
finding "no headers, no modules" kernel-headers problem 'not installed' \
	"^apt install linux-headers-$release\$"
put /etc/os-release 'ID="rocky"' 'ID_LIKE="rhel centos fedora"'
finding "on a Fedora" kernel-headers problem '' "^dnf install kernel-devel-$release\$"
finding "on a Fedora" modules-built problem '' '^dnf install erofs-od-dkms$'
put /etc/os-release 'ID="openEuler"'
finding "on an openEuler" kernel-headers problem '' "^dnf install kernel-devel-$release\$"
put /etc/os-release 'ID="rhel"' 'ID_LIKE="fedora"'
finding "RHEL's 64 KiB pages" kernel-headers problem '' '^dnf install kernel-64k-devel-5\.14\.0-503\.el9\.aarch64$' \
	--kernel=5.14.0-503.el9.aarch64+64k
finding "Oracle's own kernel" kernel-headers problem '' '^dnf install kernel-uek-devel-5\.15\.0-3\.el9uek\.x86_64$' \
	--kernel=5.15.0-3.el9uek.x86_64
put /etc/os-release ID=opensuse-leap 'ID_LIKE="suse opensuse"'
finding "on a SUSE" kernel-headers problem '' '^zypper install kernel-test-devel$'
put /etc/os-release ID=slackware
finding "elsewhere" kernel-headers problem '' 'install the headers'
rm "${root:?}/etc/os-release"
put /usr/lib/os-release ID=ubuntu
finding "os-release in /usr/lib" kernel-headers problem '' '^apt install'

# --- the modules ---

finding "no modules" modules-built problem "module erofs_od is not installed for kernel $release" \
	'^apt install erofs-od-dkms$'
finding "no modules: algorithms are not checked" algorithms note 'because of modules-built' ''
finding "no modules: what depends on them is not checked" signature note 'because of modules-built' ''
put "/usr/src/erofs-od-$version/dkms.conf"
finding "no modules, but their sources" modules-built problem '' \
	"^dkms install --force erofs-od/$version -k $release\$"
log=/var/lib/dkms/erofs-od/$version/build/make.log
put $log "DKMS make.log for erofs-od-$version for kernel 6.11.0 (x86_64)" 'a.c: error: no'
finding "a log about another kernel" modules-built problem "module erofs_od is not installed" '^dkms'
put $log "DKMS make.log for erofs-od-$version for kernel $release (x86_64)" 'CC a.o' \
	'erofs-od: vfs_mkdir has a form that is not known' 'make: *** [all] Error 2'
finding "a build that failed" modules-built problem \
	"failed to build .*$release: erofs-od: vfs_mkdir has a form" "^less $log\$"
module erofs_od "$version" BBBB "$release SMP" "$root/lib/modules/$release/extra/erofs_od.ko"
finding "a file that depmod has not seen" modules-built problem \
	"problem /lib/modules/$release/extra/erofs_od.ko is not in the index" "^depmod -a $release\$"
loaded cachefiles_od "$version" AAAA
loaded erofs_od "$version" BBBB
rm "${root:?}/lib/modules/$release/extra/erofs_od.ko" "${root:?}$log"
finding "loaded, and not installed" modules-built note 'not installed: the next boot' '^dkms install'
loaded erofs_od 0.0.1 BBBB
finding "loaded, not installed, and older" modules-built problem '0\.0\.1' '^dkms install'

fresh
module cachefiles_od "$version" AAAA '6.11.0-other SMP mod_unload '
index
rm -r "${root:?}/sys/module/cachefiles_od"
finding "built for another kernel" modules-built problem 'cachefiles_od.ko was built for kernel 6\.11\.0-other$' \
	'^apt install'
module cachefiles_od "$version" AAAA '6.11.0-other SMP mod_unload modversions '
index
finding "built for another kernel, by symbols" modules-built note 'built for kernel 6\.11\.0-other' '^modprobe'
loaded cachefiles_od "$version" AAAA
finding "the same, and the kernel has taken it" modules-built ok '' ''
finding "all algorithms" algorithms ok "kernel $release decompresses lz4, lzma, deflate and zstd\$" ''
module erofs_od "$version" BBBB "$release SMP" "" od-test-erofs_od 'LZ4_decompress_safe zlib_inflate ZSTD_decompressStream'
finding "no microlzma, as in 5.10 and 6.1" algorithms note 'lacks lzma: ' 'mkfs.erofs -zlz4'
module erofs_od "$version" BBBB "$release SMP" "" od-test-erofs_od kmalloc
finding "no algorithms" algorithms note 'lacks lz4, lzma, deflate and zstd: ' 'mkfs.erofs'
fresh
module erofs_od 0.0.9 BBBB "$release SMP"
index
finding "an older module" modules-built problem "erofs_od is version 0\.0\.9.*$version" '^apt install'
fresh
rm -r "${root:?}/sys/module/erofs_od"
finding "not loaded" modules-loaded problem 'erofs_od is not loaded' '^modprobe -a cachefiles_od erofs_od$'
put /sys/module/erofs_od/initstate coming
finding "not loaded yet" modules-loaded problem 'erofs_od is not loaded' '^modprobe'
fresh
loaded erofs_od "$version" CCCC
finding "another build is loaded" modules-current problem 'loaded erofs_od is not the installed build' \
	'^modprobe -r erofs_od cachefiles_od && modprobe -a cachefiles_od erofs_od$'
put /lib/systemd/system/erofs-odd.service
echo '30 20 0:50 / /mnt/app ro - erofs_od app ro' >>"$root/proc/self/mountinfo"
finding "the same, in use" modules-current problem '' \
	'^umount -a -t erofs_od && systemctl stop erofs-odd && modprobe -r .* && systemctl start erofs-odd$'
rm "${root:?}/sys/module/erofs_od/srcversion"
finding "the same, of one version" modules-current ok '' ''

# --- signatures ---

lock() {
	put /sys/kernel/security/lockdown 'none [integrity] confidentiality'
}

sign_both() {
	local name
	for name in cachefiles_od erofs_od; do
		sign "$root/lib/modules/$release/updates/dkms/$name.ko" "$1"
	done
	index
}

key mok 'DKMS module signing key'
key again 'DKMS module signing key'
fresh
finding "no signature is asked for" signature ok 'does not require signatures' ''
finding "no signature is asked for" signer-key ok 'no key is needed' ''
lock
finding "lockdown, and no signature" signature problem 'erofs_od.ko is not signed.*integrity' '^apt install'
finding "lockdown, and no signature" signer-key note 'because of signature' ''
fresh
put /sys/module/module/parameters/sig_enforce Y
finding "sig_enforce, and no signature" signature problem 'sig_enforce' ''
fresh
sign_both mok
finding "signed" signature ok 'signed by DKMS module signing key' ''
finding "signed, which nobody asks for" signer-key ok 'does not require it' ''
lock
finding "loaded under lockdown" signer-key ok 'has loaded' ''
rm -r "${root:?}/sys/module/erofs_od"
finding "signed, no keys are listed" signer-key note 'it lists no keys' ''
mkdir -p "$root/var/lib/dkms"
cp "$dir/mok.der" "$root/var/lib/dkms/mok.pub"
put /proc/keys '3f5c21ab I------ 1 perm 1f030000 0 0 asymmetri Debian CA: 01: X509.rsa 01 []'
finding "signed, the key is unknown" signer-key problem 'does not have the key of DKMS module signing key' \
	'^mokutil --import /var/lib/dkms/mok.pub$'
put /proc/keys "3f5c21ab I------ 1 perm 1f030000 0 0 asymmetri DKMS module signing key: $(key_id again): X509"
finding "signed, an older key of that name is known" signer-key problem '' '^mokutil'
put /proc/keys "3f5c21ab I------ 1 perm 1f030000 0 0 asymmetri DKMS module signing key: $(key_id mok): X509"
finding "signed, the key is known" signer-key ok 'has the key of DKMS' ''
mkdir -p "$root/var/lib/shim-signed/mok"
mv "$root/var/lib/dkms/mok.pub" "$root/var/lib/shim-signed/mok/MOK.der"
put /proc/keys '3f5c21ab I------ 1 perm 1f030000 0 0 asymmetri Debian CA: 01: X509.rsa 01 []'
finding "Ubuntu's place of the key" signer-key problem '' '^mokutil --import /var/lib/shim-signed/mok/MOK.der$'
rm -r "${root:?}/var/lib/shim-signed"
finding "somebody else's key" signer-key problem '' 'certificate of DKMS module signing key'
fresh
rm -r "${root:?}/sys/kernel/security"
finding "securityfs is not mounted" signature note 'securityfs is not mounted' '^mount -t securityfs'
put /proc/filesystems "$(printf 'nodev\tsecurityfs\nnodev\tproc')"
finding "nor is it where the kernel has it" signature note 'securityfs is not mounted' '^mount -t securityfs'
put /proc/filesystems "$(printf 'nodev\tproc\n\text4')"
finding "a kernel without securityfs" signature ok 'does not require' ''
rm "${root:?}/proc/filesystems"
put /sys/kernel/security/lsm capability
finding "a kernel without lockdown" signature ok 'does not require' ''

# --- SELinux, FIPS mode ---

fresh
finding "no SELinux" selinux ok 'is off' ''
finding "no FIPS mode" fips ok 'is off' ''
put /proc/sys/crypto/fips_enabled 1
finding "FIPS mode" fips ok 'is on' ''
put /sys/fs/selinux/enforce 0
finding "permissive" selinux ok 'permissive' ''
put /sys/fs/selinux/enforce 1
finding "enforcing, no mounts" selinux ok 'mount with -o context=' ''
echo '30 20 0:50 / /mnt/app ro - erofs_od app ro,context=system_u:object_r:container_ro_file_t:s0' \
	>>"$root/proc/self/mountinfo"
finding "enforcing, and a label" selinux ok 'all mounts have labels' ''
echo '31 20 0:51 / /mnt/two ro - erofs_od two ro,seclabel' >>"$root/proc/self/mountinfo"
finding "enforcing, and labels of files" selinux ok 'all mounts have labels' ''
echo '32 20 0:52 / /mnt/two ro - erofs_od two ro,timeout=1000' >>"$root/proc/self/mountinfo"
finding "enforcing, and none" selinux note '/mnt/two was mounted without a label' '^erofs-od mount -o context='

finish
