#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# erofs-od drop, refresh, adopt and backup on a fake cache. OD_BUILD is the build
# directory. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"

od=$OD_BUILD/erofs-od fake=$OD_BUILD/erofs-od-fake
here=$(dirname "$0")
cache=$dir/cache src=$dir/src proc=$dir/proc

exits 2 'missing argument NAME, or --all' "$od" drop
exits 2 'exclude each other' "$od" drop --all app
exits 2 'missing option --source' "$od" refresh
exits 2 "unexpected argument 'more'" "$od" refresh --source="$dir" more
exits 2 'missing argument DIR' "$od" adopt
exits 2 "unexpected argument 'more'" "$od" adopt "$dir" more
exits 2 'missing argument DIR' "$od" backup
exits 2 'missing argument TARGET' "$od" backup "$dir"
exits 2 "unexpected argument 'more'" "$od" backup "$dir" "$dir" more
exits 1 'not a cache directory' "$od" drop --all --dir "$dir"
exits 1 '/none: not a cache directory: No such file' "$od" refresh --source "$dir" --dir /none

made() {
	python3 "$here/cachedir.py" "$@"
}

file() {	# VOLUME BLOB
	made path "$cache" "$@"
}

map() {	# VOLUME BLOB
	printf '%s/maps/%x' "$cache" "$(stat -c %i "$(file "$@")")"
}

gone() {	# NAME FILE...
	local left=
	for path in "${@:2}"; do
		[ ! -e "$path" ] || left="$left $path"
	done
	same "" "$left" "$1"
}

# A cache of three blobs in two volumes, without maps.
fresh() {
	rm -rf "$cache" "$src" "$proc" "$dir/copy"
	mkdir -p "$cache"/{cache,graveyard} "$src" "$proc/fs/cachefiles_od"
	head -c 300000 /dev/urandom >"$src/app"
	head -c 8192 /dev/urandom >"$src/lib"
	cp "$src/lib" "$src/two"
	made object "$cache" erofs,app app "$src/app" 0-4096 65536-200704
	made object "$cache" erofs,dom lib "$src/lib" 0-8192
	made object "$cache" erofs,dom two "$src/two" 4096-8192
}

bind() {
	printf '%s\t%s\n' name value daemon bound dir "$cache" >"$proc/fs/cachefiles_od/cache"
}

with() {	# PROGRAM COMMAND [ARG...]
	"$1" "${@:2}" --proc "$proc"
}

fresh
# Cache files are in the same directory that the module would use.
same "$cache/cache/Ierofs,test/@39/Dtest" "$(made path "$cache" erofs,test test)" "the name in the protocol's document"
if ! made map "$cache" erofs,app app x 0-4096 2>/dev/null; then
	echo "ok $((n += 1)) - cache # SKIP this file system tells no inode generations"
	finish
	exit
fi

# --- adopt ---

fresh
exits 1 '^erofs-od: 3 cache files could be adopted: .* use --yes' with "$od" adopt "$cache"
gone "adopt without --yes writes nothing" "$cache/maps"
exits 0 '^erofs,app app: adopted, 136.0 KiB$' with "$od" adopt --yes "$cache"
same '- 1 0-4096 65536-200704 300000-303104' "$(made show "$cache" erofs,app app)" "adopt: data, and what pads the end"
same '- 1 0-8192' "$(made show "$cache" erofs,dom lib)" "adopt: a whole blob"
same 700 "$(stat -c %a "$cache/maps")" "adopt: the directory of maps is not for others"
exits 0 '^$' with "$od" adopt --yes "$cache"
# A file that was written to since no longer matches its map.
touch "$(file erofs,app app)"
exits 1 '^erofs-od: 1 cache files' with "$od" adopt "$cache"
made mark "$(file erofs,app app)" 00000000000493e000000000000000000104
exits 1 'erofs,app app: not adopted: not marked' with "$od" adopt --yes "$cache"
made mark "$(file erofs,app app)" 00000000000493e0000000000000000001
exits 1 'erofs,app app: not adopted: not marked' with "$od" adopt --yes "$cache"

fresh
exits 0 'erofs,app app: adopted' with "$od" adopt --yes --source "$src" "$cache"
[[ $(made show "$cache" erofs,app app) == [0-9]*.*-*-300000-*' 1 0-4096 '* ]]
result $? "adopt: the version that the source tells" "$(made show "$cache" erofs,app app)"

fresh
echo more >>"$src/app"
rm "$src/two"
exits 1 'app: not adopted: the source has 300005 bytes, the cache file is for 300000' \
	with "$od" adopt --yes --source "$src" "$cache"
exits 1 'two: not adopted: no source has it' with "$od" adopt --yes --source "$src" "$cache"
gone "adopt: not what the source has not" "$(map erofs,app app)" "$(map erofs,dom two)"
bind
exits 1 'cache: cache is bound: stop the daemon' with "$od" adopt --yes "$cache"

# --- refresh ---

fresh
with "$od" adopt --yes --source "$src" "$cache" >/dev/null
exits 0 'erofs,app app: fresh, 136.0 KiB' with "$od" refresh --source "$src" --dir "$cache"
touch "$src/app"
app=$(file erofs,app app) app_map=$(map erofs,app app)
exits 0 'erofs,app app: stale, dropped, 136.0 KiB' with "$od" refresh --source "$src" --dir "$cache"
gone "refresh: the stale file is gone, and its map" "$app" "$app_map"
exits 0 'erofs,dom lib: fresh' with "$od" refresh --source "$src" --dir "$cache"
bind
touch "$src/lib"
export FAKE_BUSY=Dlib
exits 1 'erofs,dom lib: stale, in use: the source has another version' with "$fake" refresh --source "$src"
unset FAKE_BUSY
[ -e "$(file erofs,dom lib)" ] && [ -e "$(map erofs,dom lib)" ]
result $? "refresh: what is in use stays, with its map"
exits 0 'erofs,dom lib: stale, dropped' with "$fake" refresh --source "$src"
rm "$src/two"
exits 1 'erofs,dom two: missing: no source has it' with "$od" refresh --source "$src"
[ -e "$(file erofs,dom two)" ]
result $? "refresh: what no source has stays"

fresh
made map "$cache" erofs,app app "" 0-4096
exits 0 'erofs,app app: version not recorded' with "$od" refresh --source "$src" --dir "$cache"
exits 0 'erofs,dom lib: no valid map' with "$od" refresh --source "$src" --dir "$cache"
echo more >>"$src/app"
exits 0 'erofs,app app: stale, dropped' with "$od" refresh --source "$src" --dir "$cache"
got=$(with "$od" refresh --json --source "$src" --dir "$cache")
python3 - "$got" <<'P'
import json, sys
lib, two = json.loads(sys.argv[1])
assert lib == {"volume": "erofs,dom", "blob": "lib", "result": "no valid map", "bytes": 0}, lib
assert two["blob"] == "two", two
P
result $? 'refresh --json' "$got"

# --- drop ---

fresh
with "$od" adopt --yes "$cache" >/dev/null
lib=$(file erofs,dom lib) lib_map=$(map erofs,dom lib)
exits 1 'none: no such blob in ' with "$od" drop --dir "$cache" none
exits 1 'app: no such blob in ' with "$od" drop --dir "$cache" --domain dom app
exits 2 'missing argument NAME' "$od" pin
exits 0 '' with "$od" pin --dir "$cache" lib 'not plain'
[ -e "$cache/pins/Dlib" ]
result $? "pin: is a file"
exits 1 'erofs,dom lib: pinned' with "$od" drop --dir "$cache" lib
[ -e "$lib" ]
result $? "drop: what is pinned stays"
exits 1 'lib: not pinned' with "$od" unpin --dir "$cache" lib lib
exits 0 'erofs,dom lib: dropped' with "$od" drop --dir "$cache" lib
gone "drop: the file is gone, and its map" "$lib" "$lib_map"
exits 0 'erofs,dom two: dropped' with "$od" drop --dir "$cache" --domain dom --all
[ -e "$(file erofs,app app)" ]
result $? "drop: another domain's stay"
bind
export FAKE_BUSY=Dapp
exits 1 'erofs,app app: in use: mounted or being opened' with "$fake" drop app
unset FAKE_BUSY
app=$(file erofs,app app) app_map=$(map erofs,app app)
[ -e "$app" ] && [ -e "$app_map" ]
result $? "drop: what is in use stays, with its map"
# The command goes to the module, from the file's directory, and its result decides.
: >"$proc/fs/cachefiles_od/control"
exits 0 'erofs,app app: dropped' with "$od" drop app
same 'cull Dapp' "$(cat "$proc/fs/cachefiles_od/control")" "drop: asks the module"
[ -e "$app" ]
result $? "drop: leaves it to the module"
rm "$proc/fs/cachefiles_od/control"
exits 1 'erofs,app app: not dropped: Operation not supported' with "$od" drop app
exits 0 'erofs,app app: dropped' with "$fake" drop --all
gone "drop --all" "$app" "$app_map"

# --- backup ---

# copied NAME COPY SOURCE START-END...: these ranges were copied, and nothing else
copied() {	# NAME COPY SOURCE START-END...
	python3 - "$@" <<'P'
import os, sys
name, copy, source, *ranges = sys.argv[1:]
data = open(source, "rb").read()
with open(copy, "rb") as file:
    got = file.read()
want = bytearray(len(got))
for text in ranges:
    start, end = (int(n) for n in text.split("-"))
    want[start:end] = data[start:end]
assert got == bytes(want), name
assert os.stat(copy).st_blocks * 512 <= sum(int(t.split("-")[1]) - int(t.split("-")[0]) for t in ranges) + 8192
P
	result $? "$1"
}

fresh
# In use: data in the file that the map lacks was not committed; ranges in the map that the
# file lacks are not data.
made map "$cache" erofs,app app '"v1"' 0-4096 16384-20480 65536-131072 300000-303104
with "$od" adopt --yes "$cache" >/dev/null
touch "$(file erofs,dom two)"
copy=$dir/copy
exits 0 'erofs,app app: copied, 68.0 KiB' with "$od" backup "$cache" "$copy"
same "$(ls "$cache")" "$(ls "$copy")" "backup: the folders of a cache"
twin=$(made path "$copy" erofs,app app)
copied "backup: what is known, and nothing else" "$twin" "$src/app" 0-4096 65536-131072
same '"v1" 1 0-4096 65536-131072 300000-303104' "$(made show "$copy" erofs,app app)" "backup: a map of the copy"
same "$(made marked "$(file erofs,app app)")" "$(made marked "$twin")" "backup: the mark of the file"
same 00000000 "$(made marked "$copy/cache/Ierofs,app")" "backup: the mark of the volume"
same "700 700 600" "$(stat -c %a "$copy" "$copy/maps" "$twin" | tr '\n' ' ' | sed 's/ $//')" "backup: not for others"
gone "backup: not what was written to by somebody else" "$(made path "$copy" erofs,dom two)"
exits 0 'lib: version not recorded' with "$od" refresh --source "$src" --dir "$copy"
exits 1 'copy: File exists' with "$od" backup "$cache" "$copy"
rm -r "$copy"
exits 0 'erofs,dom two: left out: no valid map' with "$od" backup "$cache" "$copy"
rm -r "$copy"
exits 1 'No such file or directory' with "$od" backup "$cache" "$dir/none/copy"
got=$(with "$od" backup --json "$cache" "$copy")
python3 - "$got" <<'P'
import json, sys
app, lib, two = json.loads(sys.argv[1])
assert (app["result"], app["bytes"]) == ("copied", 69632), app
assert two["result"].startswith("left out"), two
P
result $? 'backup --json' "$got"

# A map whose checksum is wrong is ignored.
fresh
with "$od" adopt --yes "$cache" >/dev/null
printf x | dd of="$(map erofs,app app)" bs=1 seek=4130 conv=notrunc status=none
exits 0 'erofs,app app: left out' with "$od" backup "$cache" "$copy"

finish
