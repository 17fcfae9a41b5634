# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A fake system's files: sourced after tap.sh, never run. $root is a system on which
# nothing is wrong; each test breaks something in a fresh one.
od=$OD_BUILD/erofs-od
root=$dir/root
release=6.12.0-test
version=$("$od" --version | cut -d' ' -f2)

# Writes a file, and creates its directory.
put() {	# FILE [LINE...]
	local file=$root$1
	shift
	mkdir -p "$(dirname "$file")"
	if [ $# = 0 ]; then
		: >"$file"
	else
		printf '%s\n' "$@" >"$file"
	fi
}

# The functions that erofs_od calls if the kernel has every algorithm.
all_algorithms='LZ4_decompress_safe zlib_inflate zstd_init_dstream xz_dec_microlzma_run'

# A module's file: its .modinfo, and the functions that it calls.
module() {	# NAME VERSION SRCVERSION VERMAGIC [FILE [ALIAS [FUNCTIONS]]]
	local function file=${5:-$root/lib/modules/$release/updates/dkms/$1.ko}
	mkdir -p "$(dirname "$file")"
	cat >"$dir/module.c" <<-END
		#define INFO(n, text) static const char info_##n[] \\
			__attribute__((section(".modinfo"), used)) = text
		INFO(1, "name=$1");
		INFO(2, "version=$2");
		INFO(3, "srcversion=$3");
		INFO(4, "vermagic=$4");
		INFO(5, "depends=");
		INFO(6, "license=GPL");
		INFO(7, "alias=${6-od-test-$1}");
	END
	for function in ${7-$all_algorithms}; do
		echo "extern void $function(void); void *const of_$function = $function;"
	done >>"$dir/module.c"
	${CC:-cc} -c -o "$file" "$dir/module.c"
}

# A key, and its certificate in the form that DKMS keeps.
key() {	# FILE NAME
	openssl req -new -x509 -newkey rsa:2048 -nodes -subj "/CN=$2" -days 3650 \
		-keyout "$dir/$1.key" -outform DER -out "$dir/$1.der" 2>/dev/null
	openssl x509 -inform DER -in "$dir/$1.der" -out "$dir/$1.pem"
}

# Signs a module the way the kernel's sign-file does.
sign() {	# FILE KEY
	openssl cms -sign -binary -noattr -nocerts -nosmimecap -outform DER -md sha256 \
		-signer "$dir/$2.pem" -inkey "$dir/$2.key" -in "$1" -out "$dir/signature"
	python3 - "$1" "$dir/signature" <<-'END'
		import struct, sys
		signature = open(sys.argv[2], "rb").read()
		with open(sys.argv[1], "ab") as module:
		    module.write(signature + struct.pack(">BBBBBxxxI", 0, 0, 2, 0, 0, len(signature)))
		    module.write(b"~Module signature appended~\n")
	END
}

key_id() {	# KEY
	openssl x509 -inform DER -in "$dir/$1.der" -noout -ext subjectKeyIdentifier |
		tail -n 1 | tr -d ' :' | tr 'A-F' 'a-f'
}

loaded() {	# NAME VERSION SRCVERSION [USERS]
	put "/sys/module/$1/initstate" live
	put "/sys/module/$1/refcnt" "${4-1}"
	put "/sys/module/$1/version" "$2"
	put "/sys/module/$1/srcversion" "$3"
}

cache_state() {	# DAEMON
	put /proc/fs/cachefiles_od/cache "$(printf 'name\tvalue\ndaemon\t%s\ndir\t%s\n' "$1" /var/cache/erofs-od)"
}

index() {
	depmod -b "$root" $release 2>/dev/null
}

fresh() {
	rm -rf "${root:?}"
	put /proc/sys/kernel/osrelease $release
	put /proc/misc ' 57 cachefiles' '183 hw_random'
	put /proc/self/mountinfo '20 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw' \
		'21 20 8:2 / /var/cache rw,relatime - ext4 /dev/sda2 rw'
	put /proc/keys
	put /etc/os-release 'PRETTY_NAME="Some Debian"' ID=debian
	put /sys/kernel/security/lsm lockdown
	put /sys/kernel/security/lockdown '[none] integrity confidentiality'
	put /sys/module/module/parameters/sig_enforce N
	put "/lib/modules/$release/build/Makefile"
	put "/lib/modules/$release/modules.builtin"
	put "/lib/modules/$release/modules.builtin.modinfo"
	put "/lib/modules/$release/modules.order"
	module cachefiles_od "$version" AAAA "$release SMP mod_unload "
	module erofs_od "$version" BBBB "$release SMP mod_unload "
	index
	loaded cachefiles_od "$version" AAAA
	loaded erofs_od "$version" BBBB
	put /sys/module/cachefiles_od/parameters/devname cachefiles
	put /sys/module/erofs_od/parameters/dropin N
	put /dev/cachefiles
	cache_state bound
	put /proc/77/comm erofs-odd
	mkdir -p "$root/proc/77/fd"
	ln -s /dev/cachefiles "$root/proc/77/fd/3"
	mkdir -p "$root/var/cache"
	mkdir -m 700 "$root/var/cache/erofs-od"
}

doctor() {
	"$od" doctor --sysroot "$root" "$@"
}

# say_of OUTPUT ID: sets $said to "STATE TEXT -> REMEDY" of a finding. Runs no
# process: there are many findings, and processes are slow.
say_of() {
	local line pattern="^([a-z]+) +$2 +(.*)"
	said=''
	while IFS= read -r line; do
		if [[ $line =~ $pattern ]]; then
			said="${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
		elif [ -n "$said" ]; then
			[[ $line != ' '*'-> '* ]] || said+=" -> ${line#*-> }"
			break
		fi
	done <<<"$1"
}

# finding NAME ID STATE TEXT REMEDY [ARGUMENT...]: the doctor's output matches these patterns,
# and its exit status agrees
finding() {
	local name=$1 id=$2 state=$3 text=$4 remedy=$5 out status said wanted=0
	shift 5
	out=$(doctor "$@" 2>&1)
	status=$?
	[[ $'\n'$out != *$'\n'problem* ]] || wanted=1
	say_of "$out" "$id"
	[ $status = $wanted ] && [[ $said = "$state "* && ${said%% -> *} =~ $text ]] &&
		[[ -z $remedy || ( $said = *' -> '* && ${said#* -> } =~ $remedy ) ]]
	result $? "$name: $id is $state" "exit $status, wanted $wanted: $said
$out"
}
