// SPDX-License-Identifier: GPL-2.0-only
/* Does this kernel require signed modules, and does it trust the signer of these? */
#include "doctor.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "text.h"

#define CERTIFICATE_NAME_MAX	256

/**
 * struct certificate - of the key that DKMS signs with on this host
 * @path: of its file there, or NULL
 * @name: common name of its subject
 * @key_id: of the key, as the kernel prints it, or NULL
 */
struct certificate {
	const char *path;
	char name[CERTIFICATE_NAME_MAX];
	char *key_id;
};

/**
 * doctor_lockdown - find the current state of lockdown
 * @text: of the kernel's file, with the current state in brackets
 *
 * Return: the state, or NULL if there is none; free it
 */
char *doctor_lockdown(const char *text)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	return close ? text_format("%.*s", (int)(close - open - 1), open + 1) : NULL;
}

/**
 * doctor_key_listed - does the kernel list a key?
 * @keys: text of /proc/keys
 * @name: of the signer, or the id of the key in hexadecimal
 *
 * Only asymmetric keys verify signatures; /proc/keys truncates the word.
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

/* Lockdown is unknown, and mounting securityfs would tell. */
static bool is_lockdown_hidden(const struct host *host, const char *lockdown)
{
	char *known = host_read(host, "/proc/filesystems");
	bool hidden = !lockdown && !host_has(host, "/sys/kernel/security/lsm") &&
		      (!known || strstr(known, "\tsecurityfs"));

	free(known);
	return hidden;
}

/* Why this kernel requires signatures, or NULL; free it. */
static char *why_required(const struct host *host, const char *lockdown)
{
	char *enforce = host_read(host, "/sys/module/module/parameters/sig_enforce");
	char *why = NULL;

	if (lockdown && strcmp(lockdown, "none"))
		why = text_format("lockdown: %s", lockdown);
	else if (enforce && *enforce == 'Y')
		why = text_copy("module.sig_enforce");
	free(enforce);
	return why;
}

/* Return: a module whose file has no signature, or NULL */
static const struct installed *find_unsigned(const struct modules *modules)
{
	int module;

	for (module = MODULE_COUNT; module--;)
		if (!modules->installed[module].is_signed)
			return &modules->installed[module];
	return NULL;
}

static void check_unsigned(struct doctor *doctor, const char *path, const char *lockdown,
			   const char *required)
{
	enum finding_id id = FINDING_SIGNATURE;

	if (required)
		findings_problem(&doctor->findings, id,
				 text_format("%s is not signed, and this kernel requires signatures "
					     "(%s)", path, required), advice_build(&doctor->host));
	else if (is_lockdown_hidden(&doctor->host, lockdown))
		findings_note(&doctor->findings, id,
			      text_copy("the modules are not signed; cannot tell whether this kernel "
					"requires it: securityfs is not mounted"),
			      text_copy("mount -t securityfs securityfs /sys/kernel/security"));
	else
		findings_ok(&doctor->findings, id,
			    text_copy("the modules are not signed; this kernel does not require "
				      "signatures"));
}

static void check_signature(struct doctor *doctor, const char *lockdown, const char *required)
{
	const struct installed *without = find_unsigned(&doctor->modules);
	const char *signer = doctor->modules.installed[MODULE_EROFS_OD].signer;
	enum finding_id id = FINDING_SIGNATURE;

	if (!doctor_has_modules(doctor))
		findings_skip(&doctor->findings, id, FINDING_MODULES_BUILT);
	else if (!modules_are_installed(&doctor->modules))
		findings_ok(&doctor->findings, id, text_copy("the kernel has loaded the modules"));
	else if (without)
		check_unsigned(doctor, without->path + strlen(doctor->host.sysroot), lockdown,
			       required);
	else
		findings_ok(&doctor->findings, id,
			    text_format("both modules are signed by %s (required: %s)",
					signer ? signer : "an unknown signer",
					required ? required : "no"));
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

static bool read_certificate(struct certificate *certificate, const struct host *host,
			     const char *path)
{
	char *where = host_path(host, "%s", path);
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

/* Ubuntu's DKMS uses a key that signs other things as well. */
static void find_certificate(struct certificate *certificate, const struct host *host)
{
	memset(certificate, 0, sizeof(*certificate));
	if (!read_certificate(certificate, host, "/var/lib/dkms/mok.pub"))
		read_certificate(certificate, host, "/var/lib/shim-signed/mok/MOK.der");
}

/* A key that was created again has the same name as the old one: compare its id if known. */
static bool is_enrolled(const struct certificate *certificate, const char *keys,
			const char *signer)
{
	if (certificate->key_id && !strcmp(certificate->name, signer))
		return doctor_key_listed(keys, certificate->key_id);
	return doctor_key_listed(keys, signer);
}

/* Enrolling takes effect at the next boot, after a confirmation at the console. */
static char *enroll_command(const struct certificate *certificate, const char *signer)
{
	if (certificate->path && !strcmp(certificate->name, signer))
		return text_format("mokutil --import %s", certificate->path);
	return text_format("enrol the certificate of %s with mokutil --import", signer);
}

static void check_listed(struct doctor *doctor, const char *required, const char *signer)
{
	char *keys = host_read(&doctor->host, "/proc/keys");
	enum finding_id id = FINDING_SIGNER_KEY;
	struct certificate certificate;

	find_certificate(&certificate, &doctor->host);
	if (keys && is_enrolled(&certificate, keys, signer))
		findings_ok(&doctor->findings, id,
			    text_format("the kernel has the key of %s", signer));
	else if (!required)
		findings_ok(&doctor->findings, id,
			    text_format("the kernel does not have the key of %s, and does not "
					"require it", signer));
	else if (!keys || !doctor_key_listed(keys, ""))
		findings_note(&doctor->findings, id,
			      text_format("cannot tell whether the kernel has the key of %s: it lists "
					  "no keys", signer),
			      geteuid() ? advice_root() : enroll_command(&certificate, signer));
	else
		findings_problem(&doctor->findings, id,
				 text_format("the kernel does not have the key of %s, who signed "
					     "the modules", signer),
				 enroll_command(&certificate, signer));
	free(certificate.key_id);
	free(keys);
}

/* A module that the kernel has loaded needs no other proof. */
static void check_key(struct doctor *doctor, const char *required)
{
	const struct installed *installed = &doctor->modules.installed[MODULE_EROFS_OD];
	enum finding_id id = FINDING_SIGNER_KEY;

	if (findings_state(&doctor->findings, FINDING_SIGNATURE) != FINDING_OK)
		findings_skip(&doctor->findings, id, FINDING_SIGNATURE);
	else if (!modules_are_installed(&doctor->modules) ||
		 (required && doctor_is_accepted(doctor, MODULE_EROFS_OD)))
		findings_ok(&doctor->findings, id, text_copy("the kernel has loaded the modules"));
	else if (!installed->is_signed)
		findings_ok(&doctor->findings, id, text_copy("no key is needed"));
	else if (!installed->signer)
		findings_note(&doctor->findings, id, text_copy("cannot tell who signed the modules"),
			      text_copy("modinfo erofs_od"));
	else
		check_listed(doctor, required, installed->signer);
}

void doctor_signature(struct doctor *doctor)
{
	char *text = host_read(&doctor->host, "/sys/kernel/security/lockdown");
	char *lockdown = text ? doctor_lockdown(text) : NULL;
	char *required = why_required(&doctor->host, lockdown);

	check_signature(doctor, lockdown, required);
	check_key(doctor, required);
	free(required);
	free(lockdown);
	free(text);
}
