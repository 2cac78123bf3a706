#include "map/codec.h"

#include "cql/statement.h"
#include "map/fixture.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* --- both ways: this JSON is this cell, and the cell is rendered as exactly this JSON */
static const struct {
    const char *type, *json, *cell;
} exact[] = {
    {"text", "\"\"", ""},
    {"text", "\"a\\u0000\\n\\\"\"", "6100 0a 22"},
    {"text", "\"\xC3\xA9\xF0\x9F\x98\x80\"", "c3a9 f09f9880"},
    {"ascii", "\"\"", ""},
    {"ascii", "\"z\\u0000~\"", "7a007e"},
    {"uuid", "\"00000000-0000-0000-0000-000000000000\"", "00000000000000000000000000000000"},
    {"uuid", "\"ffeeddcc-bbaa-9988-7766-554433221100\"", "ffeeddccbbaa99887766554433221100"},
    {"timeuuid", "\"50554d6e-29bb-11e5-b345-feff819cdc9f\"", "50554d6e29bb11e5b345feff819cdc9f"},
    {"boolean", "true", "01"},
    {"boolean", "false", "00"},
    {"tinyint", "127", "7f"},
    {"tinyint", "-128", "80"},
    {"smallint", "32767", "7fff"},
    {"smallint", "-32768", "8000"},
    {"int", "0", "00000000"},
    {"int", "2147483647", "7fffffff"},
    {"int", "-2147483648", "80000000"},
    {"bigint", "-1", "ffffffffffffffff"},
    {"bigint", "9007199254740993", "0020000000000001"},
    {"bigint", "9223372036854775807", "7fffffffffffffff"},
    {"bigint", "-9223372036854775808", "8000000000000000"},
    {"float", "0.0", "00000000"},
    {"float", "-0.0", "80000000"},
    {"float", "0.1", "3dcccccd"},
    {"float", "16777216.0", "4b800000"},
    {"float", "3.4028235e+38", "7f7fffff"},
    {"float", "1e-45", "00000001"},
    {"double", "0.1", "3fb999999999999a"},
    {"double", "-0.0", "8000000000000000"},
    {"double", "1.0", "3ff0000000000000"},
    {"double", "100000.0", "40f86a0000000000"},
    {"double", "1e+22", "4480f0cf064dd592"},
    {"double", "1.7976931348623157e+308", "7fefffffffffffff"},
    {"double", "5e-324", "0000000000000001"},
    {"double", "0.3", "3fd3333333333333"},
    {"double", "0.30000000000000004", "3fd3333333333334"},
    {"~double", "\"NaN\"", "7ff8000000000000"},
    {"~double", "\"-Infinity\"", "fff0000000000000"},
    {"~float", "\"NaN\"", "7fc00000"},
    {"~float", "\"Infinity\"", "7f800000"},
    {"~float", "1.5", "3fc00000"},
    {"counter", "-5", "fffffffffffffffb"},
    {"timestamp", "\"1970-01-01T00:00:00.000Z\"", "0000000000000000"},
    {"timestamp", "\"2015-03-25T03:30:12.000Z\"", "0000014c4efaf5a0"},
    {"timestamp", "\"1969-12-31T23:59:59.999Z\"", "ffffffffffffffff"},
    {"timestamp", "\"2000-02-29T12:00:00.001Z\"", "000000dd9d3a0e01"},
    {"timestamp", "\"0000-01-01T00:00:00.000Z\"", "ffffc77590fba000"},
    {"timestamp", "\"9999-12-31T23:59:59.999Z\"", "0000e677d21fdbff"},
    {"timestamp", "253402300800000", "0000e677d21fdc00"},
    {"timestamp", "-62167219200001", "ffffc77590fb9fff"},
    {"timestamp", "9223372036854775807", "7fffffffffffffff"},
    {"timestamp", "-9223372036854775808", "8000000000000000"},
    {"date", "\"1970-01-01\"", "80000000"},
    {"date", "\"1969-12-31\"", "7fffffff"},
    {"date", "\"2016-02-29\"", "800041dc"},
    {"date", "\"9999-12-31\"", "802cc0a0"},
    {"date", "\"0000-01-01\"", "7ff50558"},
    {"date", "253402300800000", "802cc0a1"},
    {"date", "-185542587187200000", "00000000"},
    {"date", "185542587100800000", "ffffffff"},
    {"time", "\"00:00:00.000000000\"", "0000000000000000"},
    {"time", "\"13:30:54.234000001\"", "00002c4032559a81"},
    {"time", "\"23:59:59.999999999\"", "00004e94914effff"},
    {"duration", "\"0s\"", "000000"},
    {"duration", "\"1mo2d3ns\"", "020406"},
    {"duration", "\"-1mo2d3ns\"", "010305"},
    {"duration", "\"1y1mo10d1h1m1s1ms1us1ns\"", "1a14fc06a8c9541052"},
    {"duration", "\"-178956970y8mo2147483648d2562047h47m16s854ms775us808ns\"",
     "f0fffffffff0ffffffffffffffffffffffffff"},
    {"blob", "\"\"", ""},
    {"blob", "\"AA==\"", "00"},
    {"blob", "\"AAE=\"", "0001"},
    {"blob", "\"AP+/\"", "00ffbf"},
    {"varint", "0", "00"},
    {"varint", "-1", "ff"},
    {"varint", "127", "7f"},
    {"varint", "128", "0080"},
    {"varint", "-128", "80"},
    {"varint", "-129", "ff7f"},
    {"varint", "1000000000", "3b9aca00"},
    {"varint", "18446744073709551616", "010000000000000000"},
    {"varint", "-170141183460469231731687303715884105728", "80000000000000000000000000000000"},
    {"decimal", "\"12.340\"", "00000003 3034"},
    {"decimal", "\"-12.340\"", "00000003 cfcc"},
    {"decimal", "\"0\"", "00000000 00"},
    {"decimal", "\"0.000\"", "00000003 00"},
    {"decimal", "\"0.00012\"", "00000005 0c"},
    {"decimal", "\"5E+7\"", "fffffff9 05"},
    {"decimal", "\"5E-2147483647\"", "7fffffff 05"},
    {"decimal", "\"5E+2147483648\"", "80000000 05"},
    {"decimal", "\"123456789012345678901234567890.5\"", "000000010f951a9fa3a286c94f0e766c39"},
    {"inet", "\"0.0.0.0\"", "00000000"},
    {"inet", "\"192.0.2.255\"", "c00002ff"},
    {"inet", "\"::\"", "00000000000000000000000000000000"},
    {"inet", "\"::1\"", "00000000000000000000000000000001"},
    {"inet", "\"::ffff:192.0.2.1\"", "00000000000000000000ffffc0000201"},
    {"inet", "\"::102:304\"", "00000000000000000000000001020304"},
    {"inet", "\"2001:db8::1:0:0:1\"", "20010db8000000000001000000000001"},
    {"inet", "\"2001:db8:0:1:1:1:1:1\"", "20010db8000000010001000100010001"},
};

/* --- read as well, though written otherwise */
static const struct {
    const char *type, *json, *as;
} accepted[] = {
    {"uuid", "\"FFEEDDCC-BBAA-9988-7766-554433221100\"",
     "\"ffeeddcc-bbaa-9988-7766-554433221100\""},
    {"int", "1.0", "1"},
    {"int", "1e0", "1"},
    {"int", "-0", "0"},
    {"int", "-0.0e5", "0"},
    {"int", "0e999999999999999999999", "0"},
    {"int", "12.50e2", "1250"},
    {"int", "120e-1", "12"},
    {"int", "2147483647.000", "2147483647"},
    {"bigint", "9.223372036854775807e18", "9223372036854775807"},
    {"bigint", "-92233720368547758080e-1", "-9223372036854775808"},
    {"bigint", "0.00001e5", "1"},
    {"double", "1", "1.0"},
    {"double", "1E5", "100000.0"},
    {"double", "0.1000000000000000055511151231257827", "0.1"},
    {"double", "0e-999", "0.0"},
    {"double", "-0", "-0.0"},
    {"float", "16777217", "16777216.0"},
    {"timestamp", "1427254212000", "\"2015-03-25T03:30:12.000Z\""},
    {"timestamp", "1.427254212e12", "\"2015-03-25T03:30:12.000Z\""},
    {"timestamp", "\"1427254212000\"", "\"2015-03-25T03:30:12.000Z\""},
    {"timestamp", "\"-10000\"", "\"1969-12-31T23:59:50.000Z\""},
    {"timestamp", "0", "\"1970-01-01T00:00:00.000Z\""},
    {"timestamp", "\"2015\"", "\"2015-01-01T00:00:00.000Z\""},
    {"timestamp", "\"2015-03\"", "\"2015-03-01T00:00:00.000Z\""},
    {"timestamp", "\"2015-03-25\"", "\"2015-03-25T00:00:00.000Z\""},
    {"timestamp", "\"2015-03-25T03\"", "\"2015-03-25T03:00:00.000Z\""},
    {"timestamp", "\"2015-03-25T03:30\"", "\"2015-03-25T03:30:00.000Z\""},
    {"timestamp", "\"2015-03-25T03:30:12\"", "\"2015-03-25T03:30:12.000Z\""},
    {"timestamp", "\"2015-03-25T03:30:12Z\"", "\"2015-03-25T03:30:12.000Z\""},
    {"timestamp", "\"2015-03-25T03:30:12.5Z\"", "\"2015-03-25T03:30:12.500Z\""},
    {"timestamp", "\"2015-03-25T03:30:12.123000000\"", "\"2015-03-25T03:30:12.123Z\""},
    {"timestamp", "\"2015-03-25T03:30:12+01:00\"", "\"2015-03-25T02:30:12.000Z\""},
    {"timestamp", "\"2015-03-25T03:30:12.001-0530\"", "\"2015-03-25T09:00:12.001Z\""},
    {"timestamp", "\"2015-01-01T00:30+01\"", "\"2014-12-31T23:30:00.000Z\""},
    {"timestamp", "\"+10000-01-01T00:00:00Z\"", "253402300800000"},
    {"timestamp", "\"-0001-12-31T23:59:59.999Z\"", "-62167219200001"},
    {"date", "\"2016-02-29T00:00:00.000Z\"", "\"2016-02-29\""},
    {"date", "86400000", "\"1970-01-02\""},
    {"time", "\"13:30\"", "\"13:30:00.000000000\""},
    {"time", "\"13:30:54\"", "\"13:30:54.000000000\""},
    {"time", "\"13:30:54.5\"", "\"13:30:54.500000000\""},
    {"duration", "\"P1Y2M3DT4H5M6S\"", "\"1y2mo3d4h5m6s\""},
    {"duration", "\"-P1M\"", "\"-1mo\""},
    {"duration", "\"P2W\"", "\"14d\""},
    {"duration", "\"PT90M\"", "\"1h30m\""},
    {"duration", "\"1w1d\"", "\"8d\""},
    {"duration", "\"1000ms\"", "\"1s\""},
    {"varint", "1.0", "1"},
    {"varint", "-1.50e30", "-1500000000000000000000000000000"},
    {"varint", "100e-2", "1"},
    {"varint", "-0", "0"},
    {"varint", "0e99999999999999999999", "0"},
    {"decimal", "1.50", "\"1.50\""},
    {"decimal", "1.5e3", "\"15E+2\""},
    {"decimal", "-0.0", "\"0.0\""},
    {"decimal", "\"0012.3\"", "\"12.3\""},
    {"decimal", "15e-25", "\"15E-25\""},
    {"inet", "\"2001:DB8:0:0:0:0:0:1\"", "\"2001:db8::1\""},
    {"inet", "\"::192.0.2.1\"", "\"::c000:201\""},
};

/* --- refused, with words that say why */
static const struct {
    const char *type, *json, *why;
} refused[] = {
    {"text", "1", "a number is no value for a column of type text"},
    {"text", "true", "a boolean is no value for a column of type text"},
    {"text", "{}", "an object is no value for a column of type text"},
    {"text", "[\"a\"]", "an array is no value for a column of type text"},
    {"text", "\"\\ud800\"", "half of a surrogate pair is no character"},
    {"ascii", "\"\xC3\xA9\"", "not ASCII in a column of type ascii"},
    {"ascii", "1", "a number is no value for a column of type ascii"},
    {"uuid", "\"\"", " is no uuid"},
    {"uuid", "\"ffeeddcc-bbaa-9988-7766-55443322110\"",
     "ffeeddcc-bbaa-9988-7766-55443322110 is no uuid"},
    {"uuid", "\"ffeeddccbbaa99887766554433221100\"", "is no uuid"},
    {"uuid", "\"{feeddcc-bbaa-9988-7766-554433221100\"", "is no uuid"},
    {"uuid", "\"ffeeddcc-bbaa-9988-7766-5544332211000\"", "is no uuid"},
    {"uuid", "\"\\ud800\"", "? is no uuid"},
    {"uuid", "1", "a number is no value for a column of type uuid"},
    {"timeuuid", "\"ffeeddcc-bbaa-4988-7766-554433221100\"",
     "is not of version 1, so it is no timeuuid"},
    {"boolean", "\"true\"", "a string is no value for a column of type boolean"},
    {"boolean", "1", "a number is no value for a column of type boolean"},
    {"tinyint", "128", "128 does not fit into tinyint"},
    {"smallint", "-32769", "-32769 does not fit into smallint"},
    {"int", "3000000000", "3000000000 does not fit into int"},
    {"int", "-2147483649", "-2147483649 does not fit into int"},
    {"int", "1.5", "1.5 has a fraction and is no int"},
    {"int", "1e-1", "1e-1 has a fraction and is no int"},
    {"int", "0.99999999999999999999999", "0.99999999999999999999999 has a fraction and is no int"},
    {"int", "1e999", "1e999 does not fit into int"},
    {"int", "1e99999999999999999999", "does not fit into int"},
    {"int", "1e-99999999999999999999", "has a fraction"},
    {"int", "\"1\"", "a string is no value for a column of type int"},
    {"int", "true", "a boolean is no value for a column of type int"},
    {"int", "[1]", "an array is no value for a column of type int"},
    {"int", "[]", "an array is no value for a column of type int"},
    {"bigint", "9223372036854775808", "9223372036854775808 does not fit into bigint"},
    {"bigint", "-9223372036854775809", "does not fit into bigint"},
    {"bigint", "18446744073709551617", "does not fit into bigint"},
    {"bigint", "9223372036854775807.5", "has a fraction and is no bigint"},
    {"double", "1e999", "1e999 does not fit into double"},
    {"double", "-1e309", "does not fit into double"},
    {"double", "1e-999", "1e-999 does not fit into double"},
    {"double", "\"NaN\"", "a string is no value for a column of type double"},
    {"~double", "\"nan\"", "a string is no value for a column of type double"},
    {"~float", "\"1.5\"", "a string is no value for a column of type float"},
    {"counter", "1.5", "1.5 has a fraction and is no counter"},
    {"float", "1e39", "1e39 does not fit into float"},
    {"float", "1e-60", "does not fit into float"},
    {"timestamp", "1.5", "1.5 is finer than a millisecond and is no timestamp"},
    {"timestamp", "9223372036854775808", "does not fit into timestamp"},
    {"timestamp", "\"9223372036854775808\"", "does not fit into timestamp"},
    {"timestamp", "\"2015-03-25T03:30:12.0001Z\"",
     "is finer than a millisecond and is no timestamp"},
    {"timestamp", "\"2015-02-29\"", "2015-02-29 is no timestamp"},
    {"timestamp", "\"1900-02-29\"", "is no timestamp"},
    {"timestamp", "\"2015-13-01\"", "is no timestamp"},
    {"timestamp", "\"2015-00-01\"", "is no timestamp"},
    {"timestamp", "\"2015-04-31\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25T24:00:00Z\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25T23:60:00Z\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25T23:59:60Z\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25T03:30:12.Z\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25T03:30:12+19:00\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25T03:30:12+01:\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25T03:30:12ZZ\"", "is no timestamp"},
    {"timestamp", "\"2015-03-25 03:30:12\"", "is no timestamp"},
    {"timestamp", "\"2015-3-25\"", "is no timestamp"},
    {"timestamp", "\"25.3.2015\"", "is no timestamp"},
    {"timestamp", "\"\"", "is no timestamp"},
    {"timestamp", "\"+2015-03-25\"", "is no timestamp"},
    {"timestamp", "\"+999999999-01-01\"", "is no timestamp"},
    {"timestamp", "\"+99999999999-01-01\"", "is no timestamp"},
    {"timestamp", "true", "a boolean is no value for a column of type timestamp"},
    {"date", "\"2016-02-29T00:00:00.001Z\"", "has a time of day and is no date"},
    {"date", "1", "1 has a time of day and is no date"},
    {"date", "185542587187200000", "does not fit into date"},
    {"date", "-185542587273600000", "does not fit into date"},
    {"date", "\"2015-02-30\"", "2015-02-30 is no date"},
    {"time", "\"24:00\"", "24:00 is no time"},
    {"time", "\"1:00\"", "is no time"},
    {"time", "\"10:60\"", "is no time"},
    {"time", "\"10:00:00.\"", "is no time"},
    {"time", "\"10:00:00.0000000001\"", "is no time"},
    {"time", "1", "a number is no value for a column of type time"},
    {"duration", "\"\"", "is no duration"},
    {"duration", "\"-\"", "is no duration"},
    {"duration", "\"P\"", "is no duration"},
    {"duration", "\"1\"", "is no duration"},
    {"duration", "\"1x\"", "is no duration"},
    {"duration", "\"1d1d\"", "is no duration"},
    {"duration", "\"1d-1d\"", "is no duration"},
    {"duration", "\"P1H\"", "is no duration"},
    {"duration", "\"PT1D\"", "is no duration"},
    {"duration", "\"2147483648mo\"", "does not fit into duration"},
    {"duration", "\"99999999999999999999ns\"", "is no duration"},
    {"duration", "\"9223372036854775808ns\"", "does not fit into duration"},
    {"blob", "\"A\"", "A is no base64 for blob"},
    {"blob", "\"AA\"", "is no base64"},
    {"blob", "\"AB==\"", "is no base64"},
    {"blob", "\"AAB=\"", "is no base64"},
    {"blob", "\"A===\"", "is no base64"},
    {"blob", "\"====\"", "is no base64"},
    {"blob", "\"AA==AA==\"", "is no base64"},
    {"blob", "\"A-_A\"", "is no base64"},
    {"blob", "1", "a number is no value for a column of type blob"},
    {"varint", "1.5", "1.5 has a fraction and is no varint"},
    {"varint", "\"1\"", "a string is no value for a column of type varint"},
    {"varint", "1e10000", "1e10000 has more than 10000 digits for varint"},
    {"varint", "1e99999999999999999999", "has more than 10000 digits for varint"},
    {"varint", "1e-99999999999999999999", "has a fraction"},
    {"decimal", "\"\"", " is no decimal"},
    {"decimal", "\"1.\"", "is no decimal"},
    {"decimal", "\".5\"", "is no decimal"},
    {"decimal", "\"+1\"", "is no decimal"},
    {"decimal", "\"1e\"", "is no decimal"},
    {"decimal", "\"NaN\"", "is no decimal"},
    {"decimal", "1e2147483649", "does not fit into decimal"},
    {"decimal", "true", "a boolean is no value for a column of type decimal"},
    {"inet", "\"256.0.0.1\"", "256.0.0.1 is no inet"},
    {"inet", "\"1.2.3\"", "is no inet"},
    {"inet", "\"01.2.3.4\"", "is no inet"},
    {"inet", "\"fe80::1%eth0\"", "is no inet"},
    {"inet", "\"1.2.3.4\\u0000\"", "is no inet"},
    {"inet", "\"example.org\"", "is no inet"},
    {"inet", "\"\"", "is no inet"},
    {"inet", "16909060", "a number is no value for a column of type inet"},
};

/* --- cells that have no form in JSON */
static const struct {
    const char *type, *cell, *why;
} silent[] = {
    {"int", "", "empty value of type int"},
    {"uuid", "", "empty value of type uuid"},
    {"inet", "", "empty value of type inet"},
    {"timestamp", "", "empty value of type timestamp"},
    {"int", "000000", "3 bytes are no value of type int"},
    {"bigint", "00000000", "4 bytes are no value of type bigint"},
    {"boolean", "0101", "2 bytes are no value of type boolean"},
    {"uuid", "00", "1 bytes are no value of type uuid"},
    {"inet", "0102030405", "5 bytes are no value of type inet"},
    {"text", "ff", "not UTF-8 in a column of type text"},
    {"text", "eda080", "not UTF-8 in a column of type text"},
    {"ascii", "80", "not ASCII in a column of type ascii"},
    {"time", "ffffffffffffffff", "-1 ns are no time of day"},
    {"time", "00004e94914f0000", "86400000000000 ns are no time of day"},
    {"duration", "0000", "broken value of type duration"},
    {"duration", "00000000", "broken value of type duration"},
    {"duration", "010200", "broken value of type duration"},
    {"duration", "f0ffffffff00", "broken value of type duration"},
    {"duration", "f1000000000000", "broken value of type duration"},
    {"varint", "", "empty value of type varint"},
    {"decimal", "00000000", "4 bytes are no value of type decimal"},
    {"float", "7fc00000", "NaN has no form in JSON; see CassandraConfig.nonFinite"},
    {"float", "7f800000", "Infinity has no form in JSON; see CassandraConfig.nonFinite"},
    {"double", "7ff8000000000000", "NaN has no form in JSON; see CassandraConfig.nonFinite"},
    {"double", "fff0000000000000", "-Infinity has no form in JSON; see CassandraConfig.nonFinite"},
};

static void test_exact(void **state)
{
    (void)state;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
        struct slice expected = fixture_bytes(exact[i].cell), cell;
        if (!fixture_read(exact[i].type, exact[i].json, &cell, &err))
            fail_msg("%s %s: %s", exact[i].type, exact[i].json, err.text);
        const char *json = fixture_write(exact[i].type, expected, &err);
        if (!json)
            fail_msg("%s %s: %s", exact[i].type, exact[i].json, err.text);
        assert_string_equal(json, exact[i].json);
        if (!slice_equal(cell, expected))
            fail_msg("%s %s: other bytes", exact[i].type, exact[i].json);
    }
}

static void test_accepted(void **state)
{
    (void)state;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        struct slice cell;
        if (!fixture_read(accepted[i].type, accepted[i].json, &cell, &err))
            fail_msg("%s %s: %s", accepted[i].type, accepted[i].json, err.text);
        assert_string_equal(fixture_write(accepted[i].type, cell, &err), accepted[i].as);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct err err;
        struct slice cell;
        if (fixture_read(refused[i].type, refused[i].json, &cell, &err))
            fail_msg("%s accepted %s", refused[i].type, refused[i].json);
        assert_int_equal(err.code, ERR_VALUE);
        if (!strstr(err.text, refused[i].why))
            fail_msg("%s %s: \"%s\" lacks \"%s\"", refused[i].type, refused[i].json, err.text,
                     refused[i].why);
    }
}

static void test_cells_without_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
        struct err err;
        if (fixture_write(silent[i].type, fixture_bytes(silent[i].cell), &err))
            fail_msg("%s accepted %s", silent[i].type, silent[i].cell);
        assert_int_equal(err.code, ERR_VALUE);
        assert_string_equal(err.text, silent[i].why);
    }
}

static void test_null_and_unknown_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
        struct err err;
        struct slice cell = SLICE_LIT("x");
        assert_true(fixture_read(exact[i].type, "null", &cell, &err));
        assert_null(cell.ptr);
        assert_string_equal(map_codec_find(fixture_type(exact[i].type)->id)->name,
                            exact[i].type + (*exact[i].type == '~'));
    }
    assert_null(map_codec_find(CQL_CUSTOM));
}

static void test_long_values_are_cut(void **state)
{
    (void)state;
    char json[1004] = "\"";
    memset(json + 1, 'x', 1000);
    strcpy(json + 62, "\xE2\x82\xAC\xE2\x82\xAC long\"");
    struct err err;
    struct slice cell;
    assert_false(fixture_read("uuid", json, &cell, &err));
    assert_true(strlen(err.text) < 120);
    assert_true(json_utf8_valid(slice_str(err.text)));
    assert_non_null(strstr(err.text, "… is no uuid"));
}

/* --- random: cell -> JSON -> cell is the same bytes for all that has JSON at all */

static uint64_t random_state;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545F4914F6CDD1DU;
}

static void round_trip(const char *type, struct slice cell)
{
    struct err err;
    const char *json = fixture_write(type, cell, &err);
    if (!json)
        return;
    struct slice again;
    if (!fixture_read(type, json, &again, &err))
        fail_msg("%s %s: %s", type, json, err.text);
    if (!slice_equal(cell, again))
        fail_msg("%s %s: other bytes", type, json);
}

static void test_random(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        size_t size;
    } types[] = {{"tinyint", 1}, {"smallint", 2}, {"int", 4},       {"bigint", 8}, {"float", 4},
                 {"double", 8},  {"date", 4},     {"inet", 4},      {"inet", 16},  {"uuid", 16},
                 {"text", 7},    {"ascii", 5},    {"timestamp", 8}, {"time", 8},   {"blob", 0},
                 {"blob", 11},   {"blob", 15},    {"duration", 3},  {"varint", 1}, {"varint", 16},
                 {"decimal", 14}};
    const char *seed = getenv("SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) | 1;
    print_message("SEED=%llu\n", (unsigned long long)random_state);
    for (int i = 0; i < 20000; i++) {
        size_t t = random_u64() % ARRAY_LEN(types);
        uint64_t words[2] = {random_u64(), random_u64()};
        /* Small magnitudes and many zeros as often as large ones; big-endian cells. */
        if (types[t].size == 8)
            words[0] = __builtin_bswap64((uint64_t)((int64_t)words[0] >> random_u64() % 64));
        /* The first byte of a shortest form says more than the sign. */
        if (*types[t].type == 'v')
            ((unsigned char *)words)[0] = 0x40;
        if (!strcmp(types[t].type, "decimal"))
            ((unsigned char *)words)[4] = 0xA0;
        round_trip(types[t].type, slice_of(words, types[t].size));
        if (i % 256 == 0)
            arena_reset(&fixture_arena);
    }
}

/* A string, and it reads as the number does. */
static void check_long(const char *written, const char *digits)
{
    struct err err;
    struct slice cell, again;
    char *copy = strdup(written);
    assert_int_equal(strlen(copy), strlen(digits) + 2);
    assert_memory_equal(copy + 1, digits, strlen(digits));
    assert_true(fixture_read("varint", digits, &cell, &err));
    assert_true(fixture_read("varint", copy, &again, &err));
    assert_true(slice_equal(cell, again));
    free(copy);
}

static void test_long_varint(void **state)
{
    (void)state;
    char json[1004];
    struct err err;
    struct slice cell;
    memset(json, '7', sizeof json);
    json[1000] = '\0';
    assert_true(fixture_read("varint", json, &cell, &err));
    assert_string_equal(fixture_write("varint", cell, &err), json);
    json[1000] = '7';
    json[1001] = '\0';
    assert_true(fixture_read("varint", json, &cell, &err));
    check_long(fixture_write("varint", cell, &err), json);
}

/* As many digits as are taken, and one more. */
static void test_digits_at_the_limit(void **state)
{
    (void)state;
    enum { MOST = 10000 };
    char *json = malloc(MOST + 4);
    struct err err;
    struct slice cell;
    for (int sign = 0; sign < 2; sign++) {
        json[0] = '-';
        char *digits = json + sign;
        for (int i = 0; i < MOST + 1; i++)
            digits[i] = (char)('1' + i * 7 % 9);
        digits[MOST + 1] = '\0';
        assert_false(fixture_read("varint", json, &cell, &err));
        assert_false(fixture_read("decimal", json, &cell, &err));
        digits[MOST] = '\0';
        assert_true(fixture_read("varint", json, &cell, &err));
        check_long(fixture_write("varint", cell, &err), json);
        assert_true(fixture_read("decimal", json, &cell, &err));
        assert_int_equal(strlen(fixture_write("decimal", cell, &err)), strlen(json) + 2);
    }
    memset(json, '9', MOST);
    json[MOST] = '\0';
    assert_true(fixture_read("varint", json, &cell, &err));
    check_long(fixture_write("varint", cell, &err), json);
    char *bytes = malloc(cell.len + 1);
    memset(bytes, 0x7f, cell.len + 1);
    assert_null(fixture_write("varint", slice_of(bytes, cell.len), &err));
    assert_null(fixture_write("varint", slice_of(bytes, cell.len + 1), &err));
    free(bytes);
    free(json);
}

/* Days of all months and kinds of years against the C library's calendar. */
static void test_calendar(void **state)
{
    (void)state;
    for (int64_t day = -800000; day < 2932896; day += 61) {
        time_t seconds = day * 86400;
        struct tm tm;
        char expected[64], bytes[8];
        struct err err;
        gmtime_r(&seconds, &tm);
        if (tm.tm_year + 1900 < 0)
            continue;
        snprintf(expected, sizeof expected, "\"%04d-%02d-%02dT00:00:00.000Z\"", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday);
        struct slice cell = cql_encode_i64(bytes, day * 86400000), again;
        if (strcmp(fixture_write("timestamp", cell, &err), expected) != 0)
            fail_msg("day %lld: expected %s", (long long)day, expected);
        if (day % 7 == 0) {
            assert_true(fixture_read("timestamp", expected, &again, &err));
            assert_true(slice_equal(cell, again));
        }
        if (day % 128 == 0)
            arena_reset(&fixture_arena);
    }
}

static void test_locale(void **state)
{
    (void)state;
    struct err err;
    struct slice cell;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "nl_NL.UTF-8"};
    bool comma = false;
    for (size_t i = 0; i < ARRAY_LEN(names) && !comma; i++)
        comma = setlocale(LC_ALL, names[i]) != NULL;
    assert_true(fixture_read("double", "1.5", &cell, &err));
    assert_string_equal(fixture_write("double", cell, &err), "1.5");
    setlocale(LC_ALL, "C");
    if (!comma)
        print_message("no locale with a decimal comma here\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cells_without_json),
        cmocka_unit_test(test_null_and_unknown_types),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_long_varint),
        cmocka_unit_test(test_digits_at_the_limit),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_locale),
    };
    int failed = cmocka_run_group_tests_name("map/codec", tests, NULL, NULL);
    arena_free(&fixture_arena);
    return failed;
}
