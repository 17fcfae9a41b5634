// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device table. The input: log2 of the block size, number of slots, a device id,
 * an address, a length, the slots. An odd id is of a 48BIT image.
 */
#include "fuzz.h"
#include "erofs_od/core/blobtab.h"

#define SLOTS_MAX	20

static void check_slot(const struct od_slot *slot, bool wide, const u8 *p)
{
	u64 blocks_hi = wide ? get_unaligned_le16(p + 72) : 0;
	u64 uniaddr_hi = wide ? get_unaligned_le16(p + 74) : 0;

	must(slot->tag[OD_DEVICE_TAG_SIZE] == '\0');
	must(!memcmp(slot->tag, p, OD_DEVICE_TAG_SIZE));
	must(slot->blocks == (get_unaligned_le32(p + 64) | blocks_hi << 32));
	must(slot->uniaddr == (get_unaligned_le32(p + 68) | uniaddr_hi << 32));
}

static void check_device(const struct od_blobtab *tab, u16 id)
{
	u32 slots = tab->count - 1, index = ~0U;
	int err = od_blobtab_device(tab, id, &index);

	must(!err || err == -EUCLEAN);
	must(err ? index > slots : index < tab->count);
	/* Bits above those that the table needs are ignored. */
	must(index <= id && index < 2 * (slots + 1));
	if (id <= slots)
		must(!err && index == id);
}

static bool claims(const struct od_blob *b, u64 addr)
{
	return b->uniaddr && addr >= b->uniaddr && addr - b->uniaddr < b->unilen;
}

/* The first slot that has an address. */
static u32 owner(const struct od_blobtab *tab, u64 addr)
{
	u32 i;

	for (i = 1; i < tab->count; i++)
		if (claims(&tab->blob[i], addr))
			return i;
	return 0;
}

/* Whether the start of a slot is within another one. */
static bool overlap(const struct od_blobtab *tab)
{
	u32 i, j;

	for (i = 1; i < tab->count; i++)
		for (j = 1; j < tab->count; j++)
			if (i != j && claims(&tab->blob[i], tab->blob[j].uniaddr))
				return true;
	return false;
}

static void check_flat(const struct od_blobtab *tab, u64 addr, u64 want, bool disjoint)
{
	u64 at = addr, len = want, start;
	u32 index = ~0U, i;

	od_blobtab_flat(tab, &at, &index, &len);
	must(index < tab->count && index == owner(tab, addr));
	must(len <= want && len >= (want ? 1 : 0));
	start = index ? tab->blob[index].uniaddr : 0;
	must(at == addr - start);
	if (index)
		must(at < tab->blob[index].unilen && len <= tab->blob[index].unilen - at);
	/* No slot before it starts within it, and it has the maximum length. */
	for (i = 1; i < (index ? index : tab->count); i++)
		if (tab->blob[i].uniaddr)
			must(tab->blob[i].uniaddr <= addr || tab->blob[i].uniaddr - addr >= len);
	if (len < want && disjoint)
		must(owner(tab, addr + len) != index || index == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	struct od_blobtab tab = { .blkbits = (u8)(9 + feed8(&feed) % 8) };
	u16 id, i;
	u64 addr, len;
	struct od_blob *blob;
	bool disjoint;

	tab.count = 1U + feed8(&feed) % (SLOTS_MAX + 1);
	id = feed16(&feed);
	/* A block number of 32 bits, in bytes. */
	addr = (u64)feed32(&feed) << tab.blkbits | feed16(&feed);
	len = feed64(&feed) & (u64)S64_MAX;
	blob = calloc(tab.count, sizeof(*blob));
	for (i = 1; i < tab.count; i++) {
		u8 *p = feed_bytes(&feed, sizeof(struct od_disk_slot));
		struct od_slot slot;

		od_slot_parse((const void *)p, id & 1, &slot);
		check_slot(&slot, id & 1, p);
		/* As at a mount. */
		blob[i].uniaddr = slot.uniaddr << tab.blkbits;
		blob[i].unilen = slot.blocks << tab.blkbits;
		free(p);
	}
	tab.blob = blob;
	check_device(&tab, id);
	disjoint = !overlap(&tab);
	check_flat(&tab, addr, len, disjoint);
	for (i = 1; i < tab.count; i++) {
		check_flat(&tab, blob[i].uniaddr, len, disjoint);
		check_flat(&tab, blob[i].uniaddr + blob[i].unilen, len, disjoint);
		if (blob[i].uniaddr)
			check_flat(&tab, blob[i].uniaddr - 1, len, disjoint);
	}
	free(blob);
	return 0;
}
