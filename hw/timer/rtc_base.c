/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "hw/timer/rtc_base.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hw/machine.h"

bool rtc_base_time(struct device *d, int64_t *ns, struct error *err)
{
    char base[32] = "";
    struct tm tm = {0};
    struct timespec now;
    const char *end;
    time_t seconds;

    clock_gettime(CLOCK_REALTIME, &now);
    *ns = now.tv_sec * NS_PER_SECOND + now.tv_nsec;
    if (!device_prop_string(d, "base", base, sizeof(base)))
        snprintf(base, sizeof(base), "%s", d->machine->boot.rtc_base);
    if (!*base || !strcmp(base, "utc"))
        return true;
    if (!strcmp(base, "localtime")) {
        localtime_r(&now.tv_sec, &tm);
        *ns += (timegm(&tm) - now.tv_sec) * NS_PER_SECOND;
        return true;
    }
    end = strptime(base, "%Y-%m-%d", &tm);
    if (end && *end == 'T')
        end = strptime(end + 1, "%H:%M:%S", &tm);
    seconds = timegm(&tm);
    if (!end || *end || seconds < 0 || seconds > RTC_MOST_SECONDS)
        return error_set(err,
                         "-rtc base=%s: it is utc, localtime or a date like "
                         "2006-06-17T16:01:21, from 1970 to 2223",
                         base);
    *ns = seconds * NS_PER_SECOND;
    return true;
}
