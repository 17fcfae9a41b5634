# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# Proves that a case that calls what does not exist fails the run.
ok "a test that passes" true
od_no_such_function
ok "another test that passes" true
