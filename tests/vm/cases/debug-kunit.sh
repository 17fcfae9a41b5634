# SPDX-License-Identifier: GPL-2.0-only
# seconds: debug 50
# where: debug kasan
# The KUnit suites, as modules for this kernel (tests/bin/debug.sh puts them beside
# the others): one check for each case, from the KTAP in the kernel log.

wanted="od_sb od_inode od_dirent od_chunkmap od_blobtab od_xattr od_xxhash"
wanted="$wanted od_command od_limit od_extents od_mapfile od_key od_request od_queue"
wanted="$wanted od_queue_threads zmap zrecords"

# Prints one line for each case and each suite, "RESULT SUITE.CASE WHY"; the output
# of a failed case is in a file named after the case.
ktap() {
	dmesg | sed 's/^\[ *[0-9.]*\] //' | awk '
		/^ *# Subtest: / { suite = $3; said = ""; next }
		/^    1\.\./ { plan[suite] = substr($1, 4); next }
		/^    (not )?ok [0-9]/ {
			result = $1
			if ($1 == "not") { sub(/not /, "") }
			name = suite "." $3
			if (/# SKIP/) result = "skip"
			why = $0
			sub(/.*# SKIP */, "", why)
			print result, name, why
			if (result == "not") printf "%s", said >("/tmp/kunit." name)
			seen[suite]++
			said = ""
			next
		}
		/^    / { said = said $0 "\n" }
		/seed=|pieces waited/ { print "note", $0 }
		END {
			for (suite in plan)
				if (plan[suite] > 0 && plan[suite] == seen[suite])
					print "suite", suite
		}'
}

for module in od_core_test od_queue_test; do
	ok "$module loads" insmod "$OD_MODULES/$module.ko"
done
ktap >/tmp/ktap
while read -r result name why; do
	case $result in
	ok) pass "$name" ;;
	skip) skip "$name" "$why" ;;
	not) fail "$name" "$(cat "/tmp/kunit.$name")" ;;
	note) note "$name $why" ;;
	esac
done </tmp/ktap
for suite in $wanted; do
	ok "$suite ran all its cases" grep -qx "suite $suite" /tmp/ktap
done
for module in od_queue_test od_core_test; do
	ok "$module unloads" rmmod $module
done
