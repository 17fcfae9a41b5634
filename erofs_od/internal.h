/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the files of erofs_od. The files are declared below from the
 * lowest layer to the highest, and a file calls only lower ones (checked by make lint).
 */
#ifndef EROFS_OD_INTERNAL_H
#define EROFS_OD_INTERNAL_H

#undef pr_fmt
#define pr_fmt(fmt) "erofs_od: " fmt

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>

#include "od/cache.h"
#include "core/blobtab.h"
#include "core/chunkmap.h"
#include "core/inode.h"
#include "core/sb.h"
#include "core/xattr.h"
#include "../compat/callbacks.h"
#include "backend.h"
#include "log.h"
#include "source.h"

struct fs_context;
struct fs_parameter;

/* Bytes of readahead: the VFS's default, and the maximum for sequential reads. */
#define EROFS_OD_READAHEAD_BYTES	(128U << 10)
#define EROFS_OD_STREAM_BYTES		(8U << 20)

/* The deadline of a mount that was unmounted by force, in ms. */
#define EROFS_OD_FORCED_MS		1U

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
 * @key_node: in the table of domains, by @key
 * @users: number of mounts
 * @key: volume key
 * @shared: other mounts may join
 * @volume: the volume; NULL for the files of a mount without a cache
 * @share: page caches that its files share
 * @mounts: list of mounts
 * @blobs_mutex: guards @blobs and @changes
 * @blobs: open blobs, and those being opened or closed, by name
 * @changes: counts blobs that were opened or closed, or failed to open
 * @wait: woken up when @changes changes
 *
 * @volume and @share do not change; domains_mutex of domain.c protects the other fields.
 */
struct erofs_od_domain {
	struct list_head node;
	struct hlist_node key_node;
	unsigned int users;
	char *key;
	bool shared;
	struct cachefiles_od_volume *volume;
	struct erofs_od_share *share;
	struct list_head mounts;
	struct mutex blobs_mutex;
	struct rb_root blobs;
	unsigned int changes;
	wait_queue_head_t wait;
};

/**
 * struct erofs_od_blob - a blob, shared by the mounts of a domain
 * @node: in the domain's tree of blobs
 * @domain: domain that its name belongs to
 * @users: references, one for each blob slot of each mount
 * @state: enum erofs_od_blob_state
 * @name: its key, or the path of its file
 * @number: unique, never reused
 * @backend: operations to read it
 * @cookie: the open blob in the cache, or NULL
 * @local: the open file, or NULL
 * @size: size in bytes, valid once it is open
 * @meta: inode whose page cache holds the blob's metadata, byte for byte; NULL until it is
 *	needed
 * @timeout_ms: for its OPEN and for reads of metadata: that of the mount that opened it,
 *	or %CACHEFILES_OD_TIMEOUT_METADATA
 * @error: errno of the last failed metadata read
 * @wait: woken up when a read of metadata ends
 * @window: pages in the last window of metadata that was present
 * @window_end: the page after it
 * @small_last: page of the small file that was read last (small.c)
 * @small_run: how many of those before it were near one another
 *
 * The domain's blobs_mutex protects the first four. @window to @small_run are hints, which
 * tasks access without a lock; the others do not change while there are users.
 */
struct erofs_od_blob {
	struct rb_node node;
	struct erofs_od_domain *domain;
	unsigned int users;
	enum erofs_od_blob_state state;
	char *name;
	u64 number;
	const struct erofs_od_backend *backend;
	struct cachefiles_od_cookie *cookie;
	struct erofs_od_local *local;
	u64 size;
	struct inode *meta;
	unsigned int timeout_ms;
	int error;
	wait_queue_head_t wait;
	pgoff_t window;
	pgoff_t window_end;
	pgoff_t small_last;
	unsigned int small_run;
};

/**
 * struct erofs_od_sb_info - superblock info: a mount, from its options to its end
 * @fsid: name of the primary blob; NULL: the image is a file or block device of this host
 * @source: path of that file or block device
 * @domain_id: name of the domain, or NULL for one of its own
 * @cache_tag: tag of the cache, or NULL for the one of the first device
 * @devices: names of the other blobs, from device= options
 * @nr_devices: number of @devices
 * @fsoffset: where the image begins in @source
 * @directio: bypass the page cache of files of this host
 * @bdev: block device of @source, or NULL
 * @wq: for reads of files of this host that the reading task cannot do itself
 * @stack_depth: stacking depth of the file systems of files of this host
 * @timeout_ms: for waits on the daemon, as in od/cache.h
 * @user_xattr: user.* attributes are shown
 * @acl: POSIX ACLs are enforced
 * @share: files share a page cache with others of the domain that have the same data
 * @reads: batches of shared page caches that are read on its behalf
 * @use: hits, misses and errors of reads of file data
 * @wait: woken up when a direct read ends
 * @rcu: keeps @wait until tasks about to wake it up are done with it
 * @sb: the superblock, or NULL before it exists
 * @node: in the domain's list of mounts
 * @fsid_node: in the table of mounts, by domain and fsid
 * @domain: joined domain
 * @twin: a mount with the same options, found in the domain; it may have been freed since:
 *	never dereferenced
 * @twin_changes: the counter of mount changes at that time
 * @listed: show it in /proc; under domains_mutex
 * @log_limit: rate limit of log lines about it
 * @od: the image's superblock
 * @generation: for file handles
 * @tab: ranges of the blobs, for core/
 * @ranges: array of @tab
 * @blobs: the blobs, the primary one first
 * @nr_blobs: number of open blobs
 * @nr_filled: number of leading blobs found filled, which are not checked again
 * @prefixes: long xattr name prefixes
 * @nr_prefixes: number of prefixes read so far
 * @packed: the packed inode; its size is 0 if there is none
 * @metabox: contents of the metabox, as a blob; NULL if there is none
 * @algorithms: bitmap of supported algorithms, bit N for enum od_algorithm N
 * @encoded: bytes of compressed data in memory
 * @encoded_wait: woken up when @encoded decreases
 */
struct erofs_od_sb_info {
	char *fsid;
	char *source;
	char *domain_id;
	char *cache_tag;
	char **devices;
	unsigned int nr_devices;
	u64 fsoffset;
	bool directio;
	struct block_device *bdev;
	struct workqueue_struct *wq;
	int stack_depth;
	unsigned int timeout_ms;
	bool user_xattr;
	bool acl;
	bool share;
	atomic_t reads;
	struct cachefiles_od_use use;
	wait_queue_head_t wait;
	struct rcu_head rcu;

	struct super_block *sb;
	struct list_head node;
	struct hlist_node fsid_node;
	struct erofs_od_domain *domain;
	const struct erofs_od_sb_info *twin;
	unsigned int twin_changes;
	bool listed;
	struct ratelimit_state log_limit;
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
	struct erofs_od_blob *metabox;
	u16 algorithms;
	atomic_long_t encoded;
	wait_queue_head_t encoded_wait;
};

/**
 * struct erofs_od_inode_info - an inode
 * @od: the image's inode
 * @settled: whether it shares its page cache is final
 * @vfs: the VFS's inode
 */
struct erofs_od_inode_info {
	struct od_inode od;
	bool settled;
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

/* The blob that holds an inode, with its xattrs, its map and its inline data. */
static inline struct erofs_od_blob *erofs_od_home(const struct erofs_od_sb_info *sbi, u64 nid)
{
	return nid & OD_NID_METABOX ? sbi->metabox : sbi->blobs[0];
}

/* Unmounted by force: none of its tasks waits for long from now on. */
static inline bool erofs_od_is_forced(const struct erofs_od_sb_info *sbi)
{
	return sbi && READ_ONCE(sbi->timeout_ms) == EROFS_OD_FORCED_MS;
}

static inline u64 erofs_od_blob_end(const struct erofs_od_blob *blob)
{
	return blob->size;
}

static inline bool erofs_od_blob_has(const struct erofs_od_blob *blob, u64 off, u64 len)
{
	return off <= erofs_od_blob_end(blob) && len <= erofs_od_blob_end(blob) - off;
}

/* trace.c */
void erofs_od_trace_mount(const struct erofs_od_sb_info *sbi, int error);
void erofs_od_trace_read_failed(const struct erofs_od_source *source, u64 pos, u64 len,
				int error);

/* cached.c */
extern const struct erofs_od_backend erofs_od_cached_backend;

/* claim.c */
struct erofs_od_claim;
struct file *erofs_od_open_file(const char *path, bool directio, bool *direct);
struct erofs_od_claim *erofs_od_claim_device(const char *path, dev_t dev);
void erofs_od_release_device(struct erofs_od_claim *claim);

/* local.c */
void erofs_od_local_end(struct erofs_od_sb_info *sbi);
extern const struct erofs_od_backend erofs_od_local_backend;
int erofs_od_local_part(struct erofs_od_blob *blob, const struct erofs_od_blob *whole, u64 start,
			u64 len);
bool erofs_od_same_files(const struct erofs_od_sb_info *a, const struct erofs_od_sb_info *b);

/* batch.c */
int erofs_od_batch_init(void);
void erofs_od_batch_exit(void);

/* io.c */
int erofs_od_io_read_folios(const struct erofs_od_source *source, struct folio **folios,
			    unsigned int nr, u64 pos);
void erofs_od_io_start_folio(const struct erofs_od_source *source, struct folio *folio);
void erofs_od_io_readahead(struct erofs_od_source *source, struct readahead_control *rac, u64 end);

/* io_end.c */
bool erofs_od_io_is_reading(struct inode *inode);
void erofs_od_io_end_reads(struct inode *inode, struct erofs_od_blob *const *blobs,
			   unsigned int nr, const void *owner);

/* metafs.c */
int erofs_od_meta_init(void);
void erofs_od_meta_exit(void);
struct super_block *erofs_od_meta_sb(void);
void erofs_od_common_bdi(struct super_block *sb);

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

bool erofs_od_meta_try_map(struct erofs_od_blob *blob, u64 off, struct erofs_od_meta *meta);
int erofs_od_meta_map(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob, u64 off,
		      size_t len, struct erofs_od_meta *meta);
void erofs_od_meta_unmap(struct erofs_od_meta *meta);
int erofs_od_meta_copy(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob, u64 off,
		       void *to, size_t len);
int erofs_od_meta_fetch(struct erofs_od_blob *blob, u64 off, size_t len);
bool erofs_od_meta_peek(struct erofs_od_blob *blob, u64 off, void *to, size_t len);
u64 erofs_od_meta_start(struct erofs_od_blob *blob, u64 off, u64 len);
bool erofs_od_meta_read_present(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob,
				u64 off, pgoff_t nr);

/* map.c */
const char *erofs_od_extent_blob_name(const struct erofs_od_sb_info *sbi,
				      const struct od_inode *od, bool is_inline, u32 blob);
int erofs_od_map_od(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		    bool may_wait, struct erofs_od_extent *extent);
int erofs_od_map(struct inode *inode, u64 pos, bool may_wait,
		 struct erofs_od_extent *extent);
bool erofs_od_map_peek(struct inode *inode, u64 pos, struct erofs_od_extent *extent);
u64 erofs_od_map_ready(struct inode *inode, u64 pos, u64 len, struct erofs_od_extent *extent);

/* small.c */
bool erofs_od_small_read(struct kiocb *iocb, struct iov_iter *to, ssize_t *done);

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

/* metabox.c */
int erofs_od_metabox_open(struct erofs_od_sb_info *sbi, const struct od_inode *od);
void erofs_od_metabox_end(struct erofs_od_sb_info *sbi);
void erofs_od_metabox_free(struct erofs_od_sb_info *sbi);

/* data.c */
struct erofs_od_source erofs_od_data_source(struct inode *inode);
struct folio *erofs_od_data_folio(struct address_space *mapping, u64 pos, size_t len);
extern const struct address_space_operations erofs_od_data_aops;
extern const struct address_space_operations erofs_od_shared_aops;

/* direct.c */
/* Alignment of direct reads, in the file and in memory; blocks of the image may be larger. */
#define EROFS_OD_SECTOR	512U
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
struct erofs_od_blob *erofs_od_start_part(struct erofs_od_sb_info *sbi, u64 start, u64 len);
int erofs_od_finish_blob(struct erofs_od_blob *blob);
void erofs_od_abandon_blob(struct erofs_od_blob *blob);
struct erofs_od_blob *erofs_od_open_blob(struct erofs_od_sb_info *sbi, const char *name);
void erofs_od_close_blob(struct erofs_od_blob *blob);
bool erofs_od_blob_is_shared(struct erofs_od_blob *blob);
unsigned int erofs_od_folio_max(const struct inode *inode);

/* share.c */
int erofs_od_share_init(void);
void erofs_od_share_exit(void);
struct erofs_od_share *erofs_od_share_new(void);
void erofs_od_share_put(struct erofs_od_share *share);
struct address_space *erofs_od_share_mapping(struct inode *inode);
void erofs_od_share_leave(struct inode *inode);
void erofs_od_share_end(struct erofs_od_sb_info *sbi);
void erofs_od_share_interrupt(struct erofs_od_sb_info *sbi);

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

/* attr.c */
OD_COMPAT_DECLARE_GETATTR(erofs_od_getattr);

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
unsigned long erofs_od_ino(u64 nid);
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
int erofs_od_check_options(struct fs_context *fc);
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
