/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a machine: streams, building, the I/O loop, the events that end or restart it. */
#define _GNU_SOURCE
#include "vm/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/block.h"
#include "host/chardev_kinds.h"
#include "host/event_loop.h"
#include "host/terminal.h"
#include "vm/choose.h"
#include "vm/monitor.h"
#include "vm/sandbox.h"

enum vm_state { VM_RUNNING, VM_PAUSED, VM_SHUTDOWN };

struct vm {
    const struct options *options;
    struct machine *machine;
    struct event_loop *loop;
    struct watch clock_watch, signal_watch;
    int signal_fd;
    sigset_t signals_before;
    bool signals_blocked;

    struct chardev *serial[OPTIONS_SERIALS]; /* what the boards' ports are connected to */
    struct chardev *owned[OPTIONS_SERIALS + 3];
    unsigned n_owned;
    struct mux *mux[OPTIONS_SERIALS];
    unsigned n_mux;
    struct chardev *parallel, *debugcon;
    struct block *drive[N_DRIVES];
    bool drive_taken[N_DRIVES]; /* the board has that drive */
    const char *devices[OPTIONS_DEVICES + 2];
    struct monitor *monitors[OPTIONS_SERIALS + 1];
    unsigned n_monitors;
    bool stdio_used;
    struct code_record *record; /* -perfmap, -jitdump */
    struct symbols *symbols;    /* of -kernel, for them */

    enum vm_state state;
    bool quit;
    int status;
    _Atomic unsigned events; /* 1 << enum machine_event, set by any thread */
};

struct machine *vm_machine(struct vm *vm)
{
    return vm->machine;
}

const struct options *vm_options(struct vm *vm)
{
    return vm->options;
}

static void say(struct vm *vm, const char *text)
{
    fprintf(stderr, "%s: %s\n", vm->options->program, text);
}

/* ---- character streams -------------------------------------------------------------------------
 */

static void mux_quit(void *opaque)
{
    struct vm *vm = opaque;

    say(vm, "Terminated");
    vm_quit(vm);
}

static void mux_save(void *opaque)
{
    say(opaque, "there are no changed disks to save");
}

static bool add_monitor(struct vm *vm, struct chardev *c, bool in_front, struct error *err)
{
    struct monitor *monitor = monitor_create(vm, c, in_front);

    if (!monitor)
        return error_set(err, "out of memory");
    vm->monitors[vm->n_monitors++] = monitor;
    return true;
}

static struct chardev *open_stream(struct vm *vm, const char *option, const char *what, bool muxed,
                                   struct error *err)
{
    struct chardev_context context = {
        .loop = vm->loop,
        .program = vm->options->program,
        .keys_signal = !muxed && !vm->options->nographic,
    };

    if (!strcmp(what, "stdio")) {
        if (vm->stdio_used) {
            error_set(err, "%s stdio: stdio is already taken; mon:stdio shares it", option);
            return NULL;
        }
        vm->stdio_used = true;
    }
    return chardev_create(&context, option, what, err);
}

/* what: "mon:KIND" shares the stream with a monitor. */
static bool open_serial(struct vm *vm, unsigned port, const char *what, struct error *err)
{
    bool muxed = !strncmp(what, "mon:", 4);
    struct chardev *c, *end;
    struct mux_actions actions = {mux_quit, mux_save, vm, vm->options->program};

    if (!strcmp(what, "none"))
        return true;
    c = open_stream(vm, "-serial", muxed ? what + 4 : what, muxed, err);
    if (!c)
        return false;
    if (!muxed) {
        vm->owned[vm->n_owned++] = c;
        vm->serial[port] = c;
        return true;
    }
    struct mux *mux = mux_create(c, &actions);
    if (!mux) {
        chardev_destroy(c);
        return error_set(err, "out of memory");
    }
    vm->mux[vm->n_mux++] = mux;
    vm->serial[port] = mux_add(mux, "serial");
    end = mux_add(mux, "monitor");
    return add_monitor(vm, end, false, err);
}

/* QEMU's rules: what is not asked for goes to the terminal with -nographic, the console sharing it
 * with the monitor where neither was named. There is no window yet, so that without any word about
 * where things go the terminal is the only place to show them. */
static bool open_streams(struct vm *vm, struct error *err)
{
    const struct options *o = vm->options;
    bool terminal = o->nographic || (!o->no_display && !o->no_defaults);
    bool share = terminal && !o->n_serial && !o->no_defaults &&
                 (!o->monitor || (o->nographic && !strcmp(o->monitor, "stdio")));

    for (unsigned i = 0; i < o->n_serial; i++) {
        if (!open_serial(vm, i, o->serial[i], err))
            return false;
    }
    if (share)
        return open_serial(vm, 0, "mon:stdio", err);
    if (terminal && !o->n_serial && !o->no_defaults && strcmp(o->monitor, "stdio") &&
        !open_serial(vm, 0, "stdio", err))
        return false;
    if (o->monitor && strcmp(o->monitor, "none")) {
        struct chardev *c = open_stream(vm, "-monitor", o->monitor, false, err);
        if (!c)
            return false;
        vm->owned[vm->n_owned++] = c;
        return add_monitor(vm, c, true, err);
    }
    return true;
}

static struct chardev *find_stream(void *opaque, const char *name)
{
    struct vm *vm = opaque;
    unsigned port;

    if (sscanf(name, "serial%u", &port) == 1 && port < OPTIONS_SERIALS)
        return vm->serial[port];
    if (!strcmp(name, "parallel0"))
        return vm->parallel;
    if (!strcmp(name, "debugcon"))
        return vm->debugcon;
    return NULL;
}

/* -parallel and -debugcon. */
static bool open_other_stream(struct vm *vm, const char *option, const char *what,
                              struct chardev **out, struct error *err)
{
    if (!what || !strcmp(what, "none"))
        return true;
    *out = open_stream(vm, option, what, false, err);
    if (*out)
        vm->owned[vm->n_owned++] = *out;
    return *out != NULL;
}

/* ---- disks -------------------------------------------------------------------------------------
 */

static const char *const drive_names[N_DRIVES] = {"hda", "hdb", "hdc", "hdd", "fda", "fdb"};

/* The third hard disk's place has a CD drive, empty or not, unless -hdc puts a disk there. */
static bool open_drives(struct vm *vm, struct error *err)
{
    const struct options *o = vm->options;

    for (unsigned i = 0; i < N_DRIVES; i++) {
        bool is_cdrom = i == DRIVE_HDC && !o->drive[i];
        const char *path = is_cdrom ? o->cdrom : o->drive[i];
        if (!path && (!is_cdrom || o->no_defaults))
            continue;
        vm->drive[i] = block_open(path, is_cdrom ? BLOCK_CDROM | BLOCK_READ_ONLY : 0, err);
        if (!vm->drive[i])
            return false;
        if (block_note(vm->drive[i]))
            fprintf(stderr, "%s: note: %s\n", o->program, block_note(vm->drive[i]));
    }
    return true;
}

static void *find_backend(void *opaque, const char *name)
{
    struct vm *vm = opaque;

    for (unsigned i = 0; i < N_DRIVES; i++) {
        if (strcmp(name, drive_names[i]))
            continue;
        vm->drive_taken[i] = true;
        return vm->drive[i];
    }
    return NULL;
}

/* An image that the board has no drive for is a mistake. */
static bool check_drives(struct vm *vm, struct error *err)
{
    for (unsigned i = 0; i < N_DRIVES; i++) {
        if (vm->drive[i] && *block_path(vm->drive[i]) && !vm->drive_taken[i])
            return error_set(err, "-%s '%s': machine '%s' has no such drive",
                             block_is_cdrom(vm->drive[i]) ? "cdrom" : drive_names[i],
                             block_path(vm->drive[i]), vm->machine->class->name);
    }
    return true;
}

/* What -device adds, and the device that -debugcon needs. */
static void list_added_devices(struct vm *vm)
{
    unsigned n = 0;

    while (vm->options->device[n]) {
        vm->devices[n] = vm->options->device[n];
        n++;
    }
    if (vm->debugcon)
        vm->devices[n] = "isa-debugcon,iobase=0xe9";
}

/* ---- events ------------------------------------------------------------------------------------
 */

/* Any thread. */
static void machine_event(void *opaque, enum machine_event what)
{
    struct vm *vm = opaque;

    atomic_fetch_or(&vm->events, 1u << what);
    event_loop_wake(vm->loop);
}

static void clock_due(void *opaque)
{
    struct vm *vm = opaque;

    clock_run(vm->machine->clock);
}

static void signal_arrived(void *opaque)
{
    struct vm *vm = opaque;
    struct signalfd_siginfo info;

    while (read(vm->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCONT) {
            terminal_resume();
            continue;
        }
        fprintf(stderr, "%s: terminating on signal %u\n", vm->options->program, info.ssi_signo);
        vm->status = 0;
        vm->quit = true;
    }
}

static bool watch_signals(struct vm *vm, struct error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCONT);
    pthread_sigmask(SIG_BLOCK, &set, &vm->signals_before);
    vm->signals_blocked = true;
    signal(SIGPIPE, SIG_IGN);
    vm->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (vm->signal_fd < 0)
        return error_set_errno(err, errno, "cannot watch signals");
    vm->signal_watch = (struct watch){
        .fd = vm->signal_fd, .readable = signal_arrived, .opaque = vm, .enabled = true};
    event_loop_add(vm->loop, &vm->signal_watch);
    return true;
}

/* ---- running, paused, reset ------------------------------------------------------------------ */

const char *vm_status(struct vm *vm)
{
    switch (vm->state) {
    case VM_RUNNING:
        return "running";
    case VM_PAUSED:
        return "paused";
    default:
        return "paused (shutdown)";
    }
}

static void hold(struct vm *vm, enum vm_state state)
{
    if (vm->state == VM_RUNNING) {
        vcpu_stop(vm->machine->cpu);
        clock_stop(vm->machine->clock);
    }
    vm->state = state;
}

void vm_stop(struct vm *vm)
{
    if (vm->state == VM_RUNNING)
        hold(vm, VM_PAUSED);
}

void vm_cont(struct vm *vm)
{
    if (vm->state != VM_PAUSED)
        return;
    vm->state = VM_RUNNING;
    clock_start(vm->machine->clock);
    vcpu_resume(vm->machine->cpu);
}

void vm_quit(struct vm *vm)
{
    vm->quit = true;
}

bool vm_is_ending(const struct vm *vm)
{
    return vm->quit;
}

void vm_reset(struct vm *vm)
{
    struct error err;
    bool running = vm->state == VM_RUNNING;

    if (running)
        vcpu_stop(vm->machine->cpu);
    if (vm->state == VM_SHUTDOWN)
        vm->state = VM_PAUSED;
    if (!machine_reset(vm->machine, &err)) {
        say(vm, err.message);
        vm->status = 1;
        vm->quit = true;
        return;
    }
    if (running)
        vcpu_resume(vm->machine->cpu);
}

void vm_look(struct vm *vm, void (*look)(struct vm *vm, void *opaque), void *opaque)
{
    bool running = vm->state == VM_RUNNING;

    if (running)
        vcpu_stop(vm->machine->cpu);
    look(vm, opaque);
    if (running)
        vcpu_resume(vm->machine->cpu);
}

/* With -no-reboot: a reset that the guest did not ask for is worth a word. */
static void say_reason(struct vm *vm)
{
    char text[128];

    if (!*vm->machine->reset_reason)
        return;
    snprintf(text, sizeof(text), "the guest stopped at %s (-no-reboot)", vm->machine->reset_reason);
    say(vm, text);
}

static void act_on_events(struct vm *vm)
{
    unsigned events = atomic_exchange(&vm->events, 0);

    if (!events)
        return;
    if (events & (1u << MACHINE_PANIC))
        say(vm, "the guest reports a panic");
    if (events & (1u << MACHINE_EXIT)) {
        vm->status = vm->machine->exit_status;
        vm->quit = true;
    } else if (events & (1u << MACHINE_POWER_OFF)) {
        if (vm->options->no_shutdown)
            hold(vm, VM_SHUTDOWN);
        else
            vm->quit = true;
    } else if (events & (1u << MACHINE_RESET)) {
        if (vm->options->no_reboot) {
            say_reason(vm);
            vm->quit = true;
        } else {
            vm_reset(vm);
        }
    }
}

/* ---- life --------------------------------------------------------------------------------------
 */

static bool build(struct vm *vm, struct error *err)
{
    const struct options *o = vm->options;
    const struct guest *guest = choose_guest(o, err);
    struct machine_config config = {
        .cpu = o->cpu,
        .props = o->machine_props,
        .ram_bytes = o->ram_bytes,
        .boot = o->boot,
        .interpret = o->interpret,
        .chardev = find_stream,
        .backend = find_backend,
        .event = machine_event,
        .opaque = vm,
    };

    if (!guest)
        return false;
    config.class = choose_machine(o, guest, err);
    if (!config.class)
        return false;
    if (!o->boot.kernel && !o->boot.bios && !o->boot.dumpdtb && !config.class->has_firmware)
        return error_set(err, "there is nothing to run: give -kernel FILE or -bios FILE");
    vm->loop = event_loop_create(err);
    if (!vm->loop || !watch_signals(vm, err) || !open_streams(vm, err) ||
        !open_other_stream(vm, "-parallel", o->parallel, &vm->parallel, err) ||
        !open_other_stream(vm, "-debugcon", o->debugcon, &vm->debugcon, err) ||
        !open_drives(vm, err))
        return false;
    list_added_devices(vm);
    config.boot.no_graphic = o->nographic;
    config.devices = vm->devices;
    vm->machine = machine_create(&config, err);
    return vm->machine && check_drives(vm, err) && machine_reset(vm->machine, err);
}

/* -perfmap, -jitdump. */
static bool record_code(struct vm *vm, struct error *err)
{
    const struct options *o = vm->options;

    if (!o->perf_map && !o->jit_dump)
        return true;
    vm->record = code_record_create(o->perf_map, o->jit_dump, err);
    if (!vm->record)
        return false;
    vm->symbols = o->boot.kernel ? symbols_load(o->boot.kernel) : NULL;
    exec_record_code(vm->machine->exec, vm->record, vm->symbols);
    return true;
}

struct vm *vm_create(const struct options *options, struct error *err)
{
    struct vm *vm = calloc(1, sizeof(*vm));

    if (!vm) {
        error_set(err, "out of memory");
        return NULL;
    }
    vm->options = options;
    vm->signal_fd = -1;
    vm->state = VM_PAUSED;
    log_mask = options->log_items;
    if (!build(vm, err) || !log_open(options->log_file, err) || !record_code(vm, err)) {
        vm_destroy(vm);
        return NULL;
    }
    return vm;
}

static void start_streams(struct vm *vm)
{
    for (unsigned i = 0; i < vm->n_owned; i++)
        chardev_start(vm->owned[i]);
    for (unsigned i = 0; i < vm->n_mux; i++)
        mux_start(vm->mux[i]);
    for (unsigned i = 0; i < vm->n_monitors; i++)
        monitor_start(vm->monitors[i]);
}

static void loop_once(struct vm *vm)
{
    event_loop_wait(vm->loop, -1);
    pthread_mutex_lock(&vm->machine->lock);
    event_loop_dispatch(vm->loop);
    pthread_mutex_unlock(&vm->machine->lock);
    for (unsigned i = 0; i < vm->n_monitors; i++)
        monitor_run(vm->monitors[i]);
    act_on_events(vm);
}

/* -d stats, -d stats_json. */
static void log_stats(struct vm *vm, enum log_item item, enum stats_form form)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = log_on(item) ? open_memstream(&text, &size) : NULL;

    if (!out)
        return;
    exec_print_stats(vm->machine->exec, form, out);
    fclose(out);
    log_write("%.*s\n", (int)size - 1, text);
    free(text);
}

int vm_run(struct vm *vm)
{
    struct error err;

    sandbox_enter();
    if (!vcpu_start(vm->machine->cpu, &err)) {
        say(vm, err.message);
        return 1;
    }
    vm->clock_watch = (struct watch){
        .fd = clock_fd(vm->machine->clock), .readable = clock_due, .opaque = vm, .enabled = true};
    event_loop_add(vm->loop, &vm->clock_watch);
    clock_stop(vm->machine->clock);
    start_streams(vm);
    if (!vm->options->start_stopped)
        vm_cont(vm);
    while (!vm->quit)
        loop_once(vm);
    hold(vm, VM_PAUSED);
    log_stats(vm, LOG_STATS, STATS_LOG);
    log_stats(vm, LOG_STATS_JSON, STATS_JSON);
    return vm->status;
}

void vm_destroy(struct vm *vm)
{
    struct error err;

    if (!vm)
        return;
    if (vm->machine)
        machine_destroy(vm->machine);
    if (!code_record_close(vm->record, &err))
        say(vm, err.message);
    symbols_destroy(vm->symbols);
    for (unsigned i = 0; i < N_DRIVES; i++)
        block_close(vm->drive[i]);
    for (unsigned i = 0; i < vm->n_monitors; i++)
        monitor_destroy(vm->monitors[i]);
    for (unsigned i = 0; i < vm->n_mux; i++)
        mux_destroy(vm->mux[i]);
    for (unsigned i = 0; i < vm->n_owned; i++)
        chardev_destroy(vm->owned[i]);
    event_loop_destroy(vm->loop);
    if (vm->signal_fd >= 0)
        close(vm->signal_fd);
    if (vm->signals_blocked)
        pthread_sigmask(SIG_SETMASK, &vm->signals_before, NULL);
    terminal_restore();
    log_close();
    free(vm);
}
