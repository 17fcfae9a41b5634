#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: html.sh
#
# Builds Documentation/ as HTML in build/html. A dangling reference is an error, as is a
# document that is not listed in any index.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Debian's Python, even if PATH has another one.
sphinx=/usr/bin/sphinx-build
[ -x $sphinx ] || sphinx=$(command -v sphinx-build) || die "sphinx is missing: on Debian, python3-sphinx"
"$sphinx" -W --keep-going -q -b html -d "$top/build/doctrees" "$top/Documentation" "$top/build/html"
say "build/html/index.html"
