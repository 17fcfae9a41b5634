# SPDX-License-Identifier: GPL-2.0-only
# For sphinx: `make html`.
import pathlib
import re

top = pathlib.Path(__file__).resolve().parent.parent

project = "erofs-od"
author = "the authors of erofs-od"
release = re.search('PACKAGE_VERSION="(.*)"', (top / "dkms.conf").read_text()).group(1)
master_doc = "index"
nitpicky = True
html_theme = "classic"
html_theme_options = {"nosidebar": True}
html_copy_source = False
html_show_copyright = False
smartquotes = False
highlight_language = "none"
