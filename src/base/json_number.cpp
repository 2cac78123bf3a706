#include <charconv>
#include <cmath>

extern "C" {
#include "base/json.h"
}

/* C's strtod and printf obey the locale and have no shortest form; C++'s charconv does both right.
 */

namespace
{

bool has_digit_1_to_9(slice text)
{
    for (size_t i = 0; i < text.len && text.ptr[i] != 'e' && text.ptr[i] != 'E'; i++)
        if (text.ptr[i] >= '1' && text.ptr[i] <= '9')
            return true;
    return false;
}

template <typename real> bool read(slice text, real *out)
{
    const char *digits = text.ptr;
    if (text.len && *digits == '-')
        digits++;
    if (text.len == 0 || digits == text.ptr + text.len || *digits < '0' || *digits > '9')
        return false; /* charconv would take "inf" and ".5" */
    real v;
    auto end = std::from_chars(text.ptr, text.ptr + text.len, v);
    if (end.ec != std::errc() || end.ptr != text.ptr + text.len || !std::isfinite(v))
        return false;
    if (v == 0 && has_digit_1_to_9(text))
        return false;
    *out = v;
    return true;
}

template <typename real> void append(buf *out, real v)
{
    enum { ROOM = 64 };
    real size = std::fabs(v);
    bool plain = size == 0 || (size >= real(1e-5) && size < real(1e16));
    char *at = buf_reserve(out, ROOM);
    auto end = std::to_chars(at, at + ROOM, v,
                             plain ? std::chars_format::fixed : std::chars_format::scientific);
    bool integer = plain && !memchr(at, '.', (size_t)(end.ptr - at));
    out->len += (size_t)(end.ptr - at);
    if (integer)
        buf_append(out, ".0", 2);
}

} // namespace

extern "C" bool json_read_double(slice text, double *out)
{
    return read(text, out);
}

extern "C" bool json_read_float(slice text, float *out)
{
    return read(text, out);
}

extern "C" void json_append_double(buf *out, double v)
{
    append(out, v);
}

extern "C" void json_append_float(buf *out, float v)
{
    append(out, v);
}
