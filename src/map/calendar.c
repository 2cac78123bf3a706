#include "map/calendar.h"

enum { ERA_YEARS = 400, ERA_DAYS = 146097, DAYS_0000_03_01 = 719468 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years are counted from March, so that the leap day is the last one; the months from March on then
 * start at day (153 m + 2) / 5. */
int64_t calendar_days(int64_t year, int month, int day)
{
    year -= month < 3;
    int64_t era = floor_div(year, ERA_YEARS), year_of_era = year - era * ERA_YEARS;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - DAYS_0000_03_01;
}

static int64_t year_of(int64_t days)
{
    int64_t shifted = days + DAYS_0000_03_01, era = floor_div(shifted, ERA_DAYS);
    int64_t day = shifted - era * ERA_DAYS;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    return era * ERA_YEARS + year + (day_of_year >= 306);
}

static void append_padded(struct buf *out, int width, int64_t v, char behind)
{
    char text[8];
    for (int i = width - 1; i >= 0; i--, v /= 10)
        text[i] = (char)('0' + v % 10);
    text[width] = behind;
    buf_append(out, text, (size_t)width + (behind != '\0'));
}

bool calendar_append_date(struct buf *out, int64_t days)
{
    if (days < calendar_days(0, 1, 1) || days > calendar_days(9999, 12, 31))
        return false;
    int64_t year = year_of(days);
    int month = 1;
    while (month < 12 && calendar_days(year, month + 1, 1) <= days)
        month++;
    append_padded(out, 4, year, '-');
    append_padded(out, 2, month, '-');
    append_padded(out, 2, days - calendar_days(year, month, 1) + 1, '\0');
    return true;
}

bool calendar_append_instant(struct buf *out, int64_t ms)
{
    int64_t days = floor_div(ms, CALENDAR_DAY_MS), rest = ms % CALENDAR_DAY_MS;
    rest += rest < 0 ? CALENDAR_DAY_MS : 0;
    if (!calendar_append_date(out, days))
        return false;
    buf_append_char(out, 'T');
    append_padded(out, 2, rest / 3600000, ':');
    append_padded(out, 2, rest / 60000 % 60, ':');
    append_padded(out, 2, rest / 1000 % 60, '.');
    append_padded(out, 3, rest % 1000, 'Z');
    return true;
}

/* --- reading: each of these takes what it knows from the front of s */

static bool take_char(struct slice *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = slice_of(s->ptr + 1, s->len - 1);
    return true;
}

static size_t count_digits(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

static bool take_number(struct slice *s, size_t width, int64_t low, int64_t high, int64_t *out)
{
    if (width > 9 || count_digits(*s) < width)
        return false;
    int64_t v = 0;
    for (size_t i = 0; i < width; i++)
        v = v * 10 + (s->ptr[i] - '0');
    *s = slice_of(s->ptr + width, s->len - width);
    *out = v;
    return v >= low && v <= high;
}

static bool take_year(struct slice *s, int64_t *year)
{
    bool minus = take_char(s, '-'), plus = !minus && take_char(s, '+');
    size_t width = count_digits(*s);
    if (width < 4 || (!minus && (width > 4) != plus))
        return false;
    if (!take_number(s, width, 0, 999999999, year))
        return false;
    *year = minus ? -*year : *year;
    return true;
}

static bool take_date(struct slice *s, int64_t *days)
{
    int64_t year, month = 1, day = 1;
    if (!take_year(s, &year))
        return false;
    if (take_char(s, '-')) {
        if (!take_number(s, 2, 1, 12, &month))
            return false;
        if (take_char(s, '-') && !take_number(s, 2, 1, 31, &day))
            return false;
    }
    *days = calendar_days(year, (int)month, (int)day);
    int64_t next =
        month == 12 ? calendar_days(year + 1, 1, 1) : calendar_days(year, (int)month + 1, 1);
    return *days < next;
}

static enum calendar_result take_fraction(struct slice *s, int64_t *ms)
{
    size_t width = count_digits(*s);
    if (width == 0)
        return CALENDAR_NO_DATE;
    int64_t unit = 100;
    for (size_t i = 0; i < width; i++, unit /= 10) {
        if (unit == 0 && s->ptr[i] != '0')
            return CALENDAR_TOO_FINE;
        *ms += unit * (s->ptr[i] - '0');
    }
    *s = slice_of(s->ptr + width, s->len - width);
    return CALENDAR_OK;
}

static enum calendar_result take_time(struct slice *s, int64_t *ms)
{
    int64_t hour, minute = 0, second = 0;
    enum calendar_result fraction = CALENDAR_OK;
    *ms = 0;
    if (!take_number(s, 2, 0, 23, &hour))
        return CALENDAR_NO_DATE;
    if (take_char(s, ':')) {
        if (!take_number(s, 2, 0, 59, &minute))
            return CALENDAR_NO_DATE;
        if (take_char(s, ':')) {
            if (!take_number(s, 2, 0, 59, &second))
                return CALENDAR_NO_DATE;
            if (take_char(s, '.'))
                fraction = take_fraction(s, ms);
        }
    }
    *ms += ((hour * 60 + minute) * 60 + second) * 1000;
    return fraction;
}

static bool take_zone(struct slice *s, int64_t *offset_ms)
{
    int64_t hours, minutes = 0;
    *offset_ms = 0;
    if (s->len == 0 || take_char(s, 'Z'))
        return true;
    bool minus = take_char(s, '-');
    if (!minus && !take_char(s, '+'))
        return false;
    if (!take_number(s, 2, 0, 18, &hours))
        return false;
    if ((take_char(s, ':') || s->len) && !take_number(s, 2, 0, hours == 18 ? 0 : 59, &minutes))
        return false;
    *offset_ms = (hours * 60 + minutes) * 60000 * (minus ? -1 : 1);
    return true;
}

enum calendar_result calendar_read(struct slice text, int64_t *ms)
{
    int64_t days, time = 0, offset = 0;
    if (!take_date(&text, &days))
        return CALENDAR_NO_DATE;
    if (take_char(&text, 'T') && text.len) {
        enum calendar_result result = take_time(&text, &time);
        if (result != CALENDAR_OK)
            return result;
        if (!take_zone(&text, &offset))
            return CALENDAR_NO_DATE;
    }
    int64_t day_ms;
    if (text.len || __builtin_mul_overflow(days, (int64_t)CALENDAR_DAY_MS, &day_ms) ||
        __builtin_add_overflow(day_ms, time - offset, ms))
        return CALENDAR_NO_DATE;
    return CALENDAR_OK;
}
