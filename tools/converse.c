/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * converse [-v] [-t SECONDS] SCRIPT COMMAND...: runs a command on a terminal of its own and talks
 * to it as the script says. Ends with 0 if everything came as expected, 1 if not, 2 on its own
 * trouble.
 *
 * A script's lines:
 *   expect TEXT          wait until TEXT comes (\r \n \e \xNN are understood)
 *   send TEXT            type TEXT
 *   pace MILLISECONDS    from now on wait so long after each character typed
 *   prompt TEXT          what the shell says when it is ready, for `run`
 *   run COMMAND => TEXT  type COMMAND and a return, wait for the prompt: TEXT must be a line of
 * what came in between time NAME            print the seconds since the start pause MILLISECONDS
 *   raw yes|no           whether the command must have made the terminal raw by now
 *   signal NUMBER        send it to the command
 *   status NUMBER        wait for the command's end; it must end so, and leave the terminal as it
 *                        was
 *   # comment
 * In the end the seconds to each `time`, the processor time and the memory used are printed.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

enum { LINE_BYTES = 2048, OUTPUT_BYTES = 8 << 20 };

struct talk {
    pid_t child;
    int terminal;  /* our end */
    int other_end; /* kept open, so that the terminal's modes can be looked at */
    struct termios before;
    double started, deadline, timeout, pace;
    char *output;
    size_t n_output, seen; /* seen: matched up to here */
    bool ended, verbose;
    int status;
    struct rusage usage;
    char prompt[LINE_BYTES];
    char times[256];
    unsigned runs;
    const char *script;
    unsigned line;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What came last, with control characters shown. */
static void print_tail(const struct talk *talk)
{
    size_t from = talk->n_output > 1500 ? talk->n_output - 1500 : 0;

    for (size_t i = from; i < talk->n_output; i++) {
        unsigned char c = (unsigned char)talk->output[i];
        if (c == '\n' || c == '\t' || (c >= ' ' && c < 127))
            fputc(c, stderr);
        else if (c != '\r')
            fprintf(stderr, "\\x%02x", c);
    }
    fputc('\n', stderr);
}

__attribute__((noreturn, format(printf, 2, 3))) static void fail(struct talk *talk,
                                                                 const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s:%u: after %.1f s: ", talk->script, talk->line, now() - talk->started);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n---- the end of the output:\n");
    print_tail(talk);
    if (talk->child > 0 && !talk->ended) {
        kill(-talk->child, SIGKILL);
        waitpid(talk->child, NULL, 0);
    }
    exit(1);
}

/* Takes in what the command says, for at most `seconds`. */
static void listen_for(struct talk *talk, double seconds)
{
    struct pollfd poll_fd = {.fd = talk->terminal, .events = POLLIN};
    ssize_t got;
    int status;

    if (!talk->ended && wait4(talk->child, &status, WNOHANG, &talk->usage) == talk->child) {
        talk->ended = true;
        talk->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (poll(&poll_fd, 1, talk->ended ? 0 : (int)(seconds * 1000)) <= 0)
        return;
    if (talk->n_output + 65536 > OUTPUT_BYTES)
        fail(talk, "more than %d bytes of output", OUTPUT_BYTES);
    got = read(talk->terminal, talk->output + talk->n_output, 65536);
    if (got <= 0)
        return;
    if (talk->verbose) {
        ssize_t ignored __attribute__((unused)) =
            write(STDOUT_FILENO, talk->output + talk->n_output, (size_t)got);
    }
    talk->n_output += (size_t)got;
}

/* Position after the text, which is waited for. */
static size_t expect(struct talk *talk, const char *text, size_t size)
{
    for (;;) {
        size_t before = talk->n_output;
        char *found = memmem(talk->output + talk->seen, talk->n_output - talk->seen, text, size);
        if (found)
            return (size_t)(found - talk->output) + size;
        listen_for(talk, 0.05);
        if (talk->ended && talk->n_output == before)
            fail(talk, "the command ended with status %d before '%s' came", talk->status, text);
        if (now() > talk->deadline)
            fail(talk, "'%s' did not come", text);
    }
}

static void listen_until(struct talk *talk, double end)
{
    while (now() < end)
        listen_for(talk, 0.02);
}

static void type(struct talk *talk, const char *text, size_t size)
{
    size_t piece = talk->pace > 0 ? 1 : size;

    /* A terminal in line mode keeps a line of 4096 bytes at most: ours are shorter. */
    for (size_t done = 0; done < size; done += piece) {
        if (write(talk->terminal, text + done, piece) != (ssize_t)piece)
            fail(talk, "cannot type: %s", strerror(errno));
        listen_until(talk, now() + talk->pace);
    }
}

/* The text is one of the lines between two positions. */
static bool has_line(const struct talk *talk, size_t from, size_t to, const char *text)
{
    size_t length = strlen(text);

    while (from < to) {
        const char *line = talk->output + from;
        const char *end = memchr(line, '\n', to - from);
        size_t size = end ? (size_t)(end - line) : to - from;
        from += size + 1;
        while (size && line[size - 1] == '\r')
            size--;
        if (size == length && !memcmp(line, text, length))
            return true;
    }
    return false;
}

static size_t unescape(char *out, const char *in)
{
    size_t n = 0;

    while (*in) {
        unsigned value;
        if (*in != '\\') {
            out[n++] = *in++;
        } else if (in[1] == 'x' && sscanf(in + 2, "%2x", &value) == 1) {
            out[n++] = (char)value;
            in += 4;
        } else {
            out[n++] = in[1] == 'r' ? '\r' : in[1] == 'n' ? '\n' : in[1] == 'e' ? '\033' : in[1];
            in += 1 + (in[1] != 0);
        }
    }
    out[n] = 0;
    return n;
}

static void check_modes(struct talk *talk, bool want_raw)
{
    struct termios modes;
    double give_up = now() + 2;

    do {
        if (tcgetattr(talk->other_end, &modes) != 0)
            fail(talk, "cannot read the terminal's modes");
        if (!(modes.c_lflag & ICANON) == want_raw)
            return;
        usleep(20000);
    } while (now() < give_up);
    fail(talk, "the terminal is %s", want_raw ? "not raw" : "raw");
}

static void wait_end(struct talk *talk, int status)
{
    struct termios after;

    while (!talk->ended) {
        listen_for(talk, 0.05);
        if (now() > talk->deadline)
            fail(talk, "the command does not end");
    }
    for (size_t before = talk->n_output + 1; before != talk->n_output;) {
        before = talk->n_output;
        listen_for(talk, 0);
    }
    if (talk->status != status)
        fail(talk, "the command ended with status %d instead of %d", talk->status, status);
    if (tcgetattr(talk->other_end, &after) == 0 &&
        (after.c_lflag != talk->before.c_lflag || after.c_iflag != talk->before.c_iflag ||
         after.c_oflag != talk->before.c_oflag))
        fail(talk, "the terminal's modes were not restored");
}

static void run_command(struct talk *talk, char *text)
{
    char *wanted = strstr(text, " => ");
    size_t from = talk->seen;

    if (!wanted)
        fail(talk, "run needs ' => '");
    *wanted = 0;
    type(talk, text, strlen(text));
    type(talk, "\r", 1);
    talk->seen = expect(talk, talk->prompt, strlen(talk->prompt));
    if (!has_line(talk, from, talk->seen, wanted + 4))
        fail(talk, "'%s' did not answer '%s'", text, wanted + 4);
    talk->runs++;
}

static void do_line(struct talk *talk, char *line)
{
    char *word = line, *rest = line + strcspn(line, " ");
    char text[LINE_BYTES];
    size_t size;

    if (*rest)
        *rest++ = 0;
    talk->deadline = now() + talk->timeout;
    size = unescape(text, rest);
    if (!strcmp(word, "expect")) {
        talk->seen = expect(talk, text, size);
    } else if (!strcmp(word, "send")) {
        type(talk, text, size);
    } else if (!strcmp(word, "prompt")) {
        memcpy(talk->prompt, text, size + 1);
    } else if (!strcmp(word, "run")) {
        run_command(talk, rest);
    } else if (!strcmp(word, "time")) {
        size = strlen(talk->times);
        snprintf(talk->times + size, sizeof(talk->times) - size, "%s %.2f s, ", rest,
                 now() - talk->started);
    } else if (!strcmp(word, "pause")) {
        listen_until(talk, now() + atof(rest) / 1000);
    } else if (!strcmp(word, "pace")) {
        talk->pace = atof(rest) / 1000;
    } else if (!strcmp(word, "raw")) {
        check_modes(talk, !strcmp(rest, "yes"));
    } else if (!strcmp(word, "signal")) {
        kill(talk->child, atoi(rest));
    } else if (!strcmp(word, "status")) {
        wait_end(talk, atoi(rest));
    } else {
        fail(talk, "'%s' is no word of a script", word);
    }
}

static void start(struct talk *talk, char **command)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};

    if (openpty(&talk->terminal, &talk->other_end, NULL, NULL, &size) < 0) {
        perror("converse: openpty");
        exit(2);
    }
    tcgetattr(talk->other_end, &talk->before);
    talk->output = malloc(OUTPUT_BYTES);
    if (!talk->output)
        exit(2);
    talk->started = now();
    talk->child = fork();
    if (talk->child == 0) {
        close(talk->terminal);
        login_tty(talk->other_end);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
}

int main(int argc, char **argv)
{
    struct talk talk = {.timeout = 120, .prompt = "# "};
    char line[LINE_BYTES];
    FILE *script;
    int option;

    while ((option = getopt(argc, argv, "+vt:")) != -1) {
        if (option == 'v')
            talk.verbose = true;
        else if (option == 't')
            talk.timeout = atof(optarg);
        else
            return 2;
    }
    if (argc - optind < 2) {
        fprintf(stderr, "usage: converse [-v] [-t SECONDS] SCRIPT COMMAND...\n");
        return 2;
    }
    talk.script = argv[optind];
    script = fopen(talk.script, "r");
    if (!script) {
        perror(talk.script);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    start(&talk, argv + optind + 1);
    while (fgets(line, sizeof(line), script)) {
        talk.line++;
        line[strcspn(line, "\n")] = 0;
        if (line[0] && line[0] != '#')
            do_line(&talk, line);
    }
    fclose(script);
    if (!talk.ended)
        fail(&talk, "the script ends before the command does");
    printf("%s%u commands right, processor %.2f s, memory %ld MB\n", talk.times, talk.runs,
           (double)talk.usage.ru_utime.tv_sec + (double)talk.usage.ru_utime.tv_usec / 1e6 +
               (double)talk.usage.ru_stime.tv_sec + (double)talk.usage.ru_stime.tv_usec / 1e6,
           talk.usage.ru_maxrss / 1024);
    free(talk.output);
    return 0;
}
