#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: sign.sh [--kernel ID | --kdir DIR] [--key FILE --cert FILE | --new-key] [DIR]
#
# Signs both built modules with the kernel's own scripts/sign-file: those of a
# kernel of SUPPORTED in DIR (default build/modules/ID), or those in DIR (default the source
# tree) for the kernel whose headers --kdir names (default the running one). An existing
# signature is replaced.
#
# --key FILE --cert FILE  private key (PEM), certificate (PEM or DER); a passphrase
#                         is passed in KBUILD_SIGN_PIN
# --new-key               create a throw-away pair in build/signing, or reuse the one
#                         there; no kernel trusts it until it is enrolled
# Without these options: the pair that dkms signs with, if there is one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

modules="cachefiles_od erofs_od"
# The pair that dkms 3 signs with; Ubuntu keeps it elsewhere.
dkms_pairs="/var/lib/dkms/mok.key:/var/lib/dkms/mok.pub
	/var/lib/shim-signed/mok/MOK.priv:/var/lib/shim-signed/mok/MOK.der"
magic='~Module signature appended~'
id='' kdir='' key='' cert='' new_key='' dir=''

usage() {
	sed -n '3s/^# //p' "$0" >&2
	exit 2
}

# new_pair: in build/signing, unless it exists; sets key and cert
new_pair() {
	key=$top/build/signing/signing.key
	cert=$top/build/signing/signing.der
	[ ! -e "$key" ] || [ ! -e "$cert" ] || return 0
	make_pair "$key" "$cert" "erofs-od throw-away key of $(uname -n)"
	say "new key: $key, certificate: $cert"
}

# make_pair KEY CERT NAME: the certificate is valid for modules only
make_pair() {
	mkdir -p "$(dirname "$1")"
	(umask 077 && openssl req -new -x509 -newkey rsa:2048 -sha256 -nodes -days 3650 \
		-subj "/CN=$3/" -addext basicConstraints=critical,CA:FALSE \
		-addext keyUsage=digitalSignature -addext extendedKeyUsage=codeSigning \
		-keyout "$1" -outform DER -out "$2" 2>"$1.log") ||
		die "openssl makes no key: $(tail -n 1 "$1.log")"
	rm -f "$1.log"
}

dkms_pair() {
	local pair
	for pair in $dkms_pairs; do
		[ -e "${pair%:*}" ] && [ -e "${pair#*:}" ] || continue
		key=${pair%:*}
		cert=${pair#*:}
		say "signing with the key of dkms: $key"
		return
	done
	die "no key: give KEY=FILE CERT=FILE, or ask for a throw-away pair by NEW_KEY=1"
}

# public_of KEY|CERT FILE: its public key, in whatever encoding
public_of() {
	case $1 in
	key) openssl pkey -in "$2" -pubout -passin env:KBUILD_SIGN_PIN ;;
	cert) openssl x509 -in "$2" -noout -pubkey || openssl x509 -inform DER -in "$2" -noout -pubkey ;;
	esac 2>/dev/null
}

check_pair() {
	local mode private certified
	[ -n "$key" ] && [ -n "$cert" ] || die "a key needs its certificate: give KEY=FILE and CERT=FILE"
	[ -r "$key" ] || die "the key cannot be read: $key"
	[ -r "$cert" ] || die "the certificate cannot be read: $cert"
	mode=$(stat -Lc %a "$key")
	(((8#$mode & 8#77) == 0)) || die "others can read the key, which is no secret then: chmod 600 $key"
	export KBUILD_SIGN_PIN=${KBUILD_SIGN_PIN-}
	private=$(public_of key "$key") || die "this is no private key, or KBUILD_SIGN_PIN is wrong: $key"
	certified=$(public_of cert "$cert") || die "this is no X.509 certificate: $cert"
	[ "$private" = "$certified" ] || die "the certificate $cert is another key's than $key"
}

# of_supported: sets headers, dir and sign_file for a kernel of SUPPORTED, whose
# programs run with their own suite's C library
of_supported() {
	local kernel toolchain program
	kernel_row "$id"
	kernel=$("$top/scripts/kernels.sh" fetch "$id")
	headers=$kernel/root/usr/src/linux-headers-$(<"$kernel/release")
	dir=${dir:-$top/build/modules/$id}
	program=$(find "$kernel"/root/usr/lib/linux-kbuild-*/scripts "$headers/scripts" \
		-maxdepth 1 -name sign-file 2>/dev/null | head -n 1)
	[ -n "$program" ] || die "the headers of kernel $id have no scripts/sign-file"
	[ "$row_arch" = amd64 ] || row_toolchain+=-$row_arch
	toolchain=$("$top/scripts/toolchain.sh" "$row_toolchain")
	sign_file=("$toolchain/lib64/ld-linux-x86-64.so.2" --library-path
		"$toolchain/lib/x86_64-linux-gnu:$toolchain/usr/lib/x86_64-linux-gnu" "$program")
}

of_headers() {
	headers=${kdir:-/lib/modules/$(uname -r)/build}
	dir=${dir:-$top}
	[ -d "$headers" ] || die "no headers in $headers: the package linux-headers-$(uname -r) or kernel-devel has them"
	[ -x "$headers/scripts/sign-file" ] || die "these headers have no scripts/sign-file: $headers"
	sign_file=("$headers/scripts/sign-file")
}

# hash_of_kernel: a hash that the kernel can verify; with an old make only .config has it
hash_of_kernel() {
	local config=$headers/.config
	[ -e "$config" ] || die "these headers have no .config: $headers"
	grep -qx CONFIG_MODULE_SIG=y "$config" || die "this kernel looks at no signature (CONFIG_MODULE_SIG): $headers"
	sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"$/\1/p' "$config"
}

# without_signature FILE: removes what sign-file has appended to the module: the
# signature, 12 bytes of which the last four are its length, and the magic line
without_signature() {
	local length
	[ "$(tail -c 28 "$1" | head -c 27 | tr -d '\0')" = "$magic" ] || return 0
	length=$((16#$(tail -c 32 "$1" | head -c 4 | od -An -tx1 | tr -d ' \n')))
	truncate -s "-$((length + 12 + 28))" "$1"
}

sign() {
	local file=$1
	[ -e "$file" ] || die "$file is not built yet: make modules"
	cp "$file" "$file.signing"
	without_signature "$file.signing"
	"${sign_file[@]}" "$hash" "$key" "$cert" "$file.signing" >&2 || {
		rm -f "$file.signing"
		die "sign-file of ${headers##*/} does not sign $file"
	}
	mv "$file.signing" "$file"
	echo "$file: $(modinfo -F signer "$file"), $(modinfo -F sig_hashalgo "$file")"
}

while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --kdir | --key | --cert) [ $# -ge 2 ] || usage ;;&
	--kernel) id=$2 && shift ;;
	--kdir) kdir=$2 && shift ;;
	--key) key=$2 && shift ;;
	--cert) cert=$2 && shift ;;
	--new-key) new_key=yes ;;
	-*) usage ;;
	*) [ -z "$dir" ] || usage && dir=$1 ;;
	esac
	shift
done
[ -z "$id" ] || [ -z "$kdir" ] || usage
[ -z "$new_key" ] || [ -z "$key$cert" ] || die "either a key of yours or a new one"
command -v openssl >/dev/null || die "openssl is missing"

if [ -n "$id" ]; then of_supported; else of_headers; fi
hash=$(hash_of_kernel)
if [ -n "$new_key" ]; then new_pair; elif [ -z "$key$cert" ]; then dkms_pair; fi
check_pair
for name in $modules; do
	sign "$dir/$name.ko"
done
