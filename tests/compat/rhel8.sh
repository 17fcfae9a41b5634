#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: rhel8.sh HEADERS BUILD NEWER
#
# Adds the interfaces that RHEL 8 has backported and the modules use to a plain 4.18, as
# declarations only: to HEADERS, a source tree's headers, and to BUILD, whose Module.symvers
# has to list the exports. NEWER has the headers of 5.10. Each file that changes gets a new
# inode, so HEADERS and BUILD may be hard links.
set -euo pipefail
[ $# = 3 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
linux=$1/include/linux
symvers=$2/Module.symvers
newer=$3/include/linux

# edit FILE SED-ARGUMENT...
edit() {
	sed -i -E "${@:2}" "$linux/$1"
}

# declare_in FILE LINE...: before its last line, which ends the guard
declare_in() {
	local text
	printf -v text '%s\\n' "${@:2}"
	edit "$1" "\$i ${text%\\n}"
}

# The mount API, pseudo file systems and the XArray, which 4.18 has not begun with.
for file in fs_context fs_parser pseudo_fs xarray; do
	rm -f "$linux/$file.h"
	cp "$newer/$file.h" "$linux/"
done
# Who mounts block devices there does so by mount_bdev().
edit fs_context.h '/int get_tree_bdev\(/,/;/d'
edit xarray.h '/might_alloc\(gfp\);/d'
edit fs.h -e '/^struct file_system_type \{/a \\tint (*init_fs_context)(struct fs_context *);\n\tconst struct fs_parameter_spec *parameters;' \
	-e '/^struct address_space_operations \{/a \\tvoid (*readahead)(struct readahead_control *);' \
	-e '/^struct address_space \{/,/^\}/s/struct radix_tree_root\t/struct xarray\t/' \
	-e '0,/^struct address_space;/s//struct readahead_control;\nstruct fs_parameter_spec;\nstruct fs_context;\n&/'
declare_in fs.h \
	'struct super_block *sget_fc(struct fs_context *, int (*)(struct super_block *, struct fs_context *), int (*)(struct super_block *, struct fs_context *));' \
	'int set_anon_super_fc(struct super_block *, struct fs_context *);' \
	'ssize_t vfs_iocb_iter_read(struct file *, struct kiocb *, struct iov_iter *);' \
	'ssize_t vfs_iocb_iter_write(struct file *, struct kiocb *, struct iov_iter *);'
declare_in pagemap.h \
	'#define FGP_FOR_MMAP 0x40' \
	'struct readahead_control { struct file *file; struct address_space *mapping; pgoff_t _index; unsigned int _nr_pages, _batch_count; };' \
	'struct page *readahead_page(struct readahead_control *);' \
	'loff_t readahead_pos(struct readahead_control *);' \
	'size_t readahead_length(struct readahead_control *);' \
	'unsigned int readahead_count(struct readahead_control *);' \
	'void page_cache_readahead_unbounded(struct address_space *, struct file *, pgoff_t, unsigned long, unsigned long);'
declare_in mm.h 'static inline unsigned long page_size(struct page *page) { return PAGE_SIZE << compound_order(page); }'
declare_in build_bug.h \
	'#define __static_assert(expr, msg, ...) _Static_assert(expr, msg)' \
	'#define static_assert(expr, ...) __static_assert(expr, ##__VA_ARGS__, #expr)'

cp "$symvers" "$symvers.new"
for name in page_cache_readahead_unbounded readahead_{page,pos,length,count} \
	vfs_iocb_iter_{read,write} init_pseudo get_tree_nodev sget_fc logfc __fs_parse \
	fs_param_is_string xa_{load,find,find_after,destroy} \
	__xa_{store,erase,cmpxchg,set_mark,clear_mark,alloc_cyclic}; do
	printf '0x00000000\t%s\tvmlinux\tEXPORT_SYMBOL_GPL\n' "$name"
done >>"$symvers.new"
mv "$symvers.new" "$symvers"
