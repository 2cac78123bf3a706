#ifndef JOB_LOAD_GUARD_H
#define JOB_LOAD_GUARD_H

#include "base/slice.h"
#include "io/task.h"

#include <stdint.h>

/* Between a load that writes rows and the cycles: which keys may have a row, so that it has to be
 * read first, and one operation a key at a time. */
struct load_guard;

struct load_guard *load_guard_new(struct io_loop *loop);
/* Waits until nobody is in load_guard_touch any more. */
void load_guard_free(struct load_guard *guard);

/* The key has, or may have, a row. */
void load_guard_add(struct load_guard *guard, struct slice key);
bool load_guard_has(const struct load_guard *guard, uint64_t hash);
uint64_t load_guard_hash(struct slice key);

/* The load is about to decide on this key and write it, or is done with it. */
void load_guard_begin(struct load_guard *guard, uint64_t hash);
void load_guard_end(struct load_guard *guard, uint64_t hash);
/* Somebody else is: adds the key, then waits until the load is done with it. */
void load_guard_touch(struct load_guard *guard, struct slice key);

#endif
