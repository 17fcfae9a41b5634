#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: unexported.sh MODULE.SYMVERS < NM_OUTPUT
#
# Prints symbols that an object needs and the kernel does not export to every GPL
# module: those missing from Module.symvers, or exported in a namespace there.
# Prints nothing if the kernel has no such file.
[ -f "$1" ] || exit 0
awk '
	FNR == NR { if (NF < 5 || $5 == "") exported[$2]; next }
	# What compiler, linker and objtool make themselves, or need no more in the end.
	$2 ~ /^(_GLOBAL_OFFSET_TABLE_$|\.TOC\.$|__SCK__)/ { next }
	$1 == "U" && !($2 in exported) { print $2 }
' FS='\t' "$1" FS=' ' -
