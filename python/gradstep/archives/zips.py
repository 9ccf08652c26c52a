"""The zip files that gradstep writes: members one behind the other, as they are, and nothing in between.

Of the many zip files that there can be only these are read: so no member can be hidden, overlap another
one or grow when it is read.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

from gradstep.archives.errors import CheckpointError

if TYPE_CHECKING:
    from typing import BinaryIO

UNICODE = 0x800
"""The flag of names in UTF-8."""
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
LOCAL = struct.Struct("<4s5H3L2H")


class Member(NamedTuple):
    """Where the bytes of a member are."""

    offset: int
    size: int
    crc: int


def members(file: BinaryIO, size: int, limit: int) -> dict[str, Member]:
    """List the members of a zip file.

    Args:
        file: the file.
        size: its number of bytes.
        limit: the most bytes that its directory may have.

    Raises:
        CheckpointError: it is not as gradstep writes them.
    """
    start = check_directory(file, size, limit)
    try:
        file.seek(0)
        listed = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise CheckpointError(f"it is a damaged zip file: {error}") from None
    found: dict[str, Member] = {}
    at = 0
    for info in sorted(listed, key=lambda info: info.header_offset):
        name = info.orig_filename
        if name in found:
            raise CheckpointError(f"it has two members {name!r}")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise CheckpointError(f"its member {name!r} is compressed")
        if info.header_offset != at or info.flag_bits & ~UNICODE:
            raise CheckpointError(f"its member {name!r} is not where or what gradstep writes")
        begin = at + local_size(file, at, info)
        at = begin + info.file_size
        found[name] = Member(begin, info.file_size, info.CRC)
    if at != start:
        raise CheckpointError("it has something between its members and their directory")
    return found


def check_directory(file: BinaryIO, size: int, limit: int) -> int:
    """Look at the directory before anything reads it whole, and tell where it begins."""
    no_end = CheckpointError("its end is missing, or it is no zip file as gradstep writes them")
    if size < END.size:
        raise no_end
    file.seek(size - END.size)
    sign, disk, first, here, count, length, start, comment = END.unpack(file.read(END.size))
    end = size - END.size
    if sign != b"PK\x05\x06" or comment or disk or first or here != count:
        raise no_end
    far = end - LOCATOR.size - END64.size
    file.seek(max(0, far))
    record, locator = file.read(END64.size), file.read(LOCATOR.size)
    # Where this is, `zipfile` goes by it, whatever else the file says.
    if locator.startswith(b"PK\x06\x07"):
        end = far
        sign, rest, _, _, disk, first, here, count, length, start = END64.unpack(record)
        if sign != b"PK\x06\x06" or rest != END64.size - 12 or disk or first or here != count:
            raise no_end
        if LOCATOR.unpack(locator)[1:] != (0, end, 1):
            raise no_end
    if length > limit:
        raise CheckpointError(f"its directory has {length:,} bytes, more than the {limit:,} expected")
    if start + length != end:
        raise no_end
    return int(start)


def local_size(file: BinaryIO, at: int, info: zipfile.ZipInfo) -> int:
    """Read what stands before a member's bytes, and tell how long it is."""
    file.seek(at)
    head = file.read(LOCAL.size)
    if len(head) == LOCAL.size:
        sign, _, flags, method, _, _, _, _, _, of_name, of_extra = LOCAL.unpack(head)
        name = info.orig_filename.encode("utf-8" if info.flag_bits & UNICODE else "cp437")
        if (sign, flags, method) == (b"PK\x03\x04", info.flag_bits, 0) and file.read(of_name) == name:
            return LOCAL.size + int(of_name) + int(of_extra)
    raise CheckpointError(f"its member {info.orig_filename!r} does not begin as its directory says")


def read_member(file: BinaryIO, name: str, member: Member) -> bytes:
    """Read a member whole, and compare its checksum."""
    file.seek(member.offset)
    content = file.read(member.size)
    if len(content) < member.size or zlib.crc32(content) != member.crc:
        raise CheckpointError(f"its member {name!r} is damaged")
    return content
