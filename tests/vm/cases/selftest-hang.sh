# SPDX-License-Identifier: GPL-2.0-only
# seconds: 4
# where: selftest.sh
# A guest that hangs must fail the run.
ok "a test that passes" true
sleep 100000
