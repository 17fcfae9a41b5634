# SPDX-License-Identifier: GPL-2.0-only
# seconds: 3, debug 40
# where: stock rows short debug kasan
# Both modules load and unload repeatedly, in the only possible order.
for round in 1 2 3; do
	ok "load, round $round" od_load
	notok "cachefiles_od is in use by erofs_od" rmmod cachefiles_od
	ok "unload, round $round" od_unload
done
