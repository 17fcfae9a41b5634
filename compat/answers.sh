#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: answers.sh DIR SUPPORTED UTSRELEASE.H INTERFACE/FORM...
#
# Prints a header generated from the results of the compile probes in DIR. Fails with
# a one-line message if the controls are wrong, or if an interface does not have
# exactly one of its known forms.
set -eu
folder=$1
supported=$2
release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$3")
shift 3

stop() {
	echo "erofs-od: $*" >&2
	exit 1
}

# One line a probe: INTERFACE FORM ANSWER...
answers() {
	for probe; do
		read -r answer <"$folder/$probe.answer"
		echo "${probe%/*} ${probe#*/} $answer"
	done
}

# "a is in no known form (x: it_is_not_exported); b is in 2 forms at once: x y"
unclear() {
	awk '
		$1 == "control" { next }
		{ seen[$1] }
		$3 == "yes" { count[$1]++; forms[$1] = forms[$1] " " $2; next }
		$3 != "no" { form = $2; $2 = ""; hidden[$1] = hidden[$1] "; " form ": not exported:" substr($0, length($1) + 2) }
		END {
			for (i in seen) {
				if (!count[i])
					print i " is in no known form" (hidden[i] ? " (" substr(hidden[i], 3) ")" : "")
				else if (count[i] > 1)
					print i " is in " count[i] " forms at once:" forms[i]
			}
		}' | sort | sed '$!s/$/;/' | paste -sd' ' -
}

range=$(awk '
	$1 == "minimum" { min = $2 }
	$1 == "maximum" { max = $2 }
	$1 == "also" { $1 = $2 = ""; also = also ", and " substr($0, 3) }
	END { print min " to " max also }' "$supported")
lines=$(answers "$@")

case $(echo "$lines" | awk '$1 == "control" { print $2 "-" $3 }' | sort | paste -sd' ' -) in
"fail-no pass-yes") ;;
*) stop "the compile probes do not work with this compiler and the headers of kernel $release: see $folder/control/pass.answer.log" ;;
esac
what=$(echo "$lines" | unclear)
[ -z "$what" ] ||
	stop "kernel $release is not supported: $what. SUPPORTED says $range; Documentation/compat.rst tells how to add a form."

echo "/* Made by compat/answers.sh for kernel $release. */"
echo "$lines" | awk '$1 != "control" && $3 == "yes" { print "#define OD_HAVE_" toupper($1 "_" $2) " 1" }'
