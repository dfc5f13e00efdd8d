/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a machine: building, the I/O loop, the events that end or restart it. */
#define _GNU_SOURCE
#include "vm/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/event_loop.h"
#include "host/terminal.h"
#include "vm/choose.h"
#include "vm/display.h"
#include "vm/drives.h"
#include "vm/file_broker.h"
#include "vm/gdb.h"
#include "vm/sandbox.h"
#include "vm/send_keys.h"
#include "vm/streams.h"

enum vm_state { VM_RUNNING, VM_PAUSED, VM_SHUTDOWN };

struct vm {
    const struct options *options;
    struct machine *machine;
    struct event_loop *loop;
    struct watch clock_watch, signal_watch;
    int signal_fd;
    sigset_t signals_before;
    bool signals_blocked;

    struct display *display;
    struct streams *streams;
    struct sandbox_needs needs;
    struct drives *drives;
    const char *devices[OPTIONS_DEVICES + OPTIONS_DRIVES + N_DRIVES + 2];
    struct code_record *record; /* -perfmap, -jitdump */
    struct symbols *symbols;    /* of -kernel, for them */
    struct gdb *gdb;            /* NULL: no -gdb */
    struct vcpu_debug_stop debug_stop;
    bool debug_stopped; /* and debug_stop says why */

    struct file_broker *files;
    struct error files_error; /* without it: why */
    struct send_keys send_keys;

    enum vm_state state;
    bool cont_wanted; /* as soon as wait=on has its peer */
    bool quit;
    int status;
    _Atomic unsigned events; /* 1 << enum machine_event, set by any thread */
};
enum { DEBUG_STOP = 31 }; /* an event of ours */

struct machine *vm_machine(struct vm *vm)
{
    return vm->machine;
}

struct streams *vm_streams(struct vm *vm)
{
    return vm->streams;
}

const struct options *vm_options(struct vm *vm)
{
    return vm->options;
}

struct sandbox_needs *vm_sandbox_needs(struct vm *vm)
{
    return &vm->needs;
}

FILE *vm_create_file(struct vm *vm, const char *path, struct error *err)
{
    FILE *file;
    int fd;

    if (!vm->files) {
        *err = vm->files_error;
        return NULL;
    }
    fd = file_broker_create(vm->files, path, err);
    file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && !file) {
        error_set_errno(err, errno, "cannot write '%s'", path);
        close(fd);
    }
    return file;
}

int vm_open_floppy(struct vm *vm, const char *path)
{
    return vm->files ? file_broker_open_floppy(vm->files, path) : -1;
}

struct send_keys *vm_send_keys(struct vm *vm)
{
    return &vm->send_keys;
}

static void say(struct vm *vm, const char *text)
{
    fprintf(stderr, "%s: %s\n", vm->options->program, text);
}

static struct chardev *find_stream(void *opaque, const char *name)
{
    struct vm *vm = opaque;

    return streams_find(vm->streams, name);
}

static void *find_drive(void *opaque, const char *name)
{
    struct vm *vm = opaque;

    return drives_find(vm->drives, name);
}

struct drives *vm_drives(struct vm *vm)
{
    return vm->drives;
}

void vm_save_disks(struct vm *vm)
{
    drives_save(vm->drives);
}

/* What -device adds, and the devices that -drive and -debugcon need. */
static void list_added_devices(struct vm *vm)
{
    unsigned n = 0;

    while (vm->options->device[n]) {
        vm->devices[n] = vm->options->device[n];
        n++;
    }
    for (unsigned i = 0; drives_device(vm->drives, i); i++)
        vm->devices[n++] = drives_device(vm->drives, i);
    if (streams_find(vm->streams, "debugcon"))
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

/* The vCPU's thread. */
static void debug_stopped(void *opaque)
{
    struct vm *vm = opaque;

    atomic_fetch_or(&vm->events, 1u << DEBUG_STOP);
    event_loop_wake(vm->loop);
}

static void clock_due(void *opaque)
{
    struct vm *vm = opaque;

    clock_run(vm->machine->clock);
}

/* Streams stop waiting for readers who may never come. */
static void quit(struct vm *vm, int status)
{
    vm->status = status;
    vm->quit = true;
    event_loop_end(vm->loop);
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
        quit(vm, 0);
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

bool vm_is_running(const struct vm *vm)
{
    return vm->state == VM_RUNNING;
}

static void hold(struct vm *vm, enum vm_state state)
{
    if (vm->state == VM_RUNNING) {
        vcpu_stop(vm->machine->cpu);
        clock_stop(vm->machine->clock);
        vm->debug_stopped |= vcpu_take_debug_stop(vm->machine->cpu, &vm->debug_stop);
        display_set_running(vm->display, false);
    }
    vm->state = state;
}

bool vm_take_debug_stop(struct vm *vm, struct vcpu_debug_stop *out)
{
    bool stopped = vm->debug_stopped;

    *out = vm->debug_stop;
    vm->debug_stopped = false;
    return stopped;
}

void vm_stop(struct vm *vm)
{
    vm->cont_wanted = false;
    if (vm->state == VM_RUNNING)
        hold(vm, VM_PAUSED);
}

static void go_on(struct vm *vm, void (*resume)(struct vcpu *cpu))
{
    vm->cont_wanted = false;
    if (vm->state != VM_PAUSED)
        return;
    vm->state = VM_RUNNING;
    vm->debug_stopped = false;
    clock_start(vm->machine->clock);
    resume(vm->machine->cpu);
    display_set_running(vm->display, true);
}

void vm_cont(struct vm *vm)
{
    go_on(vm, vcpu_resume);
}

void vm_step(struct vm *vm)
{
    go_on(vm, vcpu_resume_step);
}

void vm_quit(struct vm *vm)
{
    quit(vm, vm->status);
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
        quit(vm, 1);
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
    if (events & (1u << DEBUG_STOP))
        vm_stop(vm);
    if (events & (1u << MACHINE_PANIC))
        say(vm, "the guest reports a panic");
    if (events & (1u << MACHINE_EXIT)) {
        quit(vm, vm->machine->exit_status);
    } else if (events & (1u << MACHINE_POWER_OFF)) {
        if (vm->options->no_shutdown)
            hold(vm, VM_SHUTDOWN);
        else
            quit(vm, 0);
    } else if (events & (1u << MACHINE_RESET)) {
        if (vm->options->no_reboot) {
            say_reason(vm);
            quit(vm, 0);
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
        .backend = find_drive,
        .event = machine_event,
        .opaque = vm,
    };

    if (!guest)
        return false;
    config.class = choose_machine(o, guest, err);
    if (!config.class)
        return false;
    vm->loop = event_loop_create(err);
    if (!vm->loop || !watch_signals(vm, err))
        return false;
    vm->display = display_open(vm, vm->loop, err);
    if (!vm->display)
        return false;
    vm->streams = streams_open(vm, vm->loop, display_consoles(vm->display), err);
    if (!vm->streams)
        return false;
    vm->drives = drives_open(o, config.class, err);
    if (!vm->drives)
        return false;
    if (!o->boot.kernel && !o->boot.bios && !o->boot.dumpdtb && !config.class->has_firmware &&
        !drives_have_firmware(vm->drives))
        return error_set(err, "there is nothing to run: give -kernel FILE or -bios FILE");
    list_added_devices(vm);
    config.boot.no_graphic = o->nographic;
    config.boot.n_serial = o->n_serial;
    config.devices = vm->devices;
    vm->machine = machine_create(&config, err);
    if (vm->machine)
        send_keys_init(&vm->send_keys, &vm->machine->input, vm->machine->clock);
    return vm->machine && drives_check(vm->drives, err) && machine_reset(vm->machine, err) &&
           display_show(vm->display, vm->machine, err);
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

/* -gdb. */
static bool open_gdb(struct vm *vm, struct error *err)
{
    const char *what = vm->options->gdb;

    if (!what || !strcmp(what, "none"))
        return true;
    if (!vm->machine->cpu->guest->gdb_architecture)
        return error_set(err, "-gdb %s: there is no debugger for guests of this kind yet", what);
    vcpu_on_debug(vm->machine->cpu, debug_stopped, vm);
    vm->gdb = gdb_create(vm, vm->loop, what, err);
    return vm->gdb != NULL;
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
    vm->files = file_broker_start(options->argc, options->argv, &vm->files_error);
    log_mask = options->log_items;
    if (!build(vm, err) || !log_open(options->log_file, err) || !record_code(vm, err) ||
        !open_gdb(vm, err)) {
        vm_destroy(vm);
        return NULL;
    }
    return vm;
}

/* The guest starts when those it waits for have connected, unless somebody says cont before. */
static void cont_when_ready(struct vm *vm)
{
    if (!vm->cont_wanted || streams_await_peer(vm->streams))
        return;
    vm->cont_wanted = false;
    vm_cont(vm);
}

static void loop_once(struct vm *vm)
{
    event_loop_wait(vm->loop, -1);
    pthread_mutex_lock(&vm->machine->lock);
    event_loop_dispatch(vm->loop);
    pthread_mutex_unlock(&vm->machine->lock);
    streams_run(vm->streams);
    display_run(vm->display);
    cont_when_ready(vm);
    act_on_events(vm);
    gdb_run(vm->gdb);
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

    sandbox_enter(&vm->needs);
    if (!vcpu_start(vm->machine->cpu, &err)) {
        say(vm, err.message);
        return 1;
    }
    vm->clock_watch = (struct watch){
        .fd = clock_fd(vm->machine->clock), .readable = clock_due, .opaque = vm, .enabled = true};
    event_loop_add(vm->loop, &vm->clock_watch);
    clock_stop(vm->machine->clock);
    streams_start(vm->streams);
    vm->cont_wanted = !vm->options->start_stopped;
    cont_when_ready(vm);
    while (!vm->quit)
        loop_once(vm);
    gdb_end(vm->gdb, vm->status);
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
    display_hide(vm->display);
    drives_stop(vm->drives);
    gdb_destroy(vm->gdb);
    if (vm->machine)
        machine_destroy(vm->machine);
    file_broker_stop(vm->files);
    if (!code_record_close(vm->record, &err))
        say(vm, err.message);
    symbols_destroy(vm->symbols);
    drives_close(vm->drives);
    streams_close(vm->streams);
    display_close(vm->display);
    sandbox_finish(&vm->needs);
    event_loop_destroy(vm->loop);
    if (vm->signal_fd >= 0)
        close(vm->signal_fd);
    if (vm->signals_blocked)
        pthread_sigmask(SIG_SETMASK, &vm->signals_before, NULL);
    terminal_restore();
    log_close();
    free(vm);
}
