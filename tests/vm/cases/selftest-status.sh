# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# The exit status of a test script must fail the run.
ok "a test that passes" true
exit 3
