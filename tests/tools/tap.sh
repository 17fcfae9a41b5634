# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by the test scripts: sourced, never run. Creates a directory, $dir, which is
# removed when the script exits. A script ends with `finish`.
n=0 bad=0
dir=$(mktemp -d) && [ -n "$dir" ] || exit 1
trap 'rm -rf "$dir"' EXIT

result() {	# STATUS NAME [DETAIL]
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		bad=$((bad + 1))
		echo "not ok $n - $2"
		echo "${3-}" | sed 's/^/#   /'
	fi
}

same() {	# WANTED GOT NAME
	if [ "$1" = "$2" ]; then
		result 0 "$3"
	else
		result 1 "$3" "$2"
	fi
}

# exits STATUS PATTERN COMMAND...: exits with that status, and its output matches
exits() {
	local want=$1 pattern=$2 out got
	shift 2
	out=$("$@" 2>&1)
	got=$?
	[[ $got =~ ^($want)$ ]] && grep -qE -- "$pattern" <<<"$out"
	result $? "$(basename "$1") ${*:2}: exit $want" "exit $got:
$out"
}

finish() {
	echo "1..$n"
	[ $bad = 0 ]
}
