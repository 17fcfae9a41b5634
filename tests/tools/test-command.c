// SPDX-License-Identifier: GPL-2.0-only
/* The pure-logic parts of the command line: tables, sizes, columns, options. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "human.h"
#include "keyname.h"
#include "options.h"
#include "table.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static void test_key_names(void **state)
{
	static const char *const keys[] = {
		"a", "test", "sha256:0123", "a b", "a b c d e f g h i j", "\303\244", "a\\b", "    ",
		"\1\2\3\4", "x y", "xy z", "\377\377\377\377\377\377\377\377\377", "a/b",
	};
	static const char *const others[] = {
		"", "D", "X", "Da/b", "Da b", "S", "T", "E", "E3abcd", "E0abc", "E0ab+c", "E1abcd",
		"T0", "T61,", "T123456789", "Tx", "T-1", "E0abcdabc", "Dtest\1",
	};
	char key[OD_KEY_MAX + 1], name[NAME_MAX + 1], longest[300];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(keys); i++) {
		assert_true(od_key_file_name((const u8 *)keys[i], strlen(keys[i]), name) > 0);
		assert_int_equal(key_of_file_name(name, key), 0);
		assert_string_equal(key, keys[i]);
	}
	for (i = 0; i < COUNT(others); i++) {
		if (!key_of_file_name(others[i], key))
			print_error("%s is %s\n", others[i], key);
		assert_int_equal(key_of_file_name(others[i], key), -EINVAL);
	}
	for (i = 1; i < 299; i++) {
		memset(longest, 'x', i);
		longest[0] = 'D';
		longest[i] = '\0';
		assert_int_equal(key_of_file_name(longest, key),
				 i > 1 && i <= OD_KEY_MAX + 1 ? 0 : -EINVAL);
		longest[0] = 'E';
		longest[1] = '0';
		/* Does not write past the key's buffer, whatever the name claims. */
		key_of_file_name(longest, key);
	}
}

static void test_table(void **state)
{
	struct table table;

	(void)state;
	assert_int_equal(table_parse(&table, strdup("volume\tblob\tsize\n"
		"erofs,a\ta\\040b\\134\\011c\t18446744073709551615\n"
		"erofs,b\t\\377\\9\\4000\t12\tsurplus\n"
		"short\n")), 0);
	assert_int_equal(table.rows, 3);
	assert_string_equal(table_get(&table, 0, "blob"), "a b\\\tc");
	assert_true(table_number(&table, 0, "size") == UINT64_MAX);
	assert_string_equal(table_get(&table, 1, "blob"), "\377\\9\\4000");
	assert_int_equal(table_number(&table, 1, "size"), 12);
	assert_string_equal(table_get(&table, 1, "nothing"), "");
	assert_string_equal(table_get(&table, 2, "volume"), "short");
	assert_string_equal(table_get(&table, 2, "size"), "");
	table_free(&table);
}

static void test_table_names(void **state)
{
	struct table table;

	(void)state;
	/* columns are found by name, in any order, and without a final newline */
	assert_int_equal(table_parse(&table, strdup("new\tvalue\tname\n1\tgone\tdaemon")), 0);
	assert_string_equal(table_find(&table, "daemon"), "gone");
	assert_null(table_find(&table, "dir"));
	table_free(&table);
}

static void test_table_empty(void **state)
{
	struct table table;

	(void)state;
	assert_int_equal(table_parse(&table, strdup("")), -ENODATA);
	table_free(&table);
	assert_int_equal(table_parse(&table, strdup("\nx\n")), -ENODATA);
	table_free(&table);
	assert_int_equal(table_parse(&table, strdup("blob\n\n\n")), 0);
	assert_int_equal(table.rows, 0);
	table_free(&table);
	assert_int_equal(table_load(&table, "/nowhere"), -ENOENT);
	table_free(&table);
	assert_int_equal(table_load(&table, "/dev/null"), -ENODATA);
	table_free(&table);
}

static void test_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" }, { 1536, "1.5 KiB" },
		{ 1048575, "1.0 MiB" }, { 1048576, "1.0 MiB" }, { 5368709120, "5.0 GiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	char buf[HUMAN_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_string_equal(human_bytes(cases[i].bytes, buf), cases[i].text);
}

static void test_percent(void **state)
{
	char buf[HUMAN_SIZE];

	(void)state;
	assert_string_equal(human_percent(0, 10, buf), "0.0%");
	assert_string_equal(human_percent(5, 10, buf), "50.0%");
	assert_string_equal(human_percent(10, 10, buf), "100%");
	assert_string_equal(human_percent(0, 0, buf), "100%");
	/* never 100 % while a byte is missing */
	assert_string_equal(human_percent(UINT64_MAX - 1, UINT64_MAX, buf), "99.9%");
}

static void test_age(void **state)
{
	char buf[HUMAN_SIZE];

	(void)state;
	assert_string_equal(human_age(0, buf), "0 ms");
	assert_string_equal(human_age(999, buf), "999 ms");
	assert_string_equal(human_age(12999, buf), "12.9 s");
	assert_string_equal(human_age(60000, buf), "1 min 0 s");
	assert_string_equal(human_age(7500000, buf), "2 h 5 min");
}

static void test_grid(void **state)
{
	static const char *const cells[] = { "NAME", "SIZE", "LAST", "a", "1000", "x", "long", "1",
					     "yy" };
	struct grid grid = { .columns = 3, .align = "lrl" };
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (i = 0; i < COUNT(cells); i++)
		grid_add(&grid, cells[i]);
	grid_print(&grid, out);
	fclose(out);
	assert_string_equal(text, "NAME  SIZE  LAST\na     1000  x\nlong     1  yy\n");
	free(text);
	grid_free(&grid);
}

static void test_options(void **state)
{
	struct mount_options options = { 0 };

	(void)state;
	assert_int_equal(options_add(&options, "fsid", "a"), 0);
	assert_int_equal(options_add(&options, "device", "one"), 0);
	assert_int_equal(options_add(&options, "device", "two=2"), 0);
	assert_int_equal(options_add(&options, "device", "two,dropin"), -EINVAL);
	assert_int_equal(options_add(&options, "device", ""), -EINVAL);
	assert_int_equal(options_add(&options, "device", "a\nb"), -EINVAL);
	assert_int_equal(options_add_string(&options, "nodev,noacl,x-note=1,noauto,nosuid"), 0);
	assert_int_equal(options_add_string(&options, "device=one"), 0);
	assert_string_equal(options.data, "fsid=a,device=one,device=two=2,noacl,device=one");
	assert_int_equal(options.flags, MS_NODEV | MS_NOSUID);
	free(options.data);
}

/* More than a page of them: fsconfig(2) takes one at a time. */
static void test_options_many(void **state)
{
	struct mount_options options = { 0 };
	char name[201];
	int i, err = 0;

	(void)state;
	memset(name, 'x', 200);
	name[200] = '\0';
	for (i = 0; i < 1000 && !err; i++)
		err = options_add(&options, "device", name);
	assert_int_equal(err, 0);
	assert_int_equal(strlen(options.data), 1000 * strlen("device=,") + 1000 * 200 - 1);
	free(options.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_names),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_names),
		cmocka_unit_test(test_table_empty),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_many),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
