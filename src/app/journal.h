#ifndef APP_JOURNAL_H
#define APP_JOURNAL_H

#include <stdbool.h>

/* Whether what is written there goes to systemd's journal ($JOURNAL_STREAM), which has times of its
 * own and takes the priority of a line from its beginning, "<3>" for an error. */
bool journal_is(int fd);

#endif
