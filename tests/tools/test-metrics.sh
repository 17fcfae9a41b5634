#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# erofs-odd --metrics: the metrics that Prometheus gets from a fake /proc, over a Unix socket
# and over the loopback interface; and misbehaving clients. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"

odd=$OD_BUILD/erofs-odd-fake proc=$dir/proc
mkdir -p "$proc/fs/cachefiles_od" "$proc/self/fdinfo" "$dir/blobs"
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	cache tag dir hits misses oldest_ms room culling errors waits_ms bytes_unused \
	1 other /x 1 1 0 plenty no - 0,0 0 \
	7 'a"b' /y 300 100 1500 scarce yes EIO:2,other:1 0,50,40,10 4096 >"$proc/fs/cachefiles_od/caches"

cat >"$dir/run.py" <<'P'
import json, os, re, socket, subprocess, sys, time
odd, proc, tmp, dashboard = sys.argv[1:]
nr = 0
def say(good, name, detail=""):
    global nr
    nr += 1
    print(f"{'ok' if good else 'not ok'} {nr} - {name}")
    if not good:
        print("#   " + repr(detail))

kernel, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
with open(f"{proc}/self/fdinfo/{device.fileno()}", "w") as f:
    f.write("pos:\t0\ncache:\t7\n")
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
path = f"{tmp}/metrics"
stale = socket.socket(socket.AF_UNIX)
stale.bind(path)
stale.close()
daemon = subprocess.Popen([odd, "--fd", str(device.fileno()), "--proc", proc, "--source", f"{tmp}/blobs",
                           f"--metrics={path}", f"--metrics={port}"], pass_fds=[device.fileno()],
                          stderr=open(f"{tmp}/log", "w"))
assert kernel.recv(100) == b"restore" and kernel.recv(100) == b"wide"

def connect(family, address):
    s = socket.socket(family)
    s.settimeout(20)
    for _ in range(200):
        try:
            s.connect(address)
            return s
        except OSError:
            time.sleep(0.05)
    raise SystemExit("nobody listens: " + open(f"{tmp}/log").read())

def ask(text, family=socket.AF_INET, address=("127.0.0.1", port)):
    with connect(family, address) as s:
        s.sendall(text)
        reply = b""
        try:
            while chunk := s.recv(65536):
                reply += chunk
        except ConnectionResetError:
            pass
        return reply.decode()

get = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
reply = ask(get)
head, _, body = reply.partition("\r\n\r\n")
say(head.startswith("HTTP/1.0 200 ") and "version=0.0.4" in head, "on the loopback", head)
say(f"Content-Length: {len(body)}" in head, "all of it", head)
def has(line, name=None):
    say(line in body.split("\n"), name or line, body)
has('erofs_odd_reads_total 0')
has('erofs_od_cache_hits_total{cache="a\\"b"} 300')
has('erofs_od_cache_oldest_request_seconds{cache="a\\"b"} 1.500')
has('erofs_od_cache_unused_bytes{cache="a\\"b"} 4096')
has('erofs_od_cache_room{cache="a\\"b"} 1')
has('erofs_od_cache_culling{cache="a\\"b"} 1')
has('erofs_od_cache_errors_total{cache="a\\"b",errno="EIO"} 2')
has('erofs_od_cache_errors_total{cache="a\\"b",errno="other"} 1')
has('erofs_od_cache_miss_wait_seconds_bucket{cache="a\\"b",le="0.002"} 50')
has('erofs_od_cache_miss_wait_seconds_bucket{cache="a\\"b",le="0.004"} 90')
has('erofs_od_cache_miss_wait_seconds_bucket{cache="a\\"b",le="+Inf"} 100')
has('erofs_od_cache_miss_wait_seconds_count{cache="a\\"b"} 100')
say('cache="other"' not in body, "nothing of another daemon's cache", body)
names = [l.split()[2] for l in body.split("\n") if l.startswith("# TYPE")]
say(len(names) == len(set(names)), "each metric has one type", names)
bad = [l for l in body.split("\n") if l and not l.startswith("# ") and
       not re.fullmatch(r'[a-z_:]+(\{([a-z]+="(\\.|[^"\\])*",?)+\})? [-+0-9.e]+', l)]
say(not bad, "each line is a sample", bad)
with open(dashboard) as f:
    board = f.read()
json.loads(board)
used = set(re.findall(r"\b(erofs_odd?_\w+)", board)) - {"erofs_od", "erofs_odd"}
said = set(names) | {f"{n}_bucket" for n in names}
say(len(used) > 10 and not used - said, "the dashboard's metrics are there", used - said)
say(ask(get, socket.AF_UNIX, path).partition("\r\n\r\n")[2] == body, "the same on the socket")
say(os.stat(path).st_mode & 0o777 == 0o600, "which is the owner's alone")
say(ask(b"GET / HTTP/1.0\r\n\r\n").startswith("HTTP/1.0 404"), "another path")
say(ask(b"x" * 5000) == "", "a request without an end is none")
slow = connect(socket.AF_INET, ("127.0.0.1", port))
began = time.monotonic()
say(ask(get).startswith("HTTP/1.0 200") and time.monotonic() - began < 15, "one that says nothing holds nobody up for long")
slow.close()
slow = connect(socket.AF_INET, ("127.0.0.1", port))
time.sleep(0.2)
began = time.monotonic()
daemon.terminate()
say(daemon.wait(20) == 0 and time.monotonic() - began < 2.5, "nor the daemon's end", time.monotonic() - began)
say(not os.path.exists(path), "the socket goes with it")
print(f"1..{nr}")
P
python3 "$dir/run.py" "$odd" "$proc" "$dir" "$(dirname "$0")/../../examples/grafana.json" \
	>"$dir/out" 2>&1
status=$?
cat "$dir/out"
n=$(grep -cE '^(ok|not ok)' "$dir/out")
! grep -q '^not ok' "$dir/out"
bad=$?
result $status 'the test ends well' "$(cat "$dir/log")"
exits 1 'Invalid argument' "$odd" --fd 3 --source "$dir/blobs" --metrics=0.0.0.0:9100 3<>/dev/null
finish
