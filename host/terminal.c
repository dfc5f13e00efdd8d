/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw mode of the terminal and its restoration, also when calque dies of a signal. */
#define _GNU_SOURCE
#include "host/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct {
    bool wanted; /* raw, as soon as it is ours */
    bool raw;
    bool keys_signal;
    bool handlers_set;
    struct termios saved;
} terminal;

/* A write or change of modes from the background would stop the process instead of restoring. */
static void set_modes(const struct termios *modes)
{
    sigset_t block, before;

    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    tcsetattr(STDIN_FILENO, TCSANOW, modes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Only async-signal-safe calls. The handler is one-shot: the signal then does what it does. */
static void die_restored(int signal_number)
{
    if (terminal.raw)
        set_modes(&terminal.saved);
    raise(signal_number);
}

static void restore_on_fatal_signals(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGQUIT};

    if (terminal.handlers_set)
        return;
    terminal.handlers_set = true;
    for (unsigned i = 0; i < ARRAY_SIZE(fatal); i++) {
        struct sigaction action = {.sa_handler = die_restored, .sa_flags = (int)SA_RESETHAND};
        struct sigaction before;
        sigaction(fatal[i], NULL, &before);
        /* Somebody (a sanitizer) who already handles it says more than we would. */
        if (before.sa_handler == SIG_DFL)
            sigaction(fatal[i], &action, NULL);
    }
    atexit(terminal_restore);
}

static void make_raw(void)
{
    struct termios raw = terminal.saved;

    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    /* Output processing stays: messages of ours end lines with a plain newline. */
    raw.c_oflag |= OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!terminal.keys_signal)
        raw.c_lflag &= ~(tcflag_t)ISIG;
    raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    raw.c_cflag |= CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    set_modes(&raw);
}

/* A terminal whose foreground is somebody else (calque was started with &) is not to be touched. */
static bool is_foreground(void)
{
    pid_t foreground = tcgetpgrp(STDIN_FILENO);

    return foreground < 0 || foreground == getpgrp();
}

void terminal_make_raw(bool keys_signal)
{
    terminal.keys_signal = keys_signal;
    terminal.wanted = true;
    terminal_resume();
}

void terminal_resume(void)
{
    if (!terminal.wanted || !is_foreground())
        return;
    if (!terminal.raw) {
        if (tcgetattr(STDIN_FILENO, &terminal.saved) != 0)
            return;
        restore_on_fatal_signals();
        terminal.raw = true;
    }
    make_raw();
}

void terminal_restore(void)
{
    terminal.wanted = false;
    if (!terminal.raw)
        return;
    set_modes(&terminal.saved);
    terminal.raw = false;
}
