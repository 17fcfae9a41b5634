# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# A guest without its last line must fail the run.
ok "a test that passes" true
sleep 1
poweroff -f
