# SPDX-License-Identifier: GPL-2.0-only
# Proves that a test script's own status fails the run.
ok "a test that passes" true
exit 3
