# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured and what is aimed at: guests, classes, workloads of booted kernels."""
import collections

# One line makes a guest. program: the architecture in the names of calque and QEMU; options: the
# machine that runs build/bench/GUEST.elf; boot: the guest of tools/guests.list whose boot and
# workloads are measured under this guest's name, or None.
Guest = collections.namedtuple("Guest", "name program options boot")
GUESTS = {guest.name: guest for guest in (
    Guest("arm", "arm", "-M virt -cpu cortex-a15 -m 256", "virt"),
    Guest("thumb", "arm", "-M virt -cpu cortex-a15 -m 256", None),
    Guest("i386", "i386", "-M pc -cpu max -m 256", "i386"),
    Guest("x86_64", "x86_64", "-M pc -cpu max -m 256", "x86_64"),
    Guest("mipsel", "mipsel", "-M malta -cpu 24Kf -m 256", "mipsel"),
    Guest("mips64el", "mips64el", "-M malta -cpu MIPS64R2-generic -m 256", "mips64el"),
    Guest("mips", "mips", "-M malta -cpu 24Kf -m 256", None),
    Guest("mips64", "mips64", "-M malta -cpu MIPS64R2-generic -m 256", None),
)}
BARE_OPTIONS = "-nographic -monitor none -serial stdio -nic none -no-reboot"
PEER_OPTIONS = "-accel tcg,thread=single"
PEER_BOOT_OPTIONS = PEER_OPTIONS + " -nic none -no-reboot"

# aim: how many times as fast as QEMU; each: so of every row, else of the geometric mean of the
# class. No row of any class may be below ROW_AIM. The order is the report's.
Class = collections.namedtuple("Class", "name aim each colour")
ROW_AIM = 1.0
CLASSES = {kind.name: kind for kind in (
    Class("integer-dependent", 1.1, True, "#4e79a7"),
    Class("integer-throughput", 2, True, "#76a5d0"),
    Class("control", ROW_AIM, True, "#59a14f"),
    Class("call", 3, True, "#8cd17d"),
    Class("indirect", 2, True, "#2f7d3b"),
    Class("memory", 1.6, True, "#f28e2b"),
    Class("chase", 1.5, True, "#c96a0c"),
    Class("fp", 10, True, "#b07aa1"),
    Class("simd", 10, True, "#7f4f8f"),
    Class("exception", 8, True, "#e15759"),
    Class("mmio", 2, True, "#ff9d9a"),
    Class("tlb-miss", 3, True, "#499894"),
    Class("space-switch", 10, True, "#2c6e6a"),
    Class("tlb-flush", 5, True, "#86bcb6"),
    Class("smc", 5, True, "#b6992d"),
    Class("new-code", 6, True, "#8a7014"),
    Class("system", ROW_AIM, True, "#79706e"),
    Class("program", 2.5, False, "#d37295"),
    Class("boot", 2, True, "#1f4e79"),
    Class("fork", 2, True, "#9c755f"),
    Class("workload", ROW_AIM, True, "#d7a35a"),
)}
UNKNOWN_CLASS = Class("?", ROW_AIM, True, "#999999")


def class_of(name):
    return CLASSES.get(name, UNKNOWN_CLASS._replace(name=name))


# What is typed into the shell of a booted kernel, in busybox's words. before: prepares what the
# command works on; check: says what the result is, both outside the time; answers: computes the
# lines that the command and the check must print between them (runner/answers.py).
Workload = collections.namedtuple("Workload", "name kind before command check")
BOOT_ROW = "boot"
TEXT_LINES = 54000  # about 2 MB
MAKE_TEXT = ("[ -f text ] || awk 'BEGIN { for (i = 1; i <= %d; i++)"
             " print i * 7919 %% 65537, \"quick\", i * i %% 99991, \"brown\", i * 31337 %% 65521, \"fox\", i }' >text"
             % TEXT_LINES)
WORKLOADS = (
    Workload("fork_exec", "fork", "",
             "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done; echo loops $i", ""),
    Workload("pipe_pingpong", "fork",
             "mkfifo ping pong; answer() { while read -r x; do echo $((x+1)); done <ping >pong; }",
             "answer & exec 3>ping 4<pong; i=0; while [ $i -lt 2000 ]; do echo $i >&3; read -r i <&4; done;"
             " exec 3>&- 4<&-; wait; echo turns $i", "rm ping pong"),
    Workload("gzip", "workload", MAKE_TEXT, "gzip <text >text.gz", "gzip -dc <text.gz | sha256sum"),
    Workload("sha256sum", "workload", "dd if=/dev/zero of=zeros bs=64k count=256 2>/dev/null",
             "sha256sum <zeros", "rm zeros"),
    Workload("awk_float", "workload", "",
             "awk 'BEGIN { for (i = 1; i <= 200000; i++) { s += 1 / i; t = t * 0.5 + i }"
             " printf \"%.6f %.3f\\n\", s, t }'", ""),
    Workload("sort", "workload", MAKE_TEXT, "sort <text >sorted", "sha256sum <sorted"),
    Workload("dd", "workload", "", "dd if=/dev/zero of=blocks bs=1k count=32768 2>/dev/null",
             "stat -c 'bytes %s' blocks; rm blocks"),
    Workload("shell_loop", "workload", "",
             "i=0; s=0; while [ $i -lt 40000 ]; do s=$(((s*3+i)%65521)); i=$((i+1)); done; echo sum $s", ""),
)
WORKLOAD_CLASSES = dict([(BOOT_ROW, "boot")] + [(w.name, w.kind) for w in WORKLOADS])

# A quick run takes this many rows of each class of a guest, and these of its booted kernel.
QUICK_ROWS_PER_CLASS = 2
QUICK_WORKLOADS = (BOOT_ROW, "fork_exec", "awk_float")
