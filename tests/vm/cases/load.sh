# SPDX-License-Identifier: GPL-2.0-only
# seconds: 3, debug 40
# where: stock rows short debug kasan
# Both modules load and unload, again and again, in the only order there is.
for round in 1 2 3; do
	ok "load, round $round" od_load
	notok "cachefiles_od is held by erofs_od" rmmod cachefiles_od
	ok "unload, round $round" od_unload
done
