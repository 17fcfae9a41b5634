# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# Proves that a complaint of the kernel fails the run: all is well but for that.
ok "a test that passes" true
echo "<4>WARNING: CPU: 0 PID: 1 at selftest" >/dev/kmsg
