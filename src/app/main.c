#include "app/command.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/random.h>

enum { LARGE = 4 << 20, KEPT = 4 << 20 };

int main(int argc, char **argv)
{
    /* What a burst took is given back: left to itself, malloc keeps what was large once. */
    mallopt(M_MMAP_THRESHOLD, LARGE);
    mallopt(M_TRIM_THRESHOLD, KEPT);
    unsigned seed = 0; /* of samples and back-off: no two processes draw the same */
    if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed)
        srandom(seed);
    return command_main(argc, argv);
}
