# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# A kernel splat alone must fail the run.
ok "a test that passes" true
echo "<4>WARNING: CPU: 0 PID: 1 at selftest" >/dev/kmsg
