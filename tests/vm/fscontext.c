// SPDX-License-Identifier: GPL-2.0-only
/*
 * fscontext: create a superblock by fsconfig(2), and keep the context open.
 *
 *	fscontext KEY=VALUE...    print "0" or the error, then wait for a signal
 *
 * Exit status 77: the kernel has no fsopen(2).
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNSUPPORTED	77

/* Values of the kernel's headers, which the build host may lack. */
#define SET_FLAG	0
#define SET_STRING	1
#define CMD_CREATE	6

#ifndef SYS_fsopen
#define SYS_fsopen	430
#define SYS_fsconfig	431
#endif

static void set(int fs, char *option)
{
	char *value = strchr(option, '=');

	if (value)
		*value++ = 0;
	if (syscall(SYS_fsconfig, fs, value ? SET_STRING : SET_FLAG, option, value, 0))
		err(1, "%s", option);
}

int main(int argc, char **argv)
{
	char ro[] = "ro";
	int fs = (int)syscall(SYS_fsopen, "erofs_od", 0), i;

	if (fs < 0)
		err(errno == ENOSYS ? UNSUPPORTED : 1, "fsopen");
	set(fs, ro);
	for (i = 1; i < argc; i++)
		set(fs, argv[i]);
	if (syscall(SYS_fsconfig, fs, CMD_CREATE, NULL, NULL, 0))
		puts(strerror(errno));
	else
		puts("0");
	fflush(stdout);
	pause();
	return 0;
}
