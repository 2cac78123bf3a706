#ifndef APP_NOTIFY_H
#define APP_NOTIFY_H

#include "base/attr.h"
#include "base/log.h"

#include <stdint.h>

/* The protocol of sd_notify(3): datagrams of lines NAME=VALUE to the socket that $NOTIFY_SOCKET
 * names, a path or (after "@") an abstract name. */
struct notify;

/* NULL: nobody wants to be told, or what the variable names can't be reached (logged). log is
 * borrowed for its life. */
MUST_USE struct notify *notify_open(const struct log *log);
/* lines without the last newline. wait: for up to a second where the manager's queue is full;
 * without it, the lines are lost then. False: they were. */
bool notify_send(struct notify *notify, const char *lines, bool wait);
/* NULL is allowed. */
void notify_close(struct notify *notify);

/* How often the manager wants to hear WATCHDOG=1 of this process, at least, in µs; 0: not at all
 * ($WATCHDOG_USEC, $WATCHDOG_PID). */
int64_t notify_watchdog_us(const struct log *log);

#endif
