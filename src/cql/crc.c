#include "cql/crc.h"

#include <zlib.h>

uint32_t cql_crc24(struct slice header)
{
    uint32_t crc = 0x875060;
    for (size_t i = 0; i < header.len; i++) {
        crc ^= (uint32_t)(unsigned char)header.ptr[i] << 16;
        for (int bit = 0; bit < 8; bit++) {
            crc <<= 1;
            if (crc & 0x1000000)
                crc ^= 0x1974F0B;
        }
    }
    return crc;
}

uint32_t cql_crc32(struct slice payload)
{
    static const unsigned char seed[] = {0xFA, 0x2D, 0x55, 0xCA};
    uLong crc = crc32(0, seed, sizeof seed);
    return (uint32_t)crc32_z(crc, (const unsigned char *)payload.ptr, payload.len);
}
