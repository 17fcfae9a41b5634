# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Selects guest cases by their heads: sourced, after lib.sh.
#
# A head follows the licence of tests/vm/cases/NAME.sh:
#	# seconds: 25, debug 370	on a stock kernel; on a debug kernel, with gcov,
#					od.thin=8 and two VMs on two cores
#	# where: stock rows debug	what runs it, one or more of
#		stock	the guest suite on stock kernels
#		rows	on all kernels that are booted, not only those of Debian releases
#		short	also the short run of make check on the oldest and the newest kernel
#		pages	also kernels of other architectures and with larger pages
#		debug	the guest suite on debug kernels
#		kasan	also its short form, part of make check
#		FILE.sh	that script only
#	# alone				in its own VM, with nothing else running
#	# thin				with od.thin=N it tests a sample, about an Nth

cases=$top/tests/vm/cases

# case_head NAME FIELD
case_head() {
	sed -n "s/^# $2: *//p; /^[^#]/q" "$cases/$1.sh"
}

# cases_for WORD: names of all cases with that word in their "where", except those that run alone
cases_for() {
	awk -v word="$1" '
		function tell() { if (found && !alone) print name }
		FNR == 1 { tell(); found = alone = 0; name = FILENAME; gsub(/.*\/|\.sh$/, "", name) }
		/^# where: / { for (i = 3; i <= NF; i++) found += $i == word }
		/^# alone$/ { alone = 1 }
		END { tell() }' "$cases"/*.sh
}

# cases_that_are alone|thin
cases_that_are() {
	grep -lx "# $1" "$cases"/*.sh | sed 's,.*/,,; s/\.sh$//'
}

# seconds_of KIND NAME...: "SECONDS NAME" for each, where KIND is stock, debug, or thin: on a stock
# kernel with od.thin=8, when cases that test a sample take about a third of the time
seconds_of() {
	local kind=$1 name seconds
	shift
	for name; do
		seconds=$(case_head "$name" seconds | awk -v kind="$kind" -f "$top/tests/vm/guest/seconds.awk")
		if [ "$kind" = thin ] && grep -qx '# thin' "$cases/$name.sh"; then
			seconds=$((seconds / 3 + 1))
		fi
		echo "$seconds $name"
	done
}

# share NR KIND WORD: names of the cases that the first or second of two VMs runs, so that both
# take about as long; short ones first
share() {
	local list
	mapfile -t list < <(cases_for "$3")
	seconds_of "$2" "${list[@]}" | sort -k1,1nr -k2 |
		awk -v nr="$1" '{ to = sum[1] <= sum[2] ? 1 : 2; sum[to] += $1; if (to == nr) print }' |
		sort -k1,1n -k2 | awk '{ print $2 }'
}
