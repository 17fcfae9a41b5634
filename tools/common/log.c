// SPDX-License-Identifier: GPL-2.0-only
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	const char *program;
	enum log_level highest;
	bool journal;
} log_state = { "erofs-od", LOG_LEVEL_INFO, false };

/* systemd sets JOURNAL_STREAM=DEVICE:INODE to the stream that is connected to the journal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/**
 * log_init - set up the log; call it once, before other threads exist
 * @program: prefix of each line; not copied
 * @verbose: print log_debug() as well
 */
void log_init(const char *program, bool verbose)
{
	log_state.program = program;
	log_state.highest = verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	log_state.journal = stderr_is_journal();
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[2048];
	size_t used = 0;
	ssize_t written;
	va_list args;
	int n;

	if (level > log_state.highest)
		return;
	if (log_state.journal)
		n = snprintf(line, sizeof(line), "<%d>", level);
	else
		n = snprintf(line, sizeof(line), "%s: ", log_state.program);
	used = (size_t)n;

	va_start(args, fmt);
	n = vsnprintf(line + used, sizeof(line) - used - 1, fmt, args);
	va_end(args);
	if (n > 0)
		used += (size_t)n;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	/* An error on stderr cannot be reported. */
	written = write(STDERR_FILENO, line, used);
	(void)written;
}
