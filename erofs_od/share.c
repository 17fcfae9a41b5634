// SPDX-License-Identifier: GPL-2.0-only
/*
 * One page cache for files with the same data, in any image of a domain.
 *
 * When a file is first opened, its map is read: the ranges of blobs it consists of, and its
 * inline data. Each map has an inode on an internal file system; files with that map use its
 * page cache in place of their own (inode->i_mapping).
 *
 * The pages belong to no mount: they are filled on behalf of the file that is read (data.c),
 * from the blobs of its mount, and stay until the VFS reclaims them, or a mount of the domain
 * ends and no file uses them. A mount that ends cancels the reads on its behalf; tasks that
 * wait for these start others.
 */
#include "internal.h"
#include "share.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "core/datamap.h"

#define SHARE_MAGIC	0x6f647368

/* Larger maps take too long to read, and to compare under the lock of all inodes. */
#define ENTRIES_MAX	16384U
#define RUNS_MAX	4096U

/* Enough for a flat file, unless it spans many blobs. */
#define FLAT_RUNS	4U

/* How long reads of other mounts hold off after a forced unmount. */
#define QUIET		(HZ / 2)

/**
 * struct shared - a page cache
 * @node: in @share
 * @share: its domain's; NULL before it has one
 * @map: the data it caches
 * @dropped: freed once its last reference is dropped, unless a file uses it in between
 * @vfs: its inode
 */
struct shared {
	struct list_head node;
	struct erofs_od_share *share;
	struct od_datamap *map;
	bool dropped;
	struct inode vfs;
};

static struct vfsmount *share_mnt;
static struct kmem_cache *shared_cache;
static hsiphash_key_t hash_key __read_mostly;
static atomic64_t shares_numbered;

static struct shared *shared_of(const struct inode *inode)
{
	return container_of(inode, struct shared, vfs);
}

/* --- domains --- */

/** erofs_od_share_new - allocate the shared page caches of a new domain; NULL if out of memory */
struct erofs_od_share *erofs_od_share_new(void)
{
	struct erofs_od_share *share = kzalloc(sizeof(*share), GFP_KERNEL);

	if (!share)
		return NULL;
	refcount_set(&share->refs, 1);
	share->number = atomic64_inc_return(&shares_numbered);
	atomic64_set(&share->quiet, (s64)get_jiffies_64());
	spin_lock_init(&share->lock);
	INIT_LIST_HEAD(&share->inodes);
	return share;
}

/**
 * erofs_od_share_put - drop a reference
 * @share: shared page caches of a domain, or NULL
 */
void erofs_od_share_put(struct erofs_od_share *share)
{
	if (share && refcount_dec_and_test(&share->refs))
		kfree(share);
}

/* --- the internal file system --- */

static void init_once(void *p)
{
	struct shared *shared = p;

	inode_init_once(&shared->vfs);
}

static struct inode *shared_alloc_inode(struct super_block *sb)
{
	struct shared *shared = alloc_inode_sb(sb, shared_cache, GFP_KERNEL);

	if (!shared)
		return NULL;
	shared->share = NULL;
	shared->map = NULL;
	shared->dropped = false;
	return &shared->vfs;
}

/* A grace period after it was unhashed: other tasks may have been comparing its map. */
OD_COMPAT_FREE_INODE(erofs_od_free_shared, inode)
{
	kvfree(shared_of(inode)->map);
	kmem_cache_free(shared_cache, shared_of(inode));
}

/* Called once no file uses it. No read is in flight then: see prune_one(). */
static void shared_evict_inode(struct inode *inode)
{
	struct shared *shared = shared_of(inode);
	struct erofs_od_share *share = shared->share;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!share)
		return;
	spin_lock(&share->lock);
	list_del(&shared->node);
	spin_unlock(&share->lock);
	erofs_od_share_put(share);
}

/* Otherwise kept for the next user, or until the VFS reclaims it. */
static int shared_drop_inode(struct inode *inode)
{
	return READ_ONCE(shared_of(inode)->dropped) || inode_unhashed(inode);
}

static const struct super_operations share_super_ops = {
	.alloc_inode = shared_alloc_inode,
	.free_inode = erofs_od_free_shared,
	.evict_inode = shared_evict_inode,
	.drop_inode = shared_drop_inode,
	.statfs = simple_statfs,
};

static int share_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *context = init_pseudo(fc, SHARE_MAGIC);

	if (!context)
		return -ENOMEM;
	context->ops = &share_super_ops;
	return 0;
}

/* No owner: the mount below would pin the module. */
static struct file_system_type share_type = {
	.name = "erofs_od_share",
	.init_fs_context = share_init_fs_context,
	.kill_sb = kill_anon_super,
};

int erofs_od_share_init(void)
{
	struct super_block *sb;

	get_random_bytes(&hash_key, sizeof(hash_key));
	shared_cache = kmem_cache_create("erofs_od_shared", sizeof(struct shared), 0,
					 SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, init_once);
	if (!shared_cache)
		return -ENOMEM;
	share_mnt = kern_mount(&share_type);
	if (IS_ERR(share_mnt)) {
		rcu_barrier();
		kmem_cache_destroy(shared_cache);
		return PTR_ERR(share_mnt);
	}
	sb = share_mnt->mnt_sb;
	/* There is nothing to sync. */
	sb->s_flags |= SB_RDONLY;
	/* The VFS takes readahead windows from the page cache's file system. */
	erofs_od_common_bdi(sb);
	return 0;
}

void erofs_od_share_exit(void)
{
	kern_unmount(share_mnt);
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(shared_cache);
}

/* --- maps --- */

/* Maximum number of runs in the map of a file; 0 if it is not to be shared. */
static u32 map_runs(const struct od_inode *od)
{
	u64 entries;

	if (!od->size || od_inode_is_compressed(od))
		return 0;
	if (od->layout != OD_LAYOUT_CHUNK_BASED)
		return FLAT_RUNS;
	entries = ((od->size - 1) >> od->chunkbits) + 1;
	return entries > ENTRIES_MAX ? 0 : min_t(u32, entries, RUNS_MAX);
}

/* Maximum bytes of inline data in the map of a file. */
static u32 map_tail(const struct inode *inode)
{
	return EROFS_OD_I(inode)->od.layout == OD_LAYOUT_FLAT_INLINE ? i_blocksize(inode) : 0;
}

static int map_add(const struct erofs_od_sb_info *sbi, struct od_datamap *map, u32 max, u32 room,
		   const struct erofs_od_extent *extent, u64 len)
{
	u8 *tail;

	if (!extent->blob)
		return od_datamap_add(map, max, OD_DATARUN_HOLE, 0, len);
	if (!(extent->flags & OD_EXTENT_INLINE))
		return od_datamap_add(map, max, extent->blob->number, extent->off, len);
	if (len > room)
		return -EUCLEAN;
	tail = od_datamap_add_tail(map, max, (u32)len);
	return tail ? erofs_od_meta_copy(sbi, extent->blob, extent->off, tail, len) : -E2BIG;
}

static int map_fill(struct inode *inode, struct od_datamap *map, u32 max, u32 room)
{
	u64 pos = 0, len;
	int err = 0;

	for (; !err && pos < map->size; pos += len) {
		struct erofs_od_extent extent = { .len = map->size - pos };

		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		err = erofs_od_map(inode, pos, true, &extent);
		len = min(extent.len, map->size - pos);
		err = err ?: map_add(EROFS_OD_SB(inode->i_sb), map, max, room, &extent, len);
	}
	return err;
}

/* Frees unused space at the end of the map. */
static struct od_datamap *map_trim(struct od_datamap *map)
{
	size_t bytes = od_datamap_bytes(map->nr, map->tail);
	struct od_datamap *small = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);

	if (!small)
		return map;
	memcpy(small, map, bytes);
	kvfree(map);
	return small;
}

/* The map of a file, or NULL if it is not to be shared or cannot be read. */
static struct od_datamap *map_read(struct inode *inode)
{
	const struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	u32 max = map_runs(&EROFS_OD_I(inode)->od), tail = map_tail(inode);
	struct od_datamap *map;

	if (!max)
		return NULL;
	map = kvmalloc(od_datamap_bytes(max, tail), GFP_KERNEL_ACCOUNT);
	if (!map)
		return NULL;
	*map = (struct od_datamap) {
		.domain = sbi->domain->share->number,
		.size = i_size_read(inode),
		.timeout_ms = READ_ONCE(sbi->timeout_ms),
	};
	if (map_fill(inode, map, max, tail)) {
		kvfree(map);
		return NULL;
	}
	if (max - map->nr > FLAT_RUNS || tail)
		map = map_trim(map);
	return map;
}

/* --- page caches --- */

static int shared_test(struct inode *inode, void *map)
{
	return od_datamap_equal(shared_of(inode)->map, map);
}

static int shared_set(struct inode *inode, void *map)
{
	shared_of(inode)->map = map;
	return 0;
}

static void shared_fill(struct inode *shared, struct erofs_od_share *share,
			const struct inode *inode)
{
	shared->i_mode = S_IFREG;
	i_size_write(shared, i_size_read(inode));
	shared->i_mapping->a_ops = &erofs_od_shared_aops;
	mapping_set_folio_order_range(shared->i_mapping, 0, get_order(erofs_od_folio_max(inode)));
	refcount_inc(&share->refs);
	shared_of(shared)->share = share;
	spin_lock(&share->lock);
	list_add(&shared_of(shared)->node, &share->inodes);
	spin_unlock(&share->lock);
	unlock_new_inode(shared);
}

/* Finds or creates the page cache for a file's map. NULL: the file uses its own. */
static struct inode *shared_get(struct inode *inode)
{
	struct od_datamap *map = map_read(inode);
	struct inode *shared;
	u32 hash;

	if (!map)
		return NULL;
	hash = hsiphash(map, od_datamap_bytes(map->nr, map->tail), &hash_key);
	shared = iget5_locked(share_mnt->mnt_sb, hash, shared_test, shared_set, map);
	/* The new inode now owns the map. */
	if (shared && (inode_state_read_once(shared) & I_NEW))
		shared_fill(shared, EROFS_OD_SB(inode->i_sb)->domain->share, inode);
	else
		kvfree(map);
	return shared;
}

/**
 * erofs_od_share_mapping - choose the page cache of a file being opened
 * @inode: regular file
 *
 * The first task to open the file determines whether the page cache is shared; others do not
 * wait for it, but determine that themselves.
 *
 * Context: sleeps, killably.
 */
struct address_space *erofs_od_share_mapping(struct inode *inode)
{
	struct erofs_od_inode_info *info = EROFS_OD_I(inode);
	struct inode *shared;

	if (smp_load_acquire(&info->settled) || !READ_ONCE(EROFS_OD_SB(inode->i_sb)->share))
		return READ_ONCE(inode->i_mapping);
	shared = shared_get(inode);
	/* A killed task has determined nothing. */
	if (!shared && fatal_signal_pending(current))
		return READ_ONCE(inode->i_mapping);
	spin_lock(&inode->i_lock);
	if (!info->settled) {
		if (shared)
			WRITE_ONCE(inode->i_mapping, &shared->i_data);
		shared = NULL;
		smp_store_release(&info->settled, true);
	}
	spin_unlock(&inode->i_lock);
	iput(shared);
	return READ_ONCE(inode->i_mapping);
}

/**
 * erofs_od_share_leave - detach an inode being evicted from its shared page cache
 * @inode: inode
 *
 * Reads on its behalf may continue: reclaim must not wait for them, since filling the cache may
 * take memory.
 */
void erofs_od_share_leave(struct inode *inode)
{
	struct inode *shared = inode->i_mapping->host;

	/* Some kernels give a device node the page cache of its device, and reset it later. */
	if (shared->i_sb != share_mnt->mnt_sb)
		return;
	inode->i_mapping = &inode->i_data;
	WRITE_ONCE(shared_of(shared)->dropped, false);
	iput(shared);
}

/*
 * Drops a reference, and the page cache if this was the last one. A closed file may have left
 * reads that wait for the daemon; the end of their mount waits for those.
 */
static void prune_one(struct inode *inode)
{
	WRITE_ONCE(shared_of(inode)->dropped, true);
	if (erofs_od_io_is_reading(inode))
		WRITE_ONCE(shared_of(inode)->dropped, false);
	iput(inode);
}

/*
 * Frees the page caches of a domain that no file uses. Their blobs may be closed soon, and get
 * other numbers when they are opened again.
 */
static void prune(struct erofs_od_share *share)
{
	LIST_HEAD(todo);

	spin_lock(&share->lock);
	list_splice_init(&share->inodes, &todo);
	for (; !list_empty(&todo); cond_resched_lock(&share->lock)) {
		struct shared *shared = list_first_entry(&todo, struct shared, node);

		list_move(&shared->node, &share->inodes);
		if (atomic_read(&shared->vfs.i_count) || !igrab(&shared->vfs))
			continue;
		spin_unlock(&share->lock);
		prune_one(&shared->vfs);
		spin_lock(&share->lock);
	}
	spin_unlock(&share->lock);
}

/**
 * erofs_od_share_end - detach a mount from the page caches of its domain
 * @sbi: mount without inodes, its blobs open
 *
 * Cancels the reads on its behalf, and waits for them to end; the loop catches reads that start
 * to wait while it runs.
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_share_end(struct erofs_od_sb_info *sbi)
{
	unsigned int i;

	while (atomic_read_acquire(&sbi->reads)) {
		for (i = 0; i < sbi->nr_blobs; i++)
			sbi->blobs[i]->backend->cancel(sbi->blobs[i], sbi);
		schedule_timeout_uninterruptible(1);
	}
	prune(sbi->domain->share);
}

/**
 * erofs_od_share_interrupt - interrupt reads on behalf of other mounts that a mount waits for
 * @sbi: mount being unmounted by force
 *
 * The other mounts restart their reads, but only after this mount's have failed, since both
 * need the same pages.
 *
 * Context: may sleep.
 */
void erofs_od_share_interrupt(struct erofs_od_sb_info *sbi)
{
	struct erofs_od_share *share = sbi->domain->share;
	unsigned int i;

	atomic64_set(&share->quiet, (s64)get_jiffies_64() + QUIET);
	/* A reader that sees the new count also sees that it must step back. */
	smp_mb__before_atomic();
	atomic_inc(&share->interrupts);
	for (i = 0; i < sbi->nr_blobs; i++)
		sbi->blobs[i]->backend->cancel(sbi->blobs[i], share);
}
