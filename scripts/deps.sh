#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: deps.sh [PACKAGE...]
#
# Installs missing packages that building, testing and the demo need on this host, and these
# PACKAGEs: on Debian as root with apt-get; elsewhere it prints what is missing.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

packages() {
	cat <<-END
		acl
		apparmor
		attr
		btrfs-progs
		busybox-static
		ca-certificates
		cpio
		debian-archive-keyring
		dmsetup
		e2fsprogs
		gcc
		git
		jq
		kmod
		libc6-dev
		libssl-dev
		make
		mmdebstrap
		mount
		mtools
		openssl
		ovmf
		procps
		python3-cryptography
		python3-importlib-resources
		python3-pefile
		python3-sphinx
		python3-yaml
		qemu-system-arm
		qemu-system-ppc
		qemu-system-x86
		shellcheck
		xfsprogs
		xz-utils
		zstd
	END
	cat "$top/tools/packages.txt"
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
	local package
	{ packages && printf '%s\n' "$@"; } | grep -vE '^(#|$)' | sort -u | while read -r package; do
		is_installed "$package" || echo "$package"
	done
}

# dpkg's output matters only if it fails.
install_them() {
	apt-get -qq install -y --no-install-recommends "${wanted[@]}" >"$log" 2>&1
}

log=$cache/apt-get.log
mkdir -p "$cache"
command -v dpkg-query >/dev/null || die "this is no Debian; what is needed are its packages $(packages | paste -sd' ')"
mapfile -t wanted < <(missing "$@")

# The suites' package lists are found through the host's apt sources.
lists=$(apt-get indextargets --format "\$(CODENAME)" 'Created-By: Packages' | head -n 1)
if [ ${#wanted[@]} = 0 ] && [ -n "$lists" ]; then
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	die "run as root, or install: ${wanted[*]:-package lists (apt-get update)}"
fi
[ -n "$lists" ] || apt-get -qq update
if [ ${#wanted[@]} -gt 0 ]; then
	say "installing ${wanted[*]}"
	export DEBIAN_FRONTEND=noninteractive
	install_them || { apt-get -qq update && install_them; } ||
		die "apt-get cannot install them: $(tail -n 3 "$log")"
fi
