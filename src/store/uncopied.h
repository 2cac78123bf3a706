#ifndef STORE_UNCOPIED_H
#define STORE_UNCOPIED_H

#include "base/slice.h"
#include "store/store.h"

/* Keys of rows of which it is known that they may never have been copied to Elasticsearch: those
 * of dead letters, and those whose dead letters were purged. */

/* Before the dead letters of key (null: all) are purged, in the same transaction. */
MUST_USE bool store_uncopied_keep(struct store *store, int64_t pipeline, struct slice key,
                                  struct err *err);

/* At most limit keys behind one (null: from the first), in their order, each once; borrowed for
 * the call. */
typedef void store_uncopied_fn(void *ctx, struct slice key);
MUST_USE bool store_uncopied_page(struct store *store, int64_t pipeline, struct slice behind,
                                  uint32_t limit, store_uncopied_fn *fn, void *ctx,
                                  struct err *err);

#endif
