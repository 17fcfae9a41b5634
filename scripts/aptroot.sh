#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: aptroot.sh update SUITE        have the package lists of a suite, a day old at most
#        aptroot.sh sources SUITE       print the sources.list lines of a suite
#        aptroot.sh run SUITE APT...    run an apt command that knows that suite alone
#
# A private apt root per suite, so that any suite's packages can be downloaded
# without touching the host's own package lists. Where the packages come from
# is taken from the sources that the host has configured.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# uri_of CODENAME: where the host gets that suite from
uri_of() {
	apt-get indextargets --format "\$(CODENAME) \$(REPO_URI)" 'Created-By: Packages' |
		awk -v suite="$1" '$1 == suite { print $2; exit }'
}

sources() {
	local codename like=$1 uri
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	case $1 in
	*-security) like=$codename-security ;;
	*) like=$codename ;;
	esac
	uri=$(uri_of "$like")
	[ -n "$uri" ] || die "the configured apt sources have no $like, or apt-get update never ran"
	echo "deb [arch=amd64 signed-by=$keyring] $uri $1 main"
}

root_of() {
	echo "$cache/apt/$1"
}

run() {
	local root
	root=$(root_of "$1")
	shift
	"$@" -o "Dir::State=$root/state" -o "Dir::State::status=$root/status" \
		-o "Dir::Cache=$root/cache" -o "Dir::Etc::sourcelist=$root/sources.list" \
		-o "Dir::Etc::sourceparts=/dev/null" -o "Dir::Etc::preferencesparts=/dev/null" \
		-o "Dir::Etc::preferences=/dev/null" -o "APT::Default-Release=" \
		-o "APT::Architecture=amd64" -o "APT::Architectures=amd64" \
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
	run "$1" apt-get -qq update
	touch "$root/updated"
}

case ${1-} in
update) with_lock "apt-$2" update_locked "$2" ;;
sources) sources "$2" ;;
run) shift && run "$@" ;;
*) sed -n '3,5s/^# //p' "$0" >&2 && exit 2 ;;
esac
