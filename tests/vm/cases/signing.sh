# SPDX-License-Identifier: GPL-2.0-only
# seconds: 60
# where: signing.sh
# Modules with and without a signature, on a kernel that requires one. Run by
# tests/vm/signing.sh, which boots the VM, provides the modules under these names,
# and passes in od.trusted= whose certificate is enrolled.

OD_SIGNED="db mok stranger"
OD_TRUSTED=$(od_arg trusted)

# rejected NAME MODULE REASON: the module does not load; insmod or the kernel log gives the
# reason
rejected() {
	local out
	dmesg -c >/dev/null
	if out=$(insmod "$2" 2>&1); then
		rmmod cachefiles_od
		fail "$1" "it loads"
		return
	fi
	out="$out
$(dmesg)"
	if echo "$out" | grep -qE "$3"; then
		pass "$1"
	else
		fail "$1" "$out"
	fi
}

loads() {
	od_load && od_unload
}

# Changes a byte of the .modinfo section: the module is still well-formed.
change_module() {
	cp "$1" "$2"
	printf X | dd of="$2" bs=1 seek="$(strings -t d "$1" | awk '/license=/ { print $1; exit }')" conv=notrunc
}

mount -t securityfs securityfs /sys/kernel/security
note "trusted: $OD_TRUSTED; lockdown: $(cat /sys/kernel/security/lockdown)"
if grep -q module.sig_enforce=1 /proc/cmdline; then
	is "the kernel enforces signatures" "$(cat /sys/module/module/parameters/sig_enforce)" Y
else
	ok "Secure Boot has locked the kernel down" grep -q '\[integrity\]' /sys/kernel/security/lockdown
fi
rejected "a module without a signature is rejected" /modules/od/unsigned-cachefiles_od.ko \
	'(Loading of|insmod:) unsigned module'
for signer in $OD_SIGNED; do
	OD_MODULES=/modules/od/$signer
	mkdir $OD_MODULES
	for module in cachefiles_od erofs_od; do
		mv "/modules/od/$signer-$module.ko" $OD_MODULES/$module.ko
	done
	if [ $signer = "$OD_TRUSTED" ]; then
		ok "the kernel has the certificate of $signer" grep -q "asymmetri.* erofs-od $signer: " /proc/keys
		ok "both modules load, signed by $signer" loads
	else
		notok "the kernel has no certificate of $signer" grep -q "asymmetri.* erofs-od $signer: " /proc/keys
		rejected "signed by $signer, who is not enrolled, it is rejected" \
			$OD_MODULES/cachefiles_od.ko '(Loading of module with unavailable key|insmod: unsigned module)'
	fi
done
ok "a byte is changed" change_module "/modules/od/$(echo "$OD_TRUSTED" | sed s/none/db/)/cachefiles_od.ko" /tmp/changed.ko
rejected "a module changed after signing is rejected" /tmp/changed.ko 'Key was rejected|Bad message'

[ "$OD_TRUSTED" != none ] || exit 0
OD_MODULES=/modules/od/$OD_TRUSTED
ok "both modules load" od_setup
ok "the daemon" odd
ok "an image is mounted" od_mount /mnt/a fsid=v-4096-flat
ok "same as the source" same_tree /mnt/a $OD_SUMS/small
