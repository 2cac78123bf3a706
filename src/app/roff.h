#ifndef APP_ROFF_H
#define APP_ROFF_H

#include "base/buf.h"

/* Manual pages: the man(7) macros, as groff and mandoc read them. */

/* The head of a page: .TH and NAME. The date is $SOURCE_DATE_EPOCH's, else today's. */
void roff_head(const char *name, int section, const char *what, struct buf *out);
/* Text that stands for itself wherever it is put, also as a macro's argument within "". */
void roff_text(struct slice text, struct buf *out);
/* What the program's reference pages are made of: headings, paragraphs, lists, tables, `code`,
 * [links](…). The first heading is left out. A row of a table is an entry: its first cell, then
 * the last one, then those between with the names of their columns. */
void roff_markdown(const char *markdown, struct buf *out);

#endif
