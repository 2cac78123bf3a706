#ifndef IO_HTTP_POOL_H
#define IO_HTTP_POOL_H

#include "io/http_call.h"

/* For io/http.c only: curl's connections on the loop, used by one client or by several, and whose
 * request is next. A client has as many requests under way as its options say. All clients together
 * have no more, but for those that take their time: who waits for a slow answer holds up nobody
 * else. */
struct io_http_pool;

/* One client's part; its owner's memory. */
struct io_http_user {
    struct io_http_pool *pool;
    struct io_http_user *prev, *next;
    struct io_http_call *first; /* oldest first */
    unsigned active, limit;     /* that curl has */
    bool closing;               /* none is begun */
};

/* NULL with err set when curl can't. Lives until its last user has left. */
MUST_USE struct io_http_pool *io_http_pool_new(struct io_loop *loop, struct err *err);
void io_http_pool_join(struct io_http_pool *pool, struct io_http_user *user);
/* It has no calls any more. left is called once, later, or during this call where others stay. */
void io_http_pool_leave(struct io_http_user *user, void (*left)(void *ctx), void *ctx);

/* Its turn comes later. When curl has done with it, io_http_ended is called. */
void io_http_pool_add(struct io_http_user *user, struct io_http_call *call);
/* Takes a call out, whatever it does. */
void io_http_pool_remove(struct io_http_user *user, struct io_http_call *call);
/* Begins what may be begun: after calls were taken out. */
void io_http_pool_start(struct io_http_pool *pool);
/* Begins one that has ended once more, at another place. */
void io_http_pool_again(struct io_http_pool *pool, struct io_http_call *call, const char *url);

#endif
