/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of erofs_od share. */
#ifndef EROFS_OD_INTERNAL_H
#define EROFS_OD_INTERNAL_H

#undef pr_fmt
#define pr_fmt(fmt) "erofs_od: " fmt

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/list.h>
#include <linux/pagemap.h>
#include <linux/wait.h>

#include "od/cache.h"
#include "core/blobtab.h"
#include "core/inode.h"
#include "core/sb.h"
#include "core/xattr.h"
#include "../compat/callbacks.h"

/**
 * enum erofs_od_blob_state - what may be done with a blob
 * @EROFS_OD_BLOB_OPENING: one mount waits for the daemon, others wait for it
 * @EROFS_OD_BLOB_OPEN: usable
 * @EROFS_OD_BLOB_CLOSING: its last user goes; whoever wants it waits
 */
enum erofs_od_blob_state {
	EROFS_OD_BLOB_OPENING,
	EROFS_OD_BLOB_OPEN,
	EROFS_OD_BLOB_CLOSING,
};

/**
 * struct erofs_od_blob - a blob, shared by the mounts of a domain
 * @node: in the domain's list of blobs
 * @domain: where its name means something
 * @users: slots of mounts that refer to it
 * @state: enum erofs_od_blob_state
 * @name: its key
 * @cookie: the open blob
 * @meta: inode whose pages are a copy of the blob, byte for byte
 * @timeout_ms: for its OPEN and for reads of metadata: of the mount that opened it,
 *	else what metadata has
 * @error: why metadata could not be read the last time that it could not
 * @wait: woken up when a read of metadata ends
 *
 * The first four are protected by the mutex of domain.c, the others do not
 * change while there are users.
 */
struct erofs_od_blob {
	struct list_head node;
	struct erofs_od_domain *domain;
	unsigned int users;
	enum erofs_od_blob_state state;
	char *name;
	struct cachefiles_od_cookie *cookie;
	struct inode *meta;
	unsigned int timeout_ms;
	int error;
	wait_queue_head_t wait;
};

/**
 * struct erofs_od_mount - one mount, from its options to its end
 * @fsid: name of the primary blob
 * @domain_id: name of the domain; NULL when the mount is alone
 * @devices: names of the other blobs, as given by options
 * @nr_devices: how many
 * @timeout_ms: for waits on the daemon, in the terms of od/cache.h
 * @user_xattr: user.* attributes are shown
 * @acl: POSIX ACLs are obeyed
 * @wait: woken up when a direct read ends
 * @sb: the superblock; NULL before there is one
 * @node: in the domain's list of mounts
 * @domain: joined domain
 * @listed: complete, so that /proc may show it; under the mutex of domain.c
 * @od: what the image says of itself
 * @generation: for file handles
 * @tab: ranges of the blobs, for core/
 * @ranges: what @tab points to
 * @blobs: the blobs, the primary one first
 * @nr_blobs: how many of them are open
 * @prefixes: long xattr name prefixes
 * @nr_prefixes: how many of them are read
 * @packed: the packed inode; its size is 0 if there is none
 * @algs: algorithms that it can decompress, bit N for enum od_alg N
 * @encoded: bytes of compressed data in memory
 * @encoded_wait: woken up when these get fewer
 * @rcu: to be freed by: the end of a read may still look at @wait
 */
struct erofs_od_mount {
	char *fsid;
	char *domain_id;
	char **devices;
	unsigned int nr_devices;
	unsigned int timeout_ms;
	bool user_xattr;
	bool acl;
	wait_queue_head_t wait;

	struct super_block *sb;
	struct list_head node;
	struct erofs_od_domain *domain;
	bool listed;
	struct od_sb od;
	u32 generation;
	struct od_blobtab tab;
	struct od_blob *ranges;
	struct erofs_od_blob **blobs;
	unsigned int nr_blobs;
	struct od_xattr_prefix *prefixes;
	unsigned int nr_prefixes;
	struct od_inode packed;
	u16 algs;
	atomic_long_t encoded;
	wait_queue_head_t encoded_wait;
	struct rcu_head rcu;
};

/**
 * struct erofs_od_inode - one inode
 * @od: what the image says of it
 * @vfs: the VFS's part
 */
struct erofs_od_inode {
	struct od_inode od;
	struct inode vfs;
};

static inline struct erofs_od_mount *erofs_od_mount(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct erofs_od_inode *erofs_od_inode(const struct inode *inode)
{
	return container_of(inode, struct erofs_od_inode, vfs);
}

/* A nid as an inode number: itself, or folded where longs are short. */
static inline unsigned long erofs_od_ino(u64 nid)
{
	if (sizeof(unsigned long) < sizeof(nid))
		return (unsigned long)(nid ^ nid >> 32);
	return (unsigned long)nid;
}

#define erofs_od_err(m, fmt, ...) \
	pr_err("%s: " fmt "\n", (m)->fsid, ##__VA_ARGS__)
#define erofs_od_err_ratelimited(m, fmt, ...) \
	pr_err_ratelimited("%s: " fmt "\n", (m)->fsid, ##__VA_ARGS__)

/* options.c */
int erofs_od_init_fs_context(struct fs_context *fc);
int erofs_od_show_options(struct seq_file *seq, struct dentry *root);
void erofs_od_free_options(struct erofs_od_mount *m);

/* super.c */
int erofs_od_open_image(struct erofs_od_mount *m);
void erofs_od_close_image(struct erofs_od_mount *m);
int erofs_od_fill_super(struct super_block *sb, struct fs_context *fc);
void erofs_od_kill_sb(struct super_block *sb);

/* prefix.c */
int erofs_od_read_prefixes(struct erofs_od_mount *m);
void erofs_od_free_prefixes(struct erofs_od_mount *m);

/* domain.c */
int erofs_od_join(struct erofs_od_mount *m);
void erofs_od_leave(struct erofs_od_mount *m);
void erofs_od_list_mount(struct erofs_od_mount *m, bool listed);
struct erofs_od_blob *erofs_od_open_blob(struct erofs_od_mount *m, const char *name);
void erofs_od_close_blob(struct erofs_od_blob *blob);
void erofs_od_for_each_mount(void (*show)(struct erofs_od_mount *m, void *data), void *data);

/* stats.c */
int erofs_od_stats_init(void);
void erofs_od_stats_exit(void);

/* meta.c */
/**
 * struct erofs_od_meta - some bytes of a blob's metadata, in memory
 * @folio: what holds them
 * @p: where they are; valid until erofs_od_meta_unmap(), on this CPU's stack
 *	of mappings: unmap in reverse order
 */
struct erofs_od_meta {
	struct folio *folio;
	const u8 *p;
};

int erofs_od_meta_init(void);
void erofs_od_meta_exit(void);
struct inode *erofs_od_meta_new(struct erofs_od_blob *blob);
u64 erofs_od_blob_end(const struct erofs_od_blob *blob);
int erofs_od_meta_map(struct erofs_od_blob *blob, u64 off, size_t len,
		      struct erofs_od_meta *meta);
void erofs_od_meta_unmap(struct erofs_od_meta *meta);
int erofs_od_meta_copy(struct erofs_od_blob *blob, u64 off, void *to, size_t len);
bool erofs_od_meta_peek(struct erofs_od_blob *blob, u64 off, void *to, size_t len);
u64 erofs_od_meta_start(struct erofs_od_blob *blob, u64 off, u64 len);

/* zinode.c */
int erofs_od_zinit(struct erofs_od_mount *m);
void erofs_od_zexit(struct erofs_od_mount *m);
int erofs_od_read_packed(struct erofs_od_mount *m);
int erofs_od_read_zinode(struct erofs_od_mount *m, struct od_inode *od, const char **why);

/* map.c */
/**
 * struct erofs_od_place - where a run of bytes is
 * @blob: which blob; NULL: a hole
 * @inlined: most likely in the blob's cached metadata
 * @encoded: compressed: what is at @off is not these bytes
 * @off: first byte in the blob
 * @len: how many; on failure, of how many the failure tells, 0: unknown
 */
struct erofs_od_place {
	struct erofs_od_blob *blob;
	bool inlined;
	bool encoded;
	u64 off;
	u64 len;
};

int erofs_od_map_od(struct erofs_od_mount *m, const struct od_inode *od, u64 pos, bool may_wait,
		    struct erofs_od_place *place);
int erofs_od_map(struct inode *inode, u64 pos, bool may_wait,
		 struct erofs_od_place *place);
u64 erofs_od_map_ready(struct inode *inode, u64 pos, u64 len);
/* zmap.c */
struct erofs_od_zplace;

int erofs_od_zmap(struct erofs_od_mount *m, const struct od_inode *od, u64 pos, bool may_wait,
		  struct erofs_od_zplace *zplace);
int erofs_od_zmap_place(struct inode *inode, u64 pos, struct erofs_od_place *place);
u64 erofs_od_zmap_ready(struct inode *inode, u64 pos, u64 len);

/* io.c */
struct erofs_od_io;

/**
 * struct erofs_od_source - where the bytes of an inode's pages come from
 * @inode: whose pages
 * @map: finds the place of the byte @pos; waits for metadata only if allowed
 * @submit: accounts for every byte of a batch and drops it, instead of what @map does
 * @m: for @submit: mount
 * @od: for @submit: inode, which stays until all is accounted for
 * @owner: on whose behalf the cache is read
 * @timeout_ms: for the cache
 * @error: where to leave the errno of what could not be read; may be NULL
 * @wait: woken up after folios were read; they are marked "checked" while being read.
 *	May be NULL
 * @size: bytes behind this are zeroes
 */
struct erofs_od_source {
	struct inode *inode;
	int (*map)(struct inode *inode, u64 pos, bool may_wait,
		   struct erofs_od_place *place);
	int (*submit)(struct erofs_od_io *io);
	struct erofs_od_mount *m;
	const struct od_inode *od;
	const void *owner;
	unsigned int timeout_ms;
	int *error;
	wait_queue_head_t *wait;
	u64 size;
};

int erofs_od_io_read_folios(const struct erofs_od_source *source, struct folio **folios,
			    unsigned int nr, u64 pos);
void erofs_od_io_end_reads(struct inode *inode, struct erofs_od_blob *const *blobs,
			   unsigned int nr, const void *owner);
void erofs_od_io_readahead(const struct erofs_od_source *source,
			   struct readahead_control *rac, u64 end);

/* zdata.c */
int erofs_od_zdata_init(void);
void erofs_od_zdata_exit(void);
bool erofs_od_zdata_is_full(const struct erofs_od_mount *m);
int erofs_od_zdata_submit(struct erofs_od_io *io);

/* data.c */
struct erofs_od_source erofs_od_data_source(struct inode *inode);
extern const struct address_space_operations erofs_od_data_aops;

/* direct.c */
ssize_t erofs_od_direct_read(struct kiocb *iocb, struct iov_iter *to);
int erofs_od_direct_page(struct erofs_od_source *source, u64 pos, size_t len,
			 struct folio **folio);

/* bytes.c */
int erofs_od_map_bytes(struct inode *inode, u64 pos, size_t len,
		       struct erofs_od_meta *meta);
int erofs_od_copy_bytes(struct erofs_od_mount *m, const struct od_inode *od, u64 pos, void *to,
			size_t len);

/* extent.c */
loff_t erofs_od_llseek(struct file *file, loff_t offset, int whence);
int erofs_od_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len);

/* file.c */
extern struct file_operations erofs_od_file_fops;
extern const struct inode_operations erofs_od_file_iops;
extern const struct inode_operations erofs_od_special_iops;
void erofs_od_file_init(void);

/* export.c */
extern const struct export_operations erofs_od_export_ops;
u32 erofs_od_generation(const struct od_sb *od);

/* inode.c */
struct inode *erofs_od_alloc_inode(struct super_block *sb);
void erofs_od_free_inode(struct inode *inode);
void erofs_od_evict_inode(struct inode *inode);
int erofs_od_inode_cache_init(void);
void erofs_od_inode_cache_exit(void);
int erofs_od_read_inode(struct erofs_od_mount *m, u64 nid, struct od_inode *od);
struct inode *erofs_od_iget(struct super_block *sb, u64 nid);

/* symlink.c */
extern const struct inode_operations erofs_od_fast_symlink_iops;
extern const struct inode_operations erofs_od_symlink_iops;
int erofs_od_read_fast_link(struct erofs_od_mount *m, const struct od_inode *od, char **link);

/* namei.c */
extern const struct inode_operations erofs_od_dir_iops;
int erofs_od_dir_block(struct inode *dir, u64 nr, struct erofs_od_meta *meta,
		       u32 *len);
int erofs_od_find(struct inode *dir, const struct qstr *name, u64 *nid);

/* dir.c */
extern const struct file_operations erofs_od_dir_fops;

/* xattr.c */
extern const struct xattr_handler *const erofs_od_xattr_handlers[];
int erofs_od_getxattr(struct inode *inode, u8 index, const char *name,
		      void *buffer, size_t size);
ssize_t erofs_od_listxattr(struct dentry *dentry, char *buffer, size_t size);

/* acl.c */
OD_COMPAT_DECLARE_GET_ACL(erofs_od_get_acl);

#endif /* EROFS_OD_INTERNAL_H */
