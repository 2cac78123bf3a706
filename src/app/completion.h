#ifndef APP_COMPLETION_H
#define APP_COMPLETION_H

#include "base/buf.h"

/* Completion of the command line by a shell, made from the tables of command.h. */

void completion_bash(struct buf *out);
void completion_zsh(struct buf *out);
void completion_fish(struct buf *out);

#endif
