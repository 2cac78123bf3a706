#include "app/duration.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

static const double limit_ms = 100.0 * 366 * 86400000;

bool duration_parse(const char *text, int64_t *ms, bool *has_unit)
{
    size_t digits = strspn(text, "0123456789.");
    const char *unit = text + digits;
    double scale = 1000;
    bool found = *unit == '\0';
    for (size_t i = 0; i < ARRAY_LEN(units) && !found; i++) {
        if (strcmp(unit, units[i].name) == 0) {
            scale = (double)units[i].ms;
            found = true;
        }
    }
    char number[32];
    if (!found || digits == 0 || digits >= sizeof number)
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    char *end;
    double value = strtod(number, &end) * scale;
    if (*end != '\0' || strcmp(number, ".") == 0 || value > limit_ms)
        return false;
    *ms = (int64_t)(value + 0.5);
    if (has_unit)
        *has_unit = *unit != '\0';
    return true;
}

void duration_render(int64_t ms, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (ms && ms % units[i].ms == 0) {
            buf_printf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
            return;
        }
    }
    buf_append_char(out, '0');
}
