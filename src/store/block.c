#include "store/block.h"

#include "store/statement.h"

#include <xxhash.h>

/* The bytes of a block, integers big-endian: the entries one after the other, where each begins
 * (32 bits each), how many there are (32 bits), the hash of all that (64 bits).
 *
 * An entry: version, first look, due (64 bits each), flags of its own copies (8 bits each), seen,
 * looks (8 bits each), length of the key (32 bits), where there is an own document its hash (128
 * bits), where there is an own row its hash and write time (192 bits), each followed by the hash of
 * what was sent before where there is one (128 bits), the key. */

enum { TRAILER = 12, ENTRY_FIXED = 32, HASH = 16, WRITTEN = 8 };

static void append_hash(struct buf *b, struct change_hash hash)
{
    buf_append_be64(b, hash.high);
    buf_append_be64(b, hash.low);
}

static void append_own(struct buf *b, const struct store_own *own, bool row)
{
    if (!own->flags)
        return;
    append_hash(b, own->hash);
    if (row)
        buf_append_be64(b, (uint64_t)own->written);
    if (own->flags & STORE_OWN_BEFORE)
        append_hash(b, own->before);
}

/* What append_own appends. */
static size_t own_size(unsigned flags, bool row)
{
    if (!flags)
        return 0;
    return HASH + (row ? WRITTEN : 0U) + (flags & STORE_OWN_BEFORE ? HASH : 0U);
}

void store_block_add(struct store_block *block, const struct store_entry *e)
{
    struct buf *b = &block->bytes;
    block->offsets[block->count++] = (uint32_t)b->len;
    buf_append_be64(b, (uint64_t)e->version);
    buf_append_be64(b, (uint64_t)e->first_look);
    buf_append_be64(b, (uint64_t)e->due);
    buf_append_char(b, (char)e->own_document.flags);
    buf_append_char(b, (char)e->own_row.flags);
    buf_append_char(b, (char)e->seen);
    buf_append_char(b, (char)e->looks);
    buf_append_be32(b, (uint32_t)e->key.len);
    append_own(b, &e->own_document, false);
    append_own(b, &e->own_row, true);
    buf_append_slice(b, e->key);
}

static uint64_t number_at(const char *at, size_t bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | (unsigned char)at[i];
    return n;
}

static uint64_t take(const char **at, size_t bytes)
{
    const uint64_t n = number_at(*at, bytes);
    *at += bytes;
    return n;
}

static struct change_hash take_hash(const char **at)
{
    const uint64_t high = take(at, 8);
    return (struct change_hash){high, take(at, 8)};
}

static void take_own(const char **at, struct store_own *own, bool row)
{
    if (!own->flags)
        return;
    own->hash = take_hash(at);
    if (row)
        own->written = (int64_t)take(at, 8);
    if (own->flags & STORE_OWN_BEFORE)
        own->before = take_hash(at);
}

uint32_t store_block_count(struct slice bytes)
{
    return (uint32_t)number_at(bytes.ptr + bytes.len - TRAILER, 4);
}

static uint32_t offset_of(struct slice bytes, uint32_t number)
{
    const size_t from_end = TRAILER + 4 * (size_t)(store_block_count(bytes) - number);
    return (uint32_t)number_at(bytes.ptr + bytes.len - from_end, 4);
}

struct store_entry store_block_entry(struct slice bytes, uint32_t number)
{
    const char *at = bytes.ptr + offset_of(bytes, number);
    struct store_entry e = {.version = (int64_t)take(&at, 8)};
    e.first_look = (int64_t)take(&at, 8);
    e.due = (int64_t)take(&at, 8);
    e.own_document.flags = (unsigned)take(&at, 1);
    e.own_row.flags = (unsigned)take(&at, 1);
    e.seen = (unsigned)take(&at, 1);
    e.looks = (int)take(&at, 1);
    const size_t length = take(&at, 4);
    take_own(&at, &e.own_document, false);
    take_own(&at, &e.own_row, true);
    e.key = slice_of(at, length);
    return e;
}

/* Where the entry at an offset ends; beyond end: it does not fit. */
static size_t entry_end(struct slice bytes, size_t offset, size_t end)
{
    if (offset > end || end - offset < ENTRY_FIXED)
        return end + 1;
    const char *at = bytes.ptr + offset;
    const size_t own =
        own_size((unsigned char)at[24], false) + own_size((unsigned char)at[25], true);
    return offset + ENTRY_FIXED + own + number_at(at + 28, 4);
}

/* Nothing of it is believed before: a file may be damaged anywhere. */
static bool is_whole(struct slice bytes)
{
    if (bytes.len < TRAILER)
        return false;
    const size_t hashed = bytes.len - 8;
    const uint32_t count = store_block_count(bytes);
    if (XXH3_64bits(bytes.ptr, hashed) != number_at(bytes.ptr + hashed, 8) || count == 0 ||
        count > STORE_BLOCK_ENTRIES || bytes.len < TRAILER + 4 * (size_t)count)
        return false;
    const size_t end = bytes.len - TRAILER - 4 * (size_t)count;
    size_t next = 0;
    for (uint32_t i = 0; i < count && next <= end; i++) {
        if (offset_of(bytes, i) != next)
            return false;
        next = entry_end(bytes, next, end);
    }
    return next == end;
}

static bool check(const struct store *store, int64_t id, struct slice bytes, struct err *err)
{
    return (!slice_is_null(bytes) && is_whole(bytes)) ||
           err_set(err, ERR_STATE,
                   "state %s: block %lld is damaged: move the file away, then start with --since a "
                   "version before the damage",
                   store->path, (long long)id);
}

bool store_block_write(struct store *store, int64_t pipeline, struct store_block *block,
                       int64_t *id, struct err *err)
{
    struct buf *b = &block->bytes;
    for (uint32_t i = 0; i < block->count; i++)
        buf_append_be32(b, block->offsets[i]);
    buf_append_be32(b, block->count);
    buf_append_be64(b, XXH3_64bits(b->ptr, b->len));
    sqlite3_stmt *s =
        store_prepare(store, "INSERT INTO block(pipeline, entries) VALUES(?, ?)", err);
    bool fine = s != NULL;
    if (fine) {
        sqlite3_bind_int64(s, 1, pipeline);
        store_bind_slice(s, 2, buf_slice(b));
        fine = store_run(store, s, err);
        *id = sqlite3_last_insert_rowid(store->db);
    }
    buf_clear(b);
    block->count = 0;
    return fine;
}

bool store_block_read(struct store *store, int64_t id, struct buf *bytes, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store, "SELECT entries FROM block WHERE id = ?", err);
    buf_clear(bytes);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, id);
    const int rc = store_row(store, s, err);
    if (rc < 0)
        return false;
    if (rc == 1)
        buf_append_slice(bytes, store_column_slice(s, 0));
    sqlite3_reset(s);
    return check(store, id, buf_slice(bytes), err);
}

bool store_blocks_all(struct store *store, int64_t pipeline, store_block_fn *fn, void *ctx,
                      struct err *err)
{
    sqlite3_stmt *s = store_prepare(
        store, "SELECT id, entries FROM block WHERE pipeline = ? ORDER BY id DESC", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, pipeline);
    int rc;
    while ((rc = store_row(store, s, err)) == 1) {
        const int64_t id = sqlite3_column_int64(s, 0);
        const struct slice bytes = store_column_slice(s, 1);
        const bool fine = check(store, id, bytes, err);
        if (!fine || !fn(ctx, id, bytes)) {
            sqlite3_reset(s);
            return fine;
        }
    }
    return rc == 0;
}

bool store_block_delete(struct store *store, int64_t id, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store, "DELETE FROM block WHERE id = ?", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, id);
    return store_run(store, s, err);
}

static struct store_entry entry_of_line(sqlite3_stmt *s)
{
    enum { ROW_FLAGS_SHIFT = 8 };
    const unsigned own = (unsigned)sqlite3_column_int64(s, 7);
    return (struct store_entry){
        .key = store_column_slice(s, 1),
        .version = sqlite3_column_int64(s, 2),
        .seen = (unsigned)sqlite3_column_int64(s, 3),
        .looks = sqlite3_column_int(s, 4),
        .first_look = sqlite3_column_int64(s, 5),
        .due = sqlite3_column_int64(s, 6),
        .own_document = {.flags = own & ((1U << ROW_FLAGS_SHIFT) - 1),
                         .hash = {(uint64_t)sqlite3_column_int64(s, 8),
                                  (uint64_t)sqlite3_column_int64(s, 9)}},
        .own_row = {.flags = own >> ROW_FLAGS_SHIFT,
                    .hash = {(uint64_t)sqlite3_column_int64(s, 10),
                             (uint64_t)sqlite3_column_int64(s, 11)},
                    .written = sqlite3_column_int64(s, 12)},
    };
}

bool store_blocks_from_entries(struct store *store, struct err *err)
{
    sqlite3_stmt *s = store_prepare(store,
                                    "SELECT pipeline, key, version, seen, looks, first_look_us,"
                                    " due_us, own, own_document_high, own_document_low,"
                                    " own_row_high, own_row_low, own_row_written_us"
                                    " FROM entry ORDER BY pipeline, id",
                                    err);
    if (!s)
        return false;
    struct store_block block = {0};
    int64_t pipeline = 0, id;
    int rc;
    bool fine = true;
    while (fine && (rc = store_row(store, s, err)) == 1) {
        const int64_t of = sqlite3_column_int64(s, 0);
        if (block.count > 0 && (of != pipeline || block.count == STORE_BLOCK_ENTRIES))
            fine = store_block_write(store, pipeline, &block, &id, err);
        pipeline = of;
        const struct store_entry entry = entry_of_line(s);
        store_block_add(&block, &entry);
    }
    fine = fine && rc == 0 &&
           (block.count == 0 || store_block_write(store, pipeline, &block, &id, err));
    sqlite3_reset(s);
    buf_free(&block.bytes);
    return fine;
}
