// SPDX-License-Identifier: GPL-2.0-only
#include "told.h"

/* FNV-1a; including the NUL distinguishes ("ab", "c") from ("a", "bc"). */
static uint64_t hash_string(uint64_t hash, const char *text)
{
	do {
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	} while (*text++);
	return hash;
}

/**
 * told_before - whether something was logged already; it counts as logged from now on
 * @told: what was logged
 * @subject: its subject, such as a blob's name
 * @what: what is logged about it
 */
bool told_before(struct told *told, const char *subject, const char *what)
{
	uint64_t hash = hash_string(hash_string(0xcbf29ce484222325ULL, subject), what);
	bool found = false;
	unsigned int i;

	pthread_mutex_lock(&told->lock);
	for (i = 0; i < TOLD_MAX && !found; i++)
		found = told->hashes[i] == hash;
	if (!found) {
		told->hashes[told->next] = hash;
		told->next = (told->next + 1) % TOLD_MAX;
	}
	pthread_mutex_unlock(&told->lock);
	return found;
}
