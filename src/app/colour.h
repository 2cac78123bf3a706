#ifndef APP_COLOUR_H
#define APP_COLOUR_H

#include "base/buf.h"

#include <stdbool.h>

/* On a terminal that knows colours, unless $NO_COLOR (https://no-color.org) is set and not empty.
 */
bool colour_wanted(int fd);
/* What a heading or a severity at the beginning of a line is put between on fd: headings of help
 * in bold, "error" in red, "warning" in yellow. Elsewhere text stays as it is. */
void colour_lines(int fd, struct buf *text);

#define COLOUR_RED "\033[31m"
#define COLOUR_END "\033[0m"

#endif
