# SPDX-License-Identifier: GPL-2.0-only
# seconds: 2
# where: selftest.sh
# One failed check must fail the run.
ok "a test that passes" true
ok "a test that fails" false
