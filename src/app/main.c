#include "app/command.h"

#include <stdlib.h>
#include <sys/random.h>

int main(int argc, char **argv)
{
    unsigned seed = 0; /* of samples and back-off: no two processes draw the same */
    if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed)
        srandom(seed);
    return command_main(argc, argv);
}
