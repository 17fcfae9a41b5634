// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "human.h"
#include "log.h"
#include "status.h"

/**
 * struct top_options - what to show
 * @interval_s: seconds between updates
 * @count: number of updates, 0 for no limit
 */
struct top_options {
	unsigned int interval_s;
	unsigned int count;
};

/**
 * struct look - a snapshot
 * @status: the state
 * @ms: time of a monotonic clock
 */
struct look {
	struct status status;
	uint64_t ms;
};

/**
 * struct rates - the counters of one row, then and now
 * @now: table and row, now
 * @then: the same in the last snapshot, or NULL
 * @then_row: row in @then
 * @ms: time in between
 */
struct rates {
	const struct table *now;
	size_t row;
	const struct table *then;
	size_t then_row;
	uint64_t ms;
};

static const struct argp_option options[] = {
	{ "interval", 'i', "SECONDS", 0, "Refresh interval (2)", 0 },
	{ "count", 'n', "N", 0, "Exit after N refreshes", 0 },
	{ 0 },
};

static unsigned int parse_count(struct argp_state *state, const char *text, unsigned int max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !value || value > max)
		argp_error(state, "invalid argument '%s': not a number from 1 to %u", text, max);
	return (unsigned int)value;
}

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct top_options *top = input;

	switch (key) {
	case 'i':
		top->interval_s = parse_count(state, text, 3600);
		return 0;
	case 'n':
		top->count = parse_count(state, text, 1000000);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct cli cli = {
	.doc = "Show what is read, fetched and waited for, again and again.",
	.shared = CLI_PROC,
	.options = options,
	.parse = parse_option,
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- rates --- */

/* Finds the row of @then with the same @key. */
static struct rates rates_of(const struct table *now, size_t row, const struct table *then,
			     const char *key, uint64_t ms)
{
	struct rates rates = { .now = now, .row = row, .ms = ms };
	size_t i;

	for (i = 0; ms && i < then->rows; i++) {
		if (strcmp(table_get(then, i, key), table_get(now, row, key)))
			continue;
		rates.then = then;
		rates.then_row = i;
	}
	return rates;
}

/* Rate per second of a counter. One that decreased belongs to something else of that name. */
static bool rate_of(const struct rates *rates, const char *column, uint64_t *rate)
{
	uint64_t now = table_number(rates->now, rates->row, column), then;

	if (!rates->then)
		return false;
	then = table_number(rates->then, rates->then_row, column);
	*rate = now < then ? 0 : (now - then) * 1000 / rates->ms;
	return true;
}

static void add_rate(struct grid *grid, const struct rates *rates, const char *column)
{
	char text[HUMAN_SIZE] = "-";
	uint64_t rate;

	if (rate_of(rates, column, &rate))
		snprintf(text, sizeof(text), "%" PRIu64, rate);
	grid_add(grid, text);
}

static void add_byte_rate(struct grid *grid, const struct rates *rates, const char *column)
{
	char text[HUMAN_SIZE];
	uint64_t rate;

	grid_add(grid, rate_of(rates, column, &rate) ? human_bytes(rate, text) : "-");
}

static void add_waiting(struct grid *grid, uint64_t waiting, uint64_t oldest_ms)
{
	char text[HUMAN_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64, waiting);
	grid_add(grid, text);
	grid_add(grid, oldest_ms ? human_age(oldest_ms, text) : "-");
}

static void add_head(struct grid *grid, const char *const *head)
{
	size_t i;

	for (i = 0; i < grid->columns; i++)
		grid_add(grid, head[i]);
}

static void end_grid(struct grid *grid)
{
	if (grid->count > grid->columns) {
		putchar('\n');
		grid_print(grid, stdout);
	}
	grid_free(grid);
}

/* --- what is shown --- */

static void show_caches(const struct look *now, const struct look *then)
{
	static const char *const head[] = { "CACHE", "DAEMON", "ROOM", "BLOBS", "HITS/s", "MISSES/s",
					    "SERVED/s", "FETCHED/s", "WAITING", "OLDEST" };
	struct grid grid = { .columns = 10, .align = "lllrrrrrrr" };
	const struct table *caches = &now->status.caches;
	size_t i;

	add_head(&grid, head);
	for (i = 0; i < caches->rows; i++) {
		struct rates rates = rates_of(caches, i, &then->status.caches, "cache",
					      then->ms ? now->ms - then->ms : 0);

		grid_name(&grid, table_get(caches, i, "tag"));
		grid_add(&grid, table_get(caches, i, "daemon"));
		grid_add(&grid, table_get(caches, i, "room"));
		grid_add(&grid, table_get(caches, i, "blobs"));
		add_rate(&grid, &rates, "hits");
		add_rate(&grid, &rates, "misses");
		add_byte_rate(&grid, &rates, "bytes_served");
		add_byte_rate(&grid, &rates, "bytes_filled");
		add_waiting(&grid, table_number(caches, i, "waiting"),
			    table_number(caches, i, "oldest_ms"));
	}
	end_grid(&grid);
}

static const struct mounted *mount_of(const struct status *status, const char *dev)
{
	size_t i;

	for (i = 0; i < status->mount_count; i++)
		if (!strcmp(status->mounts[i].dev, dev))
			return &status->mounts[i];
	return NULL;
}

static void add_mount(struct grid *grid, const struct status *status, const struct rates *rates)
{
	const struct mounted *mounted = mount_of(status, table_get(rates->now, rates->row, "dev"));
	char text[HUMAN_SIZE];

	grid_name(grid, table_get(rates->now, rates->row, "fsid"));
	grid_name(grid, mounted && mounted->target_count ? mounted->targets[0] : "-");
	grid_add(grid, mounted ? human_percent(mounted->present, mounted->size, text) : "-");
	add_rate(grid, rates, "hits");
	add_rate(grid, rates, "misses");
	add_byte_rate(grid, rates, "bytes_served");
	add_waiting(grid, mounted ? mounted->waiting : 0, mounted ? mounted->oldest_ms : 0);
}

/* Number of lines that still fit; unlimited without a terminal. */
static size_t lines_left(const struct status *status)
{
	struct winsize size;
	size_t used = 7 + status->caches.rows;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return SIZE_MAX;
	return size.ws_row > used ? size.ws_row - used : 1;
}

/* Those that reads wait for come first. */
static void show_mounts(const struct look *now, const struct look *then)
{
	static const char *const head[] = { "IMAGE", "MOUNTED ON", "%", "HITS/s", "MISSES/s",
					    "SERVED/s", "WAITING", "OLDEST" };
	struct grid grid = { .columns = 8, .align = "llrrrrrr" };
	const struct table *reads = &now->status.reads;
	size_t i, left = lines_left(&now->status);
	int waiting;

	add_head(&grid, head);
	for (waiting = 1; waiting >= 0; waiting--) {
		for (i = 0; i < reads->rows && left; i++) {
			const struct mounted *mounted = mount_of(&now->status,
								 table_get(reads, i, "dev"));
			struct rates rates;

			if ((mounted && mounted->oldest_ms) != waiting)
				continue;
			rates = rates_of(reads, i, &then->status.reads, "dev",
					 then->ms ? now->ms - then->ms : 0);
			add_mount(&grid, &now->status, &rates);
			left--;
		}
	}
	end_grid(&grid);
}

static void show(const struct look *now, const struct look *then)
{
	char clock[16];
	time_t t = time(NULL);
	struct tm tm;

	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	localtime_r(&t, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s, %zu caches, %zu mounts, %zu blobs, %zu requests\n", clock,
	       now->status.caches.rows, now->status.mount_count, now->status.blobs.rows,
	       now->status.requests.rows);
	show_caches(now, then);
	show_mounts(now, then);
	if (!isatty(STDOUT_FILENO))
		putchar('\n');
	fflush(stdout);
}

int command_top(int argc, char **argv)
{
	struct top_options top = { .interval_s = 2 };
	struct look looks[2] = { 0 };
	struct cli_values values;
	const char *missing;
	unsigned int n;
	int err = 0;

	cli_parse(&cli, argc, argv, &values, &top);
	for (n = 0; !err && (!top.count || n < top.count); n++) {
		struct look *now = &looks[n % 2], *then = &looks[(n + 1) % 2];

		if (n)
			sleep(top.interval_s);
		status_free(&now->status);
		err = status_load(&now->status, values.proc, &missing);
		now->ms = now_ms();
		if (!err)
			show(now, then);
	}
	status_free(&looks[0].status);
	status_free(&looks[1].status);
	return err ? status_explain(values.proc, missing, err) : OD_EXIT_OK;
}
