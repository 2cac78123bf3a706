#include "map/vint.h"

bool map_vint_read(struct slice *s, uint64_t *v)
{
    if (s->len == 0)
        return false;
    unsigned first = (unsigned char)s->ptr[0], extra = 0;
    while (extra < 8 && first & 0x80U >> extra)
        extra++;
    if (s->len < extra + 1)
        return false;
    *v = extra < 8 ? first & (0xFFU >> extra) : 0;
    for (unsigned i = 1; i <= extra; i++)
        *v = *v << 8 | (unsigned char)s->ptr[i];
    *s = slice_of(s->ptr + extra + 1, s->len - extra - 1);
    return true;
}

size_t map_vint_write(char out[MAP_VINT_MAX], uint64_t v)
{
    unsigned extra = 0;
    while (extra < 8 && v >> (7 * (extra + 1)))
        extra++;
    for (unsigned i = extra; i > 0; i--, v >>= 8)
        out[i] = (char)v;
    out[0] = (char)(~(0xFFU >> extra) | (extra < 8 ? (unsigned)v : 0));
    return extra + 1;
}
