// SPDX-License-Identifier: GPL-2.0-only
/* The algorithms of compressed images that a kernel has: the module was built for them. */
#include "doctor.h"

#include <stdlib.h>

#include "text.h"

/* "lz4, deflate and zstd" */
static char *list_of(const bool *has, bool wanted)
{
	char *list = NULL, *longer;
	int i, left = 0;

	for (i = 0; i < ALGORITHM_COUNT; i++)
		left += has[i] == wanted;
	for (i = 0; i < ALGORITHM_COUNT; i++) {
		if (has[i] != wanted)
			continue;
		longer = text_format("%s%s%s", list ? list : "",
				     !list ? "" : left == 1 ? " and " : ", ", algorithm_name(i));
		free(list);
		list = longer;
		left--;
	}
	return list;
}

/** doctor_algorithms - which compressed images can this kernel mount? */
void doctor_algorithms(struct doctor *doctor)
{
	const char *release = doctor->host.kernel;
	bool has[ALGORITHM_COUNT];
	char *list;

	if (modules_algorithms(&doctor->modules, has) < 0) {
		findings_skip(&doctor->findings, FINDING_ALGORITHMS, FINDING_MODULES_BUILT);
		return;
	}
	list = list_of(has, false);
	if (list) {
		findings_note(&doctor->findings, FINDING_ALGORITHMS,
			      text_format("kernel %s lacks %s: images compressed by it are refused",
					  release, list),
			      text_copy("compress images for this kernel by lz4: mkfs.erofs -zlz4"));
	} else {
		list = list_of(has, true);
		findings_ok(&doctor->findings, FINDING_ALGORITHMS,
			    text_format("kernel %s decompresses %s", release, list));
	}
	free(list);
}
