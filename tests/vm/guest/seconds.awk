# SPDX-License-Identifier: GPL-2.0-only
# Reads the duration of a case, "25, debug 370", and prints it for -v kind=stock or debug. If
# there is none for debug kernels, prints four times that of stock kernels, at least 30.
{
	stock = $1 + 0
	for (i = 1; i < NF; i++)
		if ($i == "debug")
			debug = $(i + 1) + 0
	if (!debug)
		debug = stock > 7 ? 4 * stock : 30
	print kind == "debug" ? debug : stock ? stock : 5
}
