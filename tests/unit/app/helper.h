#ifndef UNIT_APP_HELPER_H
#define UNIT_APP_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/config.h"

/* A configuration from text, named c.yaml, in the home folder /home/u. Variables: PW is
 * "hush-hush", N is "7", EMPTY is "". The file /secret holds "hush-file\n", /aws credentials of
 * AWS, /none is not there, any other "x". */
struct app_config *helper_parse(const char *text, struct err *err);
/* The same under another name. */
struct app_config *helper_parse_file(const char *file, const char *text, struct err *err);
/* Fails the test with the error. */
struct app_config *helper_config(const char *text);

/* The least that loads; more lines may follow. */
#define HELPER_ES   "ElasticSearchConfig:\n  index: stream\n"
#define HELPER_CASS "CassandraConfig:\n  keyspace: logs\n  dataColumnFamily: data\n"

#endif
