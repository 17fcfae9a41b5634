#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Cache files and maps for tests, written and read independently of the programs.

cachedir.py object DIR VOLUME BLOB SOURCE [START-END...]   data of these ranges, holes elsewhere
cachedir.py map DIR VOLUME BLOB VALIDATOR [START-END...]   a map of it, not closed, SEQ 2
cachedir.py show DIR VOLUME BLOB                           VALIDATOR FLAGS START-END...
cachedir.py path DIR VOLUME BLOB                           of the cache file
cachedir.py mark FILE HEX, cachedir.py marked FILE         its xattr
"""
import array
import fcntl
import os
import struct
import sys

HEAD = struct.Struct("<8sIIQQQIIqIIQI4x256s256s256s")
XATTR = "user.CacheFiles.cache"


def mangle(words, y):
    def rol(v, n):
        return (v << n | v >> (32 - n)) & 0xffffffff
    x, g = 0, 0x61c88647
    for a in words:
        x ^= a
        y ^= x
        x = (rol(x, 7) + y) & 0xffffffff
        y = rol(y, 20) * 9 & 0xffffffff
    return (y ^ x * g) * g & 0xffffffff


def words(data, size):
    return struct.unpack("<%dI" % (size // 4), data.ljust(size, b"\0"))


def path_of(top, volume, blob):
    key, name = volume.encode(), blob.encode()
    salt = mangle(words(bytes([len(key)]) + key, (len(key) + 2 + 3) // 4 * 4), 0)
    low = mangle(words(name, (len(name) + 3) // 4 * 4), salt) & 255
    return "%s/cache/I%s/@%02x/D%s" % (top, volume, low, blob)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc


def ranges(texts):
    return [tuple(int(n) for n in text.split("-")) for text in texts]


def make_object(top, volume, blob, source, *texts):
    with open(source, "rb") as file:
        data = file.read()
    path = path_of(top, volume, blob)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.setxattr("%s/cache/I%s" % (top, volume), XATTR, bytes(4))
    with open(path, "xb") as file:
        file.truncate((len(data) + 4095) // 4096 * 4096)
        for start, end in ranges(texts):
            file.seek(start)
            file.write(data[start:end])
    os.setxattr(path, XATTR, struct.pack(">QQBB", len(data), 0, 1, 0))


def map_path(top, path):
    return "%s/maps/%x" % (top, os.stat(path).st_ino)


def make_map(top, volume, blob, validator, *texts):
    path = path_of(top, volume, blob)
    generation = array.array("I", [0, 0])
    with open(path, "rb") as file:
        fcntl.ioctl(file, 0x80087601, generation)
    size = struct.unpack(">Q", os.getxattr(path, XATTR)[:8])[0]
    runs = b"".join(struct.pack("<QQ", *pair) for pair in ranges(texts))
    fields = (2, size, os.stat(path).st_ino, generation[0], 0, 0, 0, len(texts), 8192,
              crc32c(runs), ("I" + volume).encode(), ("D" + blob).encode(), validator.encode())
    slot = HEAD.pack(b"ODPRESMP", 1, 0, *fields).ljust(4096, b"\0")
    slot = HEAD.pack(b"ODPRESMP", 1, crc32c(slot), *fields).ljust(4096, b"\0")
    os.makedirs(top + "/maps", exist_ok=True)
    with open(map_path(top, path), "wb") as file:
        file.write(slot)
        file.seek(8192)
        file.write(runs)


def show(top, volume, blob):
    path = path_of(top, volume, blob)
    with open(map_path(top, path), "rb") as file:
        data = file.read()
    best = None
    for at in 0, 4096:
        slot = data[at:at + 4096]
        if slot[:8] == b"ODPRESMP" and \
                crc32c(slot[:12] + bytes(4) + slot[16:]) == struct.unpack_from("<I", slot, 12)[0]:
            head = HEAD.unpack_from(slot)
            if not best or head[3] > best[3]:
                best = head
    flags, nr, off, crc = best[7], best[10], best[11], best[12]
    runs = data[off:off + 16 * nr]
    assert crc32c(runs) == crc and best[5] == os.stat(path).st_ino
    print(best[15].rstrip(b"\0").decode() or "-", flags,
          *("%d-%d" % pair for pair in struct.iter_unpack("<QQ", runs)))


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == "path":
        print(path_of(*args))
    elif command == "mark":
        os.setxattr(args[0], XATTR, bytes.fromhex(args[1]))
    elif command == "marked":
        print(os.getxattr(args[0], XATTR).hex())
    else:
        {"object": make_object, "map": make_map, "show": show}[command](*args)


main()
