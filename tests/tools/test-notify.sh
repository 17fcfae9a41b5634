#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Notifications from erofs-odd to the service manager: ready, alive at the interval of the
# watchdog, stopping. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"

mkdir -p "$dir/blobs"
cat >"$dir/run.py" <<'P'
import os, signal, socket, subprocess, sys, time
odd, tmp = sys.argv[1:]

def run(watchdog):
    """Messages of a daemon that runs for a second, and is stopped for half of one before its end."""
    path = f"{tmp}/notify{watchdog}"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    kernel, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = dict(os.environ, NOTIFY_SOCKET=path)
    if watchdog:
        env["WATCHDOG_USEC"] = str(watchdog)
    daemon = subprocess.Popen([odd, "--fd", str(device.fileno()), "--source", f"{tmp}/blobs"],
                              pass_fds=[device.fileno()], env=env, stderr=subprocess.DEVNULL)
    manager.settimeout(20)
    first = manager.recv(4096).decode()
    def drain(seconds):
        messages, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            manager.settimeout(left)
            try:
                messages.append(manager.recv(4096).decode())
            except TimeoutError:
                pass
        return messages
    alive = drain(1.5)
    daemon.send_signal(signal.SIGSTOP)
    drain(0.1)
    hung = drain(0.6)
    daemon.send_signal(signal.SIGCONT)
    daemon.terminate()
    daemon.wait(20)
    return first, alive, hung, drain(0.1)

first, alive, hung, last = run(300000)
print(f"first {first}")
print(f"alive {alive.count('WATCHDOG=1') >= 3}")
print(f"hung {len(hung)}")
print(f"last {'STOPPING=1' in last}")
print(f"without {run(0)[1].count('WATCHDOG=1')}")
P
got=$(python3 "$dir/run.py" "$OD_BUILD/erofs-odd-fake" "$dir" 2>&1)
same "first READY=1
alive True
hung 0
last True
without 0" "$got" 'ready, alive, stopping'
finish
