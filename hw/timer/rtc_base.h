/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a real-time clock shows first: the property "base" of its device, or else -rtc base=. */
#ifndef CALQUE_HW_TIMER_RTC_BASE_H
#define CALQUE_HW_TIMER_RTC_BASE_H

#include "hw/device.h"

#define RTC_MOST_SECONDS INT64_C(8000000000) /* time is kept from 1970 to 2223 */

/* In nanoseconds since 1970: utc, which none at all means, localtime, both to the host's fraction
 * of a second, or a date "2006-06-17T16:01:21" or "2006-06-17". */
bool rtc_base_time(struct device *d, int64_t *ns, struct error *err);

#endif
