# SPDX-License-Identifier: GPL-2.0-only
# From "25, debug 370", how long a case takes: -v kind=stock or debug. Without a figure for
# kernels built for testing it is four times that of a stock kernel, and half a minute at least.
{
	stock = $1 + 0
	for (i = 1; i < NF; i++)
		if ($i == "debug")
			debug = $(i + 1) + 0
	if (!debug)
		debug = stock > 7 ? 4 * stock : 30
	print kind == "debug" ? debug : stock ? stock : 5
}
