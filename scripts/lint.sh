#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: lint.sh
#
# Checks the rules of CONTRIBUTING.md that a script can check. Prints a line per rule,
# followed by any breaches, and a summary.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$top"

passed=0
failed=0
skipped=0

files() {
	git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# rule NAME COMMAND...: COMMAND prints breaches of the rule; there must be none
rule() {
	local breaches status=0
	breaches=$("${@:2}") || status=$?
	[ -n "$breaches" ] || [ $status = 0 ] || breaches="$2 ended with status $status"
	if [ -z "$breaches" ]; then
		echo "ok - lint: $1"
		passed=$((passed + 1))
	else
		echo "not ok - lint: $1"
		head -n 20 <<<"$breaches" | sed 's/^/#   /'
		failed=$((failed + 1))
	fi
}

skip() {
	echo "ok - lint: $1 # SKIP $2"
	skipped=$((skipped + 1))
}

without_spdx() {
	files | grep -vE '^(LICENSES/|packaging/deb/(changelog|copyright|source/format)$|SUPPORTED$|.*\.(md|txt)$|\.gitignore$|\.clang-format$|\.editorconfig$)' |
		while read -r file; do
			head -n 3 "$file" | grep -qE 'SPDX-License-Identifier: GPL-2.0-only' || echo "$file"
		done
}

# The generated macros, and macros for a kernel's version.
conditionals() {
	files '*.c' '*.h' Kbuild | grep -v '^compat/' | xargs grep -nE \
		'OD_HAVE_|KERNEL_VERSION|LINUX_VERSION_CODE|UTS_RELEASE|od_probes\.h|RHEL_RELEASE' || true
}

# A core file includes only its own headers, od/types.h and the UAPI: od/types.h has
# what both the kernel and shim/ provide.
core_includes() {
	files '*/core/*.[ch]' | while read -r file; do
		grep -nE '^[[:space:]]*#[[:space:]]*include' "$file" | grep -vE \
			'include ("od/types\.h"|<linux/cachefiles_od\.h>|"[a-z0-9_]+\.h")' |
			sed "s|^|$file:|" || true
	done
}

# Not allowed in a core: allocation, locks, logging.
core_calls() {
	files '*/core/*.[ch]' | xargs grep -nE \
		'\b(k[mzcv]*alloc|kfree|malloc|free|printk|pr_[a-z]+|printf|mutex_|spin_|BUG|WARN)[a-z_]*\(' || true
}

# erofs_od includes one header of the cache only, the cache includes nothing of erofs_od.
across_modules() {
	files 'erofs_od/*' | xargs grep -nE 'include.*cachefiles_od/' || true
	files 'cachefiles_od/*' | xargs grep -nE 'include.*erofs_od' || true
}

# If two headers have the same guard, one of them is never read. Each module has its own
# pr_fmt; a macro of compat/ may have a counterpart in shim/; headers of tracepoints tell the
# kernel's define_trace.h what to read again.
macros_twice() {
	files '*.h' | while read -r file; do
		sed -nE 's/^#[[:space:]]*define[[:space:]]+([A-Za-z_0-9]+).*/\1/p' "$file" | sort -u |
			sed "s|\$| $file|"
	done | sort | awk '
		$1 == "pr_fmt" || $1 ~ /^TRACE_(SYSTEM|INCLUDE_PATH|INCLUDE_FILE)$/ { next }
		$1 == last && !(file ~ /^compat\// && $2 ~ /^shim\//) { print $1 ": " file ", " $2 }
		{ last = $1; file = $2 }'
}

# calls_that_go_up MODULE: its internal.h declares the files from the lowest layer to the
# highest. Files that no other file calls, such as main.c, are not declared.
calls_that_go_up() {
	awk -v module="$1" '
		BEGIN { call = module "_[a-z_0-9]+\\(" }
		FNR == 1 { name = FILENAME; sub(/.*\//, "", name) }
		FILENAME ~ /internal\.h$/ {
			if (match($0, /^\/\* [a-z_0-9]+\.c \*\/$/)) { file = $2; level[file] = ++n }
			else if (file && match($0, call))
				home[substr($0, RSTART, RLENGTH - 1)] = file
			next
		}
		!(name in level) || /^[ \t]*(\/\*|\* )/ { next }
		{
			line = $0
			while (match(line, call)) {
				called = substr(line, RSTART, RLENGTH - 1)
				if (called in home && level[home[called]] > level[name])
					print FILENAME ":" FNR ": " called "() is in " home[called]
				line = substr(line, RSTART + RLENGTH)
			}
		}' "$1/internal.h" "$1"/*.c
}

# The module's prefix is for names that other files see.
prefixed_statics() {
	files 'cachefiles_od/*.c' 'erofs_od/*.c' | xargs grep -nE \
		'^static [^=;(]*\b(cachefiles|erofs)_od_[a-z_0-9]+\(' | grep -vE '_(init|exit)\(void\)$' || true
}

asserts_on_input() {
	files 'cachefiles_od/*.[ch]' 'erofs_od/*.[ch]' 'compat/*.[ch]' |
		xargs grep -nE '\b(BUG|BUG_ON|WARN|WARN_ON|WARN_ON_ONCE|WARN_ONCE|panic)\(' || true
}

# The mirror comes from the configured apt sources.
mirror_hosts() {
	files | grep -v '^scripts/lint.sh$' | xargs grep -nIE \
		'(deb|security|ftp|snapshot)\.debian\.org|archive\.ubuntu\.com' || true
}

long_lines() {
	files '*.c' '*.h' | xargs awk '{
		line = $0; tabs = gsub(/\t/, "", line)
		# A log line stays on one line, so that it can be searched for.
		if (length(line) + 8 * tabs > 100 && $0 !~ /"/) print FILENAME ":" FNR }'
}

long_files() {
	files 'cachefiles_od/*.[ch]' 'erofs_od/*.[ch]' 'compat/*.[ch]' | xargs wc -l |
		awk '$1 >= 500 && $2 != "total" { print $2 ": " $1 " lines" }'
}

white_space() {
	files | grep -vE '\.(patch|md)$' | xargs grep -nIE '[[:space:]]+$' || true
}

# Left by a merge of conflicting changes.
conflict_markers() {
	files | xargs grep -nIE '^[<>|]{7} ' || true
}

# The README's table has exactly the rows of SUPPORTED.
kernels_in_readme() {
	local id
	for id in $(kernel_ids); do
		kernel_row "$id"
		grep -qE "^\| $id +\| $row_suite +\| $row_status +\|" README.md ||
			echo "README.md has no row '| $id | $row_suite | $row_status |'"
	done
	grep -oE '^\| [0-9]+\.[0-9]+[a-z0-9-]* ' README.md | tr -d '| ' | while read -r id; do
		kernel_ids | grep -qx "$id" || echo "README.md has a row for $id, SUPPORTED has none"
	done
}

dkms_conf() {
	local expression
	expression=$(scripts/dkms-range.sh)
	grep -qxF "BUILD_EXCLUSIVE_KERNEL=\"$expression\"" dkms.conf ||
		echo "dkms.conf: BUILD_EXCLUSIVE_KERNEL is not what SUPPORTED says: $expression"
	[ "$(grep -cF "$(supported_range)" dkms.conf)" = 2 ] ||
		echo "dkms.conf: the comment and the reason do not name the range of SUPPORTED"
	for name in $(sed -n 's/^obj-m := //p' Kbuild); do
		grep -q "^BUILT_MODULE_NAME\[.\]=\"${name%.o}\"$" dkms.conf || echo "dkms.conf does not build ${name%.o}"
	done
}

one_version() {
	scripts/version.sh check || true
}

rows_in_range() {
	local id minimum maximum
	minimum=$(awk '$1 == "minimum" { print $2 }' SUPPORTED)
	maximum=$(awk '$1 == "maximum" { print $2 }' SUPPORTED)
	for id in $(kernel_ids); do
		kernel_row "$id"
		printf '%s\n' "$minimum" "${row_prefix%.}" "$maximum" | sort -CV ||
			echo "SUPPORTED: kernel $id lies outside $minimum to $maximum"
	done
}

probes_say_since_when() {
	files 'compat/probe/*.c' | grep -v '/control/' | while read -r file; do
		grep -qE '(since v[0-9]|v[0-9.]+ to v[0-9.]+)' "$file" || echo "$file: since when?"
		grep -q 'drop when' "$file" || echo "$file: when can it go?"
	done
}

# Every guest case states at its top how long it takes and what runs it (tests/bin/cases.sh).
case_heads() {
	local file word seconds where
	files 'tests/vm/cases/*.sh' | while read -r file; do
		seconds=$(sed -n '2s/^# seconds: //p' "$file")
		where=$(sed -n '3s/^# where: //p' "$file")
		[[ $seconds =~ ^([1-9][0-9]*(, debug [1-9][0-9]*)?|debug [1-9][0-9]*)$ ]] ||
			echo "$file:2: not '# seconds: N, debug N'"
		[ "$(grep -cx '# thin' "$file")" = "$(grep -m 1 -c 'od_arg thin' "$file")" ] ||
			echo "$file: '# thin' and od_arg thin belong together"
		[ -n "$where" ] || echo "$file:3: not '# where: WORD...'"
		for word in $where; do
			case $word in
			stock | rows | short | pages | debug | kasan) ;;
			*.sh) [ -e "scripts/$word" ] || [ -e "tests/vm/$word" ] || [ -e "tests/bin/$word" ] || echo "$file:3: there is no $word" ;;
			*) echo "$file:3: '$word' is not one of stock, rows, short, pages, debug, kasan, FILE.sh" ;;
			esac
		done
	done
}

# Scripts that are mentioned exist.
scripts_named() {
	files | grep -v '^CHANGELOG.md$' | xargs grep -noIE '\b(scripts|tests/(bin|vm|images|pkg|fuzz))/[a-z-]+\.sh\b' |
		while IFS=: read -r file line name; do
			[ -e "$name" ] || echo "$file:$line: there is no $name"
		done
}

# The hazards of the mutants have titles, their tests exist, and the document is current.
hazards() {
	scripts/hazards.py check
}

# The images of the matrix are those in the table.
image_table() {
	scripts/imagetable.py check
}

# Operators look up each line that the modules log.
log_lines() {
	scripts/loglines.py
}

# Files that follow the choice of words in CONTRIBUTING.md, "Style". Add files once rewritten.
plain=(README.md CONTRIBUTING.md SECURITY.md Documentation/index.rst
	Documentation/{benchmark,cache,compat,comparison,design,doctor,domains,fuzzing,hazards,images}.rst
	Documentation/{locking,monitoring,mounts,operations,protocol,sources}.rst
	Documentation/{secure-boot,system-boot,testing,testing-unit,upgrade}.rst
	'cachefiles_od/*.[ch]' 'erofs_od/*.[ch]' 'include/*.h' 'compat/*.[ch]' 'kunit/*.[ch]'
	'shim/*.[ch]' 'tests/unit/*' tests/fuzz/{Makefile,'*.c','*.h',lib.sh,planted.sh} Kbuild
	'tests/vm/*.[ch]' ':(glob)tests/vm/*.sh' tests/vm/guest/{init,lib.sh,boot-init,boot-shutdown,boot-sum}
	'tests/images/*.[ch]' tests/images/mkcutdisk.sh tests/pkg/{lib,packages,pkgtest}.sh tests/pkg/guest/run
	tests/bin/{bench,cases,check,ci,coverage,debug,fuzz,mutants,parts,portability,soak}.sh
	'tools/*.[ch]' Makefile tools/Makefile 'tools/man/*.8' 'packaging/*'
	scripts/{aptroot,build-modules,deb,esp,html,kernels,module-sources,rpm,sign,source-tree,toolchain,version}.sh)

# Words and phrases that have been replaced by better ones; extended regular
# expressions, matched as whole words in any case.
retired='behind|whoever|afresh|anew|folders?|answer(s|ed|ing)?|gone|machines?'
retired+='|complain(s|ts?|ed)?|hang(s|ing)? on|lets? go of|let go|in vain|for want of'
retired+='|(be|is|are|was|were) had|is too much'
retired+='|(is|are|was|were|not|already|still) here'

# Literals are not prose, and a few terms contain a retired word.
retired_words() {
	local file
	files "${plain[@]}" | while read -r file; do
		sed -E 's/``[^`]*``//g; s/`[^`]*`//g; s/machine owner keys?|state machines?|isolation-machine|is_here|FOLDER|"gone"|names\.machine|"cache-folder"//Ig' "$file" |
			grep -nwiE "$retired" | sed "s|^|$file:|" || true
	done
}

# The functions and files of the modules that design.rst names must exist.
design_names() {
	local name
	grep -oE '``_?[a-z_]+\(\)``' Documentation/design.rst | tr -d '`()' | sort -u | while read -r name; do
		grep -qE "[a-z_]*${name}[(,]" cachefiles_od/*.c erofs_od/*.c || echo "design.rst: there is no $name()"
	done
	for name in cachefiles_od/*.c erofs_od/*.c; do
		grep -qw "${name##*/}" Documentation/design.rst || echo "design.rst does not name $name"
	done
}

# Sourced files are not followed; guest tests run in busybox's shell.
shell_warnings() {
	files '*.sh' .ci/run | grep -v '^tests/vm/\(cases\|guest\)/' |
		xargs shellcheck -S warning -e SC1091,SC2034,SC2154 || true
	files 'tests/vm/cases/*.sh' 'tests/vm/guest/*' | grep -v '\.awk$' |
		xargs shellcheck -S warning -s dash -e SC1091,SC2034,SC2119,SC2120,SC2154,SC3043 || true
}

# Dangling references, malformed tables.
documents() {
	scripts/html.sh 2>&1 >/dev/null | grep -vx build/html/index.html || true
}

rule "every file says its licence" without_spdx
rule "no version and no probe outside compat/" conditionals
rule "a core includes od/types.h and its own headers" core_includes
rule "a core allocates nothing, locks nothing, prints nothing" core_calls
rule "no two headers define a macro" macros_twice
rule "the modules meet in include/od/cache.h" across_modules
rule "no call goes up in cachefiles_od" calls_that_go_up cachefiles_od
rule "no call goes up in erofs_od" calls_that_go_up erofs_od
rule "no circle of calls between files" scripts/circles.py cachefiles_od erofs_od tools/{common,erofs-od,erofs-odd}
rule "no static function has its module's prefix" prefixed_statics
rule "no BUG and no WARN" asserts_on_input
rule "no host name of a mirror" mirror_hosts
rule "no line of code is longer than 100 columns" long_lines
rule "no file of the modules has 500 lines" long_files
rule "no white space at the end of a line" white_space
rule "no conflict is left from a merge" conflict_markers
rule "README.md has the kernels of SUPPORTED" kernels_in_readme
rule "dkms.conf has the range of SUPPORTED, and both modules" dkms_conf
rule "one version, wherever it stands" one_version
rule "the rows of SUPPORTED lie in its range" rows_in_range
rule "each probe says since when, and when it can go" probes_say_since_when
rule "no retired word" retired_words
rule "design.rst names what there is" design_names
rule "each guest case has its head" case_heads
rule "scripts that are named exist" scripts_named
rule "each line that the modules log is explained in operations.rst" log_lines
rule "each hazard has its tests and its mutants, and hazards.rst is current" hazards
rule "images.rst has the matrix of images" image_table
if /usr/bin/python3 -c 'import yaml' 2>/dev/null; then
	rule "hosted runners run what tests/bin/ci.sh has" scripts/check-workflows.py
else
	skip "hosted runners run what tests/bin/ci.sh has" "python3-yaml is not installed"
fi
if command -v sphinx-build >/dev/null; then
	rule "Documentation/ makes a book" documents
else
	skip "Documentation/ makes a book" "sphinx is not installed"
fi
if command -v shellcheck >/dev/null; then
	rule "shellcheck" shell_warnings
else
	skip "shellcheck" "it is not installed"
fi
echo "lint: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
