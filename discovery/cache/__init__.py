"""What was read once and need not be read again: typed tables and answers, in the user's cache folder.

An entry is found by what it was made of, the bytes of the sources and the part of the spec that reading depends on,
never by its name or age alone. Every part is written whole and carries its checksum; what does not agree with it is
passed over with a warning and removed. Whatever goes wrong here costs time, never a study.
"""

from discovery.cache.answers import Answers
from discovery.cache.fingerprint import Fingerprints, Signature
from discovery.cache.places import cache_folder, is_off
from discovery.cache.store import Cache, Entry, KeptReading

__all__ = ["Answers", "Cache", "Entry", "Fingerprints", "KeptReading", "Signature", "cache_folder", "is_off"]
