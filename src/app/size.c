#include "app/size.h"

#include "app/config_value.h"

#include <stdio.h>
#include <string.h>

bool count_option(const char *value, const char *name, int64_t *out, struct err *err)
{
    if (!value || (config_value_int(value, out) && *out > 0))
        return true;
    return err_set(err, ERR_CONFIG, "%s \"%.60s\" is no number above 0", name, value);
}

bool size_option(const char *value, const char *name, size_t *out, struct err *err)
{
    static const char units[] = "KMG";
    if (!value)
        return true;
    char digits[32];
    size_t len = strlen(value);
    int shift = 0;
    const char *unit = len ? strchr(units, value[len - 1]) : NULL;
    if (unit) {
        shift = 10 * (int)(unit - units + 1);
        len--;
    }
    int64_t number = 0;
    snprintf(digits, sizeof digits, "%.*s", (int)len, value);
    if (len < sizeof digits && config_value_int(digits, &number) && number > 0 &&
        number <= INT64_MAX >> shift && number << shift >= 1 << 20) {
        *out = (size_t)(number << shift);
        return true;
    }
    return err_set(err, ERR_CONFIG, "%s \"%.60s\" is no size of 1M or more, such as 64M or 1G",
                   name, value);
}

bool range_option(const char *value, int64_t *low, int64_t *high, struct err *err)
{
    const char *dots = value ? strstr(value, "..") : NULL;
    char first[32];
    if (!value)
        return true;
    if (dots && (size_t)(dots - value) < sizeof first) {
        snprintf(first, sizeof first, "%.*s", (int)(dots - value), value);
        if (config_value_int(first, low) && config_value_int(dots + 2, high) && *low < *high)
            return true;
    }
    return err_set(err, ERR_CONFIG, "--range \"%.60s\" is no LOW..HIGH of two tokens", value);
}
