/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of erofs_od share. They are declared below from the lowest to the
 * highest, and no call goes up (make lint).
 */
#ifndef EROFS_OD_INTERNAL_H
#define EROFS_OD_INTERNAL_H

#undef pr_fmt
#define pr_fmt(fmt) "erofs_od: " fmt

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>

#include "od/cache.h"
#include "core/blobtab.h"
#include "core/chunkmap.h"
#include "core/inode.h"
#include "core/sb.h"
#include "core/xattr.h"
#include "../compat/callbacks.h"

/**
 * enum erofs_od_blob_state - state of a blob
 * @EROFS_OD_BLOB_OPENING: one mount waits for the daemon, others wait for that mount
 * @EROFS_OD_BLOB_OPEN: usable
 * @EROFS_OD_BLOB_CLOSING: its last user is closing it; a mount that needs it waits
 */
enum erofs_od_blob_state {
	EROFS_OD_BLOB_OPENING,
	EROFS_OD_BLOB_OPEN,
	EROFS_OD_BLOB_CLOSING,
};

/**
 * struct erofs_od_domain - mounts that share blobs
 * @node: in the list of all domains
 * @users: mounts
 * @key: volume key
 * @shared: others may join
 * @volume: the volume
 * @mounts: mounts
 * @blobs_mutex: guards @blobs and @changes
 * @blobs: open blobs, and those being opened or closed
 * @changes: counts blobs that were opened or closed, or failed to open
 * @wait: woken up when @changes changes
 *
 * The others but @volume are protected by domains_mutex of domain.c.
 */
struct erofs_od_domain {
	struct list_head node;
	unsigned int users;
	char *key;
	bool shared;
	struct cachefiles_od_volume *volume;
	struct list_head mounts;
	struct mutex blobs_mutex;
	struct list_head blobs;
	unsigned int changes;
	wait_queue_head_t wait;
};

/**
 * struct erofs_od_blob - a blob, shared by the mounts of a domain
 * @node: in the domain's list of blobs
 * @domain: domain that the blob is named in
 * @users: references, one for each blob slot of each mount
 * @state: enum erofs_od_blob_state
 * @name: its key
 * @cookie: the open blob
 * @meta: inode whose page cache holds the blob's metadata, byte for byte
 * @timeout_ms: for its OPEN and for reads of metadata: that of the mount that opened it,
 *	or %CACHEFILES_OD_TIMEOUT_METADATA
 * @error: errno of the last failed metadata read
 * @wait: woken up when a read of metadata ends
 *
 * The first four are protected by the domain's blobs_mutex, the others do not
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
 * struct erofs_od_sb_info - a mount, from its options to its end
 * @fsid: name of the primary blob
 * @domain_id: name of the domain, or NULL for one of its own
 * @cache_tag: tag of the cache, or NULL for the one of the first device
 * @devices: names of the other blobs, as given by options
 * @nr_devices: how many
 * @timeout_ms: for waits on the daemon, as in od/cache.h
 * @user_xattr: user.* attributes are shown
 * @acl: POSIX ACLs are enforced
 * @use: what reads of file data came to
 * @wait: woken up when a direct read ends
 * @rcu: keeps @wait until tasks about to wake it up are done with it
 * @sb: the superblock, or NULL before it exists
 * @node: in the domain's list of mounts
 * @domain: joined domain
 * @twin: a mount with the same options, found in the domain; it may have been freed since:
 *	never dereferenced
 * @twin_changes: the counter of mount changes at that time
 * @listed: /proc may show it; under domains_mutex
 * @od: the image's superblock
 * @generation: for file handles
 * @tab: ranges of the blobs, for core/
 * @ranges: array of @tab
 * @blobs: the blobs, the primary one first
 * @nr_blobs: how many of them are open
 * @nr_filled: the first so many blobs were filled when erofs_od_is_filled() looked
 * @prefixes: long xattr name prefixes
 * @nr_prefixes: how many of them have been read
 * @packed: the packed inode; its size is 0 if there is none
 * @algorithms: that can be decompressed, bit N for enum od_algorithm N
 * @encoded: bytes of compressed data in memory
 * @encoded_wait: woken up when these become fewer
 */
struct erofs_od_sb_info {
	char *fsid;
	char *domain_id;
	char *cache_tag;
	char **devices;
	unsigned int nr_devices;
	unsigned int timeout_ms;
	bool user_xattr;
	bool acl;
	struct cachefiles_od_use use;
	wait_queue_head_t wait;
	struct rcu_head rcu;

	struct super_block *sb;
	struct list_head node;
	struct erofs_od_domain *domain;
	const struct erofs_od_sb_info *twin;
	unsigned int twin_changes;
	bool listed;
	struct od_sb od;
	u32 generation;
	struct od_blobtab tab;
	struct od_blob *ranges;
	struct erofs_od_blob **blobs;
	unsigned int nr_blobs;
	unsigned int nr_filled;
	struct od_xattr_prefix *prefixes;
	unsigned int nr_prefixes;
	struct od_inode packed;
	u16 algorithms;
	atomic_long_t encoded;
	wait_queue_head_t encoded_wait;
};

/**
 * struct erofs_od_inode_info - an inode
 * @od: the image's inode
 * @vfs: the VFS's inode
 */
struct erofs_od_inode_info {
	struct od_inode od;
	struct inode vfs;
};

static inline struct erofs_od_sb_info *EROFS_OD_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct erofs_od_inode_info *EROFS_OD_I(const struct inode *inode)
{
	return container_of(inode, struct erofs_od_inode_info, vfs);
}

/* A nid as an inode number, folded where longs are short. */
static inline unsigned long erofs_od_ino(u64 nid)
{
	if (sizeof(unsigned long) < sizeof(nid))
		return (unsigned long)(nid ^ nid >> 32);
	return (unsigned long)nid;
}

static inline u64 erofs_od_blob_end(const struct erofs_od_blob *blob)
{
	return cachefiles_od_cookie_size(blob->cookie);
}

#define erofs_od_err(sbi, fmt, ...) \
	pr_err("%s: " fmt "\n", (sbi)->fsid, ##__VA_ARGS__)
#define erofs_od_err_ratelimited(sbi, fmt, ...) \
	pr_err_ratelimited("%s: " fmt "\n", (sbi)->fsid, ##__VA_ARGS__)

/* trace.c */
struct erofs_od_source;
void erofs_od_trace_mount(const struct erofs_od_sb_info *sbi, int error);
void erofs_od_trace_read(const struct erofs_od_source *source, u64 pos, u64 len, int error);

/* io.c */
struct erofs_od_batch;

/**
 * struct erofs_od_extent - where a run of bytes is
 * @blob: which blob, or NULL for a hole
 * @flags: enum od_extent_flag
 * @off: first byte in the blob
 * @encoded_len: bytes in the blob; @len unless %OD_EXTENT_ENCODED
 * @len: bytes of the run; on failure, bytes that the failure applies to, 0 if unknown
 */
struct erofs_od_extent {
	struct erofs_od_blob *blob;
	u32 flags;
	u64 off;
	u64 encoded_len;
	u64 len;
};

/**
 * struct erofs_od_source - where the bytes of an inode's pages come from
 * @inode: whose pages
 * @submit: of compressed data: what reads a batch (zdata.c), from @od of @sbi, instead of
 *	@map and @peek; NULL for others
 * @sbi: mount
 * @od: inode; it stays until all bytes are accounted for
 * @map: finds the extent of the byte @pos; waits for metadata only if allowed
 * @peek: copies bytes of a blob's metadata if they are in memory; NULL: there are none
 * @owner: on whose behalf the cache is read
 * @group: the superblock whose forced unmount ends the read; NULL for metadata
 * @timeout_ms: for the cache
 * @error: gets the errno of a failed read; may be NULL
 * @wait: woken up when folios have been read; they are marked "checked" while being read.
 *	May be NULL
 * @size: bytes past this are zeroes
 */
struct erofs_od_source {
	struct inode *inode;
	int (*submit)(struct erofs_od_batch *batch);
	struct erofs_od_sb_info *sbi;
	const struct od_inode *od;
	int (*map)(struct inode *inode, u64 pos, bool may_wait,
		   struct erofs_od_extent *extent);
	bool (*peek)(struct erofs_od_blob *blob, u64 off, void *to, size_t len);
	const void *owner;
	const struct super_block *group;
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

/* meta.c */
/**
 * struct erofs_od_meta - mapped bytes of a blob's metadata
 * @folio: the folio that holds them
 * @p: the bytes, until erofs_od_meta_unmap(); unmap in reverse order
 */
struct erofs_od_meta {
	struct folio *folio;
	const u8 *p;
};

int erofs_od_meta_init(void);
void erofs_od_meta_exit(void);
struct inode *erofs_od_meta_new(struct erofs_od_blob *blob);
int erofs_od_meta_map(struct erofs_od_blob *blob, u64 off, size_t len,
		      struct erofs_od_meta *meta);
void erofs_od_meta_unmap(struct erofs_od_meta *meta);
int erofs_od_meta_copy(struct erofs_od_blob *blob, u64 off, void *to, size_t len);
bool erofs_od_meta_peek(struct erofs_od_blob *blob, u64 off, void *to, size_t len);
u64 erofs_od_meta_start(struct erofs_od_blob *blob, u64 off, u64 len);

/* map.c */
int erofs_od_map_od(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		    bool may_wait, struct erofs_od_extent *extent);
int erofs_od_map(struct inode *inode, u64 pos, bool may_wait,
		 struct erofs_od_extent *extent);
u64 erofs_od_map_ready(struct inode *inode, u64 pos, u64 len);

/* zinode.c */
int erofs_od_zinit(struct erofs_od_sb_info *sbi);
void erofs_od_zexit(struct erofs_od_sb_info *sbi);
int erofs_od_read_zinode(struct erofs_od_sb_info *sbi, struct od_inode *od, const char **why);

/* zsums.c */
void erofs_od_zsums_new(struct od_zinode *z);
void erofs_od_zsums_free(struct od_zinode *z);

/* zmap.c */
int erofs_od_zmap_extent(struct inode *inode, u64 pos, struct erofs_od_extent *extent);
u64 erofs_od_zmap_ready(struct inode *inode, u64 pos, u64 len);

/* zdata.c */
int erofs_od_zdata_init(void);
void erofs_od_zdata_exit(void);
bool erofs_od_zdata_is_full(const struct erofs_od_sb_info *sbi);
int erofs_od_zdata_submit(struct erofs_od_batch *batch);

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
int erofs_od_copy_bytes(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, void *to,
			size_t len);

/* blob.c */
long erofs_od_patience(const struct erofs_od_sb_info *sbi);
unsigned int erofs_od_metadata_timeout(const struct erofs_od_sb_info *sbi);
struct erofs_od_blob *erofs_od_start_blob(struct erofs_od_sb_info *sbi, const char *name);
int erofs_od_finish_blob(struct erofs_od_blob *blob);
void erofs_od_abandon_blob(struct erofs_od_blob *blob);
struct erofs_od_blob *erofs_od_open_blob(struct erofs_od_sb_info *sbi, const char *name);
void erofs_od_close_blob(struct erofs_od_blob *blob);
bool erofs_od_is_filled(struct erofs_od_sb_info *sbi);

/* domain.c */
bool erofs_od_same_options(const struct erofs_od_sb_info *a, const struct erofs_od_sb_info *b);
int erofs_od_join(struct erofs_od_sb_info *sbi);
int erofs_od_wait_for_twin(struct erofs_od_sb_info *sbi);
void erofs_od_set_timeout(struct erofs_od_sb_info *sbi, unsigned int timeout_ms);
void erofs_od_leave(struct erofs_od_sb_info *sbi);
unsigned int erofs_od_cache_of(const struct erofs_od_sb_info *sbi);
void erofs_od_list_mount(struct erofs_od_sb_info *sbi, bool listed);
void erofs_od_for_each_mount(void (*show)(struct erofs_od_sb_info *sbi, void *data), void *data);

/* xattr.c */
extern const struct xattr_handler *const erofs_od_xattr_handlers[];
int erofs_od_getxattr(struct inode *inode, u8 index, const char *name,
		      void *buffer, size_t size);
ssize_t erofs_od_listxattr(struct dentry *dentry, char *buffer, size_t size);

/* acl.c */
OD_COMPAT_DECLARE_GET_ACL(erofs_od_get_acl);

/* symlink.c */
extern const struct inode_operations erofs_od_fast_symlink_iops;
extern const struct inode_operations erofs_od_symlink_iops;
int erofs_od_read_fast_link(struct erofs_od_sb_info *sbi, const struct od_inode *od, char **link);

/* extent.c */
loff_t erofs_od_llseek(struct file *file, loff_t offset, int whence);
int erofs_od_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len);

/* file.c */
extern struct file_operations erofs_od_file_fops;
extern const struct inode_operations erofs_od_file_iops;
extern const struct inode_operations erofs_od_special_iops;
void erofs_od_file_init(void);
long erofs_od_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* inode.c */
struct inode *erofs_od_alloc_inode(struct super_block *sb);
void erofs_od_free_inode(struct inode *inode);
void erofs_od_evict_inode(struct inode *inode);
int erofs_od_inode_cache_init(void);
void erofs_od_inode_cache_exit(void);
int erofs_od_read_inode(struct erofs_od_sb_info *sbi, u64 nid, struct od_inode *od);
struct inode *erofs_od_iget(struct super_block *sb, u64 nid);

/* namei.c */
extern const struct inode_operations erofs_od_dir_iops;
int erofs_od_dir_block(struct inode *dir, u64 nr, struct erofs_od_meta *meta,
		       u32 *len);
int erofs_od_find(struct inode *dir, const struct qstr *name, u64 *nid);

/* dir.c */
extern const struct file_operations erofs_od_dir_fops;

/* export.c */
extern const struct export_operations erofs_od_export_ops;
u32 erofs_od_generation(const char *fsid, const struct od_disk_sb *sb);

/* prefix.c */
int erofs_od_read_prefixes(struct erofs_od_sb_info *sbi);
void erofs_od_free_prefixes(struct erofs_od_sb_info *sbi);

/* devices.c */
int erofs_od_open_primary(struct erofs_od_sb_info *sbi);
int erofs_od_open_devices(struct erofs_od_sb_info *sbi);

/* image.c */
int erofs_od_open_image(struct erofs_od_sb_info *sbi);
void erofs_od_close_image(struct erofs_od_sb_info *sbi);

/* options.c */
int erofs_od_parse_param(struct fs_context *fc, struct fs_parameter *param);
int erofs_od_show_options(struct seq_file *seq, struct dentry *root);
void erofs_od_free_options(struct erofs_od_sb_info *sbi);

/* super.c */
int erofs_od_init_fs_context(struct fs_context *fc);
void erofs_od_kill_sb(struct super_block *sb);

/* stats.c */
int erofs_od_stats_init(void);
void erofs_od_stats_exit(void);

#endif /* EROFS_OD_INTERNAL_H */
