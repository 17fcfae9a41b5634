# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Guest cases by what their heads say: sourced, after lib.sh.
#
# A head follows the licence of tests/vm/cases/NAME.sh:
#	# seconds: 25, debug 370	on a stock kernel; on one built for testing, with
#					gcov, od.thin=8 and two VMs on two cores
#	# where: stock rows debug	what runs it, one or more of
#		stock	the guest suite on stock kernels
#		rows	on all of those that are booted, not only on Debian's own releases
#		short	also the few minutes that make check has for the oldest and newest kernel
#		debug	the guest suite on kernels built for testing
#		kasan	also its short form, part of make check
#		FILE.sh	that script alone
#	# alone				in a VM of its own with nothing beside it
#	# thin				od.thin=N makes it try a sample, an Nth or so

cases=$top/tests/vm/cases

# case_head NAME FIELD
case_head() {
	sed -n "s/^# $2: *//p; /^[^#]/q" "$cases/$1.sh"
}

# cases_for WORD: the names of all that are run there, and not alone
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

# seconds_of KIND NAME...: "SECONDS NAME" for each, where KIND is stock or debug
seconds_of() {
	local kind=$1 name
	shift
	for name; do
		echo "$(case_head "$name" seconds | awk -v kind="$kind" -f "$top/tests/vm/guest/seconds.awk") $name"
	done
}
