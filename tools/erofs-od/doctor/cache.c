// SPDX-License-Identifier: GPL-2.0-only
/* The cache directory, and the file system that it is on. */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <libmount.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "advice.h"
#include "core/limit.h"
#include "table.h"
#include "text.h"

/* The smallest unit that the module reads, so the smallest hole that it has to find. */
#define GRAIN		4096
#define XATTR_NAME	"user.erofs-od.doctor"

/**
 * struct place - location of the cache directory
 * @path: of the directory, or of its nearest existing parent
 * @seen: @path without the sysroot
 * @exists: @path is the directory itself
 * @target: mount point, or NULL if unknown
 * @type: file system type, or NULL if unknown
 * @read_only: the mount or its file system is read-only
 * @idmapped: the mount is idmapped
 * @fs: from statfs(2)
 */
struct place {
	char *path;
	char *seen;
	bool exists;
	char *target;
	char *type;
	bool read_only;
	bool idmapped;
	struct statfs fs;
};

/**
 * doctor_is_network - can other hosts write to this file system?
 * @magic: of statfs(2)
 * @type: file system type, or NULL
 */
bool doctor_is_network(uint64_t magic, const char *type)
{
	static const uint64_t magics[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
		AFS_SUPER_MAGIC, AFS_FS_MAGIC, CEPH_SUPER_MAGIC, CODA_SUPER_MAGIC, V9FS_MAGIC,
	};
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (magics[i] == magic)
			return true;
	return type && mnt_fstype_is_netfs(type);
}

static bool has_option(const char *options, const char *name)
{
	char *value;
	size_t len;

	return options && !mnt_optstr_get_option(options, name, &value, &len);
}

/* mnt_table_find_mountpoint() would need the path to exist on this host. */
static struct libmnt_fs *mount_of(struct libmnt_table *table, const char *path)
{
	struct libmnt_fs *fs;
	char *above = text_copy(path);

	while ((fs = mnt_table_find_target(table, above, MNT_ITER_BACKWARD)) == NULL &&
	       strcmp(above, "/"))
		/* Truncates in place: the path begins with a slash. */
		dirname(above);
	free(above);
	return fs;
}

static void find_mount(struct place *place, const struct host *host)
{
	char *path = host_path(host, "/proc/self/mountinfo");
	struct libmnt_table *table = mnt_new_table_from_file(path);
	struct libmnt_fs *fs = NULL;

	if (table)
		fs = mount_of(table, place->seen);
	if (fs) {
		place->target = text_copy(mnt_fs_get_target(fs));
		place->type = text_copy(mnt_fs_get_fstype(fs));
		place->read_only = has_option(mnt_fs_get_vfs_options(fs), "ro") ||
				   has_option(mnt_fs_get_fs_options(fs), "ro");
		place->idmapped = has_option(mnt_fs_get_vfs_options(fs), "idmapped");
	}
	mnt_unref_table(table);
	free(path);
}

/* A path without the sysroot. */
static char *strip_sysroot(const struct host *host, const char *path)
{
	char *root = host_is_local(host) ? NULL : realpath(host->sysroot, NULL);
	size_t len = root ? strlen(root) : 0;

	if (len && !strncmp(path, root, len))
		path += len;
	free(root);
	return text_copy(*path ? path : "/");
}

static void find_place(struct place *place, const struct doctor *doctor)
{
	char *path = host_path(&doctor->host, "%s", doctor->cache);
	char *resolved;

	memset(place, 0, sizeof(*place));
	place->exists = true;
	while ((resolved = realpath(path, NULL)) == NULL && strlen(path) > 1) {
		char *above = text_copy(dirname(path));

		place->exists = false;
		free(path);
		path = above;
	}
	free(path);
	place->path = resolved ? resolved : text_copy("/");
	place->seen = strip_sysroot(&doctor->host, place->path);
	find_mount(place, &doctor->host);
	statfs(place->path, &place->fs);
}

static void free_place(struct place *place)
{
	free(place->path);
	free(place->seen);
	free(place->target);
	free(place->type);
}

static void check_directory(struct doctor *doctor, const struct place *place, const char *quoted)
{
	enum finding_id id = FINDING_CACHE_FOLDER;
	struct stat st;

	if (!place->exists)
		findings_problem(&doctor->findings, id,
				 text_format("%s does not exist", doctor->cache),
				 text_format("install -d -m 700 %s", quoted));
	else if (stat(place->path, &st) || !S_ISDIR(st.st_mode))
		findings_problem(&doctor->findings, id,
				 text_format("%s is not a directory", doctor->cache),
				 text_format("mv %s %s.old && install -d -m 700 %s", quoted,
					     quoted, quoted));
	else if (st.st_mode & 077)
		findings_note(&doctor->findings, id,
			      text_format("users other than root can enter %s", doctor->cache),
			      text_format("chmod 700 %s", quoted));
	else
		findings_ok(&doctor->findings, id,
			    text_format("the cache directory is %s", doctor->cache));
}

static char *elsewhere(void)
{
	return text_copy("erofs-od doctor --dir=/srv/erofs-od  # or another directory");
}

/* Return: why no cache can be on this mount, or NULL; free it */
static char *mount_objection(const struct doctor *doctor, const struct place *place)
{
	const char *type = place->type ? place->type : "unknown";
	const char *target = place->target ? place->target : place->seen;
	const char *objection;

	if (doctor_is_network((uint64_t)place->fs.f_type & UINT32_MAX, place->type))
		objection = "a network file system";
	else if (place->read_only)
		objection = "which is read-only";
	else if (place->idmapped)
		objection = "which is idmapped";
	else if (!strcmp(type, "overlay") || !strncmp(type, "fuse", 4) ||
		 !strcmp(type, "virtiofs"))
		objection = "where data cannot be made durable";
	else
		return NULL;
	return text_format("%s is on %s (%s), %s", doctor->cache, target, type, objection);
}

static char *mount_remedy(const struct place *place, const char *quoted)
{
	return place->read_only ? text_format("mount -o remount,rw %s", quoted) : elsewhere();
}

/* As the module does on bind. */
static int try_holes(int fd, const struct place *place)
{
	off_t block = place->fs.f_bsize > GRAIN ? (off_t)place->fs.f_bsize : GRAIN;
	char data[GRAIN] = { 1 };

	if (ftruncate(fd, 4 * block))
		return -errno;
	if (pwrite(fd, data, sizeof(data), 2 * block) != (ssize_t)sizeof(data))
		return -errno;
	if (lseek(fd, 0, SEEK_DATA) == 2 * block &&
	    lseek(fd, 2 * block, SEEK_HOLE) == 3 * block &&
	    lseek(fd, 3 * block, SEEK_DATA) < 0 && errno == ENXIO)
		return 0;
	return -EOPNOTSUPP;
}

static int try_xattr(int fd)
{
	static const char value[18] = "a value like this";
	char found[sizeof(value) + 1];

	if (fsetxattr(fd, XATTR_NAME, value, sizeof(value), 0))
		return -errno;
	if (fgetxattr(fd, XATTR_NAME, found, sizeof(found)) != (ssize_t)sizeof(value) ||
	    memcmp(found, value, sizeof(value)))
		return -EIO;
	return fremovexattr(fd, XATTR_NAME) ? -errno : 0;
}

/* Reports the first drawback; the caller has reported that the mount is fine. */
static void try_unnamed(struct doctor *doctor, const struct place *place, int fd)
{
	enum finding_id id = FINDING_CACHE_MOUNT;
	int err = try_holes(fd, place);

	if (err == -EOPNOTSUPP) {
		findings_problem(&doctor->findings, id,
				 text_format("%s is on a file system that does not distinguish "
					     "holes from data", doctor->cache), elsewhere());
		return;
	}
	if (!err) {
		err = try_xattr(fd);
		if (!err)
			return;
		findings_note(&doctor->findings, id,
			      text_format("%s is on a file system without user xattrs (%s): blobs are "
					  "fetched again after each mount", doctor->cache,
					  strerror(-err)), elsewhere());
		return;
	}
	findings_note(&doctor->findings, id,
		      text_format("cannot test the file system of %s: %s", doctor->cache,
				  strerror(-err)), text_format("df %s", place->seen));
}

/* The file is unlinked at once, so that it cannot remain there. */
static void try_file(struct doctor *doctor, const struct place *place)
{
	char *name = text_format("%s/doctor.XXXXXX", place->path);
	int fd = mkostemp(name, O_CLOEXEC);
	int err = fd < 0 ? errno : 0;

	if (fd >= 0) {
		unlink(name);
		try_unnamed(doctor, place, fd);
		close(fd);
	} else {
		findings_note(&doctor->findings, FINDING_CACHE_MOUNT,
			      text_format("cannot test the file system of %s: %s", doctor->cache,
					  strerror(err)),
			      geteuid() ? advice_root() : text_format("df %s", place->seen));
	}
	free(name);
}

static void check_mount(struct doctor *doctor, const struct place *place)
{
	const char *target = place->target ? place->target : place->seen;
	char *objection = mount_objection(doctor, place);
	enum finding_id id = FINDING_CACHE_MOUNT;
	char *quoted = text_quote(target);

	if (objection) {
		findings_problem(&doctor->findings, id, objection, mount_remedy(place, quoted));
	} else {
		findings_ok(&doctor->findings, id,
			    text_format("%s is on %s (%s)", doctor->cache, target,
					place->type ? place->type : "unknown"));
		if (findings_state(&doctor->findings, FINDING_CACHE_FOLDER) != FINDING_PROBLEM)
			try_file(doctor, place);
	}
	free(quoted);
}

static unsigned int percent(uint64_t total, uint64_t part)
{
	return total ? (unsigned int)(100.0 * (double)part / (double)total) : 100;
}

/* Against the default limits; a daemon can set others. */
static void check_space(struct doctor *doctor, const struct place *place, const char *quoted)
{
	static const struct od_limit limit = OD_LIMIT_DEFAULT;
	const struct statfs *fs = &place->fs;
	enum od_room blocks = od_limit_room(&limit, fs->f_blocks, fs->f_bavail);
	enum od_room files = od_limit_room(&limit, fs->f_files, fs->f_ffree);
	char *free_now = text_format("%u %% of the blocks and %u %% of the files are free",
				     percent(fs->f_blocks, fs->f_bavail),
				     percent(fs->f_files, fs->f_ffree));
	const char *option = files > blocks ? " -i" : "";
	enum finding_id id = FINDING_CACHE_SPACE;

	switch (files > blocks ? files : blocks) {
	case OD_ROOM_PLENTY:
		findings_ok(&doctor->findings, id, text_copy(free_now));
		break;
	case OD_ROOM_SOME:
		findings_note(&doctor->findings, id,
			      text_format("%s; once begun, culling goes on up to %u %%", free_now,
					  limit.run), text_format("df%s %s", option, quoted));
		break;
	case OD_ROOM_SCARCE:
		findings_note(&doctor->findings, id,
			      text_format("%s; the daemon culls below %u %%", free_now, limit.cull),
			      text_format("df%s %s", option, quoted));
		break;
	case OD_ROOM_NONE:
		findings_problem(&doctor->findings, id,
				 text_format("%s; below %u %% missing data is passed on and not kept",
					     free_now, limit.stop), text_format("df%s %s", option, quoted));
		break;
	}
	free(free_now);
}

/** doctor_cache - the cache directory, its file system and free space */
void doctor_cache(struct doctor *doctor)
{
	char *quoted = text_quote(doctor->cache), *seen;
	struct place place;

	find_place(&place, doctor);
	seen = text_quote(place.seen);
	check_directory(doctor, &place, quoted);
	check_mount(doctor, &place);
	check_space(doctor, &place, seen);
	free(seen);
	free(quoted);
	free_place(&place);
}
