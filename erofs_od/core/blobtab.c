// SPDX-License-Identifier: GPL-2.0-only
#include "blobtab.h"

void od_slot_parse(const struct od_disk_slot *disk, bool wide, struct od_slot *slot)
{
	memset(slot, 0, sizeof(*slot));
	memcpy(slot->tag, disk->tag, OD_DEVICE_TAG_SIZE);
	slot->blocks = le32_to_cpu(disk->blocks);
	slot->uniaddr = le32_to_cpu(disk->uniaddr);
	if (!wide)
		return;
	slot->blocks |= (u64)le16_to_cpu(disk->blocks_hi) << 32;
	slot->uniaddr |= (u64)le16_to_cpu(disk->uniaddr_hi) << 32;
}

int od_blobtab_device(const struct od_blobtab *tab, u16 device_id, u32 *index)
{
	u32 slots = tab->count - 1;
	u32 above = 1;

	while (above <= slots)
		above <<= 1;
	*index = device_id & (above - 1);
	return *index > slots ? -EUCLEAN : 0;
}

void od_blobtab_flat(const struct od_blobtab *tab, u64 *addr, u32 *index,
		     u64 *len)
{
	u64 at = *addr;
	u32 i;

	*index = 0;
	for (i = 1; i < tab->count; i++) {
		const struct od_blob *b = &tab->blob[i];

		if (!b->uniaddr)
			continue;
		if (at >= b->uniaddr && at - b->uniaddr < b->unilen) {
			u64 left = b->unilen - (at - b->uniaddr);

			*index = i;
			*addr = at - b->uniaddr;
			*len = min(*len, left);
			return;
		}
		if (at < b->uniaddr && *len > b->uniaddr - at)
			*len = b->uniaddr - at;
	}
}
