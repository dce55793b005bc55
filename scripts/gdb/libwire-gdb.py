"""Commands of gdb for programs with wires, live or from a core file.

  info wires                    lists the wires of all threads
  wire                          tells which wire is selected
  wire N, wire NAME             selects one: shows its backtrace; `frame`, `up`, `info locals` and the
                                like look at its frames
  wire 0                        back to what the thread itself is doing
  wire apply all|N... COMMAND   runs a command, such as bt, for each of them

gdb loads this file by itself for an installed libwire.so; else: source libwire-gdb.py.

It needs no debug information of the library: where to find what is in a table in the section
.libwire.layout (core/debug.cpp). The frames of a wire that is not running come from the registers
that its last switch has left on its stack; nothing is written to the process. While such a wire is
selected, frame 0 is that of the thread, and the wire's begin at 1.
"""
import re
import struct

import gdb
import gdb.unwinder

NUMBERS = """current all main reactor depth link control name name_size flags fresh cancelled ending
blocked obstacle blocked_on entry stack_low stack_high all_link wire wait_watch chunks first_chunk
watch_size watch_kind descriptor timeout receiver watch_wait watch_fd watch_events watch_channel
""".split()

EPOLLIN = 1

# What the context switch leaves at the address where a wire continues: the offsets of the registers
# and of the program counter, and how far the stack pointer is above it then. Boost.Context's frames.
ARCHITECTURES = {
    "i386:x86-64": {
        "sp": "rsp", "pc": "rip", "pc_at": 0x38, "size": 0x40, "thread": "fs_base",
        "saved": {"r12": 0x08, "r13": 0x10, "r14": 0x18, "r15": 0x20, "rbx": 0x28, "rbp": 0x30},
    },
    "aarch64": {
        "sp": "sp", "pc": "pc", "pc_at": 0xA0, "size": 0xB0, "thread": None,
        "saved": {"x%d" % (19 + i): 0x40 + 8 * i for i in range(12)},
    },
}


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address):
    return struct.unpack("Q", read(address, 8))[0]


def half(address):
    return struct.unpack("I", read(address, 4))[0]


def string(address, size=80):
    result = b""
    while len(result) < size and not result.endswith(b"\0"):
        result += read(address + len(result), 1)
    return result.rstrip(b"\0").decode("utf-8", "replace")


def register(frame, name):
    return int(frame.read_register(name)) & 0xFFFFFFFFFFFFFFFF


def symbol(address):
    text = gdb.execute("info symbol %d" % address, to_string=True)
    return text.split(" in section")[0] if " in section" in text else "0x%x" % address


class Layout:
    """The library's table."""

    def __init__(self):
        found = re.search(r"(0x[0-9a-f]+) - 0x[0-9a-f]+ is \.libwire\.layout",
                          gdb.execute("info files", to_string=True))
        if not found:
            raise gdb.GdbError("No libwire in this program.")
        address = int(found.group(1), 16)
        magic, version, count, self.thread_offset = struct.unpack("8sIIq", read(address, 24))
        if magic != b"libwire\0" or version != 1 or count != len(NUMBERS):
            raise gdb.GdbError("This libwire is of another version than its gdb script.")
        numbers = struct.unpack("%dI" % count, read(address + 24, 4 * count))
        for name, number in zip(NUMBERS, numbers):
            setattr(self, name, number)


def architecture():
    name = gdb.newest_frame().architecture().name()
    if name not in ARCHITECTURES:
        raise gdb.GdbError("No support for wires on %s." % name)
    return ARCHITECTURES[name]


def scheduler_of(layout, thread):
    """Of the selected thread; None when it never had wires."""
    base = None
    if architecture()["thread"]:
        base = register(gdb.newest_frame(), architecture()["thread"])
    elif hasattr(thread, "handle"):
        base = int.from_bytes(thread.handle(), "little")
    if not base or not layout.thread_offset:
        return None
    scheduler = base + layout.thread_offset
    try:
        return scheduler if word(scheduler + layout.current) else None
    except gdb.MemoryError:
        return None  # the thread is about to begin or has ended


class Wire:
    def __init__(self, layout, thread, scheduler, control):
        self.layout = layout
        self.thread = thread
        self.scheduler = scheduler
        self.control = control
        self.address = word(control + layout.wire)
        flags = word(self.address + layout.control)
        self.valid = flags & ~layout.flags == control  # else it is just being made
        if not self.valid:
            return
        self.name = string(self.address + layout.name, layout.name_size)
        self.running = word(scheduler + layout.current) == self.address
        self.fresh = bool(flags & layout.fresh)
        self.flags = flags
        self.context = control - half(self.address + layout.depth)
        self.low = word(control + layout.stack_low)
        self.high = word(control + layout.stack_high)
        if self.running:
            self.sp = None
        else:
            self.sp = self.context

    def stack(self):
        used = self.high - self.sp if self.sp else "?"
        return "%s/%d" % (used, self.high - self.low)

    def state(self):
        layout = self.layout
        if self.running:
            text = "running"
        elif word(self.address + layout.link):
            text = "ready"
            if self.fresh:
                text += ", will run " + symbol(word(self.control + layout.entry))
        elif self.flags & layout.blocked:
            text = "waits for " + self.obstacle()
        else:
            text = "suspended"
        if self.flags & layout.cancelled:
            text += ", cancelled"
        if self.flags & layout.ending:
            text += ", ending"
        return text

    def obstacle(self):
        name = string(word(word(self.control + self.layout.obstacle)))
        on = word(self.control + self.layout.blocked_on)
        if name == "an event":
            waits = self.waits(on)
            return name + ": " + " or ".join(waits) if waits else name
        if self.low <= on < self.high:  # a record of the library's
            return name
        return "%s 0x%x" % (name, on)

    def waits(self, head):
        result = []
        node = word(head)
        while node not in (0, head) and len(result) < 64:
            result.append(self.wait(node))
            node = word(node)
        return result

    def wait(self, wait):
        layout = self.layout
        index = half(wait + layout.wait_watch)
        reactor = word(self.scheduler + layout.reactor)
        watch = self.watch(reactor, index) if reactor and index else 0
        if not watch or word(watch + layout.watch_wait) != wait:
            return "wait 0x%x" % wait
        kind = read(watch + layout.watch_kind, 1)[0]
        if kind == layout.descriptor:
            way = "readable" if half(watch + layout.watch_events) & EPOLLIN else "writable"
            return "descriptor %d to be %s" % (half(watch + layout.watch_fd), way)
        if kind == layout.timeout:
            return "a timeout"
        if kind == layout.receiver:
            return "a message on channel 0x%x" % word(watch + layout.watch_channel)
        return "wait 0x%x" % wait

    def watch(self, reactor, index):
        """As WatchTable::at does."""
        first = self.layout.first_chunk
        position = index - 1 + first
        number = position.bit_length() - first.bit_length()
        if number > 24:
            return 0
        chunk = word(reactor + self.layout.chunks + 8 * number)
        return chunk + (position - (first << number)) * self.layout.watch_size if chunk else 0


def wires_of_thread(layout, thread):
    scheduler = scheduler_of(layout, thread)
    if scheduler is None:
        return
    head = scheduler + layout.all
    node = word(head)
    while node not in (0, head):
        wire = Wire(layout, thread, scheduler, node - layout.all_link)
        if wire.valid:
            yield wire
        node = word(node)


class Selection:
    """Which wire the frames are of, if not of the thread itself."""

    wire = None
    pc = sp = 0  # of the thread: its newest frame is told by them

    def clear(self):
        if self.wire:
            self.wire = None
            FILTER.enabled = False
            gdb.invalidate_cached_frames()

    def select(self, wire):
        self.clear()
        wire.thread.switch()
        gdb.newest_frame().select()
        if wire.running or wire.fresh:
            return
        names = architecture()
        frame = gdb.newest_frame()
        self.sp, self.pc = register(frame, names["sp"]), register(frame, names["pc"])
        self.wire = wire
        FILTER.enabled = True
        gdb.invalidate_cached_frames()
        older = gdb.newest_frame().older()
        if older:
            older.select()


SELECTION = Selection()


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class WireUnwinder(gdb.unwinder.Unwinder):
    """Has the selected wire's frames follow the newest one of its thread."""

    def __init__(self):
        super().__init__("libwire")

    def __call__(self, pending):
        wire = SELECTION.wire
        if wire is None:
            return None
        names = ARCHITECTURES.get(pending.architecture().name())
        mask = 0xFFFFFFFFFFFFFFFF
        if (names is None or int(pending.read_register(names["sp"])) & mask != SELECTION.sp or
                int(pending.read_register(names["pc"])) & mask != SELECTION.pc):
            return None
        kind = gdb.lookup_type("unsigned long")
        context = wire.context
        info = pending.create_unwind_info(FrameId(gdb.Value(context - 16).cast(kind),
                                                  gdb.Value(SELECTION.pc).cast(kind)))
        for name, offset in names["saved"].items():
            info.add_saved_register(name, gdb.Value(word(context + offset)).cast(kind))
        info.add_saved_register(names["pc"], gdb.Value(word(context + names["pc_at"])).cast(kind))
        info.add_saved_register(names["sp"], gdb.Value(context + names["size"]).cast(kind))
        return info


class WireFilter:
    """Leaves the thread's own frame out of the backtrace of a wire."""

    def __init__(self):
        self.name = "libwire"
        self.enabled = False
        self.priority = 1000
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        return (frame for frame in frames if frame.inferior_frame().level() != 0)


FILTER = WireFilter()


def all_wires():
    """Numbered from 1, thread by thread, the oldest first. What is selected stays so."""
    layout = Layout()
    thread, wire = gdb.selected_thread(), SELECTION.wire
    if thread is None:
        raise gdb.GdbError("No threads.")
    frame = gdb.selected_frame()
    level = frame.level()
    SELECTION.clear()
    result = []
    for one in sorted(gdb.selected_inferior().threads(), key=lambda one: one.num):
        one.switch()
        try:
            result.extend(wires_of_thread(layout, one))
        except gdb.MemoryError:
            print("Some wires of thread %d have no stack here; is it in the core file?" % one.num)
    for number, one in enumerate(result, 1):
        one.number = number
    restore(thread, wire, level)
    return result


def restore(thread, wire, level):
    if wire:
        SELECTION.select(wire)
    else:
        SELECTION.clear()
        thread.switch()
    frame = gdb.newest_frame()
    while frame and frame.level() < level:
        frame = frame.older()
    if frame:
        frame.select()


def named(wires, text):
    for wire in wires:
        if str(wire.number) == text or wire.name == text.strip("\"'"):
            return wire
    raise gdb.GdbError("No wire %s." % text)


def headline(wire):
    return "Wire %d '%s' of thread %d: %s" % (wire.number, wire.name, wire.thread.num, wire.state())


class InfoWires(gdb.Command):
    """Lists the wires of all threads: number, thread, bytes of stack in use and in all, name, state.
The one that is selected is marked."""

    def __init__(self):
        super().__init__("info wires", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        wires = all_wires()
        if not wires:
            print("No wires.")
            return
        print("  %-4s %-6s %-16s %-20s %s" % ("Id", "Thread", "Stack", "Name", "State"))
        for wire in wires:
            selected = SELECTION.wire and SELECTION.wire.control == wire.control
            print("%s %-4d %-6d %-16s %-20s %s" % ("*" if selected else " ", wire.number,
                                                   wire.thread.num, wire.stack(),
                                                   "'%s'" % wire.name, wire.state()))


class WireCommand(gdb.Command):
    """Selects a wire by its number or name and shows its backtrace; `wire 0` goes back to the thread.
Without an argument tells which one is selected. See also `info wires` and `wire apply`."""

    def __init__(self):
        super().__init__("wire", gdb.COMMAND_STACK, prefix=True)

    def invoke(self, argument, from_tty):
        text = argument.strip()
        if not text:
            print(headline(SELECTION.wire) if SELECTION.wire else "No wire is selected.")
        elif text == "0":
            SELECTION.clear()
            gdb.execute("frame")
        else:
            wire = named(all_wires(), text)
            print(headline(wire))
            SELECTION.select(wire)
            if not wire.fresh:
                gdb.execute("backtrace")


class WireApply(gdb.Command):
    """Runs a command for several wires: wire apply all|N... COMMAND. One that has not run yet has no
frames, and is only named."""

    def __init__(self):
        super().__init__("wire apply", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = re.match(r"\s*(all|(?:\d+\s+)*\d+)\s+(\S.*)", argument)
        if not found:
            raise gdb.GdbError("Usage: wire apply all|N... COMMAND")
        wires = all_wires()
        if found.group(1) != "all":
            wires = [named(wires, number) for number in found.group(1).split()]
        thread, selected = gdb.selected_thread(), SELECTION.wire
        level = gdb.selected_frame().level()
        for wire in wires:
            print("\n" + headline(wire))
            if wire.fresh:
                continue
            SELECTION.select(wire)
            gdb.execute(found.group(2))
        restore(thread, selected, level)


gdb.unwinder.register_unwinder(None, WireUnwinder(), replace=True)
gdb.events.cont.connect(lambda event: SELECTION.clear())
gdb.events.exited.connect(lambda event: SELECTION.clear())
InfoWires()
WireCommand()
WireApply()
