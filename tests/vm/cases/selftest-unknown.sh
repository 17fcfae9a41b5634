# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# A missing command in a case must fail the run.
ok "a test that passes" true
od_no_such_function
ok "another test that passes" true
