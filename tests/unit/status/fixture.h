#ifndef UNIT_STATUS_FIXTURE_H
#define UNIT_STATUS_FIXTURE_H

#include "status/snapshot.h"

#define SECOND 1000000LL

/* 2026-03-01 12:00:00 UTC, the present of all snapshots here. */
#define FIXTURE_NOW 1772366400000000LL

/* A quiet, healthy pair: interval 10 s, readyLag 60 s, the last cycle 4 s ago. The time zone is
 * UTC. */
struct status_snapshot *fixture_snapshot(void);
/* Its first (and only) pipeline. */
struct status_pipeline *fixture_pipeline(struct status_snapshot *snapshot);

#endif
