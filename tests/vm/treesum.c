// SPDX-License-Identifier: GPL-2.0-only
/*
 * treesum: print one line per path of a tree, to compare two trees by diff. The
 * fields of a line, separated by blanks:
 *
 *	path type mode uid gid mtime size nlink rdev sha256 xattrs target
 *
 * with "-" for fields that do not apply. Names, values and targets are escaped, so
 * that each path takes one line. Properties of the file system rather than the tree
 * are left out: size and link count of directories, atime, ctime, inode and device
 * numbers. Further hard links to a file have "=PATH" in place of the sha256, the
 * first path of that file.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <openssl/evp.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define READ_SIZE	(256U << 10)

struct link_seen {
	dev_t dev;
	ino_t ino;
	char *path;
};

static void *links_seen;
static bool failed;
static EVP_MD_CTX *digest;
static char *read_buf;

static void fail(const char *path, const char *what)
{
	fprintf(stderr, "treesum: %s: %s: %s\n", path, what, strerror(errno));
	failed = true;
}

static void put_escaped(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c > ' ' && c < 127 && c != '\\')
			putchar(c);
		else
			printf("\\%03o", c);
	}
}

static void put_hex(const unsigned char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		printf("%02x", p[i]);
}

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return 'f';
	case S_IFDIR: return 'd';
	case S_IFLNK: return 'l';
	case S_IFCHR: return 'c';
	case S_IFBLK: return 'b';
	case S_IFIFO: return 'p';
	case S_IFSOCK: return 's';
	default: return '?';
	}
}

static int compare_links(const void *a, const void *b)
{
	const struct link_seen *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return 0;
}

/* The first path of a file with several links, or NULL if this is the first. */
static const char *earlier_link(const struct stat *st, const char *path)
{
	struct link_seen *seen = malloc(sizeof(*seen));
	struct link_seen **found;

	if (!seen)
		abort();
	seen->dev = st->st_dev;
	seen->ino = st->st_ino;
	found = tsearch(seen, &links_seen, compare_links);
	if (!found)
		abort();
	if (*found != seen) {
		free(seen);
		return (*found)->path;
	}
	seen->path = strdup(path);
	return NULL;
}

static void put_sha256(const char *accpath, const char *path)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int md_len;
	ssize_t n;
	int fd = open(accpath, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		fail(path, "open");
		putchar('!');
		return;
	}
	EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
	while ((n = read(fd, read_buf, READ_SIZE)) > 0)
		EVP_DigestUpdate(digest, read_buf, n);
	if (n < 0) {
		fail(path, "read");
		putchar('!');
	} else {
		EVP_DigestFinal_ex(digest, md, &md_len);
		put_hex(md, md_len);
	}
	close(fd);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

static void put_xattr(const char *accpath, const char *path, const char *name)
{
	static char value[XATTR_SIZE_MAX];
	ssize_t len = lgetxattr(accpath, name, value, sizeof(value));

	if (len < 0) {
		fail(path, name);
		return;
	}
	put_escaped(name, strlen(name));
	putchar('=');
	put_hex((unsigned char *)value, len);
}

static void put_xattrs(const char *accpath, const char *path)
{
	static char list[XATTR_LIST_MAX];
	static char *names[XATTR_LIST_MAX / 2];
	ssize_t len = llistxattr(accpath, list, sizeof(list));
	size_t nr = 0, i;
	char *p;

	if (len < 0 && errno != ENOTSUP)
		fail(path, "listxattr");
	for (p = list; p < list + len; p += strlen(p) + 1)
		names[nr++] = p;
	if (!nr)
		putchar('-');
	qsort(names, nr, sizeof(*names), compare_strings);
	for (i = 0; i < nr; i++) {
		if (i)
			putchar(',');
		put_xattr(accpath, path, names[i]);
	}
}

static void put_target(const char *accpath, const char *path)
{
	static char target[65536];
	ssize_t len = readlink(accpath, target, sizeof(target));

	if (len < 0)
		fail(path, "readlink");
	else
		put_escaped(target, len);
}

static void put_content(const FTSENT *ent, const struct stat *st, const char *rel)
{
	const char *first;

	if (!S_ISREG(st->st_mode)) {
		putchar('-');
		return;
	}
	first = st->st_nlink > 1 ? earlier_link(st, rel) : NULL;
	if (first) {
		putchar('=');
		put_escaped(first, strlen(first));
	} else {
		put_sha256(ent->fts_accpath, rel);
	}
}

static void put_line(const FTSENT *ent, const char *rel)
{
	const struct stat *st = ent->fts_statp;
	bool dir = S_ISDIR(st->st_mode);
	bool node = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);

	put_escaped(rel, strlen(rel));
	printf(" %c %04o %u %u %lld.%09ld", type_of(st->st_mode), st->st_mode & 07777U,
	       st->st_uid, st->st_gid, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (dir)
		printf(" - -");
	else
		printf(" %lld %lu", (long long)(node ? 0 : st->st_size),
		       (unsigned long)st->st_nlink);
	if (node)
		printf(" %u:%u ", major(st->st_rdev), minor(st->st_rdev));
	else
		printf(" - ");
	put_content(ent, st, rel);
	putchar(' ');
	put_xattrs(ent->fts_accpath, rel);
	putchar(' ');
	if (S_ISLNK(st->st_mode))
		put_target(ent->fts_accpath, rel);
	else
		putchar('-');
	putchar('\n');
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void walk(char *root)
{
	char *roots[] = { root, NULL };
	size_t skip = strlen(root);
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_entries);
	FTSENT *ent;

	if (!fts) {
		fail(root, "open");
		return;
	}
	while ((errno = 0, ent = fts_read(fts))) {
		if (ent->fts_info == FTS_DP)
			continue;
		if (ent->fts_info == FTS_NS || ent->fts_info == FTS_DNR ||
		    ent->fts_info == FTS_ERR) {
			errno = ent->fts_errno;
			fail(ent->fts_path, "walk");
			continue;
		}
		put_line(ent, ent->fts_pathlen > skip ? ent->fts_path + skip + 1 : ".");
	}
	if (errno)
		fail(root, "walk");
	fts_close(fts);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: treesum DIRECTORY\n");
		return 2;
	}
	digest = EVP_MD_CTX_new();
	read_buf = malloc(READ_SIZE);
	if (!digest || !read_buf)
		abort();
	walk(argv[1]);
	if (fflush(stdout))
		fail("standard output", "write");
	return failed;
}
