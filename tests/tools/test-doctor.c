// SPDX-License-Identifier: GPL-2.0-only
/* The pure-logic parts of the doctor and of drop-in mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/doctor.h"
#include "text.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static void test_range(void **state)
{
	static const struct {
		const char *release;
		enum range range;
	} cases[] = {
		{ "5.9.16-1", RANGE_BELOW }, { "4.18.0-553.el8_10.x86_64", RANGE_WITHIN },
		{ "4.18.0-553.16.1.el8_10.x86_64", RANGE_WITHIN }, { "4.18.0-25-generic", RANGE_BELOW },
		{ "4.18.0-553.el80.x86_64", RANGE_BELOW }, { "4.18.20", RANGE_BELOW },
		{ "14.18.0-553.el8", RANGE_ABOVE },
		{ "5.1.0", RANGE_BELOW }, { "5.10.0-35-amd64", RANGE_WITHIN },
		{ "5.10", RANGE_WITHIN }, { "5.14.0-503.el9", RANGE_WITHIN },
		{ "6.12.118+deb13-cloud-amd64", RANGE_WITHIN }, { "6.100.1", RANGE_WITHIN },
		{ "7.3.4", RANGE_WITHIN }, { "7.3-rc1", RANGE_WITHIN },
		{ "7.4.0", RANGE_ABOVE }, { "7.30.1", RANGE_ABOVE }, { "10.0.1", RANGE_ABOVE },
		{ "", RANGE_UNKNOWN }, { "6", RANGE_UNKNOWN }, { "six.twelve", RANGE_UNKNOWN },
		{ "6.4294967295", RANGE_UNKNOWN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_int_equal(doctor_range(cases[i].release, "5.10", "7.3",
					      "^4[.]18[.]0-[0-9.]+[.]el8[^0-9]"), cases[i].range);
}

static void test_vermagic(void **state)
{
	(void)state;
	assert_int_equal(doctor_vermagic("6.1.0-56-amd64 SMP preempt mod_unload modversions ",
					 "6.1.0-56-amd64"), VERMAGIC_SAME);
	assert_int_equal(doctor_vermagic("6.1.0-5", "6.1.0-5"), VERMAGIC_SAME);
	/* a common prefix is not enough */
	assert_int_equal(doctor_vermagic("6.1.0-56-amd64 SMP ", "6.1.0-5"), VERMAGIC_OTHER);
	assert_int_equal(doctor_vermagic("6.1.0-5 SMP ", "6.1.0-56-amd64"), VERMAGIC_OTHER);
	assert_int_equal(doctor_vermagic("5.14.0-70 SMP mod_unload modversions ", "5.14.0-75"),
			 VERMAGIC_BY_SYMBOLS);
	assert_int_equal(doctor_vermagic("", "6.1.0"), VERMAGIC_OTHER);
}

static void check_reason(const char *log, const char *release, const char *wanted)
{
	char *reason = doctor_log_reason(log, release);

	if (wanted)
		assert_string_equal(reason, wanted);
	else
		assert_null(reason);
	free(reason);
}

static void test_log_reason(void **state)
{
	static const char old_head[] =
		"DKMS make.log for erofs-od-0.1.0 for kernel 6.1.0 (x86_64)\n";
	static const char new_head[] =
		"DKMS (dkms-3.2.2) make.log for erofs-od/0.1.0 for kernel 6.1.0 (x86_64)\n";
	char *log;

	(void)state;
	log = text_format("%sa.c:1:2: error: one\n  CC b.o\nmake[1]: *** [x] Error 1\n"
			  "make: *** [y] Error 2", old_head);
	check_reason(log, "6.1.0", "a.c:1:2: error: one");
	check_reason(log, "6.1.0-5", NULL);
	check_reason(log, "6.1", NULL);
	free(log);
	/* the build's own message is best, wherever it is */
	log = text_format("%sx: error: one\nerofs-od: vfs_mkdir has no known form\n"
			  "make: *** [y] Error 2\ny: error: two\n", new_head);
	check_reason(log, "6.1.0", "erofs-od: vfs_mkdir has no known form");
	free(log);
	log = text_format("%smake: *** [y] Error 2\n", new_head);
	check_reason(log, "6.1.0", "make: *** [y] Error 2");
	free(log);
	log = text_format("%s  CC a.o\n  LD b.ko\n", new_head);
	check_reason(log, "6.1.0", NULL);
	free(log);
	check_reason("", "6.1.0", NULL);
}

static void test_lockdown(void **state)
{
	char *text;

	(void)state;
	text = doctor_lockdown("none [integrity] confidentiality");
	assert_string_equal(text, "integrity");
	free(text);
	text = doctor_lockdown("[none] integrity confidentiality");
	assert_string_equal(text, "none");
	free(text);
	assert_null(doctor_lockdown(""));
	assert_null(doctor_lockdown("none [integrity"));
}

static void test_keys(void **state)
{
	static const char keys[] =
		"2c7126df I------     1 perm 1f0b0000     0     0 keyring   .machine: 1\n"
		"0e4bb5a3 I------     1 perm 1f030000     0     0 user      DKMS key: secret\n"
		"3f5c21aa I------     1 perm 1f030000     0     0 asymmetri "
			"DKMS key: 6ccece7e4c: X509.rsa 4c6c0d1f []\n"
		"3f5c21ab I------     1 perm 1f030000     0     0 asymmetri Debian CA: 01: X509\n"
		"11111111 I--Q---     1 perm 1f3f0000     0     0 user      Sid key";

	(void)state;
	assert_true(doctor_key_listed(keys, "DKMS key"));
	assert_true(doctor_key_listed(keys, "6ccece7e4c"));
	assert_true(doctor_key_listed(keys, "Debian CA"));
	assert_true(doctor_key_listed(keys, ""));
	/* another type of key, and one on a later line */
	assert_false(doctor_key_listed(keys, "secret"));
	assert_false(doctor_key_listed(keys, "Sid key"));
	assert_false(doctor_key_listed("", ""));
}

static void test_network(void **state)
{
	(void)state;
	assert_true(doctor_is_network(0x6969, "nfs4"));
	assert_true(doctor_is_network(0x6969, NULL));
	assert_true(doctor_is_network(0xFF534D42, NULL));
	assert_true(doctor_is_network(0xEF53, "cifs"));
	assert_false(doctor_is_network(0xEF53, "ext4"));
	assert_false(doctor_is_network(0x01021994, NULL));
}

static void test_dropin_option(void **state)
{
	(void)state;
	assert_true(dropin_option_set("dropin=1"));
	assert_true(dropin_option_set("dropin=Y other=2"));
	assert_true(dropin_option_set("other=2 dropin"));
	assert_true(dropin_option_set("dropin=0 dropin=y"));
	assert_false(dropin_option_set("dropin=1 dropin=0"));
	assert_false(dropin_option_set("dropin="));
	assert_false(dropin_option_set("xdropin=1"));
	assert_false(dropin_option_set(""));
	assert_false(dropin_option_set(NULL));
}

static void test_dropin_file(void **state)
{
	char *text = text_copy(dropin_text()), *other;

	(void)state;
	/* as text_read() returns it */
	text[strlen(text) - 1] = '\0';
	assert_int_equal(dropin_file_kind(text), DROPIN_FILE_OURS);
	other = text_format("%s\nalias a b", text);
	assert_int_equal(dropin_file_kind(other), DROPIN_FILE_OLD);
	free(other);
	assert_int_equal(dropin_file_kind(text + 1), DROPIN_FILE_FOREIGN);
	assert_int_equal(dropin_file_kind(""), DROPIN_FILE_FOREIGN);
	assert_int_equal(dropin_file_kind(NULL), DROPIN_FILE_NONE);
	free(text);
}

static void check_quoted(const char *word, const char *wanted)
{
	char *quoted = text_quote(word);

	assert_string_equal(quoted, wanted);
	free(quoted);
}

static void test_text(void **state)
{
	char *list = NULL;

	(void)state;
	check_quoted("/var/cache/erofs-od", "/var/cache/erofs-od");
	check_quoted("/a b", "'/a b'");
	check_quoted("it's", "'it'\\''s'");
	check_quoted("$(reboot)", "'$(reboot)'");
	check_quoted("", "''");
	text_append(&list, ", ", "a");
	text_append(&list, ", ", "b");
	assert_string_equal(list, "a, b");
	free(list);
	assert_true(text_has_word("ubuntu debian", "debian"));
	assert_true(text_has_word("rhel,centos", "rhel"));
	assert_false(text_has_word("debianish", "debian"));
	assert_false(text_has_word("debian", "debianish"));
	assert_false(text_has_word("", ""));
	assert_false(text_has_word("debian ", ""));
	assert_false(text_has_word(NULL, "a"));
}

static void test_findings(void **state)
{
	struct findings findings = { 0 };
	json_t *array, *object;
	char *shown = NULL;
	size_t size;
	FILE *out;

	(void)state;
	findings_ok(&findings, FINDING_KERNEL_RANGE, text_copy("two\nlines"));
	findings_problem(&findings, FINDING_DEVICE, text_copy("a"), text_copy("b"));
	/* the last word counts */
	findings_note(&findings, FINDING_DEVICE, text_copy("c"), text_copy("d"));
	findings_skip(&findings, FINDING_DAEMON, FINDING_DEVICE);
	assert_string_equal(findings.list[FINDING_KERNEL_RANGE].text, "two lines");
	assert_int_equal(findings_count(&findings, FINDING_PROBLEM), 0);
	assert_int_equal(findings_count(&findings, FINDING_NOTE), 2);
	/* a check with its own result is no longer listed as skipped */
	findings_skip(&findings, FINDING_DROPIN, FINDING_DEVICE);
	findings_ok(&findings, FINDING_DROPIN, text_copy("e"));
	out = open_memstream(&shown, &size);
	findings_show(&findings, out);
	fclose(out);
	assert_non_null(strstr(shown, "\n0 problems, 1 note, 1 not checked\n"));
	free(shown);
	array = findings_json(&findings);
	object = json_array_get(array, FINDING_DEVICE);
	assert_string_equal(json_string_value(json_object_get(object, "id")), "device");
	assert_string_equal(json_string_value(json_object_get(object, "state")), "note");
	assert_string_equal(json_string_value(json_object_get(object, "remedy")), "d");
	assert_true(json_is_null(json_object_get(json_array_get(array, FINDING_KERNEL_RANGE),
						 "remedy")));
	json_decref(array);
	findings_free(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_vermagic),
		cmocka_unit_test(test_log_reason),
		cmocka_unit_test(test_lockdown),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_dropin_option),
		cmocka_unit_test(test_dropin_file),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
