# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# Proves that a test script's own status fails the run.
ok "a test that passes" true
exit 3
