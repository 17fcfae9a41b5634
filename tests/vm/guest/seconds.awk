# SPDX-License-Identifier: GPL-2.0-only
# Reads "25, debug 370", the duration of a case, for -v kind=stock or debug. Without a figure
# for debug kernels it is four times that of stock kernels, and at least half a minute.
{
	stock = $1 + 0
	for (i = 1; i < NF; i++)
		if ($i == "debug")
			debug = $(i + 1) + 0
	if (!debug)
		debug = stock > 7 ? 4 * stock : 30
	print kind == "debug" ? debug : stock ? stock : 5
}
