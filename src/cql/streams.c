#include "cql/streams.h"

#include "base/mem.h"

#include <stdlib.h>

static struct cql_call orphan; /* stands for all of them */

void cql_streams_init(struct cql_streams *streams, unsigned capacity)
{
    if (capacity > CQL_STREAMS_MAX)
        capacity = CQL_STREAMS_MAX;
    *streams = (struct cql_streams){
        .calls = mem_array(capacity, sizeof(struct cql_call *)),
        .free_ids = mem_array(capacity, sizeof(int16_t)),
        .capacity = capacity,
        .free_count = capacity,
    };
    for (unsigned i = 0; i < capacity; i++)
        streams->free_ids[i] = (int16_t)(capacity - 1 - i);
}

void cql_streams_free(struct cql_streams *streams)
{
    free(streams->calls);
    free(streams->free_ids);
}

bool cql_streams_take(struct cql_streams *streams, struct cql_call *call)
{
    if (streams->free_count == 0)
        return false;
    call->stream = streams->free_ids[--streams->free_count];
    streams->calls[call->stream] = call;
    streams->busy++;
    return true;
}

void cql_streams_orphan(struct cql_streams *streams, const struct cql_call *call)
{
    streams->calls[call->stream] = &orphan;
    streams->busy--;
    streams->orphans++;
}

static void give_back(struct cql_streams *streams, int stream)
{
    streams->calls[stream] = NULL;
    streams->free_ids[streams->free_count++] = (int16_t)stream;
}

bool cql_streams_answered(struct cql_streams *streams, int stream, struct cql_call **call)
{
    if (stream < 0 || (unsigned)stream >= streams->capacity || !streams->calls[stream])
        return false;
    *call = streams->calls[stream];
    give_back(streams, stream);
    if (*call == &orphan) {
        *call = NULL;
        streams->orphans--;
    } else {
        streams->busy--;
    }
    return true;
}

struct cql_call *cql_streams_pop(struct cql_streams *streams, unsigned *at)
{
    for (; *at < streams->capacity; ++*at) {
        struct cql_call *call = streams->calls[*at];
        if (call && call != &orphan) {
            give_back(streams, (int)*at);
            streams->busy--;
            return call;
        }
    }
    return NULL;
}
