#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The two programs as run by users: exit codes, messages, and status from a
# fake /proc. OD_BUILD is the build directory. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"

od=$OD_BUILD/erofs-od odd=$OD_BUILD/erofs-odd
exits 2 'missing argument COMMAND' "$od"
exits 2 "unknown command 'frob'" "$od" frob
exits 0 'status +show mounts' "$od" --help
exits 0 '^erofs-od [0-9]' "$od" --version
exits 0 'domain=NAME' "$od" mount --help
exits 2 'missing argument FSID' "$od" mount
exits 2 'missing argument DIR' "$od" mount image
exits 2 "unexpected argument 'more'" "$od" mount image dir more
exits 2 'comma' "$od" mount a,b /
exits 2 'neither' "$od" mount -t ext4 image /
exits 2 'milliseconds' "$od" mount --timeout soon image /
exits 2 'milliseconds' "$od" mount --timeout= image /
exits 1 'Not a directory' "$od" mount --timeout=none image /dev/null
exits 1 'Not a directory' "$od" mount --timeout=5000 image /dev/null
exits 1 'No such file' "$od" mount image "$dir/none"
exits 2 'missing argument DIR' "$od" umount
exits 1 'no image is mounted on it' "$od" umount /proc
exits 2 "unexpected argument 'more'" "$od" doctor more
exits 2 "unexpected argument 'more'" "$od" status more
exits 2 "not a release" "$od" doctor --kernel=../..
exits 2 'not an absolute path' "$od" doctor --dir=cache
exits 2 'missing argument enable.disable.status' "$od" dropin
exits 2 "'on': neither enable" "$od" dropin on
exits 2 "unexpected argument 'enable'" "$od" dropin status enable
exits 2 'exclude each other' "$od" dropin status --now
exits 2 'exclude each other' "$od" dropin enable --now --sysroot="$dir"
exits 3 '^erofs-od: module cachefiles_od is not loaded$' "$od" status --proc "$dir"
exits 2 'missing argument IMAGE' "$od" trace
exits 2 'missing argument COMMAND' "$od" trace image
exits 2 "invalid image 'dir/'" "$od" trace dir/ true
exits 3 '^erofs-od: module cachefiles_od is not loaded$' "$od" trace --proc "$dir" image -- true
exits 2 'missing argument IMAGE' "$od" prefetch
exits 2 "'0': not a number from 1 to 64" "$od" prefetch -r 0 image
exits 3 '^erofs-od: module cachefiles_od is not loaded$' "$od" prefetch --proc "$dir" image
exits 2 'missing --source' "$odd" --dir /x
exits 2 'missing --dir' "$odd" --source "$dir"
exits 2 'not a number from 1 to 1024' "$odd" --source "$dir" --dir /x --threads 0
exits 2 'neither BYTES' "$odd" --source "$dir" --dir /x --low-speed 1:x
exits 1 'source ftp://h: Protocol not supported' "$odd" --source ftp://h --dir /x
exits 1 'source /none: No such file' "$odd" --source /none --dir /x
exits 1 'is the module cachefiles_od loaded' "$odd" --device "$dir/none" --source "$dir" --dir /x
exits 1 'fd 77: Bad file descriptor' "$odd" --fd 77 --source "$dir"
exits 2 'dir cannot be changed' "$odd" --fd 77 --dir /x --source "$dir"

# Every command accepts --help, --usage and --version, and exits with 0.
for command in mount umount status top trace prefetch doctor drop refresh adopt backup dropin; do
	exits 0 "^Usage: erofs-od $command" "$od" $command --help
	exits 0 "^Usage: erofs-od $command" "$od" $command --usage
	exits 0 '^erofs-od [0-9]' "$od" $command --version
	exits 2 "unrecognized option" "$od" $command --zork
done

mkdir -p "$dir"/fs/{cachefiles_od,erofs_od} "$dir/self"
printf '%s\t%s\n' name value dir /var/cache/od tag demo daemon bound volumes 2 blobs 3 requests 1 \
	reads_sent 7 >"$dir/fs/cachefiles_od/cache"
exits 3 'module erofs_od is not loaded' "$od" status --proc "$dir"
printf '%s\t%s\t%s\t%s\t%s\t%s\n' dev fsid domain volume blob role \
	0:50 app - erofs,app app bootstrap \
	0:50 app - erofs,app 'b\040lob' device \
	0:51 two dom erofs,dom two bootstrap >"$dir/fs/erofs_od/mounts"
printf '%s\t%s\t%s\t%s\t%s\t%s\n' volume blob size present state waiting \
	erofs,app app 1048576 524288 open 1 \
	erofs,app 'b\040lob' 3145728 524288 open 2 \
	erofs,dom two 4096 4096 closed 0 >"$dir/fs/cachefiles_od/blobs"
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	msg_id opcode state volume blob offset length waiters age_ms \
	9 READ sent erofs,app 'b\040lob' 1048576 65536 2 1500 >"$dir/fs/cachefiles_od/requests"
cat >"$dir/self/mountinfo" <<'M'
20 1 8:1 / / rw - ext4 /dev/sda1 rw
30 20 0:50 / /mnt/app ro - erofs_od app ro
31 20 0:50 / /mnt/a\040gain ro - erofs_od app ro
32 20 0:51 / /mnt/two ro - erofs_od two ro
M

want='Daemon: bound
Cache:  /var/cache/od (demo), 3 blobs, 1 requests

MOUNTED ON   IMAGE  DOMAIN  BLOBS     SIZE  PRESENT      %  WAITING  OLDEST
/mnt/app     app    -           2  4.0 MiB  1.0 MiB  25.0%        3   1.5 s
/mnt/a gain  app    -           2  4.0 MiB  1.0 MiB  25.0%        3   1.5 s
/mnt/two     two    dom         1  4.0 KiB  4.0 KiB   100%        0       -'
got=$("$od" status --proc "$dir" 2>&1)
same "$want" "$got" 'status: mounts'

want="$want

VOLUME     BLOB   STATE      SIZE    PRESENT      %  WAITING
erofs,app  app    open    1.0 MiB  512.0 KiB  50.0%        1
erofs,app  b lob  open    3.0 MiB  512.0 KiB  16.7%        2
erofs,dom  two    closed  4.0 KiB    4.0 KiB   100%        0

REQUEST  WHAT  STATE  BLOB    OFFSET    LENGTH  WAITING    AGE
      9  READ  sent   b lob  1.0 MiB  64.0 KiB        2  1.5 s"
got=$("$od" status -v --proc "$dir" 2>&1)
same "$want" "$got" 'status -v: blobs and requests'

got=$("$od" status --json --proc "$dir" 2>&1)
python3 - "$got" <<'P'
import json, sys
s = json.loads(sys.argv[1])
assert s["daemon"] == "bound", s
assert s["cache"]["reads_sent"] == 7 and s["cache"]["dir"] == "/var/cache/od", s
app, two = s["mounts"]
assert app["targets"] == ["/mnt/app", "/mnt/a gain"] and app["type"] == "erofs_od", app
assert (app["size"], app["present"], app["waiting"], app["oldest_ms"]) == (4194304, 1048576, 3, 1500)
assert app["domain"] is None and two["domain"] == "dom", s
assert [b["blob"] for b in app["blobs"]] == ["app", "b lob"], app
assert s["requests"][0]["age_ms"] == 1500 and s["requests"][0]["blob"] == "b lob", s
assert len(s["blobs"]) == 3, s
P
result $? 'status --json' "$got"

# two caches: the free space and the pins of each
mkdir -p "$dir"/{one,two}/pins
touch "$dir/one/pins/Dapp" "$dir/two/pins/Dbase"
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	cache tag daemon dir blobs requests room culling bytes_passed \
	1 one bound "$dir/one" 2 1 none yes 1048576 \
	2 two gone "$dir/two" 1 0 plenty no 0 >"$dir/fs/cachefiles_od/caches"
want="Daemon: bound
Cache:  $dir/one (one), 2 blobs, 1 requests
Room:   none, culling, 1.0 MiB were passed on and not kept

Daemon: gone
Cache:  $dir/two (two), 1 blobs, 0 requests
Room:   plenty"
got=$("$od" status --proc "$dir" 2>&1 | sed '/^$/{N;/MOUNTED/Q}')
same "$want" "$got" 'status: two caches'
got=$("$od" status --proc "$dir" 2>&1 | sed -n '/^PINNED/,$p')
same 'PINNED  CACHE
app     one
base    two' "$got" 'status: what is pinned in which'
got=$("$od" status --json --proc "$dir" 2>&1)
python3 - "$got" <<'P'
import json, sys
one, two = json.loads(sys.argv[1])["caches"]
assert (one["tag"], one["culling"], one["bytes_passed"], one["pins"]) == ("one", "yes", 1048576, ["app"]), one
assert (two["tag"], two["daemon"], two["room"], two["pins"]) == ("two", "gone", "plenty", ["base"]), two
P
result $? 'status --json: two caches' "$got"
# read statistics: 100 misses, 90 of which took less than 4 ms, and one longer than all buckets
waits=0,50,40,5,4,1
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	cache tag daemon dir blobs requests hits misses bytes_served bytes_filled errors bytes_unused \
	1 one bound "$dir/one" 2 1 300 100 3145728 1048576 - 262144 \
	2 two gone "$dir/two" 1 0 1 1 4096 0 EIO:2,other:1 0 |
	awk -v waits=$waits '{ print $0 "\t" (NR == 1 ? "waits_ms" : NR == 2 ? waits : "0,0,0") }' \
	>"$dir/fs/cachefiles_od/caches"
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	dev fsid hits misses bytes_served errors timeouts waits_ms encoded_bytes \
	0:50 app 300 100 3145728 - 0 $waits 8192 0:51 two 0 1 0 ETIMEDOUT:1 1 0,0,1 0 >"$dir/fs/erofs_od/stats"
got=$("$od" status --proc "$dir" 2>&1 | grep -E '^(Reads|Errors):')
same 'Reads:  300 hits, 100 misses; 3.0 MiB served, 1.0 MiB fetched, 256.0 KiB of it unused; half of the misses waited < 2 ms, 99% < 16 ms
Reads:  1 hits, 1 misses; 4.0 KiB served, 0 B fetched, 0 B of it unused
Errors: EIO:2,other:1' "$got" 'status: what reads came to'
got=$("$od" status -v --proc "$dir" 2>&1 | grep -A 2 '^IMAGE')
same 'IMAGE  HITS  MISSES   SERVED    HALF      99%  ERRORS
app     300     100  3.0 MiB  < 2 ms  < 16 ms  -
two       0       1      0 B  > 2 ms   > 2 ms  ETIMEDOUT:1' "$got" 'status -v: of each mount'
sed -i '1s/$/\treads_sent\tbytes_filled\tbytes_unused/; 2s/$/\t3\t8192\t4096/
	3s/$/\t4\t65536\t1024/; 4s/$/\t0\t0\t0/' "$dir/fs/cachefiles_od/blobs"
got=$("$od" status --json --proc "$dir" 2>&1)
python3 - "$got" <<'P'
import json, sys
s = json.loads(sys.argv[1])
app = s["mounts"][0]
assert (app["reads_sent"], app["bytes_filled"], app["bytes_unused"]) == (7, 73728, 5120), app
one, two = s["caches"]
assert one["waits_ms"] == [0, 50, 40, 5, 4, 1] and one["errors"] == {}, one
assert two["errors"] == {"EIO": 2, "other": 1}, two
assert [(m["hits"], m["timeouts"]) for m in s["mounts"]] == [(300, 0), (0, 1)], s["mounts"]
assert [m["encoded_bytes"] for m in s["mounts"]] == [8192, 0], s["mounts"]
P
result $? 'status --json: what reads came to' "$got"

# a second later: 30 hits and 2 MiB more, and a different mount with the same device number
(sleep 0.5; sed -i 's/^0:50	app	300	100	3145728/0:50	app	330	100	5242880/; s/^0:51	two	0	1	0/0:51	two	0	0	0/' \
	"$dir/fs/erofs_od/stats") &
got=$("$od" top -i 1 -n 2 --proc "$dir" 2>&1)
result $? 'top: ends' "$got"
first=$(sed -n '/^IMAGE/,/^$/p' <<<"$got" | sed -n 2,3p)
same 'two    /mnt/two     100%       -         -         -        0       -
app    /mnt/app    25.0%       -         -         -        3   1.5 s' "$(sort -r <<<"$first")" \
	'top: no rates at first'
last=$(tac <<<"$got" | sed '/^IMAGE/q' | tac | grep '^app' | awk '{ print ($4 >= 25 && $4 <= 30), $5, ($6 >= 1.6 && $6 <= 2), $7 }')
same '1 0 1 MiB' "$last" 'top: rates'
same '0' "$(tac <<<"$got" | sed '/^IMAGE/q' | grep '^two' | awk '{ print $5 }')" \
	'top: a counter that went down is none'
exits 2 'not a number from 1' "$od" top -i 0
exits 2 'not a number from 1' "$od" top -n x
rm "$dir/fs/erofs_od/stats"
# users: a file on app's device is open, two is mounted in another namespace, and a device
# shows which cache it serves
real=$((0x$(stat -c %D "$dir") >> 8)):$((0x$(stat -c %D "$dir") & 255))
cp -r "$dir" "$dir.users" && trap 'rm -rf "$dir" "$dir.users"' EXIT
sed -i "s/0:50/$real/" "$dir.users/fs/erofs_od/mounts" "$dir.users/self/mountinfo"
mkdir -p "$dir.users"/{101,102,103}/{fd,fdinfo,ns} "$dir.users/self/ns"
for process in self:1 101:1 102:2 103:2; do
	ln -s "mnt:[${process#*:}]" "$dir.users/${process%:*}/ns/mnt"
done
echo reader >"$dir.users/101/comm"
echo shim >"$dir.users/102/comm"
echo erofs-odd >"$dir.users/103/comm"
for process in 101 102 103; do cp "$dir/self/mountinfo" "$dir.users/$process/"; done
ln -s "$dir/fs" "$dir.users/101/fd/3"
ln -s "$dir/fs" "$dir.users/101/fd/4"
printf '7f00-7f10 r--p 0000 %x:%x 1 /x\n' $((${real%:*})) $((${real#*:})) >"$dir.users/102/maps"
ln -s /dev/null "$dir.users/103/fd/7"
printf 'pos:\t0\ncache:\t2\n' >"$dir.users/103/fdinfo/7"
got=$("$od" status -v --proc "$dir.users" 2>&1 | sed -n '/^CACHE/,/^$/p')
same 'CACHE  IMAGE  USED BY          AS
two    -      103 (erofs-odd)  serves it
-      app    101 (reader)     open file
-      app    102 (shim)       mapped file
-      two    102 (shim)       mount namespace' "$got" 'status -v: who uses what'
got=$("$od" status -v --json --proc "$dir.users" 2>&1)
python3 - "$got" <<'P'
import json, sys
s = json.loads(sys.argv[1])
assert s["caches"][0]["users"] == [], s["caches"]
assert s["caches"][1]["users"] == [{"pid": 103, "name": "erofs-odd", "as": "serves it"}], s["caches"]
assert [u["pid"] for u in s["mounts"][0]["users"]] == [101, 102], s["mounts"]
P
result $? 'status -v --json: who uses what' "$got"
rm "$dir/fs/cachefiles_od/caches"

# --- trace, from a fake tracefs ---

# traced ARG...: erofs-od trace, with an instance that has the events of $dir/pipe. SIGCHLD is
# ignored, as under some supervisors: trace must still get the status of the command.
traced() {
	# shellcheck disable=SC2016 # for the inner shell
	sh -c 'instance=$1/sys/kernel/tracing/instances/erofs-od-$$
		mkdir -p "$instance/events/cachefiles_od/cachefiles_od_read_sent"
		: >"$instance/buffer_size_kb"
		: >"$instance/events/cachefiles_od/cachefiles_od_read_sent/enable"
		cp "$2" "$instance/trace_pipe"
		od=$3
		shift 3
		exec env --ignore-signal=CHLD "$od" trace "$@"' - "$sys" "$dir/pipe" "$od" --proc="$dir" --sysroot="$sys" "$@"
}

# event VOLUME FILE START LENGTH
event() {
	echo "  erofs-odd-1  [000] .....  1.5: cachefiles_od_read_sent: cache=1 volume=$1 blob=$2 msg_id=7 start=$3 len=$4 age_ms=0 error=0"
}

sys=$dir/sysroot long=$(printf 'l%.0s' {1..100})
printf '%s\t%s\t%s\t%s\t%s\t%s\n' erofs,app "$long" 100000 0 open 0 >>"$dir/fs/cachefiles_od/blobs"
exits 1 'window_kib: No such file' "$od" trace --proc="$dir" --sysroot="$sys" app true
mkdir -p "$sys/sys/module/cachefiles_od/parameters"
window=$sys/sys/module/cachefiles_od/parameters/window_kib
echo 1024 >"$window"
exits 1 'tracefs is needed' "$od" trace --proc="$dir" --sysroot="$sys" app true
same 1024 "$(cat "$window")" 'trace: the window is not touched without tracefs'
{
	event erofs,app Dapp 524288 4096
	event erofs,other Dapp 0 4096
	event erofs,app Dgone 0 4096
	event erofs,app "$(printf 'D%.78s' "$long")" 98304 1696
	event erofs,app Dapp 0 8192
	event erofs,app Dapp 8192 100
	event erofs,app Dapp 2000000 4096
	echo 'cachefiles_od_read_sent: cache=1 volume=erofs,app blob=Dapp'
	echo 'CPU:1 [LOST 12 EVENTS]'
} >"$dir/pipe"
exits 0 '17.7 KiB in 3 ranges' traced -o "$dir/app.trace" app -- sh -c "cat $window"
exits 1 "$dir/no/app.trace: No such file" traced -o "$dir/no/app.trace" app -- true
out=$(traced -o "$dir/app.trace" app -- sh -c "cat $window; exit 3" 2>&1)
for want in '^4024$' 'image app: 1.0 MiB are in the cache already' 'sh: exited with status 3' \
	'some reads could not be recorded' '1 reads of blobs that were closed'; do
	grep -q "$want" <<<"$out"
	result $? "trace says $want" "$out"
done
same "erofs-od trace 1
blob 1048576 app
blob 100000 $long
read 0 524288 4096
read 1 98304 1696
read 0 0 12288" "$(cat "$dir/app.trace")" 'trace: what was read, in order'
same 1024 "$(cat "$window")" 'trace: the window is restored'
rm "$dir/app.trace"
event erofs,other Dapp 0 4096 >"$dir/pipe"
exits 1 'nothing to record: it is in the cache already' traced -o "$dir/app.trace" app -- true
exits 1 'no-such-command: No such file' traced -o "$dir/app.trace" app -- no-such-command
test ! -e "$dir/app.trace"
result $? 'trace: nothing recorded, nothing written'
exits 1 'other: no image of this name' "$od" prefetch --proc="$dir" other
exits 1 '/mnt/(app|a gain): No such file' "$od" prefetch --proc="$dir" app

# A sparse file in which three ranges of 8 MiB have data.
mkdir -p "$dir/image/sub"
sed -i "s|/mnt/app|$dir/image|" "$dir.users/self/mountinfo"
printf x >"$dir/image/small"
truncate -s 4T "$dir/image/sub/sparse"
for at in 0 16777216 3298534883328; do
	printf data | dd of="$dir/image/sub/sparse" bs=1 seek=$at conv=notrunc status=none
done
exits 0 'app: 24.0 MiB in 2 files' timeout 60 "$od" prefetch --proc="$dir.users" app
exits 0 'app: 1 B in 1 files' "$od" prefetch --proc="$dir.users" app /small
exits 1 '/absent: No such file' "$od" prefetch --proc="$dir.users" app /absent
rm -r "$dir/image"

# a name that is not UTF-8, and a truncated file
printf 'volume\tblob\tsize\n\\377\t\\001\t5\nerofs,app' >"$dir/fs/cachefiles_od/blobs"
exits 0 '"blob": "app"' "$od" status --json --proc "$dir"
exits 0 '001' "$od" status -v --proc "$dir"
: >"$dir/fs/cachefiles_od/blobs"
exits 1 'fs/cachefiles_od/blobs: ' "$od" status --proc "$dir"

finish
