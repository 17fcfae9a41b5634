# SPDX-License-Identifier: GPL-2.0-only
# seconds: 4
# where: selftest.sh
# Proves that a guest that never ends fails the run.
ok "a test that passes" true
sleep 100000
