// SPDX-License-Identifier: GPL-2.0-only
/* Can a cache live in this folder? */
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

/* The least that the module reads at a time, so the smallest hole it has to see. */
#define GRAIN		4096
#define XATTR_NAME	"user.erofs-od.doctor"

/**
 * struct place - where the cache's folder lies
 * @path: of the folder, or of the nearest one above that is there
 * @seen: the same as the machine sees it
 * @is_there: it is the folder itself
 * @target: mount point, or NULL if it is not known
 * @type: file system type
 * @read_only: nothing can be written
 * @idmapped: owners are changed on the way
 * @fs: what statfs(2) says
 */
struct place {
	char *path;
	char *seen;
	bool is_there;
	char *target;
	char *type;
	bool read_only;
	bool idmapped;
	struct statfs fs;
};

/**
 * doctor_is_network - is it one that other machines write to, too?
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

/* libmount has a search like this, too, which looks whether the path is here. */
static struct libmnt_fs *mount_of(struct libmnt_table *table, const char *path)
{
	struct libmnt_fs *fs;
	char *above = text_copy(path);

	while ((fs = mnt_table_find_target(table, above, MNT_ITER_BACKWARD)) == NULL &&
	       strcmp(above, "/"))
		/* It cuts in place: the path begins with a slash. */
		dirname(above);
	free(above);
	return fs;
}

static void find_mount(struct place *place, const struct machine *machine)
{
	char *path = machine_path(machine, "/proc/self/mountinfo");
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

/* A path without the folder that stands for the machine's /. */
static char *as_seen(const struct machine *machine, const char *path)
{
	char *root = machine_is_here(machine) ? NULL : realpath(machine->sysroot, NULL);
	size_t len = root ? strlen(root) : 0;

	if (len && !strncmp(path, root, len))
		path += len;
	free(root);
	return text_copy(*path ? path : "/");
}

static void find_place(struct place *place, const struct doctor *doctor)
{
	char *path = machine_path(&doctor->machine, "%s", doctor->cache);
	char *resolved;

	memset(place, 0, sizeof(*place));
	place->is_there = true;
	while ((resolved = realpath(path, NULL)) == NULL && strlen(path) > 1) {
		char *above = text_copy(dirname(path));

		place->is_there = false;
		free(path);
		path = above;
	}
	free(path);
	place->path = resolved ? resolved : text_copy("/");
	place->seen = as_seen(&doctor->machine, place->path);
	find_mount(place, &doctor->machine);
	statfs(place->path, &place->fs);
}

static void leave_place(struct place *place)
{
	free(place->path);
	free(place->seen);
	free(place->target);
	free(place->type);
}

static void ask_folder(struct doctor *doctor, const struct place *place, const char *quoted)
{
	enum finding_id id = FINDING_CACHE_FOLDER;
	struct stat st;

	if (!place->is_there)
		findings_problem(&doctor->findings, id,
				 text_format("there is no folder %s", doctor->cache),
				 text_format("install -d -m 700 %s", quoted));
	else if (stat(place->path, &st) || !S_ISDIR(st.st_mode))
		findings_problem(&doctor->findings, id,
				 text_format("%s is no folder", doctor->cache),
				 text_format("mv %s %s.old && install -d -m 700 %s", quoted,
					     quoted, quoted));
	else if (st.st_mode & 077)
		findings_note(&doctor->findings, id,
			      text_format("others than its owner can enter %s", doctor->cache),
			      text_format("chmod 700 %s", quoted));
	else
		findings_ok(&doctor->findings, id,
			    text_format("the cache's folder is %s", doctor->cache));
}

static char *elsewhere(void)
{
	return text_copy("erofs-od doctor --dir=/srv/erofs-od  # or another folder");
}

static void ask_mount(struct doctor *doctor, const struct place *place)
{
	const char *type = place->type ? place->type : "unknown";
	const char *target = place->target ? place->target : place->seen;
	enum finding_id id = FINDING_CACHE_MOUNT;
	char *quoted = text_quote(target);

	if (doctor_is_network((uint64_t)place->fs.f_type & UINT32_MAX, place->type))
		findings_problem(&doctor->findings, id,
				 text_format("%s is on %s, a network file system (%s)",
					     doctor->cache, target, type), elsewhere());
	else if (place->read_only)
		findings_problem(&doctor->findings, id,
				 text_format("%s is on %s (%s), which is read-only",
					     doctor->cache, target, type),
				 text_format("mount -o remount,rw %s", quoted));
	else if (place->idmapped)
		findings_problem(&doctor->findings, id,
				 text_format("%s is on %s (%s), which is idmapped", doctor->cache,
					     target, type), elsewhere());
	else if (!strcmp(type, "overlay") || !strncmp(type, "fuse", 4) ||
		 !strcmp(type, "virtiofs"))
		findings_problem(&doctor->findings, id,
				 text_format("%s is on %s (%s), on which a cache cannot keep its "
					     "promises; the module refuses it", doctor->cache,
					     target, type), elsewhere());
	else
		findings_ok(&doctor->findings, id,
			    text_format("%s is on %s (%s)", doctor->cache, target, type));
	free(quoted);
}

/* The module asks the same of a folder before it takes it. */
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

static void tell_holes(struct doctor *doctor, int err, const char *quoted)
{
	enum finding_id id = FINDING_CACHE_HOLES;

	if (!err)
		findings_ok(&doctor->findings, id,
			    text_copy("its file system tells holes from data"));
	else if (err == -EOPNOTSUPP)
		findings_problem(&doctor->findings, id,
				 text_copy("its file system does not tell holes from data: no "
					   "cache can be in it"),
				 elsewhere());
	else
		findings_problem(&doctor->findings, id,
				 text_format("a file with a hole cannot be written: %s",
					     strerror(-err)), text_format("df %s", quoted));
}

static void tell_xattr(struct doctor *doctor, int err)
{
	enum finding_id id = FINDING_CACHE_XATTR;

	if (!err)
		findings_ok(&doctor->findings, id,
			    text_copy("its file system keeps user xattrs"));
	else
		findings_note(&doctor->findings, id,
			      text_format("its file system keeps no user xattrs (%s): blobs are "
					  "fetched again after each mount", strerror(-err)),
			      elsewhere());
}

/* A file without a name, so that nothing is left of it whatever happens. */
static void try_file(struct doctor *doctor, const struct place *place, const char *quoted)
{
	char *name = text_format("%s/doctor.XXXXXX", place->path);
	int fd = mkostemp(name, O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	if (fd >= 0) {
		unlink(name);
		tell_holes(doctor, try_holes(fd, place), quoted);
		tell_xattr(doctor, try_xattr(fd));
		close(fd);
	} else if ((err == -EACCES || err == -EPERM) && geteuid()) {
		findings_note(&doctor->findings, FINDING_CACHE_HOLES,
			      text_copy("cannot be tried by who may not write there"),
			      advice_root());
		findings_wait(&doctor->findings, FINDING_CACHE_XATTR, FINDING_CACHE_HOLES);
	} else {
		tell_holes(doctor, err, quoted);
		findings_wait(&doctor->findings, FINDING_CACHE_XATTR, FINDING_CACHE_HOLES);
	}
	free(name);
}

static void ask_file_system(struct doctor *doctor, const struct place *place,
			    const char *quoted)
{
	enum finding_id first = FINDING_CACHE_FOLDER;

	if (findings_state(&doctor->findings, FINDING_CACHE_MOUNT) == FINDING_PROBLEM)
		first = FINDING_CACHE_MOUNT;
	else if (findings_state(&doctor->findings, FINDING_CACHE_FOLDER) != FINDING_PROBLEM)
		return try_file(doctor, place, quoted);
	findings_wait(&doctor->findings, FINDING_CACHE_HOLES, first);
	findings_wait(&doctor->findings, FINDING_CACHE_XATTR, first);
}

static unsigned int percent(uint64_t total, uint64_t part)
{
	return total ? (unsigned int)(100.0 * (double)part / (double)total) : 100;
}

/* By the limits that hold when the daemon sets none. */
static void ask_space(struct doctor *doctor, const struct place *place, const char *quoted)
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
			      text_format("%s: once it has begun, culling goes on until it is %u %%",
					  free_now, limit.run), text_format("df%s %s", option, quoted));
		break;
	case OD_ROOM_SCARCE:
		findings_note(&doctor->findings, id,
			      text_format("%s: below %u %% blobs that are not in use are culled",
					  free_now, limit.cull),
			      text_format("df%s %s", option, quoted));
		break;
	case OD_ROOM_NONE:
		findings_problem(&doctor->findings, id,
				 text_format("%s: below %u %% missing data is passed on and not kept",
					     free_now, limit.stop), text_format("df%s %s", option, quoted));
		break;
	}
	free(free_now);
}

/** doctor_cache - the folder, and the file system that it is on */
void doctor_cache(struct doctor *doctor)
{
	char *quoted = text_quote(doctor->cache), *seen;
	struct place place;

	find_place(&place, doctor);
	seen = text_quote(place.seen);
	ask_folder(doctor, &place, quoted);
	ask_mount(doctor, &place);
	ask_file_system(doctor, &place, quoted);
	ask_space(doctor, &place, seen);
	free(seen);
	free(quoted);
	leave_place(&place);
}
