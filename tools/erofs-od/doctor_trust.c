// SPDX-License-Identifier: GPL-2.0-only
/* Does this kernel load signed modules only, and does it know who signed these? */
#include "doctor.h"

#include <glob.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "text.h"

#define CERTIFICATE_NAME_MAX	256

/**
 * struct certificate - the key that DKMS signs with on this machine
 * @path: where the machine has it, or NULL
 * @name: whose it is
 * @key_id: of the key, as the kernel shows it, or NULL
 */
struct certificate {
	const char *path;
	char name[CERTIFICATE_NAME_MAX];
	char *key_id;
};

/**
 * doctor_lockdown - which state is chosen
 * @text: of the kernel's file, with the state between brackets
 *
 * Return: the state, or NULL if there is none; free it
 */
char *doctor_lockdown(const char *text)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	return close ? text_format("%.*s", (int)(close - open - 1), open + 1) : NULL;
}

/**
 * doctor_key_listed - is a key among those that the kernel shows?
 * @keys: text of /proc/keys
 * @name: whose key, or its id in hexadecimal digits
 *
 * Only asymmetric keys check signatures; the list cuts that word off.
 */
bool doctor_key_listed(const char *keys, const char *name)
{
	const char *line = keys, *end, *found;

	while (*line) {
		end = strchrnul(line, '\n');
		found = strstr(line, " asymmetri ");
		found = found && found < end ? strstr(found, name) : NULL;
		if (found && found < end)
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

/* Where the kernel's list cannot be read, mounting it is still worth a try. */
static bool has_securityfs(const struct machine *machine)
{
	char *known = machine_read(machine, "/proc/filesystems");
	bool has = !known || strstr(known, "\tsecurityfs");

	free(known);
	return has;
}

static void ask_lockdown(struct doctor *doctor, char *state)
{
	if (state)
		findings_ok(&doctor->findings, FINDING_LOCKDOWN,
			    text_format("the kernel's lockdown: %s", state));
	else if (machine_has(&doctor->machine, "/sys/kernel/security/lsm"))
		findings_ok(&doctor->findings, FINDING_LOCKDOWN,
			    text_copy("this kernel has no lockdown"));
	else if (!has_securityfs(&doctor->machine))
		findings_note(&doctor->findings, FINDING_LOCKDOWN,
			      text_copy("lockdown cannot be seen: this kernel has no securityfs"),
			      text_copy("where modules are refused, its log tells why: dmesg | grep -i lockdown"));
	else
		findings_note(&doctor->findings, FINDING_LOCKDOWN,
			      text_copy("lockdown cannot be seen: securityfs is not mounted"),
			      text_copy("mount -t securityfs securityfs /sys/kernel/security"));
}

/* Four bytes of attributes, then the value; -1 if it cannot be read. */
static int read_secure_boot(const char *path)
{
	FILE *in = fopen(path, "re");
	unsigned char value[5];
	size_t n;

	if (!in)
		return -1;
	n = fread(value, 1, sizeof(value), in);
	fclose(in);
	return n == sizeof(value) ? value[4] : -1;
}

static void ask_secure_boot(struct doctor *doctor)
{
	char *pattern = machine_path(&doctor->machine, "/sys/firmware/efi/efivars/SecureBoot-*");
	const char *text = "this machine was not booted by UEFI";
	glob_t found;
	int state;

	if (!glob(pattern, 0, NULL, &found)) {
		state = read_secure_boot(found.gl_pathv[0]);
		text = state < 0 ? NULL : state ? "Secure Boot is on" : "Secure Boot is off";
		globfree(&found);
	} else if (machine_has(&doctor->machine, "/sys/firmware/efi")) {
		text = NULL;
	}
	if (text)
		findings_ok(&doctor->findings, FINDING_SECURE_BOOT, text_copy(text));
	else
		findings_note(&doctor->findings, FINDING_SECURE_BOOT,
			      text_copy("Secure Boot cannot be seen"),
			      text_copy("mount -t efivarfs efivarfs /sys/firmware/efi/efivars"));
	free(pattern);
}

/* Why this kernel loads signed modules only, or NULL; free it. */
static char *why_required(const struct machine *machine, const char *lockdown)
{
	char *enforce = machine_read(machine, "/sys/module/module/parameters/sig_enforce");
	char *why = NULL;

	if (lockdown && strcmp(lockdown, "none"))
		why = text_format("lockdown: %s", lockdown);
	else if (enforce && *enforce == 'Y')
		why = text_copy("module.sig_enforce");
	free(enforce);
	return why;
}

static void ask_signature(struct doctor *doctor, const char *required)
{
	const struct installed *unsigned_one = NULL, *installed;
	enum finding_id id = FINDING_SIGNATURE;
	int module;

	for (module = 0; module < MODULE_COUNT; module++) {
		installed = &doctor->modules.installed[module];
		if (!installed->is_signed)
			unsigned_one = installed;
	}
	if (!doctor_has_modules(doctor))
		findings_wait(&doctor->findings, id, FINDING_MODULES_BUILT);
	else if (!modules_are_installed(&doctor->modules))
		findings_ok(&doctor->findings, id,
			    text_copy("the modules are loaded, signed or not"));
	else if (!unsigned_one)
		findings_ok(&doctor->findings, id, text_format("both modules are signed by %s",
				installed->signer ? installed->signer : "somebody"));
	else if (!required)
		findings_ok(&doctor->findings, id, text_copy("the modules are not signed, which "
				"this kernel does not ask for"));
	else
		findings_problem(&doctor->findings, id,
				 text_format("%s is not signed, and this kernel loads signed "
					     "modules only (%s)", unsigned_one->path +
					     strlen(doctor->machine.sysroot), required),
				 advice_build(&doctor->machine));
}

static char *hex(const ASN1_OCTET_STRING *bytes)
{
	char *text = text_copy("");
	int i;

	for (i = 0; i < ASN1_STRING_length(bytes); i++) {
		char *longer = text_format("%s%02x", text, ASN1_STRING_get0_data(bytes)[i]);

		free(text);
		text = longer;
	}
	return text;
}

static bool read_certificate(struct certificate *certificate, const struct machine *machine,
			     const char *path)
{
	char *where = machine_path(machine, "%s", path);
	FILE *in = fopen(where, "re");
	X509 *x509 = in ? d2i_X509_fp(in, NULL) : NULL;

	if (x509) {
		certificate->path = path;
		X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName,
					  certificate->name, sizeof(certificate->name));
		if (X509_get0_subject_key_id(x509))
			certificate->key_id = hex(X509_get0_subject_key_id(x509));
		X509_free(x509);
	}
	if (in)
		fclose(in);
	free(where);
	return x509;
}

/* Ubuntu has DKMS use a key that other things sign with as well. */
static void find_certificate(struct certificate *certificate, const struct machine *machine)
{
	memset(certificate, 0, sizeof(*certificate));
	if (!read_certificate(certificate, machine, "/var/lib/dkms/mok.pub"))
		read_certificate(certificate, machine, "/var/lib/shim-signed/mok/MOK.der");
}

/* A key that was made anew has the old one's name, so its id is what counts, if known. */
static bool is_enrolled(const struct certificate *certificate, const char *keys,
			const char *signer)
{
	if (certificate->key_id && !strcmp(certificate->name, signer))
		return doctor_key_listed(keys, certificate->key_id);
	return doctor_key_listed(keys, signer);
}

/* A machine takes a new key at its next boot, from somebody who sits before it. */
static char *enroll_command(const struct certificate *certificate, const char *signer)
{
	if (certificate->path && !strcmp(certificate->name, signer))
		return text_format("mokutil --import %s", certificate->path);
	return text_format("enrol the certificate of %s with mokutil --import", signer);
}

static void judge_key(struct doctor *doctor, const char *required, const char *signer)
{
	char *keys = machine_read(&doctor->machine, "/proc/keys");
	enum finding_id id = FINDING_SIGNER_KEY;
	struct certificate certificate;

	find_certificate(&certificate, &doctor->machine);
	if (keys && is_enrolled(&certificate, keys, signer))
		findings_ok(&doctor->findings, id,
			    text_format("the kernel has a key of %s", signer));
	else if (!required)
		findings_ok(&doctor->findings, id, text_format("the kernel shows no key of %s, "
				"which it does not ask for", signer));
	else if (!keys || !doctor_key_listed(keys, ""))
		findings_note(&doctor->findings, id, text_format("whether the kernel has a key of "
				"%s cannot be seen: it shows none at all", signer),
			      geteuid() ? advice_root() : enroll_command(&certificate, signer));
	else
		findings_problem(&doctor->findings, id, text_format("the kernel shows no key of "
				"%s, who signed the modules", signer),
				 enroll_command(&certificate, signer));
	free(certificate.key_id);
	free(keys);
}

/* A module that the kernel has taken needs no further proof. */
static void ask_key(struct doctor *doctor, const char *required)
{
	const struct installed *installed = &doctor->modules.installed[MODULE_EROFS_OD];
	enum finding_id id = FINDING_SIGNER_KEY;

	if (!doctor_has_modules(doctor))
		findings_wait(&doctor->findings, id, FINDING_MODULES_BUILT);
	else if (!modules_are_installed(&doctor->modules))
		findings_ok(&doctor->findings, id,
			    text_copy("the kernel has loaded the modules"));
	else if (findings_state(&doctor->findings, FINDING_SIGNATURE) == FINDING_PROBLEM)
		findings_wait(&doctor->findings, id, FINDING_SIGNATURE);
	else if (required && doctor_is_accepted(doctor, MODULE_EROFS_OD))
		findings_ok(&doctor->findings, id,
			    text_copy("the kernel has loaded what is signed with this key"));
	else if (!installed->is_signed)
		findings_ok(&doctor->findings, id, text_copy("no key is needed"));
	else if (!installed->signer)
		findings_note(&doctor->findings, id, text_copy("whose key it is cannot be seen"),
			      text_copy("modinfo erofs_od"));
	else
		judge_key(doctor, required, installed->signer);
}

void doctor_trust(struct doctor *doctor)
{
	char *text = machine_read(&doctor->machine, "/sys/kernel/security/lockdown");
	char *lockdown = text ? doctor_lockdown(text) : NULL;
	char *required = why_required(&doctor->machine, lockdown);

	ask_lockdown(doctor, lockdown);
	ask_secure_boot(doctor);
	ask_signature(doctor, required);
	ask_key(doctor, required);
	free(required);
	free(lockdown);
	free(text);
}
