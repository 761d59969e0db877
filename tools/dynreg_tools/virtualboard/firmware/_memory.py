"""Objects of the interpreter in its memory, as py/obj.h lays them out. Device side.

For what no Python code can do: a constant table changed, a dict made constant, a traceback cut.
"""

import builtins
import struct

import uctypes

_WORD = struct.calcsize("P")
_HALF = "I" if _WORD == 8 else "H"
_LOW = 0x7FFFFFFF


def address(thing):
    """Where an object lies; below 2 GB id() of 32 bits may have lost a sign to its tag."""
    number = id(thing)
    return number if number >= 0 else number & _LOW


def words(at, count):
    return struct.unpack("%dP" % count, uctypes.bytes_at(at, count * _WORD))


def write(memory, at, value):
    """One word. memory: /proc/self/mem, open, which is written where the program may only read."""
    memory.seek(min(at, _LOW))
    if at > _LOW:  # of 32 bits no more can be sought at once
        memory.seek(at - _LOW, 1)
    memory.write(struct.pack("P", value))


def renumber(memory, table, numbers):
    """Changes small numbers in a constant dict, keys and values."""
    _, flags, _, at = words(address(table), 4)
    for place, slot in enumerate(words(at, 2 * (flags >> 3))):
        number = numbers.get(slot >> 1) if slot & 1 else None
        if number is not None:
            write(memory, at + place * _WORD, number << 1 | 1)


def replace(memory, table, values, dropped):
    """Puts objects, kept elsewhere, into a constant dict of names and takes others out."""
    _, flags, _, at = words(address(table), 4)
    slots = words(at, 2 * (flags >> 3))
    values = {id(name): address(value) for name, value in values.items()}
    gone = [id(name) for name in dropped]
    place = at
    for slot in range(0, len(slots), 2):
        key = slots[slot]
        if key not in gone:
            write(memory, place, key)
            write(memory, place + _WORD, values.get(key, slots[slot + 1]))
            place += 2 * _WORD
    used = (place - at) // (2 * _WORD)
    write(memory, address(table) + _WORD, used << 3 | flags & 7)


def make_constant(table):
    """From now on nothing can be put into a dict or taken out: is_fixed, of mp_map_t."""
    flags = uctypes.bytearray_at(address(table) + _WORD, 1)
    flags[0] |= 2


def interrupt_place():
    """Where the interpreter looks for an exception that waits to be raised, where that of Ctrl-C
    lies, bytes of a word; None where neither can be found. py/mpstate.h has them in one struct.
    """
    import sys

    modules = address(sys.modules)
    exception = modules - 4 * _WORD  # of four words, right before the loaded modules
    back = words(modules - 64 * _WORD, 60)
    here = address(globals())
    if words(exception, 1)[0] != address(KeyboardInterrupt) or here not in back:
        return None
    at = len(back) - 1
    while back[at] != here:
        at -= 1
    if back[at + 3]:  # behind the globals two words of nlr
        return None
    return modules + (at + 3 - 64) * _WORD, exception, _WORD


def unseen(error):
    """Takes the last lines so far out of an error's traceback, all of the last one's file.

    Only of a built-in class, since another is laid out otherwise.
    """
    if getattr(builtins, type(error).__name__, None) is not type(error):
        return
    at = address(error) + _WORD  # py/objexcept.h: type, two halves: room and used, address
    used = struct.unpack("2" + _HALF, uctypes.bytes_at(at, _WORD))[1]
    entries = words(words(at + _WORD, 1)[0], used)
    left = used
    while left and entries[left - 3] == entries[used - 3]:  # file, line, function
        left -= 3
    if left != used:
        struct.pack_into(_HALF, uctypes.bytearray_at(at + _WORD // 2, _WORD // 2), 0, left)
