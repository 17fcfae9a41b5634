# SPDX-License-Identifier: GPL-2.0-only
# Proves that one failed check fails the run.
ok "a test that passes" true
ok "a test that fails" false
