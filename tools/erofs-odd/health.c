// SPDX-License-Identifier: GPL-2.0-only
#include "health.h"

#include <string.h>

#include "stats.h"

#define SICK_FIRST_MS	1000
#define SICK_MAX_MS	60000

void health_init(struct health *health)
{
	memset(health, 0, sizeof(*health));
	pthread_mutex_init(&health->lock, NULL);
}

/** health_good - record a success. Return: true if the source had failed before */
bool health_good(struct health *health, uint64_t *sick_for)
{
	bool was_sick;

	pthread_mutex_lock(&health->lock);
	was_sick = health->sick_ms;
	*sick_for = clock_ms() - health->sick_since;
	health->sick_ms = 0;
	health->sick_until = 0;
	pthread_mutex_unlock(&health->lock);
	return was_sick;
}

/**
 * health_failed - record a temporary failure
 * @health: of the source
 * @pause_ms: pause that the source asked for, or 0
 *
 * Return: true if it worked until now
 */
bool health_failed(struct health *health, unsigned long pause_ms)
{
	uint64_t now = clock_ms();
	bool first;

	pthread_mutex_lock(&health->lock);
	first = !health->sick_ms;
	if (first) {
		health->sick_since = now;
		health->sick_ms = SICK_FIRST_MS;
	} else if (now >= health->sick_until) {
		health->sick_ms *= 2;
		if (health->sick_ms > SICK_MAX_MS)
			health->sick_ms = SICK_MAX_MS;
	}
	if (now + health->sick_ms > health->sick_until)
		health->sick_until = now + health->sick_ms;
	if (now + pause_ms > health->pause_until)
		health->pause_until = now + pause_ms;
	pthread_mutex_unlock(&health->lock);
	return first;
}

/** health_is_sick - whether others should be asked first */
bool health_is_sick(struct health *health)
{
	uint64_t now = clock_ms();
	bool sick;

	pthread_mutex_lock(&health->lock);
	sick = now < health->sick_until || now < health->pause_until;
	pthread_mutex_unlock(&health->lock);
	return sick;
}

/** health_try - a request is about to be sent: only one probes a source that failed */
void health_try(struct health *health)
{
	pthread_mutex_lock(&health->lock);
	if (health->sick_ms)
		health->sick_until = clock_ms() + health->sick_ms;
	pthread_mutex_unlock(&health->lock);
}

/** health_pause - milliseconds until the source may be asked again, or 0 */
uint64_t health_pause(struct health *health)
{
	uint64_t now = clock_ms(), left = 0;

	pthread_mutex_lock(&health->lock);
	if (health->pause_until > now)
		left = health->pause_until - now;
	pthread_mutex_unlock(&health->lock);
	return left;
}
