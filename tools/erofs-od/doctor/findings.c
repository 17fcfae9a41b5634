// SPDX-License-Identifier: GPL-2.0-only
#include "findings.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

static const char *const names[FINDING_COUNT] = {
	[FINDING_KERNEL_RANGE]		= "kernel-range",
	[FINDING_KERNEL_HEADERS]	= "kernel-headers",
	[FINDING_MODULES_BUILT]		= "modules-built",
	[FINDING_ALGORITHMS]		= "algorithms",
	[FINDING_SIGNATURE]		= "signature",
	[FINDING_SIGNER_KEY]		= "signer-key",
	[FINDING_SELINUX]		= "selinux",
	[FINDING_FIPS]			= "fips",
	[FINDING_STOCK_CACHEFILES]	= "stock-cachefiles",
	[FINDING_MODULES_LOADED]	= "modules-loaded",
	[FINDING_MODULES_CURRENT]	= "modules-current",
	[FINDING_DROPIN]		= "dropin",
	[FINDING_DEVICE]		= "device",
	[FINDING_CACHE_FOLDER]		= "cache-folder",
	[FINDING_CACHE_MOUNT]		= "cache-mount",
	[FINDING_CACHE_SPACE]		= "cache-space",
	[FINDING_DAEMON]		= "daemon",
};

static const char *const states[] = {
	[FINDING_UNCHECKED]	= "unchecked",
	[FINDING_OK]		= "ok",
	[FINDING_NOTE]		= "note",
	[FINDING_PROBLEM]	= "problem",
};

/* Text from a file may contain line breaks and control characters. */
static char *one_line(char *text)
{
	char *p;

	for (p = text; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	return text;
}

static void add(struct findings *findings, enum finding_id id, enum finding_state state,
		char *text, char *remedy)
{
	struct finding *finding = &findings->list[id];

	free(finding->text);
	free(finding->remedy);
	finding->state = state;
	finding->text = one_line(text);
	finding->remedy = one_line(remedy);
	finding->skipped = false;
}

/**
 * findings_ok - record that there is nothing to do
 * @findings: all results
 * @id: the check
 * @text: from malloc(); ownership passes to @findings
 */
void findings_ok(struct findings *findings, enum finding_id id, char *text)
{
	add(findings, id, FINDING_OK, text, NULL);
}

/** findings_note - as findings_ok(), with a remedy, whose ownership passes as well */
void findings_note(struct findings *findings, enum finding_id id, char *text, char *remedy)
{
	add(findings, id, FINDING_NOTE, text, remedy);
}

/** findings_problem - as findings_note() */
void findings_problem(struct findings *findings, enum finding_id id, char *text, char *remedy)
{
	add(findings, id, FINDING_PROBLEM, text, remedy);
}

/** findings_skip - record that check @id needs a better result of check @first */
void findings_skip(struct findings *findings, enum finding_id id, enum finding_id first)
{
	findings_note(findings, id, text_format("not checked because of %s", names[first]),
		      text_format("resolve %s first", names[first]));
	findings->list[id].skipped = true;
}

enum finding_state findings_state(const struct findings *findings, enum finding_id id)
{
	return findings->list[id].state;
}

/** findings_count - number of findings in a state */
unsigned int findings_count(const struct findings *findings, enum finding_state state)
{
	unsigned int n = 0;
	int id;

	for (id = 0; id < FINDING_COUNT; id++)
		n += findings->list[id].state == state;
	return n;
}

static unsigned int count_skipped(const struct findings *findings)
{
	unsigned int n = 0;
	int id;

	for (id = 0; id < FINDING_COUNT; id++)
		n += findings->list[id].skipped;
	return n;
}

static const char *plural(unsigned int n)
{
	return n == 1 ? "" : "s";
}

/* The text of a skipped check names the remedy already. */
static void show_finding(const struct finding *finding, enum finding_id id, FILE *out)
{
	fprintf(out, "%-8s %-17s %s\n", states[finding->state], names[id], finding->text);
	if (finding->remedy && !finding->skipped)
		fprintf(out, "%26s -> %s\n", "", finding->remedy);
}

/** findings_show - print a line for each, followed by its remedy */
void findings_show(const struct findings *findings, FILE *out)
{
	unsigned int problems = findings_count(findings, FINDING_PROBLEM);
	unsigned int skipped = count_skipped(findings);
	unsigned int notes = findings_count(findings, FINDING_NOTE) - skipped;
	int id;

	for (id = 0; id < FINDING_COUNT; id++)
		show_finding(&findings->list[id], id, out);
	fprintf(out, "%u problem%s, %u note%s, %u not checked\n", problems, plural(problems), notes,
		plural(notes), skipped);
}

/** findings_json - an array of objects with id, state, text and remedy */
json_t *findings_json(const struct findings *findings)
{
	const struct finding *finding;
	json_t *array = json_array(), *object;
	int id;

	for (id = 0; id < FINDING_COUNT; id++) {
		finding = &findings->list[id];
		object = json_object();
		json_object_set_new(object, "id", json_string(names[id]));
		json_object_set_new(object, "state", json_string(states[finding->state]));
		json_object_set_new(object, "text", json_text(finding->text));
		json_object_set_new(object, "remedy", json_text(finding->remedy));
		json_array_append_new(array, object);
	}
	return array;
}

void findings_free(struct findings *findings)
{
	int id;

	for (id = 0; id < FINDING_COUNT; id++) {
		free(findings->list[id].text);
		free(findings->list[id].remedy);
	}
	memset(findings, 0, sizeof(*findings));
}
