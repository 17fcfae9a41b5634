// SPDX-License-Identifier: GPL-2.0-only
/* The daemon and the space of its cache: what is prefetched, and what is culled for it. */
#include "world.h"

static const char trace[] = "erofs-od trace 1\nblob 41944274 big\nread 0 8388608 1048576\n";

/**
 * struct had - contents of a cache limited to 16 MiB
 * @used: KiB of a blob in use
 * @unused: KiB of an unused blob
 * @culling: culling is running
 * @fetched: something is prefetched
 */
struct had {
	unsigned int used, unused;
	bool culling, fetched;
};

/* Files created first count as least recently used. */
static uint64_t make_cache_file(struct world *w, const char *name, unsigned int kib)
{
	static time_t used;
	struct timespec times[2] = { { .tv_sec = ++used }, { .tv_sec = used } };
	char path[256];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/cache/Ierofs,x/@01/%s", w->dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(kib ? posix_fallocate(fd, 0, (off_t)kib << 10) : 0, 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
	return st.st_ino;
}

/* The kernel's tables, for any device of the daemon. */
static void make_cache(struct world *w, const struct had *had)
{
	char text[1024], dir[128];
	int i;

	snprintf(text, sizeof(text), "mkdir -p %s/cache/Ierofs,x/@01 %s/proc/fs/cachefiles_od "
		 "%s/proc/self/fdinfo", w->dir, w->dir, w->dir);
	assert_int_equal(system(text), 0);
	snprintf(dir, sizeof(dir), "%s/proc/self/fdinfo", w->dir);
	for (i = 3; i < 40; i++) {
		snprintf(text, sizeof(text), "%d", i);
		write_file(dir, text, "pos:\t0\ncache:\t1\n", 16);
	}
	snprintf(dir, sizeof(dir), "%s/proc/fs/cachefiles_od", w->dir);
	snprintf(text, sizeof(text), "cache\tdir\troom\tculling\tbrun\tfrun\n1\t%s\tplenty\t%s\t0\t0\n",
		 w->dir, had->culling ? "yes" : "no");
	write_file(dir, "caches", text, strlen(text));
	make_cache_file(w, "Dunused", had->unused);
	snprintf(text, sizeof(text), "inode\tsize\tregion\tused\tcache\n%" PRIu64 "\t16777216\t1048576\t1\t1\n",
		 make_cache_file(w, "Dused", had->used));
	write_file(dir, "regions", text, strlen(text));
}

static void check_room(struct world *w, const struct had *had)
{
	char options[256];
	int fd;

	make_cache(w, had);
	write_file(w->blobs, "big.trace", trace, strlen(trace));
	snprintf(options, sizeof(options), "--source %s --cache-size=16M --proc %s/proc", w->blobs,
		 w->dir);
	w->prefetch = true;
	start_daemon(w, options);
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	if (had->fetched)
		wait_number(w, "bytes_prefetched", MIB);
	else
		assert_logged(w, "prefetching stopped: the cache is full");
	expect_complete(w, fd, send_read(w, 1, 20 * MIB, 8192));
	close(fd);
	end_daemon(w);
	if (had->fetched)
		return;
	assert_int_equal(json_number(w->stats, "bytes_prefetched"), 0);
	assert_int_equal(json_number(w->stats, "prefetch_requests"), 0);
}

static void test_room(void **state)
{
	const struct had had = { .used = 12 << 10, .unused = 1 << 10, .fetched = true };

	check_room(*state, &had);
}

/* Nothing past the limit, even if unused blobs could be culled. */
static void test_limit(void **state)
{
	const struct had had = { .used = 1 << 10, .unused = (15 << 10) - 32 };

	check_room(*state, &had);
}

/* Blobs in use would sooner or later be culled for it. */
static void test_all_in_use(void **state)
{
	const struct had had = { .used = (14 << 10) + 400 };

	check_room(*state, &had);
}

static void test_culling(void **state)
{
	const struct had had = { .culling = true };

	check_room(*state, &had);
}

/* Above the limit, unused blobs are culled until a tenth of it is free, and nothing else. */
static void test_kept(void **state)
{
	static const char *const removed[] = { "cull Da", "cull Db" };
	const struct had had = { .used = 5 << 10 };
	struct world *w = *state;
	char text[256];
	size_t i;

	make_cache(w, &had);
	make_cache_file(w, "Dpinned", 6 << 10);
	make_cache_file(w, "Da", 3 << 10);
	make_cache_file(w, "Db", 3 << 10);
	make_cache_file(w, "Dc", 3 << 10);
	snprintf(text, sizeof(text), "%s/pins", w->dir);
	assert_int_equal(mkdir(text, 0700), 0);
	write_file(text, "Dpinned", "", 0);
	snprintf(text, sizeof(text), "--source %s --cache-size=16M --proc %s/proc", w->blobs, w->dir);
	start_daemon(w, text);
	expect_start(w);
	/* The empty one is the oldest. */
	expect_text(w, text, sizeof(text));
	assert_string_equal(text, "cull Dunused");
	for (i = 0; i < 2; i++) {
		expect_text(w, text, sizeof(text));
		assert_string_equal(text, removed[i]);
	}
	assert_logged(w, "culled 3 blobs and 0 parts of blobs in use");
	end_daemon(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_room),
		TEST(test_limit),
		TEST(test_all_in_use),
		TEST(test_culling),
		TEST(test_kept),
	};

	build = getenv("OD_BUILD");
	cmocka_set_test_filter(getenv("OD_TEST"));
	return build ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
