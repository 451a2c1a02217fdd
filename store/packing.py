"""Long stored texts, compressed where the database does not do it by itself."""

import zlib


def packed(stored: str) -> bytes:
    """The text compressed; SQLite keeps bytes in a text column as they are."""
    return zlib.compress(stored.encode(), level=9)


def unpacked(stored: str | bytes) -> str | bytes:
    """The text of a row, compressed or not."""
    return zlib.decompress(stored) if isinstance(stored, bytes) else stored
