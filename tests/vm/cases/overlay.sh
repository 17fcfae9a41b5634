# SPDX-License-Identifier: GPL-2.0-only
# seconds: 4, debug 50
# where: stock rows short debug
# Images under overlayfs: as one or many lower layers, with metacopy and redirect, as
# data layer of composefs-like mounts, and in nested overlays.
kernel_is_older() {
	[ "$(printf '%s\n%s\n' "$(uname -r | cut -d. -f1,2)" "$1" | sort -V | head -n 1)" != "$1" ]
}

overlay() {
	mount -t overlay -o "$1" none "$2"
}

mkdir -p /mnt/base /mnt/over /mnt/meta /mnt/merged /mnt/second /mnt/third
ok "setup" od_setup
ok "daemon" odd
for layer in base over meta; do
	ok "mount: $layer" od_mount /mnt/$layer domain_id=layers,fsid=layer-$layer
done

ok "two lower layers" overlay lowerdir=/mnt/over:/mnt/base,redirect_dir=follow /mnt/merged
is "the upper one's file" "$(cat /mnt/merged/file)" over
is "a whiteout hides" "$(ls /mnt/merged/folder)" kept
is "an opaque directory hides" "$(ls /mnt/merged/opaque)" seen
is "a redirect is followed" "$(cat /mnt/merged/moved-to/moved)" base
notok "its old path does not exist" test -e /mnt/merged/moved-from
is "names of both layers, each once" "$(ls /mnt/merged | paste -sd' ')" "data file folder moved-to opaque"

rm -rf /mnt/scratch/upper /mnt/scratch/work
mkdir -p /mnt/scratch/upper /mnt/scratch/work
ok "an overlay with an upper layer on top of it" \
	overlay lowerdir=/mnt/merged,upperdir=/mnt/scratch/upper,workdir=/mnt/scratch/work /mnt/second
ok "copy up of a file and its directory" sh -c 'echo more >>/mnt/second/moved-to/moved'
is "has the right data" "$(paste -sd' ' /mnt/second/moved-to/moved)" "base more"
is "the lower file is unchanged" "$(cat /mnt/merged/moved-to/moved)" base
ok "removal of a directory" rm -r /mnt/second/folder
notok "it is removed" test -e /mnt/second/folder
out=$(overlay lowerdir=/mnt/second:/mnt/meta /mnt/third 2>&1) && fail "a third overlay is one too many" ||
	pass "a third overlay is one too many"
umount /mnt/second
umount /mnt/merged

ok "metadata and data in two layers" overlay lowerdir=/mnt/meta:/mnt/base,metacopy=on,redirect_dir=follow /mnt/merged
is "mode of the metadata layer" "$(stat -c %a /mnt/merged/renamed)" 751
is "data of the data layer" "$(sha256sum </mnt/merged/renamed | cut -d' ' -f1)" "$(cat $OD_SUMS/layer-data)"
umount /mnt/merged

if overlay lowerdir=/mnt/meta::/mnt/base,metacopy=on,redirect_dir=follow /mnt/merged 2>/tmp/out; then
	pass "a data-only layer"
	is "its names are hidden" "$(ls /mnt/merged | paste -sd' ')" "folder renamed"
	is "its data is used" "$(sha256sum </mnt/merged/renamed | cut -d' ' -f1)" "$(cat $OD_SUMS/layer-data)"
	umount /mnt/merged
elif kernel_is_older 6.5; then
	skip "a data-only layer" "overlayfs has them since 6.5"
else
	fail "a data-only layer" "$(cat /tmp/out)"
fi

lower=/mnt/over/folder:/mnt/over/opaque:/mnt/base/folder:/mnt/base/opaque:/mnt/base/moved-from:/mnt/meta/folder
ok "six lower layers" overlay lowerdir=$lower /mnt/merged
is "their names" "$(ls /mnt/merged | paste -sd' ')" "hidden kept moved seen"
umount /mnt/merged

ok "the daemon is killed" kill_daemons
ok "an overlay of present data" overlay lowerdir=/mnt/over:/mnt/base /mnt/merged
is "and is right" "$(cat /mnt/merged/file)" over
umount /mnt/merged
