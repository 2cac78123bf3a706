#include "base/arena.h"

#include "base/mem.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum { BLOCK_SIZE = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) char data[];
};

static void add_block(struct arena *a, size_t size)
{
    struct arena_block *block = mem_alloc(sizeof *block + size);
    block->next = a->head;
    block->size = size;
    a->head = block;
    a->used = 0;
    a->total += size;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        size = SIZE_MAX / 2; /* mem_alloc ends the process */
    size = (size + align - 1) & ~(align - 1);
    if (!a->head || a->head->size - a->used < size)
        add_block(a, size > BLOCK_SIZE ? size : BLOCK_SIZE);
    void *at = a->head->data + a->used;
    a->used += size;
    return at;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    if (slice_is_null(s))
        return s;
    char *at = arena_alloc(a, s.len + 1);
    if (s.len)
        memcpy(at, s.ptr, s.len);
    at[s.len] = '\0';
    return slice_of(at, s.len);
}

void arena_reset(struct arena *a)
{
    while (a->head && (a->head->next || a->head->size > BLOCK_SIZE)) {
        struct arena_block *next = a->head->next;
        a->total -= a->head->size;
        free(a->head);
        a->head = next;
    }
    a->used = 0;
}

void arena_free(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    *a = (struct arena){0};
}
