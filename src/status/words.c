#include "status/words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static void append_two(struct buf *out, int64_t big, const char *big_name, int64_t small,
                       const char *small_name)
{
    buf_printf(out, "%lld %s", (long long)big, big_name);
    if (small > 0)
        buf_printf(out, " %lld %s", (long long)small, small_name);
}

void status_append_duration(struct buf *out, int64_t us)
{
    const int64_t tenths = us > 0 ? us / 100000 : 0, s = tenths / 10;
    if (s < 10)
        buf_printf(out, "%lld.%lld s", (long long)s, (long long)(tenths % 10));
    else if (s < MINUTE)
        buf_printf(out, "%lld s", (long long)s);
    else if (s < HOUR)
        append_two(out, s / MINUTE, "min", s < 10 * MINUTE ? s % MINUTE : 0, "s");
    else if (s < DAY)
        append_two(out, s / HOUR, "h", s % HOUR / MINUTE, "min");
    else
        append_two(out, s / DAY, "d", s % DAY / HOUR, "h");
}

void status_append_count(struct buf *out, int64_t count)
{
    char digits[24];
    const int len = snprintf(digits, sizeof digits, "%lld", (long long)count);
    const int first = digits[0] == '-';
    for (int i = 0; i < len; i++) {
        if (i > first && (len - i) % 3 == 0)
            buf_append_char(out, ',');
        buf_append_char(out, digits[i]);
    }
}

void status_append_rate(struct buf *out, double rate)
{
    if (rate <= 0)
        buf_append_char(out, '0');
    else if (rate < 0.995)
        buf_printf(out, "%.2f", rate < 0.01 ? 0.01 : rate);
    else if (rate < 99.95)
        buf_printf(out, "%.1f", rate);
    else
        status_append_count(out, (int64_t)(rate + 0.5));
}

static bool same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

void status_append_clock(struct buf *out, int64_t us, int64_t now_us)
{
    const time_t at = us / 1000000, now = now_us / 1000000;
    struct tm when, today;
    char text[40];
    if (!localtime_r(&at, &when) || !localtime_r(&now, &today))
        return;
    strftime(text, sizeof text, same_day(&when, &today) ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &when);
    buf_append_str(out, text);
}

void status_append_iso(struct buf *out, int64_t us)
{
    const time_t at = us / 1000000;
    struct tm when;
    char text[40];
    if (gmtime_r(&at, &when) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &when))
        buf_append_str(out, text);
}
