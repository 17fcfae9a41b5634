#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh [--quick | ID]
#
# Tests how a build probes a kernel: its messages if an interface has no known form, has
# two, or is not exported, and how long it takes. Builds in a copy of the tree, for a
# kernel of SUPPORTED (default: the first), and against mixtures of headers like those
# of vendors. With --quick, nothing is built.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

quick=
[ "${1-}" != --quick ] || { quick=yes && shift; }
id=${1:-$(kernel_ids | head -n 1)}
passed=0
failed=0
skipped=0
work=$(mktemp -d)
# The links have to lie where the kernels lie.
trap 'rm -rf "$work" "$cache/mixture.$$"' EXIT
# The kernel that RHEL 8's began with is older than what SUPPORTED has.
{ cat "$top/SUPPORTED" && echo 'kernel 4.18u bullseye bionic-updates 4.18. generic builds'; } \
	>"$work/SUPPORTED"
export SUPPORTED_FILE=$work/SUPPORTED
supported=$SUPPORTED_FILE

# check NAME COMMAND...
check() {
	if "${@:2}" >"$work/out" 2>&1; then
		echo "ok - compat: $1"
		passed=$((passed + 1))
	else
		echo "not ok - compat: $1"
		grep -v "^  PROBE" "$work/out" | tail -n 20 | sed 's/^/#   /'
		failed=$((failed + 1))
	fi
}

# check_ubuntu ID NAME COMMAND...: unless the mirror does not have this kernel of Ubuntu's
check_ubuntu() {
	local status=0
	"$top/scripts/kernels.sh" fetch "$1" >/dev/null 2>"$work/out" || status=$?
	if [ $status = "$no_archive" ]; then
		echo "ok - compat: $2 # SKIP $(tail -n 1 "$work/out")"
		skipped=$((skipped + 1))
	else
		check "${@:2}"
	fi
}

# answers INTERFACE/FORM=ANSWER...: answers.sh on these, its output in $work/answers
answers() {
	local probe probes=()
	rm -rf "$work/answer"
	for probe; do
		mkdir -p "$work/answer/${probe%/*}"
		echo "${probe#*=}" >"$work/answer/${probe%%=*}.answer"
		probes+=("${probe%%=*}")
	done
	echo '#define UTS_RELEASE "9.8.7-test"' >"$work/utsrelease.h"
	sh "$top/compat/answers.sh" "$work/answer" "$top/SUPPORTED" "$work/utsrelease.h" \
		"${probes[@]}" >"$work/answers" 2>"$work/complaint"
}

good=(control/pass=yes control/fail=no)

becomes_a_header() {
	answers "${good[@]}" a/new=no a/old=yes b/absent=yes b/present=no || return 1
	[ "$(grep -c '^#define' "$work/answers")" = 2 ] &&
		grep -q '^#define OD_HAVE_A_OLD 1$' "$work/answers" &&
		grep -q '^#define OD_HAVE_B_ABSENT 1$' "$work/answers"
}

# stops_with TEXT PROBE...: one line, with the kernel and the range in it
stops_with() {
	! answers "${@:2}" || return 1
	cat "$work/complaint"
	[ "$(wc -l <"$work/complaint")" = 1 ] && grep -qF "$1" "$work/complaint" &&
		grep -q 'kernel 9.8.7-test' "$work/complaint"
}

hidden_symbols() {
	printf '0x0\tkmalloc\tvmlinux\tEXPORT_SYMBOL\t\n0x0\tsecret\tvmlinux\tEXPORT_SYMBOL_GPL\tSOME_NS\n' \
		>"$work/symvers"
	[ "$(printf '%s\n' '        U kmalloc' '        U secret' '        U nobody' '0 T probe' |
		sh "$top/compat/unexported.sh" "$work/symvers" | paste -sd' ')" = "secret nobody" ]
}

# refuses LOG-LINE: a compiler that failed and said this has refused the code
refuses() {
	echo "$1" >"$work/log"
	sh "$top/compat/refused.sh" "$work/log"
}

refusals() {
	refuses 'probe/a/b.c:12:9: error: too few arguments to function "vfs_mkdir"' &&
		refuses 'probe/a/b.c:3:10: fatal error: linux/unaligned.h: No such file or directory' &&
		! refuses 'probe/a/b.c:20:1: fatal error: error writing to /tmp/ccQ.s: No space left on device' &&
		! refuses 'cc1: out of memory allocating 65536 bytes after a total of 3072 bytes' &&
		! refuses "Assembler messages: Error: can't open /tmp/ccQ.s for reading: No such file" &&
		! refuses 'gcc: fatal error: Killed signal terminated program cc1' &&
		! refuses ''
}

# build [MAKE ARGUMENT...]: in the copy; what came of it is in $work/build
build() {
	"$work/tree/scripts/build-modules.sh" "$id" "$work/tree/build/modules/$id" "$@" >"$work/build" 2>&1
}

copy_tree() {
	mkdir -p "$work/tree"
	(cd "$top" && tar -c --exclude=generated --exclude='*.o' Kbuild SUPPORTED compat \
		cachefiles_od erofs_od include kunit scripts tools/packages.txt) | tar -C "$work/tree" -x
}

# builds_within SECONDS WHAT: of processor time, since something else may run beside
builds_within() {
	local TIMEFORMAT='%U %S' took
	{ time build; } 2>"$work/took" || { tail -n 20 "$work/build"; return 1; }
	took=$(tail -n 1 "$work/took" | awk '{ print int($1 + $2) }')
	echo "# kernel $id: $2: $took s of processor time" | tee -a "$work/times"
	[ "$took" -lt "$1" ]
}

# build_stops_with TEXT: the build fails with a one-line reason
build_stops_with() {
	! build || return 1
	grep 'erofs-od:' "$work/build"
	[ "$(grep -c 'erofs-od:' "$work/build")" = 1 ] && grep 'erofs-od:' "$work/build" | grep -qE "$1" &&
		! grep -q 'error:' "$work/build"
}

form_of() {
	"$top/compat/report.sh" "$work/tree/build/modules/$id/compat/generated" |
		awk -v name="$1" '$1 == name { print $2 }'
}

forgets_a_form() {
	local form
	form=$(form_of vfs_mkdir)
	mv "$work/tree/compat/probe/vfs_mkdir/$form.c" "$work/form.c"
	build_stops_with 'kernel [^ ]+ is not supported: vfs_mkdir is in no known form\. SUPPORTED says' ||
		return 1
	mv "$work/form.c" "$work/tree/compat/probe/vfs_mkdir/$form.c"
}

has_two_forms() {
	local form
	form=$(form_of vfs_mkdir)
	cp "$work/tree/compat/probe/vfs_mkdir/$form.c" "$work/tree/compat/probe/vfs_mkdir/twin.c"
	build_stops_with "vfs_mkdir is in 2 forms at once: $form twin" || return 1
	rm "$work/tree/compat/probe/vfs_mkdir/twin.c"
}

# do_truncate() is declared everywhere, and exported nowhere.
calls_what_is_hidden() {
	mkdir "$work/tree/compat/probe/hidden"
	cat >"$work/tree/compat/probe/hidden/present.c" <<-END
		#include <linux/fs.h>

		void *probe(void);
		void *probe(void)
		{
			return do_truncate;
		}
	END
	build_stops_with 'hidden is in no known form \(present: not exported: do_truncate\)' || return 1
	rm -r "$work/tree/compat/probe/hidden"
}

# A compiler that runs out of memory for one probe
has_a_weak_compiler() {
	local out=$work/tree/build/modules/$id cc
	cc=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' \
		"$("$top/scripts/kernels.sh" fetch "$id")"/root/usr/src/linux-headers-*/.config)
	cat >"$out/weak-cc" <<-END
		#!/bin/sh
		case "\$*" in
		*/probe/vfs_mkdir/*) echo 'cc1: out of memory allocating 65536 bytes' >&2; exit 1 ;;
		esac
		exec $cc "\$@"
	END
	chmod +x "$out/weak-cc"
	! build CC=/work/weak-cc || return 1
	grep 'erofs-od:' "$work/build"
	grep 'erofs-od:' "$work/build" | grep -q 'the compiler failed' && ! grep -q 'is not supported' "$work/build"
}

# Nothing that the objects depend on has changed since they were built.
builds_again() {
	builds_within 150 "again" || return 1
	! grep '^  CC \[M\].*\.o$' "$work/build" | grep -v '\.mod\.o$'
}

lacks_a_control() {
	echo '#error "as if there were no headers"' >>"$work/tree/compat/probe/control/pass.c"
	build_stops_with 'compile probes do not work' || return 1
	cp "$top/compat/probe/control/pass.c" "$work/tree/compat/probe/control/pass.c"
}

# mixture ID: hard links to a kernel's directory, to be modified like a vendor's
mixture() {
	rm -rf "$cache/mixture.$$" "$work/modules"
	cp -al "$(readlink -f "$("$top/scripts/kernels.sh" fetch "$1")")" "$cache/mixture.$$"
	# Ubuntu's name has no "-common".
	for fs_h in "$cache/mixture.$$"/root/usr/src/linux-headers-{*-common,*[0-9]}/include/linux/fs.h; do
		[ ! -e "$fs_h" ] || break
	done
}

# edit FILE SED-ARGUMENT...: sed makes a file of its own, the link's other end stays
edit() {
	sed -i -E "${@:2}" "$1"
}

# forms_are INTERFACE FORM...: those that the build in $work/modules found
forms_are() {
	local interface form
	"$top/compat/report.sh" "$work/modules/compat/generated" >"$work/report"
	while [ $# -gt 0 ]; do
		interface=$1 form=$2
		shift 2
		grep -E "^$interface +$form\$" "$work/report" || { grep "^$interface " "$work/report"; return 1; }
	done
}

# make_against ID TARGET...: in the mixture
make_against() {
	KERNEL_FOLDER=$cache/mixture.$$ "$top/scripts/build-modules.sh" "$1" "$work/modules" "${@:2}"
}

# builds_against ID INTERFACE FORM...: both modules, and these are the forms found
builds_against() {
	make_against "$1" && forms_are "${@:2}"
}

# As openEuler 22.03: a 5.10 from before struct renamedata. dirops.c alone depends on the form.
six_arguments() {
	mixture 5.10
	edit "$fs_h" -e '/^struct renamedata \{/,/^\} __randomize_layout;/d' \
		-e 's/^int vfs_rename\(struct renamedata \*\);/int vfs_rename(struct inode *, struct dentry *, struct inode *, struct dentry *, struct inode **, unsigned int);/'
	make_against 5.10 compat/dirops.o || return 1
	forms_are vfs_rename six folio absent
}

# no_order: the page cache before its repair, as in all of RHEL 9
no_order() {
	edit "$(dirname "$fs_h")/xarray.h" 's/\bxas_get_order\b/xas_order_elsewhere/'
}

# acl_without_rcu: as in RHEL 9.0 to 9.4
acl_without_rcu() {
	edit "$fs_h" 's/(\(\*get_acl\)\(struct inode \*, int), bool\)/\1)/'
}

# Like RHEL 9.0: user namespaces, and no folios.
userns_without_folios() {
	mixture 5.15u
	acl_without_rcu
	make_against 5.15u erofs_od/acl.o || return 1
	forms_are vfs_mkdir userns vfs_rename userns folio absent read_folio page get_acl inode \
		filemap_get_folio absent xas_get_order absent
}

# As RHEL 9.2: folios, and readpage() still.
folios_and_readpage() {
	mixture 6.1
	edit "$fs_h" 's/int \(\*read_folio\)\(struct file \*, struct folio \*\)/int (*readpage)(struct file *, struct page *)/'
	no_order
	acl_without_rcu
	builds_against 6.1 read_folio page folio present vfs_mkdir userns get_acl inode xas_get_order absent
}

# As RHEL 9.4: read_folio(), in an otherwise older tree.
read_folio_early() {
	mixture 6.1
	no_order
	acl_without_rcu
	make_against 6.1 erofs_od/acl.o || return 1
	forms_are read_folio folio vfs_mkdir userns get_acl inode iter_dest present xas_get_order absent
}

# As RHEL 9.6: idmaps, and ACLs as they came with them, under an older rest.
idmaps_early() {
	local dir
	mixture 6.1
	dir=$(dirname "$fs_h")
	no_order
	edit "$fs_h" -e '/^int vfs_(mkdir|unlink)\(/s/struct user_namespace \*/struct mnt_idmap */' \
		-e 's/struct user_namespace \*(old|new)_mnt_userns;/struct mnt_idmap *\1_mnt_idmap;/' \
		-e 's/struct posix_acl \* ?\(\*get_acl\)\(struct inode \*, int, bool\);/struct posix_acl *(*get_acl)(struct mnt_idmap *, struct dentry *, int);\n\tstruct posix_acl *(*get_inode_acl)(struct inode *, int, bool);/'
	edit "$dir/xattr.h" '/vfs_[gs]etxattr\(/s/struct user_namespace \*/struct mnt_idmap */'
	edit "$dir/mnt_idmapping.h" '/^struct user_namespace;/a struct mnt_idmap;\nextern struct mnt_idmap nop_mnt_idmap;'
	edit "$cache/mixture.$$"/root/usr/src/linux-headers-*-amd64/Module.symvers \
		'$a 0x00000000\tnop_mnt_idmap\tvmlinux\tEXPORT_SYMBOL_GPL\t'
	builds_against 6.1 vfs_rename idmaps vfs_mkdir idmap vfs_xattr idmap get_acl inode_acl \
		read_folio folio xas_get_order absent
}

# Bounded folios of a newer kernel, in a page cache as that of RHEL 9.6. inode.c alone
# depends on the form: one object is enough.
large_folios_unrepaired() {
	mixture 6.12
	no_order
	make_against 6.12 erofs_od/inode.o && make_against 6.12 erofs_od/inode.i || return 1
	forms_are xas_get_order absent mapping_set_folio_order_range present || return 1
	grep 'od_compat_single_pages(inode->i_mapping' "$work/modules/erofs_od/inode.i"
}

# The suite's own compiler is too old to be had from Debian; gcc 9 and later miss an attribute
# in 4.18's module.h.
make_against_418() {
	make_against 4.18u CC=gcc-10 KCFLAGS=-Wno-missing-attributes
}

# Its kbuild makes no directories, so that the probes have to.
plain_418() {
	mixture 4.18u
	! make_against_418 >"$work/build" 2>&1 || return 1
	grep 'erofs-od:' "$work/build"
	[ "$(grep -c 'erofs-od:' "$work/build")" = 1 ] && ! grep -qi 'no such file\|nonexistent' "$work/build" &&
		grep -q 'define_readahead is in no known form[;.].* SUPPORTED says 5\.10 to .*, and 4\.18 as RHEL' "$work/build"
}

# As RHEL 8.10, with the kbuild and most of the headers that it began with.
rhel8() {
	local src=$cache/mixture.$$/root/usr/src newer
	newer=$("$top/scripts/kernels.sh" fetch 5.10) || return 1
	mixture 4.18u
	"$top/tests/compat/rhel8.sh" "$(echo "$src"/linux-headers-4.18.0-[0-9]*[0-9])" \
		"$(echo "$src"/linux-headers-4.18.0-*-generic)" \
		"$(echo "$newer"/root/usr/src/linux-headers-*-common)" || return 1
	make_against_418 >"$work/build" 2>&1 || { tail -n 20 "$work/build"; return 1; }
	! grep 'undefined!' "$work/build" || return 1
	ls -l "$work/modules/cachefiles_od.ko" "$work/modules/erofs_od.ko"
	forms_are define_readahead mapping free_inode absent fiemap_prep check_flags stream_open absent \
		fs_ftype_to_dtype absent u64_to_fsid absent erofs_magic absent proc_ops file_operations \
		vm_map_ram prot name_snapshot chars lockdep_assert_held_write exclusive \
		fdatawait_range_keep_errors absent xas_get_order absent
}

# A source tree after "make modules_prepare": nobody knows what is exported.
no_symvers() {
	mixture 6.1
	rm "$cache/mixture.$$"/root/usr/src/linux-headers-*-amd64/Module.symvers
	KERNEL_FOLDER=$cache/mixture.$$ "$top/scripts/build-modules.sh" 6.1 "$work/modules" \
		KBUILD_MODPOST_WARN=1 modules || true
	ls -l "$work/modules/cachefiles_od.ko" "$work/modules/erofs_od.ko"
}

check_answers() {
	check "one form each becomes a header" becomes_a_header
	check "no form stops" stops_with "a is in no known form. SUPPORTED says" \
		"${good[@]}" a/new=no a/old=no b/present=yes
	check "two forms stop" stops_with "a is in 2 forms at once: new old" \
		"${good[@]}" a/new=yes a/old=yes
	check "all that is wrong is told" stops_with "a is in no known form; b is in no known form" \
		"${good[@]}" a/new=no b/new=no
	check "what is not exported is named" stops_with \
		"a is in no known form (new: not exported: secret nobody)" "${good[@]}" "a/new=secret nobody"
	check "a control that does not pass stops" stops_with "compile probes do not work" \
		control/pass=no control/fail=no a/new=yes
	check "a control that does not fail stops" stops_with "compile probes do not work" \
		control/pass=yes control/fail=yes a/new=yes
	check "a symbol in a name space is not exported to us" hidden_symbols
	check "a compiler that fails has not always refused the code" refusals
}

check_builds() {
	# What is downloaded once is no part of a build.
	kernel_row "$id"
	"$top/scripts/kernels.sh" fetch "$id" >/dev/null
	"$top/scripts/toolchain.sh" "$row_toolchain" >/dev/null
	copy_tree
	check "both modules, from nothing, in less than 150 s" builds_within 150 "from nothing"
	check "nothing changed: less than 8 s" builds_within 8 "unchanged"
	check "a form that is not known stops the build" forgets_a_form
	check "two forms at once stop the build" has_two_forms
	check "a call of what is not exported stops the build" calls_what_is_hidden
	check "a control that fails stops the build" lacks_a_control
	check "a compiler that runs out of memory stops the build" has_a_weak_compiler
	check "and it builds again, without compiling what is the same" builds_again
	check "headers without Module.symvers" no_symvers
	check "a mixture of vendors: vfs_rename() with six arguments" six_arguments
	check "a mixture of vendors: folios and readpage()" folios_and_readpage
	check "a mixture of vendors: idmaps before their time" idmaps_early
	check_ubuntu 5.15u "a mixture of vendors: user name spaces, and no folios" userns_without_folios
	check "a mixture of vendors: read_folio() before its time" read_folio_early
	check "a mixture of vendors: large folios without their repair are not used" large_folios_unrepaired
	check_ubuntu 4.18u "a plain 4.18 is refused in one line" plain_418
	check_ubuntu 4.18u "a mixture of vendors: 4.18 as RHEL 8 has it" rhel8
}

check_answers
[ -n "$quick" ] || check_builds
cat "$work/times" 2>/dev/null || true
echo "compat: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
