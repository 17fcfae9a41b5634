#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: aptroot.sh update SUITE[:ARCH]        update the package lists of a suite, at most once a day
#        aptroot.sh outdated SUITE[:ARCH]      its lists no longer match the mirror
#        aptroot.sh sources SUITE[:ARCH]       print the sources.list lines of a suite
#        aptroot.sh run SUITE[:ARCH] APT...    run an apt command for that suite only
#        aptroot.sh unpack SUITE PACKAGE       unpack a package, print the directory
#
# A private apt root per suite, so that any suite's packages can be downloaded
# without touching the host's own package lists. Uses the mirror that the host
# has configured. With ARCH, the root has the packages of that architecture in
# addition to those of amd64.
#
# EROFS_OD_UBUNTU=URI  Ubuntu's archive; by default next to Debian's. Exit
#                      status 3: it does not exist, or the mirror serves lists that
#                      do not match its Release file.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

debian_keys=/usr/share/keyrings/debian-archive-keyring.gpg
# Ubuntu's keys are a package of Debian 13, which is verified by Debian's own keys.
keys_suite=trixie

# uri_of CODENAME: the URI that the host gets that suite from
uri_of() {
	apt-get indextargets --format "\$(CODENAME) \$(REPO_URI)" 'Created-By: Packages' |
		awk -v suite="$1" '$1 == suite { print $2; exit }'
}

debian_uri() {
	local codename like
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	case $1 in
	*-security) like=$codename-security ;;
	*) like=$codename ;;
	esac
	uri_of "$like" | grep . ||
		die "the configured apt sources have no $like, or apt-get update never ran"
}

# Many mirrors carry both.
ubuntu_uri() {
	local uri
	if [ -n "${EROFS_OD_UBUNTU-}" ]; then
		echo "$EROFS_OD_UBUNTU"
		return
	fi
	uri=$(debian_uri any)
	uri=${uri%/}
	echo "${uri%/debian}/ubuntu"
}

unpack_locked() {
	local dir=$1 suite=$2 package=$3
	[ ! -e "$dir/usr" ] || return 0
	"$0" update "$suite"
	rm -rf "$dir" "$dir.tmp"
	mkdir -p "$dir.tmp"
	(cd "$dir.tmp" && run "$suite" apt-get -qq download "$package" >&2)
	dpkg -x "$dir.tmp"/*.deb "$dir.tmp"
	mv -T "$dir.tmp" "$dir"
}

# unpacked SUITE PACKAGE: prints its directory; without its dependencies
unpacked() {
	local dir=$cache/packages/$1/$2
	with_lock "package-$1-$2" unpack_locked "$dir" "$1" "$2"
	echo "$dir"
}

# architectures SUITE[:ARCH]: as apt expects them
architectures() {
	local arch=amd64
	[ "$1" = "${1#*:}" ] || arch+=,${1#*:}
	echo "$arch"
}

sources() {
	local suite=${1%%:*} uri keys
	if [ "$(distribution_of "$suite")" = ubuntu ]; then
		uri=$(ubuntu_uri)
		keys=$(unpacked $keys_suite ubuntu-keyring)/usr/share/keyrings/ubuntu-archive-keyring.gpg
	else
		uri=$(debian_uri "$suite")
		keys=$debian_keys
	fi
	echo "deb [arch=$(architectures "$1") signed-by=$keys] $uri $suite main"
}

root_of() {
	echo "$cache/apt/$1"
}

run() {
	local root archs
	root=$(root_of "$1")
	archs=$(architectures "$1")
	shift
	"$@" -o "Dir::State=$root/state" -o "Dir::State::status=$root/status" \
		-o "Dir::Cache=$root/cache" -o "Dir::Etc::sourcelist=$root/sources.list" \
		-o "Dir::Etc::sourceparts=/dev/null" -o "Dir::Etc::preferencesparts=/dev/null" \
		-o "Dir::Etc::preferences=/dev/null" -o "APT::Default-Release=" \
		-o "APT::Architecture=amd64" -o "APT::Architectures=$archs" \
		-o "APT::Sandbox::User=root" -o "Acquire::Languages=none" \
		-o "Acquire::Retries=3" -o "Acquire::Check-Valid-Until=false"
}

update_locked() {
	local root
	root=$(root_of "$1")
	if [ -n "$(find "$root/updated" -mmin -1440 2>/dev/null)" ]; then
		return
	fi
	mkdir -p "$root"/state/lists/partial "$root"/cache/archives/partial
	: >"$root/status"
	sources "$1" >"$root/sources.list"
	say "package lists of $1"
	if ! run "$1" apt-get -qq update -o APT::Update::Error-Mode=any 2>&1 | tee "$root/update.log" >&2; then
		! grep -qE 'unexpected size|Hash Sum mismatch' "$root/update.log" ||
			cannot_be_had "$(awk '{ print $(NF - 2); exit }' "$root/sources.list") serves lists of $1 that do not match its Release file"
		[ "$(distribution_of "$1")" != ubuntu ] ||
			cannot_be_had "$(ubuntu_uri) does not serve $1: EROFS_OD_UBUNTU= can name an archive that does"
		die "failed to update the package lists of $1"
	fi
	touch "$root/updated"
}

case ${1-} in
update) with_lock "apt-$2" update_locked "$2" ;;
outdated) rm -f "$(root_of "$2")/updated" ;;
sources) sources "$2" ;;
run) shift && run "$@" ;;
unpack) unpacked "$2" "$3" ;;
*) sed -n '3,7s/^# //p' "$0" >&2 && exit 2 ;;
esac
