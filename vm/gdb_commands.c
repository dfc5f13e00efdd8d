/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gdb's packets do: gdb's manual, appendix E. A machine is one process, number 1; its
 * processors are the threads, from 1 on. Each row of a table is a packet and its function, which
 * puts the answer into gdb->reply; what is in no table gets the empty answer, which says so.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "util/bits.h"
#include "vm/gdb_internal.h"
#include "vm/monitor.h"

/* gdb's numbers of signals, its include/gdb/signals.def. */
enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5 };
/* What goes wrong, in numbers of errno. */
enum { ERROR_FAULT = 14, ERROR_INVALID = 22, ERROR_NO_SPACE = 28 };
enum { THREAD = 1 };

static void ok(struct gdb *gdb)
{
    gdb_reply_text(&gdb->reply, "OK");
}

static void fail(struct gdb *gdb, unsigned number)
{
    gdb_reply_clear(&gdb->reply);
    gdb_reply_text(&gdb->reply, "E%02x", number);
}

static void done_or(struct gdb *gdb, bool done, unsigned number)
{
    if (done)
        ok(gdb);
    else
        fail(gdb, number);
}

/* ---- why the guest stands -------------------------------------------------------------------- */

static const uint8_t accesses_of[N_POINT_TYPES] = {
    [POINT_WRITE] = 1 << MMU_WRITE,
    [POINT_READ] = 1 << MMU_READ,
    [POINT_ACCESS] = 1 << MMU_READ | 1 << MMU_WRITE,
};

static struct gdb_point *find_point(struct gdb *gdb, const struct gdb_point *wanted)
{
    for (unsigned i = 0; i < gdb->n_points; i++) {
        struct gdb_point *point = &gdb->points[i];

        if (point->type == wanted->type && point->address == wanted->address &&
            (!accesses_of[point->type] || point->length == wanted->length))
            return point;
    }
    return NULL;
}

static bool has_breakpoint(struct gdb *gdb, enum gdb_point_type type, uint64_t address)
{
    return find_point(gdb, &(struct gdb_point){.type = type, .address = address}) != NULL;
}

static void put_reason(struct gdb *gdb, const struct vcpu_debug_stop *stop)
{
    struct gdb_reply *reply = &gdb->reply;

    if (stop->kind == VCPU_STOP_WATCHPOINT) {
        const char *kind = stop->accesses == 1 << MMU_WRITE  ? "watch"
                           : stop->accesses == 1 << MMU_READ ? "rwatch"
                                                             : "awatch";

        gdb_reply_text(reply, "%s:%llx;", kind, (unsigned long long)stop->address);
    } else if (stop->kind == VCPU_STOP_BREAKPOINT && gdb->tells_breakpoints) {
        bool hardware = has_breakpoint(gdb, POINT_HARDWARE, stop->address) &&
                        !has_breakpoint(gdb, POINT_SOFTWARE, stop->address);

        gdb_reply_text(reply, hardware ? "hwbreak:;" : "swbreak:;");
    }
}

static void put_stop(struct gdb *gdb, unsigned signal, const struct vcpu_debug_stop *stop)
{
    gdb_reply_text(&gdb->reply, "T%02xthread:%x;", signal, THREAD);
    if (stop)
        put_reason(gdb, stop);
}

void gdb_tell_stop(struct gdb *gdb)
{
    struct vcpu_debug_stop stop;

    gdb->awaiting = false;
    gdb_reply_clear(&gdb->reply);
    if (vm_take_debug_stop(gdb->vm, &stop))
        put_stop(gdb, SIGNAL_TRAP, &stop);
    else
        put_stop(gdb, SIGNAL_INT, NULL);
    gdb_send(gdb);
}

static void packet_reason(struct gdb *gdb, const char *arguments)
{
    put_stop(gdb, SIGNAL_TRAP, NULL);
}

/* ---- registers ------------------------------------------------------------------------------- */

static void packet_registers(struct gdb *gdb, const char *arguments)
{
    uint8_t bytes[GDB_REGISTER_BYTES];

    for (int n = gdb_target_next(gdb->target, 0); n >= 0;
         n = gdb_target_next(gdb->target, (unsigned)n + 1))
        gdb_reply_hex(&gdb->reply, bytes, gdb_target_read(gdb->target, (unsigned)n, bytes));
}

/* gdb writes all for the sake of one: those that cannot be changed stay. It may leave out the last.
 */
static void packet_set_registers(struct gdb *gdb, const char *arguments)
{
    for (int n = gdb_target_next(gdb->target, 0); n >= 0 && *arguments;
         n = gdb_target_next(gdb->target, (unsigned)n + 1)) {
        unsigned size = gdb_target_size(gdb->target, (unsigned)n);
        uint8_t bytes[GDB_REGISTER_BYTES];
        char digits[2 * GDB_REGISTER_BYTES + 1];

        snprintf(digits, 2 * size + 1, "%s", arguments);
        if (!gdb_parse_bytes(digits, bytes, size)) {
            fail(gdb, ERROR_INVALID);
            return;
        }
        gdb_target_write(gdb->target, (unsigned)n, bytes);
        arguments += 2 * size;
    }
    ok(gdb);
}

static void packet_register(struct gdb *gdb, const char *arguments)
{
    uint8_t bytes[GDB_REGISTER_BYTES];
    uint64_t number;
    unsigned size = 0;

    if (gdb_parse_number(&arguments, &number) && !*arguments)
        size = gdb_target_read(gdb->target, number, bytes);
    if (size)
        gdb_reply_hex(&gdb->reply, bytes, size);
    else
        fail(gdb, ERROR_INVALID);
}

static void packet_set_register(struct gdb *gdb, const char *arguments)
{
    uint8_t bytes[GDB_REGISTER_BYTES];
    uint64_t number;
    bool done = gdb_parse_number(&arguments, &number) && *arguments == '=' &&
                gdb_target_size(gdb->target, number) &&
                gdb_parse_bytes(arguments + 1, bytes, gdb_target_size(gdb->target, number)) &&
                gdb_target_write(gdb->target, number, bytes);

    done_or(gdb, done, ERROR_INVALID);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* RAM and ROM only: to look at a device would change it. */
static bool is_memory(const struct gdb *gdb, uint64_t address)
{
    const struct memory_section *section = memory_find(gdb->cpu->memory, address);

    return section && section->kind != MEMORY_DEVICE;
}

static bool peek(struct gdb *gdb, uint64_t address, uint8_t *bytes, size_t size)
{
    if (gdb->physical)
        return is_memory(gdb, address) && memory_read(gdb->cpu->memory, address, bytes, size);
    return mmu_peek(gdb->cpu->mmu, address, bytes, size, false) ||
           mmu_peek(gdb->cpu->mmu, address, bytes, size, true);
}

static bool poke(struct gdb *gdb, uint64_t address, const uint8_t *bytes, size_t size)
{
    if (gdb->physical)
        return memory_poke(gdb->cpu->memory, address, bytes, size);
    return mmu_poke(gdb->cpu->mmu, address, bytes, size, false) ||
           mmu_poke(gdb->cpu->mmu, address, bytes, size, true);
}

/* Page by page; returns how many bytes there are. */
static size_t peek_pages(struct gdb *gdb, uint64_t address, uint8_t *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t left = TLB_PAGE_SIZE - ((address + done) & (TLB_PAGE_SIZE - 1));
        size_t here = MIN(left, size - done);

        if (!peek(gdb, address + done, bytes + done, here))
            break;
        done += here;
    }
    return done;
}

static bool poke_pages(struct gdb *gdb, uint64_t address, const uint8_t *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t left = TLB_PAGE_SIZE - ((address + done) & (TLB_PAGE_SIZE - 1));
        size_t here = MIN(left, size - done);

        if (!poke(gdb, address + done, bytes + done, here))
            return false;
        done += here;
    }
    return true;
}

/* ADDRESS,LENGTH */
static bool parse_range(const char **arguments, uint64_t *address, uint64_t *length)
{
    if (!gdb_parse_number(arguments, address) || **arguments != ',')
        return false;
    ++*arguments;
    return gdb_parse_number(arguments, length);
}

/* As much as fits into an answer; gdb asks for the rest. */
static void packet_read_memory(struct gdb *gdb, const char *arguments)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint64_t address, length;
    size_t got;

    if (!parse_range(&arguments, &address, &length) || *arguments) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    got = peek_pages(gdb, address, bytes, (size_t)MIN(length, sizeof(bytes)));
    if (got || !length)
        gdb_reply_hex(&gdb->reply, bytes, got);
    else
        fail(gdb, ERROR_FAULT);
}

static void packet_write_memory(struct gdb *gdb, const char *arguments)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint64_t address, length;

    if (!parse_range(&arguments, &address, &length) || *arguments != ':' ||
        length > sizeof(bytes) || !gdb_parse_bytes(arguments + 1, bytes, (size_t)length)) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    done_or(gdb, poke_pages(gdb, address, bytes, (size_t)length), ERROR_FAULT);
}

/* The same with the bytes as they are. */
static void packet_write_binary(struct gdb *gdb, const char *arguments)
{
    const char *end = (const char *)gdb->receiver.data + gdb->receiver.length;
    uint64_t address, length;

    if (!parse_range(&arguments, &address, &length) || *arguments != ':' ||
        length != (uint64_t)(end - arguments - 1)) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    done_or(gdb, poke_pages(gdb, address, (const uint8_t *)arguments + 1, (size_t)length),
            ERROR_FAULT);
}

/* ---- going on -------------------------------------------------------------------------------- */

static void go_on(struct gdb *gdb, bool step)
{
    gdb->awaiting = true;
    if (step)
        vm_step(gdb->vm);
    else
        vm_cont(gdb->vm);
}

/* [ADDRESS] */
static void go_on_at(struct gdb *gdb, const char *arguments, bool step)
{
    uint64_t pc;

    if (*arguments &&
        (!gdb_parse_number(&arguments, &pc) || *arguments || !gdb_target_set_pc(gdb->target, pc))) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    go_on(gdb, step);
}

static void packet_continue(struct gdb *gdb, const char *arguments)
{
    go_on_at(gdb, arguments, false);
}

static void packet_step(struct gdb *gdb, const char *arguments)
{
    go_on_at(gdb, arguments, true);
}

/* SIGNAL[;ADDRESS]. A machine has no signals: gdb's are ignored. */
static void go_on_signalled(struct gdb *gdb, const char *arguments, bool step)
{
    uint64_t signal;

    if (!gdb_parse_number(&arguments, &signal)) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    go_on_at(gdb, arguments + (*arguments == ';'), step);
}

static void packet_continue_signalled(struct gdb *gdb, const char *arguments)
{
    go_on_signalled(gdb, arguments, false);
}

static void packet_step_signalled(struct gdb *gdb, const char *arguments)
{
    go_on_signalled(gdb, arguments, true);
}

static void packet_actions(struct gdb *gdb, const char *arguments)
{
    gdb_reply_text(&gdb->reply, "vCont;c;C;s;S");
}

static bool parse_thread(const char *text, int64_t *thread)
{
    uint64_t number;

    if (!strcmp(text, "-1")) {
        *thread = -1;
        return true;
    }
    if (!gdb_parse_number(&text, &number) || *text)
        return false;
    *thread = (int64_t)number;
    return true;
}

/* One of a thread's actions, "s" or "C05:1": true if it is for ours. */
static bool action_is_ours(char *action, bool *valid, bool *step)
{
    char *colon = strchr(action, ':');
    int64_t thread = -1;
    uint64_t signal;
    const char *rest = action + 1;

    if (colon)
        *colon = 0;
    *step = *action == 's' || *action == 'S';
    *valid = *action && strchr("csCS", *action) && (!colon || parse_thread(colon + 1, &thread));
    if (*valid && (*action == 'C' || *action == 'S'))
        *valid = gdb_parse_number(&rest, &signal);
    *valid = *valid && !*rest;
    return thread == -1 || thread == THREAD;
}

/* ;ACTION[:THREAD]... The first one for a thread counts. */
static void packet_vcont(struct gdb *gdb, const char *arguments)
{
    char text[256], *rest = text, *action;

    snprintf(text, sizeof(text), "%s", arguments);
    while ((action = strsep(&rest, ";"))) {
        bool valid, step;
        bool ours = action_is_ours(action, &valid, &step);

        if (!valid)
            break;
        if (ours) {
            go_on(gdb, step);
            return;
        }
    }
    fail(gdb, ERROR_INVALID);
}

/* ---- breakpoints and watchpoints ------------------------------------------------------------- */

/* TYPE,ADDRESS,KIND. Conditions and commands, which may follow, were not offered. */
static bool parse_point(const struct gdb *gdb, const char *text, struct gdb_point *point)
{
    uint64_t type;

    if (!gdb_parse_number(&text, &type) || type >= N_POINT_TYPES || *text++ != ',' ||
        !parse_range(&text, &point->address, &point->length) || *text)
        return false;
    point->type = (enum gdb_point_type)type;
    if (!gdb->cpu->guest->wide_address) /* gdb may have extended its sign */
        point->address = (uint32_t)point->address;
    if (!accesses_of[point->type])
        point->address &= ~(uint64_t)gdb->cpu->guest->pc_mode_bit;
    return true;
}

static bool set_point(struct gdb *gdb, const struct gdb_point *point)
{
    unsigned accesses = accesses_of[point->type];

    if (find_point(gdb, point)) /* it may be asked for again, as after an answer that got lost */
        return true;
    if (gdb->n_points == GDB_POINTS)
        return false;
    if (accesses ? !vcpu_add_watchpoint(gdb->cpu, point->address, point->length, accesses)
                 : !vcpu_add_breakpoint(gdb->cpu, point->address))
        return false;
    gdb->points[gdb->n_points++] = *point;
    return true;
}

static void clear_point(struct gdb *gdb, const struct gdb_point *wanted)
{
    struct gdb_point *point = find_point(gdb, wanted), old;

    if (!point)
        return;
    old = *point;
    *point = gdb->points[--gdb->n_points];
    if (accesses_of[old.type])
        vcpu_remove_watchpoint(gdb->cpu, old.address, old.length, accesses_of[old.type]);
    else if (!has_breakpoint(gdb, POINT_SOFTWARE, old.address) &&
             !has_breakpoint(gdb, POINT_HARDWARE, old.address))
        vcpu_remove_breakpoint(gdb->cpu, old.address);
}

void gdb_remove_points(struct gdb *gdb)
{
    gdb->n_points = 0;
    vcpu_remove_all_points(gdb->cpu);
}

static void packet_set_point(struct gdb *gdb, const char *arguments)
{
    struct gdb_point point;

    if (!parse_point(gdb, arguments, &point))
        fail(gdb, ERROR_INVALID);
    else
        done_or(gdb, set_point(gdb, &point), ERROR_NO_SPACE);
}

static void packet_clear_point(struct gdb *gdb, const char *arguments)
{
    struct gdb_point point;

    if (!parse_point(gdb, arguments, &point)) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    clear_point(gdb, &point);
    ok(gdb);
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void packet_detach(struct gdb *gdb, const char *arguments)
{
    gdb_remove_points(gdb);
    ok(gdb);
    vm_cont(gdb->vm);
}

/* No answer is expected. */
static void packet_kill(struct gdb *gdb, const char *arguments)
{
    vm_quit(gdb->vm);
}

static void packet_kill_process(struct gdb *gdb, const char *arguments)
{
    ok(gdb);
    vm_quit(gdb->vm);
}

/* The program is to begin anew; it goes on standing, and no answer is expected. */
static void packet_restart(struct gdb *gdb, const char *arguments)
{
    vm_reset(gdb->vm);
}

static void packet_extended(struct gdb *gdb, const char *arguments)
{
    ok(gdb);
}

/* ---- threads --------------------------------------------------------------------------------- */

/* Which one the next packets are about: OPERATION THREAD, 0 any, -1 all. */
static void packet_thread(struct gdb *gdb, const char *arguments)
{
    int64_t thread;

    done_or(gdb,
            (*arguments == 'g' || *arguments == 'c') && parse_thread(arguments + 1, &thread) &&
                thread >= -1 && thread <= THREAD,
            ERROR_INVALID);
}

static void packet_thread_alive(struct gdb *gdb, const char *arguments)
{
    int64_t thread;

    done_or(gdb, parse_thread(arguments, &thread) && thread == THREAD, ERROR_INVALID);
}

static void query_thread(struct gdb *gdb, const char *arguments)
{
    gdb_reply_text(&gdb->reply, "QC%x", THREAD);
}

static void query_threads(struct gdb *gdb, const char *arguments)
{
    gdb_reply_text(&gdb->reply, "m%x", THREAD);
}

static void query_no_more_threads(struct gdb *gdb, const char *arguments)
{
    gdb_reply_text(&gdb->reply, "l");
}

static void query_thread_info(struct gdb *gdb, const char *arguments)
{
    char text[128];
    int64_t thread;

    if (!parse_thread(arguments, &thread) || thread != THREAD) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    snprintf(text, sizeof(text), "CPU#%u %s [%s]", gdb->cpu->index, gdb->cpu->model->name,
             gdb->cpu->halted ? "halted " : "running");
    gdb_reply_hex(&gdb->reply, text, strlen(text));
}

/* ---- queries --------------------------------------------------------------------------------- */

static void query_supported(struct gdb *gdb, const char *arguments)
{
    gdb->tells_breakpoints = strstr(arguments, "swbreak+") && strstr(arguments, "hwbreak+");
    gdb_reply_text(&gdb->reply,
                   "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;vContSupported+",
                   GDB_PACKET_MAX);
    if (gdb->tells_breakpoints)
        gdb_reply_text(&gdb->reply, ";swbreak+;hwbreak+");
}

static void query_attached(struct gdb *gdb, const char *arguments)
{
    gdb_reply_text(&gdb->reply, "1"); /* gdb leaves the guest running when it quits */
}

static void query_offsets(struct gdb *gdb, const char *arguments)
{
    gdb_reply_text(&gdb->reply, "Text=0;Data=0;Bss=0");
}

/* :read:target.xml:OFFSET,LENGTH */
static void query_features(struct gdb *gdb, const char *arguments)
{
    static const char annex[] = "target.xml:";
    const char *xml = gdb_target_xml(gdb->target);
    size_t size = strlen(xml), sent;
    uint64_t offset, length;

    if (strncmp(arguments, annex, strlen(annex))) {
        fail(gdb, 0);
        return;
    }
    arguments += strlen(annex);
    if (!parse_range(&arguments, &offset, &length) || *arguments || offset > size) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    gdb_reply_text(&gdb->reply, "m");
    sent = gdb_reply_binary(&gdb->reply, xml + offset, (size_t)MIN(length, size - offset));
    if (offset + sent == size)
        *gdb->reply.data = 'l';
}

/* A monitor's command, in hexadecimal. What it says comes in packets of its own. */
static void query_monitor(struct gdb *gdb, const char *arguments)
{
    enum { PIECE = (GDB_PACKET_MAX - 1) / 2 };
    char line[512] = "", *text;
    size_t length = strlen(arguments) / 2;

    if (length >= sizeof(line) || !gdb_parse_bytes(arguments, line, length)) {
        fail(gdb, ERROR_INVALID);
        return;
    }
    text = monitor_run_text(gdb->vm, line);
    for (size_t done = 0, size = text ? strlen(text) : 0; done < size; done += PIECE) {
        gdb_reply_text(&gdb->reply, "O");
        gdb_reply_hex(&gdb->reply, text + done, MIN(size - done, (size_t)PIECE));
        gdb_send(gdb);
    }
    free(text);
    ok(gdb);
}

static void set_no_ack(struct gdb *gdb, const char *arguments)
{
    gdb->no_ack = true;
    ok(gdb);
}

static void query_physical(struct gdb *gdb, const char *arguments)
{
    gdb_reply_text(&gdb->reply, "%d", gdb->physical);
}

static void set_physical(struct gdb *gdb, const char *arguments)
{
    bool valid = (*arguments == '0' || *arguments == '1') && !arguments[1];

    if (valid)
        gdb->physical = *arguments == '1';
    done_or(gdb, valid, ERROR_INVALID);
}

/* ---- tables ---------------------------------------------------------------------------------- */

struct packet {
    const char *begins; /* longer ones before those they begin with */
    void (*run)(struct gdb *gdb, const char *arguments);
    bool whole; /* nothing follows */
};

static const struct packet packets[] = {
    {"QStartNoAckMode", set_no_ack, true},
    {"Qqemu.PhyMemMode:", set_physical},
    {"qqemu.PhyMemMode", query_physical, true},
    {"qAttached", query_attached},
    {"qC", query_thread, true},
    {"qOffsets", query_offsets, true},
    {"qRcmd,", query_monitor},
    {"qSupported", query_supported},
    {"qSymbol::", packet_extended, true},
    {"qThreadExtraInfo,", query_thread_info},
    {"qXfer:features:read:", query_features},
    {"qfThreadInfo", query_threads, true},
    {"qsThreadInfo", query_no_more_threads, true},
    {"vCont?", packet_actions, true},
    {"vCont;", packet_vcont},
    {"vKill;", packet_kill_process},
    {"!", packet_extended, true},
    {"?", packet_reason, true},
    {"C", packet_continue_signalled},
    {"D", packet_detach},
    {"G", packet_set_registers},
    {"H", packet_thread},
    {"M", packet_write_memory},
    {"P", packet_set_register},
    {"R", packet_restart},
    {"S", packet_step_signalled},
    {"T", packet_thread_alive},
    {"X", packet_write_binary},
    {"Z", packet_set_point},
    {"c", packet_continue},
    {"g", packet_registers, true},
    {"k", packet_kill},
    {"m", packet_read_memory},
    {"p", packet_register},
    {"s", packet_step},
    {"z", packet_clear_point},
};

/* Packets that have no answer, or none yet. */
static bool is_answered_later(const struct gdb *gdb, const struct packet *packet)
{
    return gdb->awaiting || packet->run == packet_kill || packet->run == packet_restart;
}

void gdb_command(struct gdb *gdb)
{
    const char *text = (const char *)gdb->receiver.data;

    gdb_reply_clear(&gdb->reply);
    for (unsigned i = 0; i < ARRAY_SIZE(packets); i++) {
        const struct packet *packet = &packets[i];
        size_t length = strlen(packet->begins);

        if (strncmp(text, packet->begins, length) || (packet->whole && text[length]))
            continue;
        packet->run(gdb, text + length);
        if (is_answered_later(gdb, packet))
            return;
        break;
    }
    gdb_send(gdb);
}
