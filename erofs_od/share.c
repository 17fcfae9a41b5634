// SPDX-License-Identifier: GPL-2.0-only
/*
 * One page cache for files with the same data, in any image of a domain.
 *
 * When a file is first opened, its map is read: which bytes of which blobs it consists of, and
 * its inline data. An inode on an internal file system stands for each map; the files with that
 * map take its page cache in place of their own (inode->i_mapping). The pages belong to none of
 * the mounts: they are filled on behalf of the file that is read (data.c), from the blobs of its
 * mount, and stay until the VFS reclaims them, or a mount of the domain ends and no file is
 * left. A mount that ends takes with it the reads on its behalf; who waits for them
 * starts others.
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

/* Larger maps take too long to read, and to compare under a lock of all inodes. */
#define ENTRIES_MAX	16384U
#define RUNS_MAX	4096U

/* More than a flat file has that is not cut by many blobs. */
#define FLAT_RUNS	4U

/* After a forced unmount, how long the reads of other mounts step back. */
#define QUIET		(HZ / 2)

/**
 * struct shared - a page cache
 * @node: in @share
 * @share: its domain's; NULL before it has one
 * @map: what it is a page cache of
 * @dropped: freed as soon as nobody has it, unless a file comes and goes meanwhile
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

/** erofs_od_share_new - the shared page caches of a new domain; NULL: no memory */
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
 * @share: its page caches, or NULL
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

/* After it was unhashed: others may have been comparing its map. */
OD_COMPAT_FREE_INODE(erofs_od_free_shared, inode)
{
	kvfree(shared_of(inode)->map);
	kmem_cache_free(shared_cache, shared_of(inode));
}

/* Called once no file uses it. Nothing is being read then: see prune_one(). */
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

/* Others wait for their next user, or for the VFS to reclaim them. */
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
	/* Nothing to be synced. */
	sb->s_flags |= SB_RDONLY;
	/* The VFS asks the page cache's file system for its windows. */
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

/* Runs that the map of a file may have; 0: it is not shared. */
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

/* Bytes of inline data that the map of a file may have. */
static u32 map_tail(const struct inode *inode)
{
	return EROFS_OD_I(inode)->od.layout == OD_LAYOUT_FLAT_INLINE ? i_blocksize(inode) : 0;
}

static int map_add(struct od_datamap *map, u32 max, u32 room, const struct erofs_od_extent *extent,
		   u64 len)
{
	u8 *tail;

	if (!extent->blob)
		return od_datamap_add(map, max, OD_DATARUN_HOLE, 0, len);
	if (!(extent->flags & OD_EXTENT_INLINE))
		return od_datamap_add(map, max, extent->blob->number, extent->off, len);
	if (len > room)
		return -EUCLEAN;
	tail = od_datamap_add_tail(map, max, (u32)len);
	return tail ? erofs_od_meta_copy(extent->blob, extent->off, tail, len) : -E2BIG;
}

static int map_fill(struct inode *inode, struct od_datamap *map, u32 max, u32 room)
{
	u64 pos = 0, len;
	int err = 0;

	for (; !err && pos < map->size; pos += len) {
		struct erofs_od_extent extent = { };

		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		err = erofs_od_map(inode, pos, true, &extent);
		len = min(extent.len, map->size - pos);
		err = err ?: map_add(map, max, room, &extent, len);
	}
	return err;
}

/* Without the room that it does not need. */
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

/* The map of a file, or NULL: it is not to be shared, or cannot be read. */
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

/* The page cache of a file's map, an old or a new one; NULL: it has one of its own. */
static struct inode *shared_get(struct inode *inode)
{
	struct od_datamap *map = map_read(inode);
	struct inode *shared;
	u32 hash;

	if (!map)
		return NULL;
	hash = hsiphash(map, od_datamap_bytes(map->nr, map->tail), &hash_key);
	shared = iget5_locked(share_mnt->mnt_sb, hash, shared_test, shared_set, map);
	/* A new inode has taken the map. */
	if (shared && (inode_state_read_once(shared) & I_NEW))
		shared_fill(shared, EROFS_OD_SB(inode->i_sb)->domain->share, inode);
	else
		kvfree(map);
	return shared;
}

/**
 * erofs_od_share_mapping - the page cache of a file that is opened
 * @inode: regular file
 *
 * The first one to open the file finds out whether it shares its page cache; others do not
 * wait for that, but find out for themselves.
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
	/* Who was killed has found out nothing. */
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
 * erofs_od_share_leave - an inode that is evicted leaves the page cache that it shares
 * @inode: inode
 *
 * Reads on its behalf may go on: memory that is reclaimed must not wait for them, since
 * to fill the cache may take memory.
 */
void erofs_od_share_leave(struct inode *inode)
{
	struct inode *shared = inode->i_mapping->host;

	/* Some kernels give a device node the page cache of the device, and take it away later. */
	if (shared->i_sb != share_mnt->mnt_sb)
		return;
	inode->i_mapping = &inode->i_data;
	WRITE_ONCE(shared_of(shared)->dropped, false);
	iput(shared);
}

/*
 * Drops a reference, and the page cache if nobody else has one. A file that was closed may
 * have begun reads that wait for the daemon, which is for the end of their mount to wait for.
 */
static void prune_one(struct inode *inode)
{
	WRITE_ONCE(shared_of(inode)->dropped, true);
	if (erofs_od_io_is_reading(inode))
		WRITE_ONCE(shared_of(inode)->dropped, false);
	iput(inode);
}

/*
 * Frees the page caches of a domain that no file uses. The blobs that they are of may be about
 * to be closed, and have other numbers once they are opened again.
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
 * erofs_od_share_end - a mount that ends leaves the page caches of its domain
 * @sbi: mount without inodes, its blobs open
 *
 * Cancels the reads on its behalf, and waits for them to end; the loop is for reads that
 * start to wait while it runs.
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
 * erofs_od_share_interrupt - end what a mount waits for that is read on behalf of others
 * @sbi: mount that is unmounted by force
 *
 * The others start their reads again, but only after this mount's have failed: both want
 * the same pages.
 *
 * Context: may sleep.
 */
void erofs_od_share_interrupt(struct erofs_od_sb_info *sbi)
{
	struct erofs_od_share *share = sbi->domain->share;
	unsigned int i;

	atomic64_set(&share->quiet, (s64)get_jiffies_64() + QUIET);
	/* A read that has counted this one has seen that it is to step back. */
	smp_mb__before_atomic();
	atomic_inc(&share->interrupts);
	for (i = 0; i < sbi->nr_blobs; i++)
		sbi->blobs[i]->backend->cancel(sbi->blobs[i], share);
}
