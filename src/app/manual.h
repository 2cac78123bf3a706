#ifndef APP_MANUAL_H
#define APP_MANUAL_H

#include "base/buf.h"

/* Manual pages, made from the tables that the program works with. */

/* caes-sync(1) */
void manual_program(struct buf *out);
/* caes-sync.yaml(5) */
void manual_configuration(struct buf *out);

#endif
