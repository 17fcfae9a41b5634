#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: signing.sh KERNEL...
#
# Modules signed by scripts/sign.sh, in VMs with UEFI whose kernels require
# signatures: without one, by an unknown signer, and by an enrolled one: in the
# firmware's own list (db), with module.sig_enforce=1; and as a machine owner key
# (MOK), with Secure Boot from the firmware to the kernel, if the mirror has the
# signed image of one of the kernels: it appears days after the unsigned one. With no
# signer enrolled, all are rejected. Before that, tests sign.sh itself and the input that
# it rejects.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
owner=6f6e7f3c-6a2b-4ee5-8b0e-3d1f5c2a9b47
empty=/usr/share/OVMF/OVMF_VARS_4M.fd
sign=$top/scripts/sign.sh
passed=0
failed=0
skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

result() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - signing: $2"
	else
		failed=$((failed + 1))
		echo "not ok - signing: $2"
		[ ! -s "$work/out" ] || sed 's/^/#   /' "$work/out"
	fi
}

# check NAME COMMAND...: in a subshell, since set -e has no effect in a function that is
# part of a condition
check() {
	local status
	set +e
	(set -e && "${@:2}") >"$work/out" 2>&1
	status=$?
	set -e
	result $status "$1"
}

# rejects NAME REGEX ARGUMENT...: sign.sh prints one line with the reason, and changes nothing
rejects() {
	local status=0 before
	before=$(cat "$signed"/*.ko | sha256sum)
	! "$sign" "${@:3}" >"$work/out" 2>&1 || status=1
	grep -qE "$2" "$work/out" && [ "$(wc -l <"$work/out")" = 1 ] || status=1
	[ "$(cat "$signed"/*.ko | sha256sum)" = "$before" ] || status=1
	result $status "sign.sh rejects $1"
}

# make_signer NAME: a key, and its certificate in both forms
make_signer() {
	(umask 077 && openssl req -new -x509 -newkey rsa:2048 -sha256 -nodes -days 30 \
		-subj "/CN=erofs-od $1/" -addext basicConstraints=critical,CA:FALSE \
		-addext extendedKeyUsage=codeSigning \
		-keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null)
	openssl x509 -in "$work/$1.pem" -outform DER -out "$work/$1.der"
}

# signed_by NAME: a copy of both modules
signed_by() {
	mkdir -p "$work/$id/$1"
	cp "$built"/{cachefiles_od,erofs_od}.ko "$work/$id/$1"
	"$sign" --kernel "$id" --key "$work/$1.key" --cert "$work/$1.der" "$work/$id/$1"
}

# is_signed_by SIGNER DIR: both modules are; if SIGNER is empty: neither is
is_signed_by() {
	[ "$(modinfo -F signer "$2/cachefiles_od.ko")" = "${1:+erofs-od $1}" ] &&
		[ "$(modinfo -F signer "$2/erofs_od.ko")" = "${1:+erofs-od $1}" ]
}

# Modules may have been signed after the build; strip removes the appended signature.
strip_built() {
	local module
	mkdir -p "$built"
	for module in cachefiles_od erofs_od; do
		strip -g -o "$built/$module.ko" "$top/build/modules/$id/$module.ko"
	done
	is_signed_by "" "$built"
}

same_when_signed_again() {
	local before
	before=$(cat "$signed"/*.ko | sha256sum)
	"$sign" --kernel "$id" --key "$work/mok.key" --cert "$work/mok.pem" "$signed"
	is_signed_by mok "$signed"
	"$sign" --kernel "$id" --key "$work/db.key" --cert "$work/db.pem" "$signed"
	[ "$(cat "$signed"/*.ko | sha256sum)" = "$before" ]
}

# make_stores: the firmware's variables. db.fd: db's certificate in the firmware's list, and
# Secure Boot off, since there is no PK. mok.fd: the defaults of a retail system, and mok's
# certificate in MokList, where MokManager puts it once confirmed at the console.
make_stores() {
	local tool
	tool=$("$top/scripts/aptroot.sh" unpack trixie python3-virt-firmware)/usr
	export PYTHONPATH=$tool/lib/python3/dist-packages
	/usr/bin/python3 "$tool/bin/virt-fw-vars" --input $empty --output "$work/db.fd" \
		--add-db "$owner" "$work/db.pem"
	/usr/bin/python3 "$tool/bin/virt-fw-vars" --input ${empty%.fd}.ms.fd --output "$work/mok.fd" \
		--add-mok "$owner" "$work/mok.pem"
}

test_sign() {
	id=$1
	[ -e "$top/build/modules/$id/erofs_od.ko" ] || "$top/scripts/build-modules.sh" "$id"
	built=$work/$id/built
	check "kernel $id: built modules have no signature" strip_built
	signed=$work/$id/db
	check "kernel $id: both modules are signed" signed_by db
	check "kernel $id: modinfo names the signer" is_signed_by db "$signed"
	check "kernel $id: signing again replaces the signature" same_when_signed_again
}

signed_with_passphrase() {
	openssl pkey -in "$work/db.key" -aes256 -passout pass:secret -out "$work/locked.key"
	chmod 600 "$work/locked.key"
	cp "$built"/*.ko "$work/copy"
	KBUILD_SIGN_PIN=secret "$sign" --kernel "$id" --key "$work/locked.key" --cert "$work/db.pem" "$work/copy"
	cmp "$work/copy/erofs_od.ko" "$signed/erofs_od.ko"
}

signed_by_new_key() {
	cp "$built"/*.ko "$work/copy"
	"$sign" --kernel "$id" --new-key "$work/copy"
	[[ $(modinfo -F signer "$work/copy/erofs_od.ko") = "erofs-od throw-away key of "* ]]
	[ "$(stat -c %a "$top/build/signing/signing.key")" = 600 ]
}

test_keys() {
	mkdir -p "$work/copy"
	check "a key with a passphrase signs" signed_with_passphrase
	check "a throw-away key signs, and only its owner can read it" signed_by_new_key
	rejects "a wrong passphrase" 'KBUILD_SIGN_PIN is wrong' --kernel "$id" \
		--key "$work/locked.key" --cert "$work/db.pem" "$signed"
}

test_refusals() {
	local pair=(--key "$work/db.key" --cert "$work/db.pem")
	mkdir -p "$work/headers/scripts" "$work/nothing"
	cp "$work/db.key" "$work/open.key"
	chmod 644 "$work/open.key"
	rejects "a key that others can read" 'chmod 600' --kernel "$id" \
		--key "$work/open.key" --cert "$work/db.pem" "$signed"
	rejects "a certificate of another key" "another key's" --kernel "$id" \
		--key "$work/db.key" --cert "$work/mok.pem" "$signed"
	rejects "a file that is not a key" 'no private key' --kernel "$id" \
		--key "$work/db.pem" --cert "$work/db.pem" "$signed"
	rejects "a file that is not a certificate" 'no X.509' --kernel "$id" \
		--key "$work/db.key" --cert "$work/db.key" "$signed"
	rejects "a key without its certificate" 'KEY=FILE and CERT=FILE' --kernel "$id" \
		--key "$work/db.key" "$signed"
	rejects "modules that are not built" 'not built' --kernel "$id" "${pair[@]}" "$work/nothing"
	rejects "missing headers" 'no headers' --kdir "$work/none" "${pair[@]}" "$signed"
	rejects "headers without sign-file" 'no scripts/sign-file' --kdir "$work/headers" "${pair[@]}" "$signed"
	printf '#!/bin/sh\nexit 1\n' >"$work/headers/scripts/sign-file"
	chmod 755 "$work/headers/scripts/sign-file"
	echo '# CONFIG_MODULE_SIG is not set' >"$work/headers/.config"
	rejects "a kernel without module signatures" 'no signature' --kdir "$work/headers" "${pair[@]}" "$signed"
	printf 'CONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_HASH="sha256"\n' >"$work/headers/.config"
	rejects "a sign-file that fails" 'does not sign' --kdir "$work/headers" "${pair[@]}" "$signed"
}

# collect_modules: all modules in one directory, named as the guest test expects
collect_modules() {
	local signer module
	mkdir -p "$work/$id/all"
	for signer in db mok stranger; do
		[ "$signer" = db ] || signed_by "$signer" >/dev/null
		for module in cachefiles_od erofs_od; do
			cp "$work/$id/$signer/$module.ko" "$work/$id/all/$signer-$module.ko"
		done
	done
	cp "$built/cachefiles_od.ko" "$work/$id/all/unsigned-cachefiles_od.ko"
	cp "$built/erofs_od.ko" "$work/$id/all/erofs_od.ko"
}

# image_is_signed: the image of kernel $id has an attribute certificate, which the fifth
# data directory of its PE header refers to (Microsoft, PE Format)
image_is_signed() {
	local image header
	image=$(kernel_image "$(IMAGE=1 "$top/scripts/kernels.sh" fetch "$id")")
	header=$(od -An -tu4 -j 60 -N 4 "$image")
	[ "$(od -An -tu4 -j $((header + 24 + 112 + 4 * 8 + 4)) -N 4 "$image")" -gt 0 ]
}

secure_boot() {
	if image_is_signed; then
		secure_boots=$((secure_boots + 1))
		SECURE_BOOT=1 boot "Secure Boot" "$work/mok.fd" mok
	else
		skipped=$((skipped + 1))
		echo "ok - signing: kernel $id, Secure Boot # SKIP the mirror does not have its signed image yet"
	fi
}

# boot NAME STORE TRUSTED [ARGUMENT]: boots a VM and counts its checks
boot() {
	local log=$work/boot.log ran
	: >"$work/out"
	FIRMWARE=$2 MODULES=$work/$id/all LOGDIR=$top/build/vm/signing-$id-${1// /-} TIMEOUT=${TIMEOUT:-600} \
		CMDLINE="${4-} od.trusted=$3" "$top/tests/bin/vm.sh" "$id" signing >"$log" 2>&1 || true
	ran=$(sed -n "s/^vm $id: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p" "$log")
	sed -nE "/^(ok|not ok|#)/{ s/ - signing: / - signing: kernel $id, $1: /; p }" "$log"
	[ -n "$ran" ] || { result 1 "kernel $id, $1: the VM runs"; cat "$log" >&2; return; }
	passed=$((passed + ${ran% *}))
	failed=$((failed + ${ran#* }))
}

for name in db mok stranger; do
	make_signer "$name"
done
make_stores >"$work/out" 2>&1 || die "no variable store: $(tail -n 1 "$work/out")"
DISK=$("$top/tests/images/mkimage.sh")
export DISK
for id; do
	test_sign "$id"
done
test_keys
test_refusals
secure_boots=0
for id; do
	built=$work/$id/built
	collect_modules
	boot "in db" "$work/db.fd" db module.sig_enforce=1
	secure_boot
done
boot "not enrolled" "$empty" none module.sig_enforce=1
check "one of the kernels boots with Secure Boot" test "$secure_boots" -gt 0
echo "signing: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
