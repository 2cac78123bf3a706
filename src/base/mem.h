#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Heap memory that is there: every function ends the process with one line on stderr when the
 * system has none left (all state that matters is on disk, a restart goes on from there).
 * Results are freed with free(). Sizes that overflow count as "none left". */

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *ptr, size_t size);
/* Room for count elements of size bytes. */
void *mem_array(size_t count, size_t size);
char *mem_strdup(const char *text);
/* A NUL-terminated copy of len bytes. */
char *mem_strndup(const char *text, size_t len);

#endif
